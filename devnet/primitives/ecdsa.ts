// secp256k1 signatures of 64 bytes (r‖s) against compressed keys, as CometBFT's validators use them: deterministic
// (RFC 6979), s in the lower half. Native when the addon loads, else in JavaScript; both answer alike.

import { createRequire } from 'node:module'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { compareBytes, fromHex, toHex } from './bytes.ts'

export const ECDSA_KEY_SIZE = 33
export const ECDSA_SIGNATURE_SIZE = 64

/** Digests and secrets have 32 bytes, signatures 64, public keys 33. */
export interface Ecdsa {
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array
  /** r and s are below the order; false for a zero one and for s in the upper half. */
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  publicKey(secret: Uint8Array): Uint8Array
}

/** In JavaScript: runs anywhere. */
export const nobleEcdsa: Ecdsa = {
  sign: (digest, secret) => noble.sign(digest, secret, { prehash: false, lowS: true, format: 'compact' }),
  verify: (signature, digest, publicKey) =>
    noble.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: 'compact' }),
  publicKey: (secret) => noble.getPublicKey(secret, true),
}

/** In C, unless its addon does not load here. */
export const nativeEcdsa: Ecdsa | undefined = loadNative()

const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
const ORDER_BYTES = fromHex(ORDER.toString(16))

/** Signs a 32-byte digest: r‖s, s in the lower half. */
export function signEcdsa(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  return (nativeEcdsa ?? nobleEcdsa).sign(digest, secret)
}

/** The compressed public key of a secret. */
export function ecdsaPublicKey(secret: Uint8Array): Uint8Array {
  return (nativeEcdsa ?? nobleEcdsa).publicKey(secret)
}

/**
 * Whether the owner of the compressed `publicKey` signed `digest`. An r or s beyond the order is taken modulo the order,
 * then neither may be zero and s must be in the lower half. Malformed input is just invalid.
 *
 * @source CometBFT `crypto/secp256k1/secp256k1.go` over `decred/dcrec/secp256k1`
 */
export function verifyEcdsa(
  signature: Uint8Array,
  digest: Uint8Array,
  publicKey: Uint8Array,
  implementation: Ecdsa = nativeEcdsa ?? nobleEcdsa,
): boolean {
  if (signature.length !== ECDSA_SIGNATURE_SIZE || publicKey.length !== ECDSA_KEY_SIZE) return false
  if (publicKey[0] !== 2 && publicKey[0] !== 3) return false
  try {
    return implementation.verify(reduceSignature(signature), digest, publicKey)
  } catch {
    return false
  }
}

function reduceSignature(signature: Uint8Array): Uint8Array {
  if (signature[0] !== 0xff && signature[32] !== 0xff) return signature
  const reduced = signature.slice()
  for (const half of [reduced.subarray(0, 32), reduced.subarray(32)]) {
    if (compareBytes(half, ORDER_BYTES) < 0) continue
    const rest = BigInt(`0x${toHex(half)}`) - ORDER
    half.set(fromHex(rest.toString(16).padStart(64, '0')))
  }
  return reduced
}

interface EcdsaAddon {
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array }
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
}

function loadNative(): Ecdsa | undefined {
  try {
    const addon = createRequire(import.meta.url)('secp256k1/bindings.js') as EcdsaAddon
    return {
      sign: (digest, secret) => addon.ecdsaSign(digest, secret).signature,
      verify: (signature, digest, publicKey) => addon.ecdsaVerify(signature, digest, publicKey),
      publicKey: (secret) => addon.publicKeyCreate(secret, true),
    }
  } catch {
    return undefined
  }
}
