/**
 * Validators' keys: secp256k1 (what IPC verifies) and ed25519.
 *
 * @source CometBFT v0.38.25 `crypto/secp256k1`, `crypto/ed25519`, `crypto/encoding/codec.go`
 */

import { equalBytes, toBinary } from '../primitives/bytes.ts'
import { ECDSA_KEY_SIZE, ECDSA_SIGNATURE_SIZE, ecdsaPublicKey, signEcdsa, verifyEcdsa } from '../primitives/ecdsa.ts'
import { ED25519_KEY_SIZE, ED25519_SIGNATURE_SIZE, nodeEd25519 } from '../primitives/ed25519.ts'
import { ripemd160, sha256, sha256Binary } from '../primitives/hash.ts'
import type { PublicKey } from './wire.ts'

export type KeyType = PublicKey['kind']

/** The names of public keys where they stand in JSON. */
export const PUBLIC_KEY_NAMES: Readonly<Record<KeyType, string>> = {
  ed25519: 'tendermint/PubKeyEd25519',
  secp256k1: 'tendermint/PubKeySecp256k1',
}

/** Both schemes' signatures have 64 bytes, and no message may carry a longer one. */
export const SIGNATURE_SIZE_MAX = 64
export const ADDRESS_SIZE = 20

export interface PrivateKey {
  readonly kind: KeyType
  /** 32 bytes: the secret of secp256k1, the seed of ed25519. */
  readonly secret: Uint8Array
}

export function publicKeyOf({ kind, secret }: PrivateKey): PublicKey {
  return { kind, value: kind === 'secp256k1' ? ecdsaPublicKey(secret) : nodeEd25519.publicKey(secret) }
}

export function isWellFormedKey({ kind, value }: PublicKey): boolean {
  return value.length === (kind === 'secp256k1' ? ECDSA_KEY_SIZE : ED25519_KEY_SIZE)
}

export function equalKeys(a: PublicKey, b: PublicKey): boolean {
  return a.kind === b.kind && equalBytes(a.value, b.value)
}

/** 20 bytes, as a binary string. */
export function addressOf({ kind, value }: PublicKey): string {
  return kind === 'secp256k1' ? toBinary(ripemd160(sha256(value))) : sha256Binary(value).slice(0, ADDRESS_SIZE)
}

/** Deterministic: the same message gives the same 64 bytes. secp256k1 signs the message's SHA-256. */
export function signMessage({ kind, secret }: PrivateKey, message: Uint8Array): Uint8Array {
  return kind === 'secp256k1' ? signEcdsa(sha256(message), secret) : nodeEd25519.sign(message, secret)
}

/** Like `verifyMessage`; others remember what they verified, or stand for it in a simulation. */
export type VerifyMessage = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean

/** Whether the owner of the key signed `message`. Malformed keys and signatures are just invalid. */
export function verifyMessage({ kind, value }: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return kind === 'secp256k1'
    ? signature.length === ECDSA_SIGNATURE_SIZE && verifyEcdsa(signature, sha256(message), value)
    : signature.length === ED25519_SIGNATURE_SIZE && nodeEd25519.verify(signature, message, value)
}
