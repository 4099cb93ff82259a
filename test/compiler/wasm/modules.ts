/** Modules for tests: from text, or from sections of hand-made bytes. */
import wabt from 'wabt'

const { parseWat } = await wabt()

/** Everything the text format knows here, so that refusals are ours and not wabt's. */
const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
}

/** The module written as text. */
export function wat(text: string): Uint8Array {
  const parsed = parseWat('test.wat', text, FEATURES)
  const { buffer } = parsed.toBinary({})
  parsed.destroy()
  return new Uint8Array(buffer)
}

/** `\0asm`, version 1, then the sections, each an ID and its content. */
export function sections(...parts: readonly (readonly [id: number, content: readonly number[]])[]): Uint8Array {
  const bytes = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  for (const [id, content] of parts) bytes.push(id, content.length, ...content)
  return Uint8Array.from(bytes)
}

/** What the error of `act` says, `ACCEPTED` without one. */
export function faultOf(act: () => unknown): string {
  try {
    act()
    return 'ACCEPTED'
  } catch (error) {
    const { fault } = error as { fault?: { code: string; offset: number } }
    if (fault === undefined) throw error
    return fault.code
  }
}
