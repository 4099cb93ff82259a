/**
 * What a change of code means for a live actor. Pure: old and new interface in, a decision out. State is a tuple without
 * names, so a field may be renamed; anything that would be read as something else is refused.
 */
import type { Abi } from '../../compiler/abi/schema.ts'
import { type AbiType, formatType, parseField, parseType } from '../../compiler/abi/types.ts'

/** Where the two layouts part. `index` counts fields from 0. */
export interface LayoutChange {
  readonly index: number
  readonly before: string | null
  readonly after: string | null
}

export type ReloadPlan =
  | { readonly kind: 'same' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'migrate' }
  | { readonly kind: 'refuse'; readonly change: LayoutChange }

export interface CodeChange {
  readonly before: Abi
  readonly after: Abi
  readonly isSameCode: boolean
  /** Whether the new code has an `upgrade` export. */
  readonly canMigrate: boolean
}

export function planReload({ before, after, isSameCode, canMigrate }: CodeChange): ReloadPlan {
  if (isSameCode) return { kind: 'same' }
  const change = findLayoutChange(before, after)
  if (change === undefined) return { kind: 'keep' }
  return canMigrate ? { kind: 'migrate' } : { kind: 'refuse', change }
}

/** The first field that old state would be misread in. */
export function findLayoutChange(before: Abi, after: Abi): LayoutChange | undefined {
  const count = Math.max(before.state.length, after.state.length)
  for (let index = 0; index < count; index++) {
    const [was, is] = [before.state[index] ?? null, after.state[index] ?? null]
    const differs =
      was === null || is === null || !sameType(before, after, parseField(was).type, parseField(is).type, new Set())
    if (differs) return { index, before: was, after: is }
  }
  return undefined
}

/** Whether bytes of the one type decode as the other. Names are compared by what they stand for. */
function sameType(before: Abi, after: Abi, a: AbiType, b: AbiType, seen: Set<string>): boolean {
  if (a.kind === 'name' && b.kind === 'name') {
    const key = `${a.name} ${b.name}`
    if (seen.has(key)) return true
    seen.add(key)
    return sameNamed(before, after, a.name, b.name, seen)
  }
  if (a.kind !== b.kind) return false
  switch (a.kind) {
    case 'primitive':
      return b.kind === 'primitive' && a.name === b.name
    case 'nullable':
    case 'list':
    case 'lazy':
      return sameType(before, after, a.of, (b as typeof a).of, seen)
    case 'amt':
      return a.bitWidth === (b as typeof a).bitWidth && sameType(before, after, a.of, (b as typeof a).of, seen)
    case 'hamt': {
      const other = b as typeof a
      const sameKey = formatType(a.key) === formatType(other.key)
      return a.bitWidth === other.bitWidth && sameKey && sameType(before, after, a.value, other.value, seen)
    }
    default:
      return false
  }
}

function sameNamed(before: Abi, after: Abi, a: string, b: string, seen: Set<string>): boolean {
  const [wasEnum, isEnum] = [before.enums[a], after.enums[b]]
  if (wasEnum !== undefined || isEnum !== undefined) {
    if (wasEnum === undefined || isEnum === undefined) return false
    const numbers = new Set(Object.values(isEnum))
    return Object.values(wasEnum).every((number) => numbers.has(number))
  }
  const [was, is] = [before.types[a], after.types[b]]
  if (was === undefined || is === undefined || was.length !== is.length) return false
  return was.every((field, index) => sameType(before, after, fieldType(field), fieldType(is[index]!), seen))
}

function fieldType(field: string): AbiType {
  return field.includes(':') ? parseField(field).type : parseType(field)
}
