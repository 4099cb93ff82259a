/**
 * Protocol Buffers at a cursor. The writer writes as gogoproto does, from the last byte to the first, so that no length
 * has to be known before what it counts. The reader forgives what gogoproto's decoders forgive: over-long varints of up to
 * ten bytes, bits that a type has no room for, unknown fields, unknown groups.
 *
 * @source cosmos/gogoproto v1.7 `plugin/unmarshal`, `plugin/marshalto`
 */

import { sliceBinary, writeBinary } from '../primitives/bytes.ts'
import { decodeText, encodeText } from './text.ts'

export const VARINT = 0
export const FIXED64 = 1
export const DELIMITED = 2
const GROUP = 3
const GROUP_END = 4
const FIXED32 = 5

export type WireFault =
  | { readonly code: 'TRUNCATED' | 'VARINT_TOO_LONG' | 'ILLEGAL_KEY' | 'WRONG_WIRE_TYPE'; readonly offset: number }
  | { readonly code: 'TIME_OUT_OF_RANGE' | 'DURATION_OUT_OF_RANGE' | 'BLOCK_ID_FORM'; readonly offset: number }
  | { readonly code: 'TOO_LONG'; readonly offset: number; readonly sizeMax: number }

/** The bytes are no such message. Offsets count bytes from the start of the outermost message. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly fault: WireFault
  constructor(fault: WireFault) {
    super(`${fault.code} at byte ${fault.offset}`)
    this.fault = fault
  }
}

export class ProtoReader {
  readonly bytes: Uint8Array
  at: number
  /** Where the message that is being read ends. */
  end: number
  wireType = VARINT
  /** The last varint, in halves of 32 bits. */
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.at = 0
    this.end = bytes.length
  }

  /** The next field's number, cut to 32 bits as the library cuts it; its type is then in `wireType`. */
  readKey(): number {
    this.#readVarint()
    this.wireType = this.#low & 7
    const number = (this.#high << 29) | (this.#low >>> 3)
    if (this.wireType === GROUP_END || number <= 0) this.fail('ILLEGAL_KEY')
    return number
  }

  /** Refuses the field that `readKey` read, unless it is of this type. */
  expect(wireType: number): void {
    if (this.wireType !== wireType) this.fail('WRONG_WIRE_TYPE')
  }

  readInt64(): bigint {
    this.#readVarint()
    if (this.#high >>> 0 < 0x20_0000) return BigInt((this.#high >>> 0) * 0x1_0000_0000 + (this.#low >>> 0))
    return (BigInt(this.#high | 0) << 32n) | BigInt(this.#low >>> 0)
  }

  readUint64(): bigint {
    return BigInt.asUintN(64, this.readInt64())
  }

  readInt32(): number {
    this.#readVarint()
    return this.#low | 0
  }

  readUint32(): number {
    this.#readVarint()
    return this.#low >>> 0
  }

  readBool(): boolean {
    this.#readVarint()
    return (this.#low | this.#high) !== 0
  }

  readFixed64(): bigint {
    if (this.at + 8 > this.end) this.fail('TRUNCATED')
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8)
    this.at += 8
    return view.getBigInt64(0, true)
  }

  /** Steps over a length and answers where what it counts ends. */
  readLength(): number {
    this.#readVarint()
    const end = this.at + (this.#low >>> 0)
    if (this.#high !== 0 || end > this.end) this.fail('TRUNCATED')
    return end
  }

  /** A copy: a message does not keep the frame alive that it came in. */
  readBytes(): Uint8Array {
    const end = this.readLength()
    const bytes = this.bytes.slice(this.at, end)
    this.at = end
    return bytes
  }

  readBinary(): string {
    const end = this.readLength()
    const binary = sliceBinary(this.bytes, this.at, end)
    this.at = end
    return binary
  }

  readText(): string {
    const end = this.readLength()
    const text = decodeText(this.bytes, this.at, end)
    this.at = end
    return text
  }

  /** Steps over the value of an unknown field. */
  skip(): void {
    let depth = 0
    let type = this.wireType
    do {
      if (type === VARINT) this.#readVarint()
      else if (type === FIXED64) this.at += 8
      else if (type === FIXED32) this.at += 4
      else if (type === DELIMITED) this.at = this.readLength()
      else if (type === GROUP) depth++
      else if (type === GROUP_END && depth > 0) depth--
      else this.fail('ILLEGAL_KEY')
      if (this.at > this.end) this.fail('TRUNCATED')
      if (depth > 0) {
        this.#readVarint()
        type = this.#low & 7
      }
    } while (depth > 0)
  }

  fail(code: Exclude<WireFault['code'], 'TOO_LONG'>): never {
    throw new WireError({ code, offset: this.at })
  }

  #readVarint(): void {
    const { bytes, end } = this
    let at = this.at
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (shift >= 64) this.fail('VARINT_TOO_LONG')
      if (at >= end) this.fail('TRUNCATED')
      const byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) break
    }
    this.at = at
    this.#low = low
    this.#high = high
  }
}

/** Of a writer's first room; most messages are smaller. */
const ROOM = 4096
const NO_ROOM = new Uint8Array(0)
/** Room that no writer has: messages are written one after the other, and so in the same. */
let spare: Uint8Array | null = null

/** Writes backwards: the last field of a message first, and before each message its length. */
export class ProtoWriter {
  #bytes: Uint8Array
  #at: number

  constructor() {
    this.#bytes = spare ?? new Uint8Array(ROOM)
    this.#at = this.#bytes.length
    spare = null
  }

  /** How many bytes are written: a mark for `writeLengthSince`. */
  get size(): number {
    return this.#bytes.length - this.#at
  }

  /** What was written. The writer is not used again. */
  finish(): Uint8Array {
    const bytes = this.#bytes.slice(this.#at)
    if (this.#bytes.length === ROOM) spare = this.#bytes
    this.#bytes = NO_ROOM
    this.#at = 0
    return bytes
  }

  writeKey(number: number, wireType: number): void {
    this.writeSmall(number * 8 + wireType)
  }

  /** A varint of a whole number from 0 to 2^53 − 1. */
  writeSmall(value: number): void {
    if (value < 0x80) {
      this.#reserve(1)
      this.#bytes[this.#at] = value
      return
    }
    let size = 2
    for (let rest = value / 0x4000; rest >= 1; rest /= 0x80) size++
    this.#reserve(size)
    let at = this.#at
    let rest = value
    for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) | 0x80
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80
    this.#bytes[at] = rest
  }

  /** A varint of the low 64 bits of `value`: ten bytes when it is negative. */
  writeInt64(value: bigint): void {
    if (value >= 0n && value <= 0x1f_ffff_ffff_ffffn) {
      this.writeSmall(Number(value))
      return
    }
    let rest = BigInt.asUintN(64, value)
    const out: number[] = []
    for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
    out.push(Number(rest))
    this.writeRaw(Uint8Array.from(out))
  }

  writeInt32(value: number): void {
    if (value >= 0) this.writeSmall(value)
    else this.writeInt64(BigInt(value))
  }

  writeFixed64(value: bigint): void {
    this.#reserve(8)
    let low = Number(BigInt.asUintN(32, value))
    let high = Number(BigInt.asUintN(32, value >> 32n))
    for (let i = 0; i < 4; i++, low >>>= 8) this.#bytes[this.#at + i] = low & 0xff
    for (let i = 4; i < 8; i++, high >>>= 8) this.#bytes[this.#at + i] = high & 0xff
  }

  writeRaw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeRaw(bytes)
    this.writeSmall(bytes.length)
  }

  writeBinary(binary: string): void {
    this.#reserve(binary.length)
    writeBinary(this.#bytes, this.#at, binary)
    this.writeSmall(binary.length)
  }

  writeText(text: string): void {
    this.writeBytes(encodeText(text))
  }

  /** The length of all that was written since `mark`. */
  writeLengthSince(mark: number): void {
    this.writeSmall(this.size - mark)
  }

  #reserve(size: number): void {
    if (size > this.#at) {
      const written = this.size
      const capacity = Math.max(this.#bytes.length * 2, written + size + 64)
      const larger = new Uint8Array(capacity)
      larger.set(this.#bytes.subarray(this.#at), capacity - written)
      this.#bytes = larger
      this.#at = capacity - written
    }
    this.#at -= size
  }
}
