// Bytes in three shapes: arrays (payloads), binary strings (identities, one char a byte) and hex (for people).

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

/** Up to this size a loop beats the call into Node's native encoder. */
const SHORT = 24

const { latin1Slice, latin1Write, hexSlice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
  hexSlice(this: Uint8Array, start: number, end: number): string
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const ARENA_SIZE = 1 << 14
/** Larger copies get memory of their own. */
const ARENA_COPY_MAX = 1 << 11
let arena = new ArrayBuffer(0)
let arenaUsed = 0

/**
 * A copy of `bytes`. Small ones lie side by side in common memory, which costs a third of memory of their own; it is
 * freed when the last of them is.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const size = bytes.length
  if (size > ARENA_COPY_MAX) return new Uint8Array(bytes)
  if (size > arena.byteLength - arenaUsed) {
    arena = new ArrayBuffer(ARENA_SIZE)
    arenaUsed = 0
  }
  const copy = new Uint8Array(arena, arenaUsed, size)
  arenaUsed += size
  if (size > SHORT) copy.set(bytes)
  else for (let i = 0; i < size; i++) copy[i] = bytes[i]!
  return copy
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  if (a.length > SHORT) return Buffer.compare(a, b) === 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Negative, zero or positive: lexicographic, a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function toHex(bytes: Uint8Array): string {
  return hexSlice.call(bytes, 0, bytes.length)
}

/** The bytes that `text` spells: pairs of hex digits, with or without `0x`. Throws RangeError for anything else. */
export function fromHex(text: string): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw new RangeError('not pairs of hex digits')
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** A binary string: char codes 0–255, one per byte. Compares with `===` and sorts as the bytes do. */
export function toBinary(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length)
}

/** The binary string of `bytes[start, end)`. */
export function sliceBinary(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end)
}

export function fromBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  writeBinary(bytes, 0, text)
  return bytes
}

/** Writes the binary string `text` at `offset`; the caller has made sure that it fits. */
export function writeBinary(bytes: Uint8Array, offset: number, text: string): void {
  const size = text.length
  if (size > SHORT) latin1Write.call(bytes, text, offset, size)
  else for (let i = 0; i < size; i++) bytes[offset + i] = text.charCodeAt(i)
}
