/** Whether a state written under one ABI can be read under another. */
import type { Abi } from './schema.ts'
import { type AbiType, parseField } from './types.ts'

export interface StateDifference {
  /** Position in the state tuple. */
  readonly index: number
  /** `name: T` before; undefined when the field is new. */
  readonly before: string | undefined
  /** `name: T` after; undefined when the field is gone. */
  readonly after: string | undefined
}

type Layout = Pick<Abi, 'state' | 'types' | 'enums'>

/** Fields of the state that would be misread. Names do not matter: a renamed field keeps its place. */
export function compareState(before: Layout, after: Layout): StateDifference[] {
  const differences: StateDifference[] = []
  for (let index = 0; index < Math.max(before.state.length, after.state.length); index++) {
    const old = before.state[index]
    const next = after.state[index]
    if (old !== undefined && next !== undefined && layoutOf(old, before) === layoutOf(next, after)) continue
    differences.push({ index, before: old, after: next })
  }
  return differences
}

function layoutOf(field: string, abi: Layout): string {
  return writeOut(parseField(field).type, abi, [])
}

/** A type with its names written out: tuples as their fields, enums as the integers they are. */
function writeOut(type: AbiType, abi: Layout, seen: readonly string[]): string {
  switch (type.kind) {
    case 'primitive':
      return type.name === 'actorid' ? 'u64' : type.name
    case 'name': {
      if (abi.enums[type.name]) return 'enum'
      const depth = seen.indexOf(type.name)
      if (depth >= 0) return `^${seen.length - depth}`
      const fields = (abi.types[type.name] ?? []).map((field) =>
        writeOut(parseField(field).type, abi, [...seen, type.name]),
      )
      return `(${fields.join(',')})`
    }
    case 'nullable':
      return `${writeOut(type.of, abi, seen)}?`
    case 'list':
      return `[${writeOut(type.of, abi, seen)}]`
    case 'hamt':
      return `hamt<${writeOut(type.key, abi, seen)},${writeOut(type.value, abi, seen)},${type.bitWidth}>`
    case 'amt':
      return `amt<${writeOut(type.of, abi, seen)}>`
    case 'lazy':
      return `lazy<${writeOut(type.of, abi, seen)}>`
  }
}
