// FVM module `event`.

/** `entries` are 24 bytes each: flags u64, codec u64, key length u32, value length u32. */
@external('event', 'emit_event')
export declare function emit_event(
  entries: usize, count: u32, keys: usize, keysLength: u32, values: usize, valuesLength: u32,
): u32
