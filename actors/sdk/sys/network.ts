// FVM module `network`.

/** Writes epoch i64, timestamp u64, base fee low and high u64, chain ID u64, network version u32 (44 bytes). */
@external('network', 'context')
export declare function context(out: usize): u32

/** Writes the tipset's CID at `cid`, and u32 its length at `out`. */
@external('network', 'tipset_cid')
export declare function tipset_cid(out: usize, epoch: i64, cid: usize, length: u32): u32

/** Writes the circulating supply: low u64, high u64. */
@external('network', 'total_fil_circ_supply')
export declare function total_fil_circ_supply(out: usize): u32
