// A cursor over canonical CBOR: one to read, one to write. Shortest heads are written; heads of any width are read, as
// Rust actors do. Buffers that are read have 8 bytes of slack, so a head may be loaded past the end before it is refused.

import { ExitCode, exit, exitText, fault } from './abort'

const BLOCK_SIZE_MAX: usize = 1 << 20

let readAt: usize = 0
let readEnd: usize = 0
/** Length of what `readBytes`, `readCid` or `encodeTo` found last. */
export let lastLength: u32 = 0

export function setLastLength(length: u32): void {
  lastLength = length
}

/** Puts the read cursor on `length` bytes at `pointer`. */
export function openReader(pointer: usize, length: usize): void {
  readAt = pointer
  readEnd = pointer + length
}

export function readerAt(): usize {
  return readAt
}

export function readerEnd(): usize {
  return readEnd
}

/** The major type of the next item. */
export function peekMajor(): u32 {
  return load<u8>(readAt) >> 5
}

/** Requires that everything has been read. */
export function readDone(): void {
  if (readAt != readEnd) fault(ExitCode.Serialization, 'data after the last item')
}

/** Reads a head of type `major` and answers its argument. */
export function readHead(major: u32): u64 {
  const at = readAt
  const low = <u32>load<u8>(at) ^ (major << 5)
  if (low > 27 || at >= readEnd) {
    if (ASC_OPTIMIZE_LEVEL == 0) wrongItem(major)
    exit(ExitCode.Serialization)
  }
  let value: u64 = low
  let next = at + 1
  if (low >= 24) {
    const size = 1 << (low - 24)
    value = bswap<u64>(load<u64>(next)) >> (64 - (size << 3))
    next += size
  }
  readAt = next
  if (next > readEnd) fault(ExitCode.Serialization, 'item is cut off')
  return value
}

function wrongItem(major: u32): void {
  if (readAt >= readEnd) exitText(ExitCode.Serialization, 'data ends where ' + nameOf(major) + ' should be')
  exitText(ExitCode.Serialization, 'expected ' + nameOf(major) + ', found ' + nameOf(peekMajor()))
}

function nameOf(major: u32): string {
  if (major == 0) return 'an unsigned integer'
  if (major == 1) return 'a negative integer'
  if (major == 2) return 'bytes'
  if (major == 3) return 'a string'
  if (major == 4) return 'an array'
  if (major == 5) return 'a map'
  if (major == 6) return 'a tag'
  return 'a boolean or null'
}

/** Reads the head of an array that must have `count` items. */
export function readTuple(count: u32): void {
  const found = readHead(4)
  if (found != count) {
    if (ASC_OPTIMIZE_LEVEL == 0) {
      exitText(ExitCode.Serialization, 'expected array of ' + count.toString() + ', found ' + found.toString())
    }
    exit(ExitCode.Serialization)
  }
}

/** Reads the head of an array of unknown length. Every item takes at least a byte, so the length is bounded. */
export function readList(): i32 {
  const count = readHead(4)
  if (count > readEnd - readAt) fault(ExitCode.Serialization, 'array is cut off')
  return <i32>count
}

export function readUint(max: u64): u64 {
  const value = readHead(0)
  if (value > max) fault(ExitCode.Serialization, 'integer out of range')
  return value
}

export function readInt(): i64 {
  const negative = peekMajor() == 1
  const value = <i64>readHead(u32(negative))
  if (value < 0) fault(ExitCode.Serialization, 'integer out of range')
  return negative ? ~value : value
}

export function readBool(): bool {
  const value = readHead(7)
  if (value >> 1 != 10) fault(ExitCode.Serialization, 'expected a boolean')
  return value == 21
}

/** Whether the next item is null; if so, reads it. */
export function readNull(): bool {
  if (readAt >= readEnd || load<u8>(readAt) != 0xf6) return false
  readAt++
  return true
}

/** Reads a string of type `major`: where its bytes are. Their number is in `lastLength`. */
export function readSpan(major: u32): usize {
  const length = readHead(major)
  const start = readAt
  if (length > readEnd - start) fault(ExitCode.Serialization, 'string is cut off')
  readAt = start + <usize>length
  lastLength = <u32>length
  return start
}

export function readBytes(): usize {
  return readSpan(2)
}

export function readText(): string {
  const start = readSpan(3)
  return String.UTF8.decodeUnsafe(start, lastLength)
}

/** Reads a link: where its binary CID is. Its length is in `lastLength`. */
export function readCid(): usize {
  if (readHead(6) != 42) fault(ExitCode.Serialization, 'expected a CID')
  const start = readBytes()
  if (lastLength < 2 || load<u8>(start)) fault(ExitCode.Serialization, 'malformed CID')
  lastLength--
  return start + 1
}

/** Passes over one item, whatever it is. */
export function skip(): void {
  let left: u64 = 1
  while (left--) {
    const major = peekMajor()
    const value = readHead(major)
    if (major == 2 || major == 3) {
      if (value > readEnd - readAt) fault(ExitCode.Serialization, 'string is cut off')
      readAt += <usize>value
    } else if (major == 4) left += value
    else if (major == 5) left += value << 1
    else if (major == 6) left++
  }
}

let writeAt: usize = 0
let writeStart: usize = 0
let writeEnd: usize = 0

/** Starts a new buffer. */
export function openWriter(): void {
  writeStart = writeAt = __alloc(128)
  writeEnd = writeAt + 128
}

export function writerAt(): usize {
  return writeAt
}

export function writerStart(): usize {
  return writeStart
}

export function writerEnd(): usize {
  return writeEnd
}

export function restoreWriter(at: usize, start: usize, end: usize): void {
  writeAt = at
  writeStart = start
  writeEnd = end
}

/** Bytes written so far. */
export function written(): u32 {
  return <u32>(writeAt - writeStart)
}

/** Makes room for `size` bytes and moves the cursor past them. */
export function reserve(size: usize): usize {
  let at = writeAt
  if (at + size > writeEnd) {
    const used = at - writeStart
    if (used + size > BLOCK_SIZE_MAX) fault(ExitCode.IllegalState, 'block larger than 1 MiB')
    const capacity = (used + size) << 1
    const moved = __alloc(capacity)
    memory.copy(moved, writeStart, used)
    writeStart = moved
    writeEnd = moved + capacity
    at = moved + used
  }
  writeAt = at + size
  return at
}

export function writeByte(value: u32): void {
  store<u8>(reserve(1), value)
}

export function writeHead(major: u32, value: u64): void {
  const type = major << 5
  if (value < 24) {
    writeByte(type | <u32>value)
    return
  }
  // 1, 2, 4 or 8 bytes follow; the wide store leaves bytes behind the cursor that the next write covers.
  const log: u32 = value >> 32 ? 3 : value >> 16 ? 2 : <u32>(value >> 8 != 0)
  const size: usize = 1 << log
  const at = reserve(9)
  writeAt = at + 1 + size
  store<u8>(at, type | (24 + log))
  store<u64>(at, bswap<u64>(value << (64 - (size << 3))), 1)
}

export function writeInt(value: i64): void {
  if (value < 0) writeHead(1, ~value)
  else writeHead(0, value)
}

export function writeBool(value: bool): void {
  writeByte(0xf4 + u32(value))
}

/** Bytes that are CBOR already. */
export function writeRaw(pointer: usize, length: u32): void {
  memory.copy(reserve(length), pointer, length)
}

export function writeSpan(major: u32, pointer: usize, length: u32): void {
  writeHead(major, length)
  writeRaw(pointer, length)
}

export function writeBytes(pointer: usize, length: u32): void {
  writeSpan(2, pointer, length)
}

export function writeText(value: string): void {
  const length = <u32>String.UTF8.byteLength(value)
  writeHead(3, length)
  String.UTF8.encodeUnsafe(changetype<usize>(value), value.length, reserve(length))
}

/** A link: tag 42 over the binary CID behind a zero byte. */
export function writeCid(cid: usize, length: u32): void {
  writeHead(6, 42)
  writeHead(2, length + 1)
  writeByte(0)
  writeRaw(cid, length)
}
