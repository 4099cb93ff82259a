// Every hash the chain uses. The only file that knows who computes them: BLAKE2b, Keccak and SHA-256 of short input our own
// WebAssembly, SHA-256 of long input Node, RIPEMD-160 a library.

import * as crypto from 'node:crypto'
import { ripemd160 as nobleRipemd160 } from '@noble/hashes/legacy.js'
import { hashBlake2b, hashBlake2bBinary } from './blake2b.ts'
import { fromBinary } from './bytes.ts'
import { hashKeccak256 } from './keccak.ts'
import { hashShortSha256, hashShortSha256Binary, SHORT_SIZE_MAX } from './sha256.ts'

/** BLAKE2b with a digest of `size` bytes, 1 to 64. */
export function blake2b(bytes: Uint8Array, size: number): Uint8Array {
  return hashBlake2b(bytes, size)
}

export function blake2b256(bytes: Uint8Array): Uint8Array {
  return hashBlake2b(bytes, 32)
}

/** BLAKE2b-256 as a binary string, which CIDs are made of. */
export function blake2b256Binary(bytes: Uint8Array): string {
  return hashBlake2bBinary(bytes, 32)
}

export function blake2b160(bytes: Uint8Array): Uint8Array {
  return hashBlake2b(bytes, 20)
}

export function blake2b512(bytes: Uint8Array): Uint8Array {
  return hashBlake2b(bytes, 64)
}

export function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= SHORT_SIZE_MAX) return hashShortSha256(bytes)
  return fromBinary(sha256Binary(bytes))
}

/** SHA-256 as a binary string; Node gives it four times as fast as through a buffer. */
export function sha256Binary(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_SIZE_MAX) return hashShortSha256Binary(bytes)
  return crypto.hash('sha256', bytes, 'binary')
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return hashKeccak256(bytes)
}

export function ripemd160(bytes: Uint8Array): Uint8Array {
  return nobleRipemd160(bytes)
}
