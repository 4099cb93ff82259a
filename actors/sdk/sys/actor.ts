// FVM module `actor`: addresses, code and the making of actors.

/** Writes u64 the actor ID behind an address. */
@external('actor', 'resolve_address')
export declare function resolve_address(out: usize, address: usize, length: u32): u32

/** Writes the delegated address at `address`, and u32 its length (0: none) at `out`. */
@external('actor', 'lookup_delegated_address')
export declare function lookup_delegated_address(out: usize, id: u64, address: usize, length: u32): u32

/** Writes the binary code CID at `cid`, and u32 its length at `out`. */
@external('actor', 'get_actor_code_cid')
export declare function get_actor_code_cid(out: usize, id: u64, cid: usize, length: u32): u32

/** Writes i32 the type of a built-in code CID, 0 when it is not built in. */
@external('actor', 'get_builtin_actor_type')
export declare function get_builtin_actor_type(out: usize, cid: usize): u32

/** Writes the code CID of a built-in type at `cid`, and u32 its length at `out`. */
@external('actor', 'get_code_cid_for_type')
export declare function get_code_cid_for_type(out: usize, type: i32, cid: usize, length: u32): u32

/** Writes the robust address of the next actor this message makes at `address` (21 bytes), and u32 its length at `out`. */
@external('actor', 'next_actor_address')
export declare function next_actor_address(out: usize, address: usize, length: u32): u32

/** Makes an actor of the code `cid` under `id`, with a delegated address unless `length` is 0. For the init actor only. */
@external('actor', 'create_actor')
export declare function create_actor(id: u64, cid: usize, delegated: usize, length: u32): u32

/** Writes the balance of any actor: low u64, high u64. */
@external('actor', 'balance_of')
export declare function balance_of(out: usize, id: u64): u32
