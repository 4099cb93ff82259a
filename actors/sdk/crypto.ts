// Hashes and signatures.

import * as sys from './sys/crypto'
import { check } from './abort'
import { Address } from './address'
import { Bytes } from './bytes'

/** Multihash codes. */
export const BLAKE2B_256: u64 = 0xb220
const BLAKE2B_512: u64 = 0xb240
const SHA2_256: u64 = 0x12
const KECCAK_256: u64 = 0x1b
const RIPEMD_160: u64 = 0x1053

const OUT: usize = memory.data(8)

export function hashBytes(code: u64, data: Bytes, size: u32): Bytes {
  const digest = __alloc(size + 8)
  check(sys.hash(OUT, code, data.ptr, data.length, digest, size))
  return new Bytes(digest, size)
}

export class crypto {
  static blake2b(data: Bytes): Bytes {
    return hashBytes(BLAKE2B_256, data, 32)
  }
  static blake2b512(data: Bytes): Bytes {
    return hashBytes(BLAKE2B_512, data, 64)
  }
  static sha256(data: Bytes): Bytes {
    return hashBytes(SHA2_256, data, 32)
  }
  static keccak256(data: Bytes): Bytes {
    return hashBytes(KECCAK_256, data, 32)
  }
  static ripemd160(data: Bytes): Bytes {
    return hashBytes(RIPEMD_160, data, 20)
  }

  /** Whether `signature` (a type byte, 1 secp256k1 or 2 BLS, and the signature) over `data` is the signer's. */
  static verify(signature: Bytes, signer: Address, data: Bytes): bool {
    if (signature.length < 1) return false
    check(
      sys.verify_signature(
        OUT, load<u8>(signature.ptr), signature.ptr + 1, signature.length - 1,
        signer.ptr, signer.length, data.ptr, data.length,
      ),
    )
    return load<i32>(OUT) == 0
  }

  /** The uncompressed secp256k1 key (65 bytes) that signed the 32-byte `hash`; empty when there is none. */
  static recover(hash: Bytes, signature: Bytes): Bytes {
    const key = __alloc(72)
    if (hash.length != 32 || signature.length != 65) return new Bytes()
    if (sys.recover_secp_public_key(key, hash.ptr, signature.ptr)) return new Bytes()
    return new Bytes(key, 65)
  }

  /** Whether a BLS aggregate is of these keys (48 bytes each) over these messages, one a key. */
  static verifyAggregate(signature: Bytes, keys: Array<Bytes>, messages: Array<Bytes>): bool {
    const count = keys.length
    if (signature.length != 96 || messages.length != count) return false
    let size: u32 = 0
    for (let i = 0; i < count; i++) size += messages[i].length
    const packedKeys = __alloc(<usize>count * 48)
    const lengths = __alloc(<usize>count * 4)
    const data = __alloc(size)
    let at = data
    for (let i = 0; i < count; i++) {
      if (keys[i].length != 48) return false
      memory.copy(packedKeys + <usize>i * 48, keys[i].ptr, 48)
      store<u32>(lengths + (<usize>i << 2), messages[i].length)
      memory.copy(at, messages[i].ptr, messages[i].length)
      at += messages[i].length
    }
    check(sys.verify_bls_aggregate(OUT, count, signature.ptr, packedKeys, data, lengths))
    return load<i32>(OUT) == 0
  }
}
