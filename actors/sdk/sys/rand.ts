// FVM module `rand`: the raw 32-byte draws.

@external('rand', 'get_chain_randomness')
export declare function get_chain_randomness(out: usize, epoch: i64): u32

@external('rand', 'get_beacon_randomness')
export declare function get_beacon_randomness(out: usize, epoch: i64): u32
