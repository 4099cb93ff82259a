/**
 * Secret keys of a mnemonic: its seed is the root of a tree, in which a path names a key. By Node's own cryptography and the chain's own
 * curve: in JavaScript the seed alone takes a tenth of a second of each start.
 *
 * @source BIP-32, BIP-39
 */
import { createHmac, pbkdf2Sync } from 'node:crypto'
import { concatBytes, fromHex, toHex } from '../primitives/bytes.ts'
import { publicKeyOf } from '../primitives/keys.ts'

interface TreeKey {
  readonly secret: Uint8Array
  readonly chainCode: Uint8Array
}

const WORD_COUNTS = [12, 15, 18, 21, 24]
const ROUNDS = 2048
const HARDENED = 0x8000_0000
/** Of secp256k1. */
const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n

/** The first `count` keys below `path`, which is written as in `m/44'/60'/0'/0`. Words are not looked up: any will do. */
export function deriveSecretKeys(mnemonic: string, path: string, count: number): Uint8Array[] {
  let parent = rootOf(seedOf(mnemonic))
  for (const step of path.split('/').slice(1)) {
    parent = childOf(parent, Number.parseInt(step, 10) + (step.endsWith("'") ? HARDENED : 0))
  }
  return Array.from({ length: count }, (_, index) => childOf(parent, index).secret)
}

/** @throws RangeError when it is no mnemonic */
function seedOf(mnemonic: string): Uint8Array {
  const words = mnemonic.normalize('NFKD')
  const count = words.split(' ').length
  if (!WORD_COUNTS.includes(count)) {
    throw new RangeError(`a mnemonic of ${count} words; give 12, 15, 18, 21 or 24, with one space between them`)
  }
  return pbkdf2Sync(words, 'mnemonic', ROUNDS, 64, 'sha512')
}

function rootOf(seed: Uint8Array): TreeKey {
  return split(hmac(new TextEncoder().encode('Bitcoin seed'), seed))
}

function childOf({ secret, chainCode }: TreeKey, index: number): TreeKey {
  const number = new Uint8Array(4)
  new DataView(number.buffer).setUint32(0, index)
  const base = index >= HARDENED ? concatBytes(Uint8Array.of(0), secret) : compressed(publicKeyOf(secret))
  const tweak = split(hmac(chainCode, concatBytes(base, number)))
  const sum = (toInteger(tweak.secret) + toInteger(secret)) % ORDER
  // Once in 2^127.
  if (toInteger(tweak.secret) >= ORDER || sum === 0n)
    throw new RangeError(`the tree has no key ${index} here; give another mnemonic`)
  return { secret: fromHex(sum.toString(16).padStart(64, '0')), chainCode: tweak.chainCode }
}

function split(bytes: Uint8Array): TreeKey {
  return { secret: bytes.slice(0, 32), chainCode: bytes.slice(32) }
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac('sha512', key).update(data).digest()
}

/** 33 bytes of 65. */
function compressed(publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(2 + (publicKey[64]! & 1)), publicKey.subarray(1, 33))
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`)
}
