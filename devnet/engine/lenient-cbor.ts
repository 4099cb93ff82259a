/**
 * Typed CBOR decoding as lenient as the reference's: heads need not be minimal, a wrong major type passes when its head
 * survives `byte & ~(major << 5)`, byte strings may be indefinite; arrays may not, and tuples have exactly their elements.
 *
 * @source cbor4ii 0.2 decoding as used by fvm_ipld_encoding; spec fvm §5.9
 */
import { type Cid, readCid } from '../ipld/cid.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { decodeUtf8 } from '../primitives/utf8.ts'
import { ErrorNumber, SyscallError } from './failure.ts'

const ARRAY = 4
const BYTES = 2
const TEXT = 3
const TAG = 6
const CID_TAG = 42n
const I64_MAX = (1n << 63n) - 1n

function malformed(): SyscallError {
  return new SyscallError(ErrorNumber.IllegalArgument, 'what the actor encoded is malformed')
}

/** One whole value. @throws {SyscallError} IllegalArgument */
export function decodeLenient<T>(bytes: Uint8Array, decode: (reader: LenientReader) => T): T {
  const reader = new LenientReader(bytes)
  const value = decode(reader)
  if (!reader.isAtEnd()) throw malformed()
  return value
}

export class LenientReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw malformed()
    return this.#bytes[this.#at++]!
  }

  #argument(first: number, major: number): bigint {
    const low = first & ~(major << 5) & 0xff
    if (low < 24) return BigInt(low)
    if (low > 27) throw malformed()
    let value = 0n
    for (let i = 0; i < 1 << (low - 24); i++) value = (value << 8n) | BigInt(this.#byte())
    return value
  }

  uint(): bigint {
    return this.#argument(this.#byte(), 0)
  }

  /** A u8 takes one byte after its head at most, whatever its value. */
  u8(): number {
    const first = this.#byte()
    if (first < 24) return first
    if (first !== 24) throw malformed()
    return this.#byte()
  }

  int(): bigint {
    const first = this.#byte()
    const argument = this.#argument(first, first >> 5 === 1 ? 1 : 0)
    if (argument > I64_MAX) throw malformed()
    return first >> 5 === 1 ? -1n - argument : argument
  }

  tuple(count: number): void {
    if (this.#argument(this.#byte(), ARRAY) !== BigInt(count)) throw malformed()
  }

  /** Every item takes a byte at least, so a count beyond the input is refused at once. */
  list<T>(item: () => T): T[] {
    const count = this.#argument(this.#byte(), ARRAY)
    if (count > BigInt(this.#bytes.length - this.#at)) throw malformed()
    return Array.from({ length: Number(count) }, item)
  }

  bytes(): Uint8Array {
    const first = this.#byte()
    if (first !== 0x5f) return this.#take(this.#argument(first, BYTES))
    const chunks: Uint8Array[] = []
    for (let next = this.#byte(); next !== 0xff; next = this.#byte())
      chunks.push(this.#take(this.#argument(next, BYTES)))
    return concatBytes(...chunks)
  }

  text(): string {
    const text = decodeUtf8(this.#take(this.#argument(this.#byte(), TEXT)))
    if (text === undefined) throw malformed()
    return text
  }

  #take(size: bigint): Uint8Array {
    if (size > BigInt(this.#bytes.length - this.#at)) throw malformed()
    const start = this.#at
    this.#at += Number(size)
    return this.#bytes.subarray(start, this.#at)
  }

  cid(): Cid {
    if (this.#argument(this.#byte(), TAG) !== CID_TAG) throw malformed()
    if (this.#at >= this.#bytes.length || this.#bytes[this.#at]! >> 5 !== BYTES) throw malformed()
    const payload = this.bytes()
    if (payload[0] !== 0) throw malformed()
    const read = readCid(payload, 1)
    if (read === undefined) throw malformed()
    return read.cid
  }
}
