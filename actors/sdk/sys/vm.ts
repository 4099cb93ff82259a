// FVM module `vm`: who called with what, and how to leave. An out pointer is the first parameter; 0 means success.

/** Writes the 80-byte message context: origin, nonce, caller, receiver, method, value, gas premium, flags. */
@external('vm', 'message_context')
export declare function message_context(out: usize): u32

/** Leaves with `code` and, as data, the block `block` (0 for none). Does not return. */
@external('vm', 'exit')
export declare function exit(code: u32, block: u32, message: usize, length: u32): u32
