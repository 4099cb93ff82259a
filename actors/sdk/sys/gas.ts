// FVM module `gas`.

@external('gas', 'charge')
export declare function charge(name: usize, length: u32, amount: u64): u32

/** Writes u64 the gas left. */
@external('gas', 'available')
export declare function available(out: usize): u32
