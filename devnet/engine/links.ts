/**
 * Finds the links of a block while paying for the look, and follows them when a machine flushes.
 * A decoder of its own: heads need not be minimal, nothing but structure is checked.
 *
 * @source ref-fvm `fvm/src/kernel/ipld` scan and `fvm/src/blockstore/buffered.rs`; spec fvm §6.3–6.4
 */
import { BLOCK_CID_SIZE, CBOR, type Cid, cidParts, DAG_CBOR, isBlockCid, RAW, readCid } from '../ipld/cid.ts'
import { fromBinary, sliceBinary } from '../primitives/bytes.ts'
import { ErrorNumber, OUT_OF_GAS, SyscallError } from './failure.ts'
import type { GasTracker } from './gas.ts'
import type { PriceList } from './price-list.ts'

const SEALED = 0xf102
const UNSEALED = 0xf101
const BLAKE2B_256 = 0xb220
const IDENTITY = 0
const CID_TAG = 42
const U64_MAX = (1n << 64n) - 1n

/** Codec, multihash code and digest length without allocating, for the CID every block has; the rest goes through `cidParts`. */
function shapeOf(cid: Cid): { codec: number; hash: number; digestSize: number } {
  if (
    cid.length === 38 &&
    cid.charCodeAt(0) === 1 &&
    cid.charCodeAt(1) < 0x80 &&
    cid.charCodeAt(2) === 0xa0 &&
    cid.charCodeAt(3) === 0xe4 &&
    cid.charCodeAt(4) === 0x02 &&
    cid.charCodeAt(5) === 0x20
  ) {
    return { codec: cid.charCodeAt(1), hash: BLAKE2B_256, digestSize: 32 }
  }
  const { codec, hash, digest } = cidParts(cid)
  return { codec: Number(codec), hash: Number(hash), digestSize: digest.length }
}

/** The codec of a CID; one too large for a double is none that the machine knows. */
export function codecOf(cid: Cid): number {
  return shapeOf(cid).codec
}

function identityDigest(cid: Cid): Uint8Array {
  const { digest } = cidParts(cid) as { digest: Uint8Array | string }
  return typeof digest === 'string' ? fromBinary(digest) : digest
}

export function isAllowedCodec(codec: number): boolean {
  return codec === DAG_CBOR || codec === RAW || codec === CBOR
}

const NO_LINKS: readonly Cid[] = []

/**
 * The links of a block that an actor opens or creates. Charges `OnScanIpldLinks` once, also when the scan fails.
 *
 * @throws {SyscallError} Serialization (not CBOR), NotFound (a link of a kind that cannot be stored), IllegalCodec
 * @throws OutOfGas
 */
export function scanLinks(codec: number, bytes: Uint8Array, prices: PriceList, gas: GasTracker): readonly Cid[] {
  if (codec !== DAG_CBOR) {
    gas.charge('OnScanIpldLinks', 0)
    if (!isAllowedCodec(codec)) throw new SyscallError(ErrorNumber.IllegalCodec, `codec ${codec} is not allowed`)
    return NO_LINKS
  }
  const available = gas.availableMilligas()
  const walk = new Walk(prices.scanPerField, prices.scanPerCid, Number(available))
  try {
    walk.item(bytes)
  } catch (error) {
    if (error === OUT_OF_GAS) {
      gas.charge('OnScanIpldLinks', available)
      throw OUT_OF_GAS
    }
    gas.charge('OnScanIpldLinks', walk.spent)
    throw error
  }
  gas.charge('OnScanIpldLinks', walk.spent)
  return walk.links ?? NO_LINKS
}

const malformed = (what: string) => new SyscallError(ErrorNumber.Serialization, `not CBOR: ${what}`)

/** Collects the links of one CBOR item, with an explicit count of what is open, spending as it goes. */
class Walk {
  links: Cid[] | null = null
  /** Milligas. */
  spent = 0
  readonly #perField: number
  readonly #perCid: number
  readonly #budget: number

  constructor(perField: number, perCid: number, budget: number) {
    this.#perField = perField
    this.#perCid = perCid
    this.#budget = budget
  }

  /** One item that fills `bytes`. */
  item(bytes: Uint8Array): void {
    if (this.#walk(bytes, true) !== bytes.length) throw malformed('bytes follow the item')
  }

  /** One item at the start of `bytes`, whatever its links. */
  prefix(bytes: Uint8Array): void {
    this.#walk(bytes, false)
  }

  /** Where the item ends. `checks`: links must be of a kind that a store may hold, and inline ones are looked into. */
  #walk(bytes: Uint8Array, checks: boolean): number {
    const end = bytes.length
    const perField = this.#perField
    let at = 0
    // Items still to come are `open + openWide`; the second is only used by counts that no block can hold.
    let open = 1
    let openWide = 0n
    let spent = this.spent
    while (open > 0 || openWide > 0n) {
      if (open > 0) open--
      else openWide -= 1n
      spent += perField
      if (spent > this.#budget) throw OUT_OF_GAS
      this.spent = spent
      if (at >= end) throw malformed('it ends early')
      const first = bytes[at++]!
      const major = first >> 5
      let value = first & 31
      if (value >= 24) {
        const size = headSize(value)
        if (at + size > end) throw malformed('it ends early')
        value = readUint(bytes, at, size)
        at += size
      }
      if (major < 2 || major === 7) continue
      if (major < 4) {
        if (value > end - at) throw malformed('it ends early')
        at += value
      } else if (major < 6) {
        const perItem = major - 3
        if (value <= Number.MAX_SAFE_INTEGER) open += value * perItem
        else openWide += readWide(bytes, at) * BigInt(perItem)
        if (openWide > 0n && BigInt(open) + openWide > U64_MAX) throw malformed('too many items')
      } else if (value !== CID_TAG) {
        open++
      } else {
        spent += this.#perCid
        if (spent > this.#budget) throw OUT_OF_GAS
        this.spent = spent
        at = this.#link(bytes, at, checks)
        spent = this.spent
      }
    }
    return at
  }

  /** The byte string behind a CID's tag; answers where it ends. */
  #link(bytes: Uint8Array, start: number, checks: boolean): number {
    // The link that nearly every block has.
    const fast = start + 3
    if (bytes[start] === 0x58 && bytes[start + 1] === BLOCK_CID_SIZE + 1 && bytes[start + 2] === 0) {
      const end = fast + BLOCK_CID_SIZE
      if (end <= bytes.length && isBlockCid(bytes, fast) && isAllowedCodec(bytes[fast + 1]!)) {
        this.#add(sliceBinary(bytes, fast, end) as Cid)
        return end
      }
    }
    let at = start
    if (at >= bytes.length) throw malformed('it ends early')
    const first = bytes[at++]!
    let size = first & 31
    if (size >= 24) {
      const width = headSize(size)
      if (at + width > bytes.length) throw malformed('it ends early')
      size = readUint(bytes, at, width)
      at += width
    }
    if (first >> 5 !== 2) throw malformed('a link is no byte string')
    if (size > bytes.length - at) throw malformed('it ends early')
    if (size === 0 || bytes[at] !== 0) throw malformed('a link does not begin with 0')
    const end = at + size
    const read = readCid(end === bytes.length ? bytes : bytes.subarray(0, end), at + 1)
    if (read === undefined || read.next !== end) throw malformed('a link is no CID')
    if (checks) this.#visit(read.cid)
    else this.#add(read.cid)
    return end
  }

  #visit(cid: Cid): void {
    const { codec, hash, digestSize } = shapeOf(cid)
    if (codec === SEALED || codec === UNSEALED) return
    if (!isAllowedCodec(codec)) throw new SyscallError(ErrorNumber.NotFound, `a link has codec ${codec}`)
    if (hash === IDENTITY) {
      if (codec === DAG_CBOR) this.item(identityDigest(cid))
      return
    }
    if (hash !== BLAKE2B_256 || digestSize !== 32) {
      throw new SyscallError(ErrorNumber.NotFound, `a link has hash ${hash} of ${digestSize} bytes`)
    }
    this.#add(cid)
  }

  #add(cid: Cid): void {
    if (this.links === null) this.links = []
    this.links.push(cid)
  }
}

/** Bytes of the argument behind a head's low bits. */
function headSize(low: number): number {
  if (low > 27) throw malformed('an indefinite or reserved head')
  return 1 << (low - 24)
}

/** Big-endian; exact below 2^53. */
function readUint(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!
  return value
}

/** The eight bytes before `end`. */
function readWide(bytes: Uint8Array, end: number): bigint {
  let value = 0n
  for (let i = end - 8; i < end; i++) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}

/**
 * The links of a stored block when a machine flushes: any CID, nothing charged, and bytes after the item are ignored.
 *
 * @throws {SyscallError} Serialization
 */
export function flushLinks(bytes: Uint8Array, out: Cid[]): void {
  const walk = new Walk(0, 0, 0)
  walk.prefix(bytes)
  if (walk.links !== null) out.push(...walk.links)
}

/** What a flush does with a CID: skip it, read the block behind it, or look into the CID itself. */
export function flushKind(cid: Cid): 'skip' | 'block' | 'inline' | 'refused' {
  const { codec, hash, digestSize } = shapeOf(cid)
  if (codec === SEALED || codec === UNSEALED) return 'skip'
  if (!isAllowedCodec(codec)) return 'refused'
  if (hash === IDENTITY) return 'inline'
  return hash === BLAKE2B_256 && digestSize === 32 ? 'block' : 'refused'
}

export { identityDigest }
