// FVM module `self`: this actor's state root, balance and end.

/** Writes the binary CID of the state root at `cid`, and u32 its length at `out`. */
@external('self', 'root')
export declare function root(out: usize, cid: usize, length: u32): u32

@external('self', 'set_root')
export declare function set_root(cid: usize): u32

/** Writes the balance: low u64, high u64. */
@external('self', 'current_balance')
export declare function current_balance(out: usize): u32

/** Deletes this actor. A balance that is not zero is an error, or burnt when `burn` is 1. */
@external('self', 'self_destruct')
export declare function self_destruct(burn: u32): u32
