// Ed25519 with the acceptance rules of ZIP-215: encodings that are not canonical and points of small order are taken, and
// the equation is multiplied by the cofactor. OpenSSL is stricter and some ten times as fast, so it is asked first: what it
// accepts, ZIP-215 accepts.

import * as crypto from 'node:crypto'
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { concatBytes } from './bytes.ts'

export const ED25519_KEY_SIZE = 32
export const ED25519_SIGNATURE_SIZE = 64

/** Keys and seeds have 32 bytes, signatures 64. */
export interface Ed25519 {
  sign(message: Uint8Array, seed: Uint8Array): Uint8Array
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  publicKey(seed: Uint8Array): Uint8Array
}

/** In JavaScript: runs anywhere. */
export const nobleEd25519: Ed25519 = {
  sign: (message, seed) => noble.sign(message, seed),
  verify(signature, message, publicKey) {
    if (signature.length !== ED25519_SIGNATURE_SIZE || publicKey.length !== ED25519_KEY_SIZE) return false
    try {
      return noble.verify(signature, message, publicKey, { zip215: true })
    } catch {
      return false
    }
  },
  publicKey: (seed) => noble.getPublicKey(seed),
}

/** The heads of DER structures that end in the raw key: SubjectPublicKeyInfo and PKCS #8. */
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0)
const PKCS8_HEAD = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

/** Through OpenSSL, with `nobleEd25519` as the court of appeal. */
export const nodeEd25519: Ed25519 = {
  sign(message, seed) {
    const key = crypto.createPrivateKey({
      key: Buffer.from(concatBytes(PKCS8_HEAD, seed)),
      format: 'der',
      type: 'pkcs8',
    })
    return new Uint8Array(crypto.sign(null, message, key))
  },
  verify(signature, message, publicKey) {
    if (signature.length !== ED25519_SIGNATURE_SIZE || publicKey.length !== ED25519_KEY_SIZE) return false
    return verifyStrictly(signature, message, publicKey) || nobleEd25519.verify(signature, message, publicKey)
  },
  publicKey: nobleEd25519.publicKey,
}

function verifyStrictly(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    const key = crypto.createPublicKey({
      key: Buffer.from(concatBytes(SPKI_HEAD, publicKey)),
      format: 'der',
      type: 'spki',
    })
    return crypto.verify(null, message, key, signature)
  } catch {
    return false
  }
}
