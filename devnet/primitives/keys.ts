// Signatures: secp256k1 (65 bytes r‖s‖v) and BLS12-381 (keys in G1, 48 bytes; signatures in G2, 96 bytes).
// secp256k1 runs natively when its addon loads, else in JavaScript; both answer alike.

import { createRequire } from 'node:module'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { rethrowOverflow } from './assert.ts'
import { toBinary } from './bytes.ts'

/** secp256k1 as the chain uses it. Digests have 32 bytes, signatures 65 (r‖s‖v), public keys 65 (uncompressed). */
export interface Secp256k1 {
  sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array
  /** Throws, or answers undefined, when there is no such key. `v` is 0 to 3. */
  recover(digest: Uint8Array, compact: Uint8Array, v: number): Uint8Array | undefined
  publicKey(secretKey: Uint8Array): Uint8Array
}

/** In JavaScript: always there, some 25 times slower. */
export const nobleSecp: Secp256k1 = {
  sign(digest, secretKey) {
    const signed = noble.sign(digest, secretKey, { prehash: false, format: 'recovered' })
    return joinSignature(signed.subarray(1), signed[0]!)
  },
  recover(digest, compact, v) {
    return noble.Signature.fromBytes(compact, 'compact').addRecoveryBit(v).recoverPublicKey(digest).toBytes(false)
  },
  publicKey: (secretKey) => noble.getPublicKey(secretKey, false),
}

/** In C, unless its addon does not load here. */
export const nativeSecp: Secp256k1 | undefined = loadNative()

const secp = nativeSecp ?? nobleSecp

/** Which implementation of secp256k1 answers. */
export const secpBackend: 'native' | 'noble' = nativeSecp === undefined ? 'noble' : 'native'

/** Signs a 32-byte digest: r‖s‖v, s in the lower half, v 0 or 1 (2 or 3 once in 2^127). Deterministic (RFC 6979). */
export function signRecoverable(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return secp.sign(digest, secretKey)
}

/**
 * The uncompressed public key (65 bytes) whose owner signed `digest`; undefined when no key did.
 *
 * The reference first brings s into the lower half and flips v's low bit with it. That names the same key:
 * r⁻¹(sR − eG) = r⁻¹((−s)(−R) − eG). So s of either half is taken as it is.
 *
 * @source ref-fvm `shared/src/crypto/signature.rs`
 */
export function recoverPublicKey(
  digest: Uint8Array,
  signature: Uint8Array,
  implementation: Secp256k1 = secp,
): Uint8Array | undefined {
  const v = signature[64]
  if (signature.length !== 65 || digest.length !== 32 || v === undefined || v > 3) return undefined
  try {
    return implementation.recover(digest, signature.subarray(0, 64), v)
  } catch (error) {
    rethrowOverflow(error)
    return undefined
  }
}

/** The uncompressed public key (65 bytes) of a secp256k1 secret. */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return secp.publicKey(secretKey)
}

interface Secp256k1Addon {
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
}

function loadNative(): Secp256k1 | undefined {
  try {
    const addon = createRequire(import.meta.url)('secp256k1/bindings.js') as Secp256k1Addon
    return {
      sign(digest, secretKey) {
        const { signature, recid } = addon.ecdsaSign(digest, secretKey)
        return joinSignature(signature, recid)
      },
      recover: (digest, compact, v) => addon.ecdsaRecover(compact, v, digest, false),
      publicKey: (secretKey) => addon.publicKeyCreate(secretKey, false),
    }
  } catch {
    return undefined
  }
}

function joinSignature(compact: Uint8Array, v: number): Uint8Array {
  const signature = new Uint8Array(65)
  signature.set(compact)
  signature[64] = v
  return signature
}

const BLS_DST = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_'
const BLS_KEY_SIZE = 48
const BLS_SIGNATURE_SIZE = 96

/** Whether `pubkey` signed `message`. Malformed input is just invalid. */
export function verifyBls(signature: Uint8Array, message: Uint8Array, pubkey: Uint8Array): boolean {
  return verifyBlsAggregate(signature, [message], [pubkey])
}

/**
 * Whether `signature` aggregates one signature per message, each by the key beside it. No messages at all are valid,
 * whatever the signature; a zero key or two equal messages are not. One key may sign twice.
 *
 * @source FIP-0079
 */
export function verifyBlsAggregate(
  signature: Uint8Array,
  messages: readonly Uint8Array[],
  pubkeys: readonly Uint8Array[],
): boolean {
  if (messages.length !== pubkeys.length) return false
  if (messages.length === 0) return true
  if (signature.length !== BLS_SIGNATURE_SIZE || pubkeys.some((key) => key.length !== BLS_KEY_SIZE)) return false
  if (messages.length > 1 && new Set(messages.map(toBinary)).size !== messages.length) return false
  const { longSignatures: scheme } = bls12_381
  try {
    const items = messages.map((message, i) => {
      const publicKey = bls12_381.G1.Point.fromBytes(pubkeys[i]!)
      return { message: scheme.hash(message, BLS_DST), publicKey }
    })
    const point = scheme.Signature.fromBytes(signature)
    return scheme.verifyBatch(point, items)
  } catch (error) {
    rethrowOverflow(error)
    return false
  }
}
