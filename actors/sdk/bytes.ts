// Byte strings. What was decoded is a view into the buffer it came from; nothing is ever freed, so views stay valid.

import * as cbor from './cbor'
import { ExitCode, exit, fault } from './abort'

/** Whether two spans of one length are equal. */
export function sameBytes(a: usize, b: usize, length: usize): bool {
  const end = a + length
  while (a < end) {
    if (load<u8>(a++) != load<u8>(b++)) return false
  }
  return true
}

/** Appends `value` to `at` as an unsigned varint and answers where it ends. */
export function putVarint(at: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(at++, <u8>value | 128)
    value >>= 7
  }
  store<u8>(at, <u8>value)
  return at + 1
}

@final
export class Bytes {
  constructor(public ptr: usize = 0, public length: u32 = 0) {}

  static get empty(): Bytes {
    return new Bytes()
  }

  /** `length` zero bytes of their own. */
  static alloc(length: u32): Bytes {
    const pointer = __alloc(length + 8)
    memory.fill(pointer, 0, length)
    return new Bytes(pointer, length)
  }

  /** The UTF-8 bytes of `text`. */
  static from(text: string): Bytes {
    const length = <u32>String.UTF8.byteLength(text)
    const pointer = __alloc(length + 8)
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, pointer)
    return new Bytes(pointer, length)
  }

  @operator('[]')
  get(index: u32): u8 {
    if (index >= this.length) fault(ExitCode.AssertionFailed, 'index out of range')
    return load<u8>(this.ptr + index)
  }

  @operator('[]=')
  set(index: u32, value: u8): void {
    if (index >= this.length) fault(ExitCode.AssertionFailed, 'index out of range')
    store<u8>(this.ptr + index, value)
  }

  /** The bytes from `start` to before `end`, as a view. */
  slice(start: u32, end: u32 = u32.MAX_VALUE): Bytes {
    const last = min(end, this.length)
    const first = min(start, last)
    return new Bytes(this.ptr + first, last - first)
  }

  concat(other: Bytes): Bytes {
    const length = this.length + other.length
    const pointer = __alloc(length + 8)
    memory.copy(pointer, this.ptr, this.length)
    memory.copy(pointer + this.length, other.ptr, other.length)
    return new Bytes(pointer, length)
  }

  /** The text these bytes are in UTF-8. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.ptr, this.length)
  }

  @operator('==')
  equals(other: Bytes): bool {
    return this.length == other.length && sameBytes(this.ptr, other.ptr, this.length)
  }

  @operator('!=')
  differs(other: Bytes): bool {
    return !this.equals(other)
  }

  __encode(): void {
    cbor.writeBytes(this.ptr, this.length)
  }

  __decode(): void {
    this.ptr = cbor.readBytes()
    this.length = cbor.lastLength
  }
}

/** Exactly 32 bytes: a hash, a key, an Ethereum word. */
@final
export class Bytes32 {
  constructor(public ptr: usize = 0) {
    if (!ptr) this.ptr = Bytes.alloc(32).ptr
  }

  static from(bytes: Bytes): Bytes32 {
    if (bytes.length != 32) fault(ExitCode.IllegalArgument, 'not 32 bytes')
    return new Bytes32(bytes.ptr)
  }

  get length(): u32 {
    return 32
  }

  toBytes(): Bytes {
    return new Bytes(this.ptr, 32)
  }

  @operator('==')
  equals(other: Bytes32): bool {
    return sameBytes(this.ptr, other.ptr, 32)
  }

  @operator('!=')
  differs(other: Bytes32): bool {
    return !this.equals(other)
  }

  __encode(): void {
    cbor.writeBytes(this.ptr, 32)
  }

  __decode(): void {
    this.ptr = cbor.readBytes()
    if (cbor.lastLength != 32) exit(ExitCode.Serialization)
  }
}
