// Content identifiers as binary strings: short to compare, free to use as Map keys.
// A CIDv1 is varint 1 ‖ varint codec ‖ varint hash ‖ varint digest size ‖ digest; a CIDv0 is 12 20 ‖ 32 bytes.

import { base16 } from 'multiformats/bases/base16'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import type { Brand } from '../primitives/brand.ts'
import { concatBytes, equalBytes, fromBinary, sliceBinary, toBinary } from '../primitives/bytes.ts'
import { blake2b256, blake2b256Binary, sha256 } from '../primitives/hash.ts'
import { readVarint, writeVarint } from '../primitives/varint.ts'

export type Cid = Brand<string, 'Cid'>

export const DAG_CBOR = 0x71
export const RAW = 0x55
export const CBOR = 0x51
export const DAG_PB = 0x70
export const IDENTITY = 0x00
export const SHA2_256 = 0x12
export const BLAKE2B_256 = 0xb220

/** The longest digest a CID may carry. */
export const DIGEST_SIZE_MAX = 64

export class CidError extends Error {
  override readonly name = 'CidError'
  readonly code = 'CID_INVALID'
  constructor(text: string) {
    super(`CID_INVALID: ${text}`)
  }
}

/** The CID of a block has version, a codec of one byte, three bytes of hash code, size, digest. */
export const BLOCK_CID_SIZE = 38

/** The CID of a block: CIDv1 over blake2b-256. */
export function cidOf(codec: number, bytes: Uint8Array): Cid {
  if (codec > 0x7f) return makeCid(codec, BLAKE2B_256, blake2b256(bytes))
  return `\x01${String.fromCharCode(codec)}\xa0\xe4\x02\x20${blake2b256Binary(bytes)}` as Cid
}

/** CIDv1 of a given multihash. */
export function makeCid(codec: number | bigint, hash: number | bigint, digest: Uint8Array): Cid {
  if (digest.length > DIGEST_SIZE_MAX) throw new CidError(`digest of ${digest.length} bytes`)
  const head = concatBytes(writeVarint(1), writeVarint(codec), writeVarint(hash), writeVarint(digest.length))
  return toBinary(concatBytes(head, digest)) as Cid
}

/**
 * Reads the CID at `offset`, however many bytes it has. Undefined when there is none. A CID whose varints use the
 * laxness of `readVarint` comes back canonical.
 *
 * @source `cid` crate, `Cid::read_bytes`
 */
export function readCid(bytes: Uint8Array, offset: number): { cid: Cid; next: number } | undefined {
  const end = offset + BLOCK_CID_SIZE
  if (end <= bytes.length && isBlockCid(bytes, offset)) {
    return { cid: sliceBinary(bytes, offset, end) as Cid, next: end }
  }
  const version = readVarint(bytes, offset)
  if (version === undefined) return undefined
  const codec = readVarint(bytes, version.next)
  if (codec === undefined) return undefined
  if (version.value === 0x12n && codec.value === 0x20n) {
    const next = codec.next + 32
    if (next > bytes.length) return undefined
    return { cid: `\x12\x20${sliceBinary(bytes, codec.next, next)}` as Cid, next }
  }
  if (version.value !== 1n) return undefined
  const hash = readVarint(bytes, codec.next)
  if (hash === undefined) return undefined
  const size = readVarint(bytes, hash.next)
  if (size === undefined || size.value > DIGEST_SIZE_MAX) return undefined
  const next = size.next + Number(size.value)
  if (next > bytes.length) return undefined
  return { cid: makeCid(codec.value, hash.value, bytes.subarray(size.next, next)), next }
}

/** Whether a CIDv1 over blake2b-256, with a codec of one byte, begins at `at`. The digest may still be cut off. */
export function isBlockCid(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x01 &&
    bytes[at + 1]! < 0x80 &&
    bytes[at + 2] === 0xa0 &&
    bytes[at + 3] === 0xe4 &&
    bytes[at + 4] === 0x02 &&
    bytes[at + 5] === 0x20
  )
}

export function cidBytes(cid: Cid): Uint8Array {
  return fromBinary(cid)
}

/** A CID taken apart. Codec and hash are numbers unless they exceed 2^53. */
export interface CidParts {
  readonly version: 0 | 1
  readonly codec: number | bigint
  readonly hash: number | bigint
  readonly digest: Uint8Array
}

export function cidParts(cid: Cid): CidParts {
  const bytes = fromBinary(cid)
  if (bytes[0] === 0x12) return { version: 0, codec: DAG_PB, hash: SHA2_256, digest: bytes.subarray(2) }
  const codec = readVarint(bytes, 1)
  const hash = codec && readVarint(bytes, codec.next)
  const size = hash && readVarint(bytes, hash.next)
  if (codec === undefined || hash === undefined || size === undefined) throw new CidError('not a binary CID')
  return { version: 1, codec: narrow(codec.value), hash: narrow(hash.value), digest: bytes.subarray(size.next) }
}

function narrow(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** The codec alone, without taking the rest apart. */
export function cidCodec(cid: Cid): number | bigint {
  const code = cid.charCodeAt(1)
  return cid.charCodeAt(0) === 1 && code < 0x80 ? code : cidParts(cid).codec
}

/** Whether `bytes` are the block that `cid` names. Undefined when its hash is not one a chain's store knows. */
export function matchesCid(cid: Cid, bytes: Uint8Array): boolean | undefined {
  const { hash, digest } = cidParts(cid)
  switch (hash) {
    case BLAKE2B_256:
      return equalBytes(digest, blake2b256(bytes))
    case SHA2_256:
      return equalBytes(digest, sha256(bytes))
    case IDENTITY:
      return equalBytes(digest, bytes)
    default:
      return undefined
  }
}

/** Whether the binary string is exactly one CID in its canonical form. */
export function isCid(text: string): text is Cid {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false
  const read = readCid(fromBinary(text), 0)
  return read !== undefined && read.next === text.length && read.cid === text
}

/** Text of a CID: base32 (`bafy…`) for version 1, base58 (`Qm…`) for version 0. */
export function formatCid(cid: Cid): string {
  const bytes = fromBinary(cid)
  return bytes[0] === 0x12 ? base58btc.baseEncode(bytes) : base32.encode(bytes)
}

/** Reads base32, base58 or hex text of a CID. */
export function parseCid(text: string): Cid {
  const bytes = parseMultibase(text)
  const read = bytes === undefined ? undefined : readCid(bytes, 0)
  if (read === undefined || read.next !== bytes!.length) throw new CidError(`"${text}" is not the text of a CID`)
  return read.cid
}

function parseMultibase(text: string): Uint8Array | undefined {
  try {
    if (text.length === 46 && text.startsWith('Qm')) return base58btc.baseDecode(text)
    switch (text[0]) {
      case 'b':
        return base32.decode(text)
      case 'z':
        return base58btc.decode(text)
      case 'f':
        return base16.decode(text)
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}

/** The block `80`: every new actor's first state, and the info object of a state root. */
export const EMPTY_ARRAY_BLOCK: Uint8Array = Uint8Array.of(0x80)
export const EMPTY_ARRAY_CID: Cid = cidOf(DAG_CBOR, EMPTY_ARRAY_BLOCK)
