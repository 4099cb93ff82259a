// Addresses as binary strings: protocol byte ‖ payload.
//
//   0 ID          varint of the actor's id
//   1 secp256k1   blake2b-160 of the 65-byte public key
//   2 actor       blake2b-160 of a seed
//   3 BLS         48-byte public key
//   4 delegated   varint namespace ‖ subaddress of 0 to 54 bytes

import { base32 } from 'multiformats/bases/base32'
import type { Brand } from '../primitives/brand.ts'
import { concatBytes, equalBytes, fromBinary, fromHex, sliceBinary, toBinary, toHex } from '../primitives/bytes.ts'
import { blake2b, blake2b160 } from '../primitives/hash.ts'
import { readVarint, writeVarint } from '../primitives/varint.ts'
import type { ActorId } from './actor.ts'

export type Address = Brand<string, 'Address'>

/** `f` on the main network, `t` on all others. */
export type AddressPrefix = 'f' | 't'

export const PROTOCOL_ID = 0
export const PROTOCOL_SECP256K1 = 1
export const PROTOCOL_ACTOR = 2
export const PROTOCOL_BLS = 3
export const PROTOCOL_DELEGATED = 4

/** The namespace of Ethereum addresses: the id of the EAM. */
export const EAM_NAMESPACE = 10n
export const SUBADDRESS_SIZE_MAX = 54
export const ADDRESS_SIZE_MAX = 65

const HASH_SIZE = 20
const BLS_KEY_SIZE = 48
const CHECKSUM_SIZE = 4
const ETH_SIZE = 20
const ID_MAX = 0xffff_ffff_ffff_ffffn

export type AddressFault =
  | 'SYNTAX' // neither f…, t… nor 0x…
  | 'PROTOCOL' // an unknown protocol digit
  | 'PAYLOAD' // a payload that the protocol does not have
  | 'CHECKSUM' // mistyped

/** The text or the bytes are no address. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
  readonly code: AddressFault
  readonly text: string
  constructor(code: AddressFault, text: string) {
    super(`${code}: "${text}" is not an address`)
    this.code = code
    this.text = text
  }
}

export function idAddress(id: ActorId | bigint): Address {
  if (id < 0x80n && id >= 0n) return `\0${String.fromCharCode(Number(id))}` as Address
  return `\0${toBinary(writeVarint(id))}` as Address
}

export function addressProtocol(address: Address): number {
  return address.charCodeAt(0)
}

/** The actor that an ID address names; undefined for the other protocols. */
export function addressId(address: Address): ActorId | undefined {
  if (address.charCodeAt(0) !== PROTOCOL_ID) return undefined
  const only = address.charCodeAt(1)
  if (only < 0x80) return BigInt(only) as ActorId
  return readVarint(fromBinary(address), 1)!.value as ActorId
}

/** The address of a secp256k1 key, given uncompressed (65 bytes). */
export function secpAddress(publicKey: Uint8Array): Address {
  return `\x01${toBinary(blake2b160(publicKey))}` as Address
}

export function actorAddress(seed: Uint8Array): Address {
  return `\x02${toBinary(blake2b160(seed))}` as Address
}

export function blsAddress(publicKey: Uint8Array): Address {
  if (publicKey.length !== BLS_KEY_SIZE) throw new AddressError('PAYLOAD', toHex(publicKey))
  return `\x03${toBinary(publicKey)}` as Address
}

export function delegatedAddress(namespace: bigint, subaddress: Uint8Array): Address {
  if (subaddress.length > SUBADDRESS_SIZE_MAX) throw new AddressError('PAYLOAD', toHex(subaddress))
  return `\x04${toBinary(writeVarint(namespace))}${toBinary(subaddress)}` as Address
}

/** Namespace and subaddress of a delegated address; undefined for the other protocols. */
export function delegatedParts(address: Address): { namespace: bigint; subaddress: Uint8Array } | undefined {
  if (address.charCodeAt(0) !== PROTOCOL_DELEGATED) return undefined
  const bytes = fromBinary(address)
  const { value, next } = readVarint(bytes, 1)!
  return { namespace: value, subaddress: bytes.subarray(next) }
}

/**
 * f410 of an Ethereum address (20 bytes). One that masks an actor id, `ff` ‖ 11 zeros ‖ id, has none that any actor
 * answers to: see `ethAddressToFilecoin`.
 */
export function ethAddressToDelegated(eth: Uint8Array): Address {
  if (eth.length !== ETH_SIZE) throw new AddressError('PAYLOAD', toHex(eth))
  return `\x04\x0a${toBinary(eth)}` as Address
}

/** The address that an Ethereum address (20 bytes) stands for: an ID address when it masks one, else its f410. */
export function ethAddressToFilecoin(eth: Uint8Array): Address {
  if (eth.length === ETH_SIZE && eth[0] === 0xff && eth.subarray(1, 12).every((byte) => byte === 0)) {
    return idAddress(BigInt(`0x${toHex(eth.subarray(12))}`))
  }
  return ethAddressToDelegated(eth)
}

/** The Ethereum address (20 bytes) of an f410; undefined for any other address. */
export function delegatedToEthAddress(address: Address): Uint8Array | undefined {
  if (address.length !== 2 + ETH_SIZE || !address.startsWith('\x04\x0a')) return undefined
  return fromBinary(address.slice(2))
}

/** The address that exactly these bytes are. A varint that uses the reference's laxness comes back canonical. */
export function decodeAddress(bytes: Uint8Array): Address | undefined {
  if (bytes.length < 2) return undefined
  switch (bytes[0]) {
    case PROTOCOL_ID: {
      const id = readVarint(bytes, 1)
      return id?.next === bytes.length ? idAddress(id.value) : undefined
    }
    case PROTOCOL_SECP256K1:
    case PROTOCOL_ACTOR:
      return bytes.length === 1 + HASH_SIZE ? (toBinary(bytes) as Address) : undefined
    case PROTOCOL_BLS:
      return bytes.length === 1 + BLS_KEY_SIZE ? (toBinary(bytes) as Address) : undefined
    case PROTOCOL_DELEGATED: {
      const namespace = readVarint(bytes, 1)
      if (namespace === undefined || bytes.length - namespace.next > SUBADDRESS_SIZE_MAX) return undefined
      const head = namespace.next === 2 ? sliceBinary(bytes, 1, 2) : toBinary(writeVarint(namespace.value))
      return `\x04${head}${sliceBinary(bytes, namespace.next, bytes.length)}` as Address
    }
    default:
      return undefined
  }
}

export function addressBytes(address: Address): Uint8Array {
  return fromBinary(address)
}

/** Text form: `f01234`, `f1` … `f3` with base32, `f4<namespace>f<base32>`. */
export function formatAddress(address: Address, prefix: AddressPrefix): string {
  const bytes = fromBinary(address)
  const protocol = addressProtocol(address)
  if (protocol === PROTOCOL_ID) return `${prefix}0${addressId(address)}`
  const delegated = delegatedParts(address)
  const payload = delegated?.subaddress ?? bytes.subarray(1)
  const checked = base32.baseEncode(concatBytes(payload, blake2b(bytes, CHECKSUM_SIZE)))
  return delegated === undefined ? `${prefix}${protocol}${checked}` : `${prefix}4${delegated.namespace}f${checked}`
}

/** Reads `f…`, `t…` or `0x…` (20 bytes, `ethAddressToFilecoin`). */
export function parseAddress(text: string): Address {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return ethAddressToFilecoin(fromHex(text))
  const match = /^[ft]([0-9])([0-9a-z]+)$/.exec(text)
  if (match === null) throw new AddressError('SYNTAX', text)
  const protocol = Number(match[1])
  const rest = match[2]!
  switch (protocol) {
    case PROTOCOL_ID:
      return idAddress(parseInteger(rest, text))
    case PROTOCOL_SECP256K1:
    case PROTOCOL_ACTOR:
    case PROTOCOL_BLS:
      return parseChecked(Uint8Array.of(protocol), rest, text)
    case PROTOCOL_DELEGATED: {
      const at = rest.indexOf('f')
      if (at < 1) throw new AddressError('SYNTAX', text)
      const namespace = writeVarint(parseInteger(rest.slice(0, at), text))
      return parseChecked(concatBytes(Uint8Array.of(protocol), namespace), rest.slice(at + 1), text)
    }
    default:
      throw new AddressError('PROTOCOL', text)
  }
}

function parseInteger(digits: string, text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(digits)) throw new AddressError('SYNTAX', text)
  const value = BigInt(digits)
  if (value > ID_MAX) throw new AddressError('PAYLOAD', text)
  return value
}

function parseChecked(head: Uint8Array, encoded: string, text: string): Address {
  let decoded: Uint8Array
  try {
    decoded = base32.baseDecode(encoded)
  } catch {
    throw new AddressError('SYNTAX', text)
  }
  if (decoded.length < CHECKSUM_SIZE) throw new AddressError('PAYLOAD', text)
  const bytes = concatBytes(head, decoded.subarray(0, -CHECKSUM_SIZE))
  const address = decodeAddress(bytes)
  if (address === undefined) throw new AddressError('PAYLOAD', text)
  if (!equalBytes(blake2b(bytes, CHECKSUM_SIZE), decoded.subarray(-CHECKSUM_SIZE))) {
    throw new AddressError('CHECKSUM', text)
  }
  return address
}
