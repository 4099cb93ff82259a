// FVM module `send`.

/**
 * Calls another actor. Writes exit code u32, return block ID u32, its codec u64, its size u32 (20 bytes).
 * The value goes high half first. `gasLimit` of the maximum u64 passes everything on; flag 1 is read-only.
 */
@external('send', 'send')
export declare function send(
  out: usize, to: usize, toLength: u32, method: u64, params: u32,
  valueHigh: u64, valueLow: u64, gasLimit: u64, flags: u64,
): u32
