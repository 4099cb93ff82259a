/**
 * A cursor over bytes, and the variable-length integers of WebAssembly. Everything is bounds checked: the bytes are hostile.
 * @source WebAssembly core specification 5.2.2, with the length and unused-bit rules of wasmparser
 */

export type DecodeCode =
  | 'TRUNCATED'
  | 'OVERLONG_LEB128'
  | 'LEB128_OUT_OF_RANGE'
  | 'BAD_MAGIC'
  | 'BAD_VERSION'
  | 'BAD_SECTION_ID'
  | 'SECTION_ORDER'
  | 'SECTION_SIZE'
  | 'BAD_UTF8'
  | 'NAME_TOO_LONG'
  | 'BAD_TYPE'
  | 'BAD_FLAGS'
  | 'BAD_KIND'
  | 'BAD_CONSTANT'
  | 'BAD_OPCODE'
  | 'BAD_IMMEDIATE'
  | 'COUNT_MISMATCH'
  | 'TOO_MANY'

export interface DecodeFault {
  readonly code: DecodeCode
  readonly offset: number
}

/** The bytes are not a WebAssembly module of the accepted kind. Offsets count bytes from the module's start. */
export class WasmDecodeError extends Error {
  override readonly name = 'WasmDecodeError'
  readonly fault: DecodeFault
  constructor(code: DecodeCode, offset: number) {
    super(`${code} at byte ${offset}`)
    this.fault = { code, offset }
  }
}

/** A place in `bytes`; nothing is read at or past `end`. */
export interface Cursor {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number
}

/** A cursor over `bytes[start, end)`. */
export function openCursor(bytes: Uint8Array, start: number, end: number): Cursor {
  return { bytes, offset: start, end }
}

/** One byte. */
export function readByte(cursor: Cursor): number {
  if (cursor.offset >= cursor.end) throw new WasmDecodeError('TRUNCATED', cursor.offset)
  return cursor.bytes[cursor.offset++]!
}

/** Passes over `size` bytes. */
export function skipBytes(cursor: Cursor, size: number): void {
  if (size > cursor.end - cursor.offset) throw new WasmDecodeError('TRUNCATED', cursor.offset)
  cursor.offset += size
}

/** An unsigned 32-bit integer in at most five bytes. */
export function readU32(cursor: Cursor): number {
  const first = readByte(cursor)
  if (first < 0x80) return first
  let value = first & 0x7f
  for (let shift = 7; shift < 28; shift += 7) {
    const byte = readByte(cursor)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 0
  }
  const last = readByte(cursor)
  if (last >= 0x80) throw new WasmDecodeError('OVERLONG_LEB128', cursor.offset - 1)
  if (last > 0x0f) throw new WasmDecodeError('LEB128_OUT_OF_RANGE', cursor.offset - 1)
  return (value | (last << 28)) >>> 0
}

/** A signed 32-bit integer in at most five bytes; the unused bits of the fifth repeat the sign. */
export function readS32(cursor: Cursor): number {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift)
  }
  const last = readByte(cursor)
  if (last >= 0x80) throw new WasmDecodeError('OVERLONG_LEB128', cursor.offset - 1)
  const unused = last & 0x78
  if (unused !== 0 && unused !== 0x78) throw new WasmDecodeError('LEB128_OUT_OF_RANGE', cursor.offset - 1)
  return value | (last << 28)
}

/** Passes over a signed 64-bit integer of at most ten bytes; the unused bits of the tenth repeat the sign. */
export function skipS64(cursor: Cursor): void {
  for (let index = 0; index < 9; index++) {
    if (readByte(cursor) < 0x80) return
  }
  const last = readByte(cursor)
  if (last >= 0x80) throw new WasmDecodeError('OVERLONG_LEB128', cursor.offset - 1)
  if (last !== 0 && last !== 0x7f) throw new WasmDecodeError('LEB128_OUT_OF_RANGE', cursor.offset - 1)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NAME_SIZE_MAX = 100_000

/** A name: its size, then UTF-8. */
export function readName(cursor: Cursor): string {
  const at = cursor.offset
  const size = readU32(cursor)
  if (size > NAME_SIZE_MAX) throw new WasmDecodeError('NAME_TOO_LONG', at)
  const start = cursor.offset
  skipBytes(cursor, size)
  try {
    return utf8.decode(cursor.bytes.subarray(start, cursor.offset))
  } catch {
    throw new WasmDecodeError('BAD_UTF8', start)
  }
}
