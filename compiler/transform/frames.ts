/** What an activation of each function adds to the FVM's stack height, by asc's internal name. */
import { stackCost } from '../gas/stack-limit.ts'
import { createInstructions, decodeCode } from '../wasm/code.ts'
import { indexSpaces } from '../wasm/module.ts'
import { readModule } from '../wasm/reader.ts'

const CUSTOM_SECTION = 0
const FUNCTION_NAMES = 1

/** `wasm` must carry its names. */
export function frameSizes(wasm: Uint8Array): ReadonlyMap<string, number> {
  const module = readModule(wasm)
  const spaces = indexSpaces(module)
  const names = functionNames(wasm)
  const instructions = createInstructions()
  const sizes = new Map<string, number>()
  for (const [index, body] of (module.bodies ?? []).entries()) {
    const type = module.types[module.functions?.[index] ?? -1]
    const name = names.get(spaces.importedFunctions + index)
    if (!type || name === undefined) continue
    decodeCode(module.bytes, body.code, instructions)
    sizes.set(name, stackCost({ types: module.types, spaces }, type, body.locals, instructions))
  }
  return sizes
}

/** The function names of the `name` section. */
function functionNames(wasm: Uint8Array): Map<number, string> {
  const names = new Map<number, string>()
  const decoder = new TextDecoder()
  let at = 8
  const readSize = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const readText = (): string => {
    const size = readSize()
    return decoder.decode(wasm.subarray(at, (at += size)))
  }
  while (at < wasm.length) {
    const id = wasm[at++]
    const size = readSize()
    const end = at + size
    if (id === CUSTOM_SECTION && readText() === 'name') {
      while (at < end) {
        const kind = wasm[at++]
        const length = readSize()
        const next = at + length
        if (kind === FUNCTION_NAMES) {
          for (let count = readSize(); count > 0; count--) {
            const index = readSize()
            names.set(index, readText())
          }
        }
        at = next
      }
    }
    at = end
  }
  return names
}
