// DAG-CBOR: RFC 8949 with definite lengths, shortest heads, sorted text keys and one tag, 42, for CIDs.
// Cursors for hot paths, and a codec of whole values on top of them. Floats are walked over, never read.

import { compareBytes, copyBytes, EMPTY_BYTES, sliceBinary, writeBinary } from '../primitives/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../primitives/utf8.ts'
import { BLOCK_CID_SIZE, type Cid, DAG_CBOR, isBlockCid, readCid } from './cid.ts'

export type CborFault =
  | 'TRUNCATED' // the input ends inside an item
  | 'NON_MINIMAL' // a head longer than its value needs
  | 'INDEFINITE' // indefinite lengths and breaks
  | 'RESERVED' // additional information 28–30
  | 'UNEXPECTED_TYPE' // an item of another major type than asked for
  | 'OUT_OF_RANGE' // an integer that the caller's type does not hold
  | 'UNSUPPORTED' // floats and simple values other than false, true, null
  | 'INVALID_UTF8'
  | 'INVALID_TAG' // a tag other than 42
  | 'INVALID_CID'
  | 'INVALID_KEY' // a map key that is not text
  | 'DUPLICATE_KEY'
  | 'UNSORTED_KEY'
  | 'DEPTH' // nested deeper than the reader allows
  | 'TRAILING' // bytes after the value

/** The bytes are not the DAG-CBOR that was asked for. Offsets count from the start of the input. */
export class CborError extends Error {
  override readonly name = 'CborError'
  readonly code: CborFault
  readonly offset: number
  constructor(code: CborFault, offset: number) {
    super(`${code} at byte ${offset}`)
    this.code = code
    this.offset = offset
  }
}

/** A CID inside a value. */
export interface Link {
  readonly link: Cid
}

/** What decoding yields. Integers are bigints, from −2^64 to 2^64 − 1. */
export type CborValue =
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | Link
  | readonly CborValue[]
  | ReadonlyMap<string, CborValue>

/** What encoding takes: the same, and whole numbers. */
export type CborInput =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | Link
  | readonly CborInput[]
  | ReadonlyMap<string, CborInput>

export const CBOR_DEPTH_MAX = 256
const U64_MAX = 0xffff_ffff_ffff_ffffn
const TWO_32 = 0x1_0000_0000

const UINT = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6
const SIMPLE = 7
const CID_TAG = 42
/** d8 2a 58 27 00, then 38 bytes of CID. */
const LINK_HEAD_SIZE = 5
const BLOCK_LINK_SIZE = LINK_HEAD_SIZE + BLOCK_CID_SIZE

export interface CborReaderOptions {
  /** Accept heads longer than they need to be, as some readers of the reference do. Everything else stays strict. */
  readonly lax?: boolean
  /** How deep arrays, maps and tags may nest in `value` and `skip`. */
  readonly depthMax?: number
  readonly offset?: number
}

/**
 * A cursor over bytes. Each method reads one item and moves on, or throws CborError. Byte strings and raw items are
 * views of the input.
 */
export class CborReader {
  readonly input: Uint8Array
  readonly lax: boolean
  readonly depthMax: number
  offset: number
  /** Argument of the last head above 2^53, which a number cannot hold. */
  #wide = 0n

  constructor(bytes: Uint8Array, options?: CborReaderOptions) {
    this.input = bytes
    this.lax = options?.lax ?? false
    this.depthMax = options?.depthMax ?? CBOR_DEPTH_MAX
    this.offset = options?.offset ?? 0
  }

  /** Major type of the next item, without moving. */
  peek(): number {
    const first = this.input[this.offset]
    if (first === undefined) this.#fail('TRUNCATED')
    return first >> 5
  }

  /** Any head: its major type and argument. */
  head(): { readonly major: number; readonly value: bigint } {
    const major = this.peek()
    const value = this.#argument()
    return { major, value: value < 0 ? this.#wide : BigInt(value) }
  }

  uint(): bigint {
    const value = this.#expect(UINT)
    return value < 0 ? this.#wide : BigInt(value)
  }

  /** An unsigned integer as a number; OUT_OF_RANGE above `max`. */
  number(max: number = Number.MAX_SAFE_INTEGER): number {
    const start = this.offset
    const value = this.#expect(UINT)
    if (value < 0 || value > max) this.#fail('OUT_OF_RANGE', start)
    return value
  }

  int(): bigint {
    if (this.peek() !== NEGATIVE) return this.uint()
    const value = this.#argument()
    return -1n - (value < 0 ? this.#wide : BigInt(value))
  }

  bool(): boolean {
    const first = this.input[this.offset]
    if (first === undefined) this.#fail('TRUNCATED')
    if (first !== 0xf4 && first !== 0xf5) this.#fail('UNEXPECTED_TYPE')
    this.offset++
    return first === 0xf5
  }

  /** Reads a null if one is next, and says whether it was. */
  null(): boolean {
    if (this.input[this.offset] !== 0xf6) return false
    this.offset++
    return true
  }

  bytes(): Uint8Array {
    return this.#span(BYTES)
  }

  /** A byte string as a binary string. */
  binary(): string {
    const bytes = this.bytes()
    return sliceBinary(bytes, 0, bytes.length)
  }

  text(): string {
    const start = this.offset
    const span = this.#span(TEXT)
    const text = decodeUtf8(span)
    if (text === undefined) this.#fail('INVALID_UTF8', start)
    return text
  }

  /** Head of an array: how many items follow. Never more than bytes are left. */
  array(): number {
    return this.#count(ARRAY, 1)
  }

  /** Head of an array that must have `length` items. */
  tuple(length: number): void {
    const start = this.offset
    if (this.array() !== length) this.#fail('UNEXPECTED_TYPE', start)
  }

  /** Head of a map: how many pairs follow. */
  map(): number {
    return this.#count(MAP, 2)
  }

  link(): Cid {
    const start = this.offset
    if (this.#isBlockLink()) {
      this.offset = start + BLOCK_LINK_SIZE
      return sliceBinary(this.input, start + LINK_HEAD_SIZE, this.offset) as Cid
    }
    if (this.#expect(TAG) !== CID_TAG) this.#fail('INVALID_TAG', start)
    const at = this.offset
    const span = this.#span(BYTES)
    if (span[0] !== 0) this.#fail('INVALID_CID', at)
    const read = readCid(span, 1)
    if (read === undefined || read.next !== span.length) this.#fail('INVALID_CID', at)
    return read.cid
  }

  /** Moves over a link to a DAG-CBOR block of the chain, if that is next, and says so. */
  skipStateLink(): boolean {
    if (!this.#isBlockLink() || this.input[this.offset + LINK_HEAD_SIZE + 1] !== DAG_CBOR) return false
    this.offset += BLOCK_LINK_SIZE
    return true
  }

  /** Whether the link is next that nearly every link is: CIDv1, a codec of one byte, blake2b-256. */
  #isBlockLink(): boolean {
    const { input, offset } = this
    return (
      input[offset] === 0xd8 &&
      input[offset + 1] === CID_TAG &&
      input[offset + 2] === 0x58 &&
      input[offset + 3] === 0x27 &&
      input[offset + 4] === 0x00 &&
      offset + BLOCK_LINK_SIZE <= input.length &&
      isBlockCid(input, offset + LINK_HEAD_SIZE)
    )
  }

  /** Walks over one item and all in it, checking its form. */
  skip(): void {
    this.#skip(this.depthMax)
  }

  /** One whole item, still encoded. */
  raw(): Uint8Array {
    const start = this.offset
    this.#skip(this.depthMax)
    return this.input.subarray(start, this.offset)
  }

  /** One whole item, decoded. */
  value(): CborValue {
    return this.#value(this.depthMax)
  }

  /** Nothing may be left. */
  end(): void {
    if (this.offset !== this.input.length) this.#fail('TRAILING')
  }

  #value(depth: number): CborValue {
    const start = this.offset
    switch (this.peek()) {
      case UINT:
        return this.uint()
      case NEGATIVE:
        return this.int()
      case BYTES:
        return this.bytes()
      case TEXT:
        return this.text()
      case ARRAY: {
        if (depth === 0) this.#fail('DEPTH')
        const items: CborValue[] = []
        for (let count = this.array(); count > 0; count--) items.push(this.#value(depth - 1))
        return items
      }
      case MAP: {
        if (depth === 0) this.#fail('DEPTH')
        const map = new Map<string, CborValue>()
        const keys = new KeyOrder(this)
        for (let count = this.map(); count > 0; count--) map.set(keys.next(), this.#value(depth - 1))
        return map
      }
      case TAG:
        return { link: this.link() }
      default: {
        const first = this.input[start]!
        if (first === 0xf6) {
          this.offset++
          return null
        }
        if (first === 0xf4 || first === 0xf5) return this.bool()
        this.#fail(first === 0xff ? 'INDEFINITE' : 'UNSUPPORTED')
      }
    }
  }

  #skip(depth: number): void {
    switch (this.peek()) {
      case UINT:
      case NEGATIVE:
        this.#argument()
        return
      case BYTES:
        this.#span(BYTES)
        return
      case TEXT:
        this.text()
        return
      case ARRAY:
        if (depth === 0) this.#fail('DEPTH')
        for (let count = this.array(); count > 0; count--) this.#skip(depth - 1)
        return
      case MAP: {
        if (depth === 0) this.#fail('DEPTH')
        const keys = new KeyOrder(this)
        for (let count = this.map(); count > 0; count--) {
          keys.next()
          this.#skip(depth - 1)
        }
        return
      }
      case TAG:
        if (this.#isBlockLink()) this.offset += BLOCK_LINK_SIZE
        else this.link()
        return
      case SIMPLE:
        this.#skipSimple()
    }
  }

  /** false, true, null; a float of 64 bits, finite, as DAG-CBOR has them. */
  #skipSimple(): void {
    const first = this.input[this.offset]!
    if (first >= 0xf4 && first <= 0xf6) {
      this.offset++
      return
    }
    if (first === 0xff) this.#fail('INDEFINITE')
    if (first !== 0xfb) this.#fail('UNSUPPORTED')
    if (this.offset + 9 > this.input.length) this.#fail('TRUNCATED')
    const exponent = ((this.input[this.offset + 1]! & 0x7f) << 4) | (this.input[this.offset + 2]! >> 4)
    if (exponent === 0x7ff) this.#fail('UNSUPPORTED')
    this.offset += 9
  }

  #expect(major: number): number {
    if (this.peek() !== major) this.#fail('UNEXPECTED_TYPE')
    return this.#argument()
  }

  /** Reads a head's argument. −1 stands for one above 2^53, then in `#wide`. */
  #argument(): number {
    const { input: bytes, offset } = this
    const first = bytes[offset]!
    const info = first & 0x1f
    if (info < 24) {
      this.offset = offset + 1
      return info
    }
    if (info > 27) this.#fail(info === 31 ? 'INDEFINITE' : 'RESERVED')
    const size = 1 << (info - 24)
    if (offset + 1 + size > bytes.length) this.#fail('TRUNCATED')
    let value = 0
    if (size === 8) {
      const high = readU32(bytes, offset + 1)
      const low = readU32(bytes, offset + 5)
      if (high === 0 && !this.lax) this.#fail('NON_MINIMAL')
      if (high > 0x1f_ffff) {
        this.#wide = (BigInt(high) << 32n) | BigInt(low)
        value = -1
      } else value = high * TWO_32 + low
    } else if (size === 4) {
      value = readU32(bytes, offset + 1)
      if (value < 0x1_0000 && !this.lax) this.#fail('NON_MINIMAL')
    } else if (size === 2) {
      value = (bytes[offset + 1]! << 8) | bytes[offset + 2]!
      if (value < 0x100 && !this.lax) this.#fail('NON_MINIMAL')
    } else {
      value = bytes[offset + 1]!
      if (value < 24 && !this.lax) this.#fail('NON_MINIMAL')
    }
    this.offset = offset + 1 + size
    return value
  }

  #span(major: number): Uint8Array {
    const start = this.offset
    const size = this.#expect(major)
    const at = this.offset
    if (size < 0 || size > this.input.length - at) {
      this.#fail('TRUNCATED', start)
    }
    this.offset = at + size
    return this.input.subarray(at, at + size)
  }

  #count(major: number, itemSizeMin: number): number {
    const start = this.offset
    const count = this.#expect(major)
    if (count < 0 || count * itemSizeMin > this.input.length - this.offset) {
      this.#fail('TRUNCATED', start)
    }
    return count
  }

  #fail(code: CborFault, offset: number = this.offset): never {
    throw new CborError(code, offset)
  }
}

/** Reads the keys of one map and checks their order: shorter first, then by bytes, none twice. */
class KeyOrder {
  readonly #reader: CborReader
  #last: Uint8Array | undefined

  constructor(reader: CborReader) {
    this.#reader = reader
  }

  next(): string {
    const reader = this.#reader
    const start = reader.offset
    if (reader.peek() !== TEXT) throw new CborError('INVALID_KEY', start)
    const key = reader.text()
    const encoded = encodeUtf8(key)
    const last = this.#last
    this.#last = encoded
    if (last === undefined) return key
    const order = compareKeys(last, encoded)
    if (order === 0) throw new CborError('DUPLICATE_KEY', start)
    if (order > 0) throw new CborError('UNSORTED_KEY', start)
    return key
  }
}

/** DAG-CBOR's order of map keys, in UTF-8. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return a.length - b.length || compareBytes(a, b)
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** Up to this size a loop beats `TypedArray.set`. */
const SHORT = 64

/** Appends items, each in its shortest form. Every method returns the writer. */
const SCRATCH_SIZE = 4096
const SCRATCH_MAX = 8
/** Room that finished writers left: making a buffer costs more than filling it. */
const scratch: Uint8Array[] = []

function takeScratch(size: number): Uint8Array {
  return size > SCRATCH_SIZE ? new Uint8Array(size) : (scratch.pop() ?? new Uint8Array(SCRATCH_SIZE))
}

function giveScratch(bytes: Uint8Array): void {
  if (bytes.length === SCRATCH_SIZE && scratch.length < SCRATCH_MAX) scratch.push(bytes)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Bytes of the head that says `value`. @throws RangeError as writing it does */
export function headSize(value: number | bigint): number {
  const rounded = Number(value)
  if (rounded >= TWO_32 || !(rounded >= 0)) {
    if (value < 0 || value > U64_MAX) throw new RangeError(`not an unsigned 64-bit integer: ${value}`)
    return 9
  }
  if (rounded < 24) return 1
  return rounded < 0x100 ? 2 : rounded < 0x1_0000 ? 3 : 5
}

export class CborWriter {
  #bytes: Uint8Array
  #size = 0

  constructor(sizeHint = 128) {
    this.#bytes = takeScratch(sizeHint)
  }

  head(major: number, value: number | bigint): this {
    if (typeof value === 'bigint') {
      if (value > U64_MAX || value < 0n) throw new RangeError(`not an unsigned 64-bit integer: ${value}`)
      if (value > Number.MAX_SAFE_INTEGER) {
        this.#wideHead(major, Number(value >> 32n), Number(value & 0xffff_ffffn))
        return this
      }
      value = Number(value)
    } else if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`not a safe unsigned integer: ${value}`)
    }
    const type = major << 5
    this.#reserve(9)
    const bytes = this.#bytes
    const at = this.#size
    if (value < 24) {
      bytes[at] = type | value
      this.#size = at + 1
    } else if (value < 0x100) {
      bytes[at] = type | 24
      bytes[at + 1] = value
      this.#size = at + 2
    } else if (value < 0x1_0000) {
      bytes[at] = type | 25
      bytes[at + 1] = value >> 8
      bytes[at + 2] = value
      this.#size = at + 3
    } else if (value < TWO_32) {
      bytes[at] = type | 26
      writeU32(bytes, at + 1, value)
      this.#size = at + 5
    } else {
      this.#wideHead(major, Math.floor(value / TWO_32), value % TWO_32)
    }
    return this
  }

  uint(value: number | bigint): this {
    return this.head(UINT, value)
  }

  int(value: number | bigint): this {
    if (value >= 0) return this.head(UINT, value)
    return this.head(NEGATIVE, typeof value === 'bigint' ? -1n - value : -1 - value)
  }

  bytes(value: Uint8Array): this {
    return this.head(BYTES, value.length).raw(value)
  }

  /** A byte string given as a binary string. */
  binary(value: string): this {
    this.head(BYTES, value.length)
    this.#reserve(value.length)
    writeBinary(this.#bytes, this.#size, value)
    this.#size += value.length
    return this
  }

  text(value: string): this {
    if (isAscii(value)) {
      this.head(TEXT, value.length)
      this.#reserve(value.length)
      writeBinary(this.#bytes, this.#size, value)
      this.#size += value.length
      return this
    }
    if (/\p{Surrogate}/u.test(value)) throw new RangeError('text with a lone surrogate')
    const encoded = encodeUtf8(value)
    return this.head(TEXT, encoded.length).raw(encoded)
  }

  array(count: number): this {
    return this.head(ARRAY, count)
  }

  map(count: number): this {
    return this.head(MAP, count)
  }

  link(cid: Cid): this {
    this.head(TAG, CID_TAG).head(BYTES, cid.length + 1)
    this.#reserve(cid.length + 1)
    this.#bytes[this.#size] = 0
    writeBinary(this.#bytes, this.#size + 1, cid)
    this.#size += cid.length + 1
    return this
  }

  bool(value: boolean): this {
    return this.#byte(value ? 0xf5 : 0xf4)
  }

  null(): this {
    return this.#byte(0xf6)
  }

  /** Bytes that already are CBOR: `encoded`, or the part of it from `start` to `end`. */
  raw(encoded: Uint8Array, start = 0, end: number = encoded.length): this {
    const size = end - start
    this.#reserve(size)
    if (size < SHORT) {
      for (let i = 0; i < size; i++) this.#bytes[this.#size + i] = encoded[start + i]!
    } else this.#bytes.set(size === encoded.length ? encoded : encoded.subarray(start, end), this.#size)
    this.#size += size
    return this
  }

  value(value: CborInput): this {
    switch (typeof value) {
      case 'bigint':
      case 'number':
        return this.int(value)
      case 'string':
        return this.text(value)
      case 'boolean':
        return this.bool(value)
    }
    if (value === null) return this.null()
    if (value instanceof Uint8Array) return this.bytes(value)
    if (value instanceof Map) return this.#sortedMap(value as ReadonlyMap<string, CborInput>)
    if ('link' in value) return this.link(value.link)
    const items = value as readonly CborInput[]
    this.array(items.length)
    for (const item of items) this.value(item)
    return this
  }

  /** What was written so far, in bytes of its own. The writer begins anew. */
  finish(): Uint8Array {
    const written = copyBytes(this.#bytes.subarray(0, this.#size))
    giveScratch(this.#bytes)
    this.#bytes = EMPTY_BYTES
    this.#size = 0
    return written
  }

  #sortedMap(map: ReadonlyMap<string, CborInput>): this {
    const pairs = [...map].map(([key, value]) => ({ key, order: encodeUtf8(key), value }))
    pairs.sort((a, b) => compareKeys(a.order, b.order))
    this.map(pairs.length)
    for (const { key, value } of pairs) this.text(key).value(value)
    return this
  }

  #byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#size++] = value
    return this
  }

  #wideHead(major: number, high: number, low: number): void {
    this.#reserve(9)
    this.#bytes[this.#size] = (major << 5) | 27
    writeU32(this.#bytes, this.#size + 1, high)
    writeU32(this.#bytes, this.#size + 5, low)
    this.#size += 9
  }

  #reserve(size: number): void {
    const needed = this.#size + size
    if (needed <= this.#bytes.length) return
    if (this.#bytes === EMPTY_BYTES) {
      this.#bytes = takeScratch(needed)
      return
    }
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = grown
  }
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function encodeCbor(value: CborInput): Uint8Array {
  return new CborWriter().value(value).finish()
}

/** The one value that `bytes` are. */
export function decodeCbor(bytes: Uint8Array, options?: CborReaderOptions): CborValue {
  const reader = new CborReader(bytes, options)
  const value = reader.value()
  reader.end()
  return value
}

export function isLink(value: CborValue | undefined): value is Link {
  return typeof value === 'object' && value !== null && 'link' in value
}

/** The links in one encoded value, in order, repeated as often as they occur. */
export function linksOf(bytes: Uint8Array): Cid[] {
  const found: Cid[] = []
  collectLinks(decodeCbor(bytes), found)
  return found
}

function collectLinks(value: CborValue, into: Cid[]): void {
  if (isLink(value)) into.push(value.link)
  else if (Array.isArray(value)) for (const item of value as CborValue[]) collectLinks(item, into)
  else if (value instanceof Map) for (const item of value.values()) collectLinks(item as CborValue, into)
}
