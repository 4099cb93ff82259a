// FVM module `ipld`: blocks by handle, and handles by CID.

/** Writes codec u64, block ID u32, size u32 (16 bytes). */
@external('ipld', 'block_open')
export declare function block_open(out: usize, cid: usize): u32

/** Writes u32 the new block's ID. */
@external('ipld', 'block_create')
export declare function block_create(out: usize, codec: u64, bytes: usize, length: u32): u32

/** Writes i32: bytes of the block beyond `offset + length`; negative when the buffer was larger. */
@external('ipld', 'block_read')
export declare function block_read(out: usize, block: u32, offset: u32, bytes: usize, length: u32): u32

/** Writes codec u64, size u32 (12 bytes). */
@external('ipld', 'block_stat')
export declare function block_stat(out: usize, block: u32): u32

/** Stores the block and writes its CID at `cid`; writes u32 the CID's length at `out`. */
@external('ipld', 'block_link')
export declare function block_link(out: usize, block: u32, hash: u64, hashLength: u32, cid: usize, length: u32): u32
