// FVM module `crypto`: hashes, signatures, proofs. Verdicts are i32 at `out`: 0 valid, −1 not.

/** Hashes by multihash code, writes the digest at `digest`, and u32 the bytes written at `out`. */
@external('crypto', 'hash')
export declare function hash(out: usize, code: u64, data: usize, length: u32, digest: usize, digestLength: u32): u32

/** `type` is 1 for secp256k1, 2 for BLS. */
@external('crypto', 'verify_signature')
export declare function verify_signature(
  out: usize, type: u32, signature: usize, signatureLength: u32,
  signer: usize, signerLength: u32, data: usize, length: u32,
): u32

/** `keys` are `count` times 48 bytes, `lengths` `count` times u32. */
@external('crypto', 'verify_bls_aggregate')
export declare function verify_bls_aggregate(
  out: usize, count: u32, signature: usize, keys: usize, data: usize, lengths: usize,
): u32

/** Writes the 65-byte public key at `out`, from a 32-byte hash and a 65-byte signature. */
@external('crypto', 'recover_secp_public_key')
export declare function recover_secp_public_key(out: usize, hash: usize, signature: usize): u32

@external('crypto', 'compute_unsealed_sector_cid')
export declare function compute_unsealed_sector_cid(
  out: usize, proof: i64, pieces: usize, piecesLength: u32, cid: usize, length: u32,
): u32

@external('crypto', 'verify_post')
export declare function verify_post(out: usize, info: usize, length: u32): u32

@external('crypto', 'verify_consensus_fault')
export declare function verify_consensus_fault(
  out: usize, first: usize, firstLength: u32, second: usize, secondLength: u32, extra: usize, extraLength: u32,
): u32

@external('crypto', 'verify_aggregate_seals')
export declare function verify_aggregate_seals(out: usize, info: usize, length: u32): u32

@external('crypto', 'verify_replica_update')
export declare function verify_replica_update(out: usize, info: usize, length: u32): u32

/** Writes a byte a seal at `results`: 1 valid. */
@external('crypto', 'batch_verify_seals')
export declare function batch_verify_seals(seals: usize, length: u32, results: usize): u32
