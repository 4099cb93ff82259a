// FVM module `debug`: for humans, silent in production.

/** Writes i32: 0 when debugging is on, −1 when it is off. */
@external('debug', 'enabled')
export declare function enabled(out: usize): u32

@external('debug', 'log')
export declare function log(message: usize, length: u32): u32

@external('debug', 'store_artifact')
export declare function store_artifact(name: usize, nameLength: u32, data: usize, length: u32): u32
