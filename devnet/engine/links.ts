/**
 * Finds the links of a block while paying for the look, and follows them when a machine flushes.
 * A decoder of its own: heads need not be minimal, nothing but structure is checked.
 *
 * @source ref-fvm `fvm/src/kernel/ipld` scan and `fvm/src/blockstore/buffered.rs`; spec fvm §6.3–6.4
 */
import { CBOR, type Cid, cidParts, DAG_CBOR, RAW, readCid } from '../ipld/cid.ts'
import { fromBinary } from '../primitives/bytes.ts'
import { ErrorNumber, OUT_OF_GAS, SyscallError } from './failure.ts'
import type { GasTracker } from './gas.ts'
import type { PriceList } from './price-list.ts'

const SEALED = 0xf102
const UNSEALED = 0xf101
const BLAKE2B_256 = 0xb220
const IDENTITY = 0
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
  const scan = new LinkScan(prices, Number(available))
  try {
    scan.scan(bytes)
  } catch (error) {
    if (error === OUT_OF_GAS) {
      gas.charge('OnScanIpldLinks', available)
      throw OUT_OF_GAS
    }
    gas.charge('OnScanIpldLinks', scan.spent)
    throw error
  }
  gas.charge('OnScanIpldLinks', scan.spent)
  return scan.links ?? NO_LINKS
}

class LinkScan {
  links: Cid[] | null = null
  spent = 0
  readonly #budget: number
  readonly #perField: number
  readonly #perCid: number

  constructor(prices: PriceList, budget: number) {
    this.#budget = budget
    this.#perField = prices.scanPerField
    this.#perCid = prices.scanPerCid
  }

  scan(bytes: Uint8Array): void {
    walkCbor(
      bytes,
      (cid) => this.#visit(cid),
      () => this.#spend(this.#perField),
      () => this.#spend(this.#perCid),
    )
  }

  #spend(amount: number): void {
    const spent = this.spent + amount
    if (spent > this.#budget) throw OUT_OF_GAS
    this.spent = spent
  }

  #visit(cid: Cid): void {
    const { codec, hash, digestSize } = shapeOf(cid)
    if (codec === SEALED || codec === UNSEALED) return
    if (!isAllowedCodec(codec)) throw new SyscallError(ErrorNumber.NotFound, `a link has codec ${codec}`)
    if (hash === IDENTITY) {
      if (codec === DAG_CBOR) this.scan(identityDigest(cid))
      return
    }
    if (hash !== BLAKE2B_256 || digestSize !== 32) {
      throw new SyscallError(ErrorNumber.NotFound, `a link has hash ${hash} of ${digestSize} bytes`)
    }
    if (this.links === null) this.links = []
    this.links.push(cid)
  }
}

const malformed = (what: string) => new SyscallError(ErrorNumber.Serialization, `not CBOR: ${what}`)

/** Walks one CBOR item with an explicit count of what is open; calls back before each field, each CID tag, and with each CID. */
function walkCbor(bytes: Uint8Array, visit: (cid: Cid) => void, onField: () => void, onCid: () => void): void {
  const end = bytes.length
  let at = 0
  let major = 0
  let value = 0 // of the last head; exact below 2^53, else `wide` holds it
  let wide = 0n
  const readHead = (): void => {
    if (at >= end) throw malformed('it ends early')
    const first = bytes[at++]!
    major = first >> 5
    value = first & 31
    if (value < 24) return
    if (value > 27) throw malformed('an indefinite or reserved head')
    const size = 1 << (value - 24)
    if (at + size > end) throw malformed('it ends early')
    value = 0
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!
    if (value > Number.MAX_SAFE_INTEGER) {
      wide = 0n
      for (let i = 0; i < size; i++) wide = (wide << 8n) | BigInt(bytes[at + i]!)
    }
    at += size
  }
  // Items still to come are `open + openWide`; the second is only used by counts that no block can hold.
  let open = 1
  let openWide = 0n
  const expect = (perValue: number): void => {
    if (value <= Number.MAX_SAFE_INTEGER) open += value * perValue
    else openWide += wide * BigInt(perValue)
    if (openWide > 0n && BigInt(open) + openWide > U64_MAX) throw malformed('too many items')
  }
  while (open > 0 || openWide > 0n) {
    if (open > 0) open--
    else openWide -= 1n
    onField()
    readHead()
    switch (major) {
      case 0:
      case 1:
      case 7:
        break
      case 2:
      case 3:
        if (value > end - at) throw malformed('it ends early')
        at += value
        break
      case 4:
        expect(1)
        break
      case 5:
        expect(2)
        break
      default: {
        if (value !== 42) {
          open++
          break
        }
        onCid()
        readHead()
        if (major !== 2) throw malformed('a link is no byte string')
        if (value > end - at) throw malformed('it ends early')
        const size: number = value
        if (size === 0 || bytes[at] !== 0) throw malformed('a link does not begin with 0')
        const linkEnd = at + size
        const read = readCid(bytes.subarray(0, linkEnd), at + 1)
        if (read === undefined || read.next !== linkEnd) throw malformed('a link is no CID')
        at = linkEnd
        visit(read.cid)
      }
    }
  }
  if (at !== end) throw malformed('bytes follow the item')
}

const noCharge = (): void => {}

/**
 * The links of a stored block when a machine flushes: any CID, nothing charged, and bytes after the item are ignored.
 *
 * @throws {SyscallError} Serialization
 */
export function flushLinks(bytes: Uint8Array, out: Cid[]): void {
  walkCborPrefix(bytes, (cid) => out.push(cid))
}

function walkCborPrefix(bytes: Uint8Array, visit: (cid: Cid) => void): void {
  try {
    walkCbor(bytes, visit, noCharge, noCharge)
  } catch (error) {
    if (error instanceof SyscallError && error.message === 'not CBOR: bytes follow the item') return
    throw error
  }
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
