// WebAssembly of our own making: one function over one page of memory, written as bytes. For hashes, whose 64-bit
// words are native there and pairs of halves in JavaScript.

export const I32 = 0x7f
export const I64 = 0x7e

/** The instructions that hashes need. */
export const op = {
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  branchIf: 0x0d,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  load32: 0x28,
  load64: 0x29,
  store32: 0x36,
  store64: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  isZero32: 0x45,
  lessThan32: 0x49,
  atLeast32: 0x4f,
  add32: 0x6a,
  and32: 0x71,
  xor32: 0x73,
  shiftRight32: 0x76,
  rotateLeft32: 0x77,
  rotateRight32: 0x78,
  add64: 0x7c,
  sub64: 0x7d,
  and64: 0x83,
  xor64: 0x85,
  rotateLeft: 0x89,
  rotateRight: 0x8a,
  extendUnsigned: 0xad,
} as const

/** A loop or a condition without parameters or results. */
export const NO_TYPE = 0x40

export interface FunctionDescription {
  /** Count of its i32 parameters; local variables are numbered after them. */
  readonly parameters: number
  readonly locals: readonly (typeof I32 | typeof I64)[]
  /** The instructions, without the last `end`. */
  readonly code: readonly number[]
}

/** The page, and the function that works on it. Synchronous, and meant for modules of a few KiB. */
export function instantiateFunction(description: FunctionDescription): {
  memory: Uint8Array
  call: (...parameters: number[]) => void
} {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(writeModule(description)))
  const exports = instance.exports as unknown as { m: { buffer: ArrayBuffer }; f: (...parameters: number[]) => void }
  return { memory: new Uint8Array(exports.m.buffer), call: exports.f }
}

function writeModule({ parameters, locals, code }: FunctionDescription): Uint8Array<ArrayBuffer> {
  const declarations = locals.flatMap((type) => [1, type])
  const body = [...leb(locals.length), ...declarations, ...code, op.end]
  const section = (id: number, ...content: readonly number[]) => [id, ...leb(content.length), ...content]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, parameters, ...new Array<number>(parameters).fill(I32), 0), // type 0: (i32 …) → ()
    ...section(3, 1, 0), // function 0 has type 0
    ...section(5, 1, 0, 1), // one page of memory
    ...section(7, 2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0), // exports "m" and "f"
    ...section(10, 1, ...leb(body.length), ...body),
  ])
}

export function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}

export function signedLeb(value: bigint): number[] {
  const low = Number(value & 0x7fn)
  const rest = value >> 7n
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)
  return isLast ? [low] : [low | 0x80, ...signedLeb(rest)]
}
