/**
 * `troupe/actor` for the editor: what AssemblyScript knows, in words TypeScript understands. Integers are numbers that
 * remember how wide they are: a narrower one goes where a wider one is wanted, not the other way round. Amounts are
 * numbers too, so that `+ - < ==` type-check; in AssemblyScript they are operators of a class.
 */

/** A number of a kind. The property never exists. */
type As<Kind> = number & { readonly ' as'?: Kind }

interface IntegerType<T> {
  (value: number | boolean): T
  readonly MIN_VALUE: T
  readonly MAX_VALUE: T
}

declare global {
  type i8 = As<8>
  type i16 = As<8 | 16>
  type i32 = As<8 | 16 | 32>
  type i64 = As<8 | 16 | 32 | 64>
  type isize = As<8 | 16 | 32>
  type u8 = As<8>
  type u16 = As<8 | 16>
  type u32 = As<8 | 16 | 32>
  type u64 = As<8 | 16 | 32 | 64>
  type usize = As<8 | 16 | 32>
  type f32 = As<'f32'>
  type f64 = As<'f32' | 'f64'>
  type bool = boolean

  const i8: IntegerType<i8>
  const i16: IntegerType<i16>
  const i32: IntegerType<i32>
  const i64: IntegerType<i64>
  const isize: IntegerType<isize>
  const u8: IntegerType<u8>
  const u16: IntegerType<u16>
  const u32: IntegerType<u32>
  const u64: IntegerType<u64>
  const usize: IntegerType<usize>
  const f32: IntegerType<f32>
  const f64: IntegerType<f64>
  function bool(value: unknown): bool

  /** An array of fixed length. */
  type StaticArray<T> = T[]
  const StaticArray: new <T>(length: i32) => T[]

  /** Leaves with 24 unless `condition` holds: a bug in the actor. */
  function assert<T>(condition: T, message?: string): asserts condition
  /** Traps. */
  function unreachable(): never
  function unchecked<T>(value: T): T
  function changetype<T>(value: unknown): T
  function clz<T extends number>(value: T): T
  function ctz<T extends number>(value: T): T
  function popcnt<T extends number>(value: T): T
  function rotl<T extends number>(value: T, count: T): T
  function rotr<T extends number>(value: T, count: T): T
  function bswap<T extends number>(value: T): T
  function min<T extends number>(a: T, b: T): T
  function max<T extends number>(a: T, b: T): T
}

// Decorators, loosely typed: standard and experimental decorators both accept them.

/** The actor of this file: its fields are the state, its decorated methods the interface. */
export declare function actor(...args: any[]): any
/** Exported, may change state. `@method("Name")` names it, `@method(number)` numbers it. */
export declare function method(...args: any[]): any
/** Exported, never writes state; other actors call it read-only. */
export declare function view(...args: any[]): any
/** Accepts value with the message. */
export declare function payable(...args: any[]): any
/** The one parameter travels without an array around it. */
export declare function bare(...args: any[]): any
/** The caller must be the field, be in the field, or pass the private method of that name. */
export declare function only(name: string): any
/** What `emit` emits. Arguments name the fields whose values are indexed. */
export declare function event(...args: any[]): any
/** This enum's members are the actor's exit codes, each at least 32. TypeScript wants it as a tag in the comment above. */
export declare function errors(...args: any[]): any
/** A field that is not part of the state. */
export declare function transient(...args: any[]): any
/** Answers every method number that is not declared: `(method: u64, params: Bytes): Bytes`. */
export declare function fallback(...args: any[]): any
/** Turns the old state into the new: `static (old: T): Self`. */
export declare function upgrade(...args: any[]): any
/** Signatures of an actor that lives elsewhere. */
export declare function remote(...args: any[]): any
/** Comes later. */
export declare function evm(...args: any[]): any
/** Comes later. */
export declare function ipc(...args: any[]): any
/** Comes later. */
export declare function onResult(...args: any[]): any

/** The number of an actor, which it keeps for life. */
export type ActorId = u64

/** attoFIL, 128 bits unsigned. Below zero exits 19, at 2^128 exits 20. */
export type TokenAmount = As<'TokenAmount'>
export declare const TokenAmount: {
  readonly zero: TokenAmount
  /** `value` attoFIL. */
  from(value: u64): TokenAmount
  /** The decimal number of attoFIL in `text`. */
  atto(text: string): TokenAmount
}
/** `text` FIL, such as '1.5'; computed when compiled if it is a literal. */
export declare function fil(text: string): TokenAmount
/** a · b / c, rounded down, with 256 bits between. */
export declare function mulDiv(a: TokenAmount, b: TokenAmount, c: TokenAmount): TokenAmount

/** 256 bits unsigned. Operators exit 20 where the result does not fit. */
export type U256 = As<'U256'>
export declare const U256: {
  readonly zero: U256
  from(value: u64): U256
  fromAmount(amount: TokenAmount): U256
  toAmount(value: U256): TokenAmount
  toU64(value: U256): u64
}

/** Integer arithmetic that exits 20 rather than wrap. */
export declare const checked: {
  add<T extends number>(a: T, b: T): T
  sub<T extends number>(a: T, b: T): T
  mul<T extends number>(a: T, b: T): T
}

export declare class Bytes {
  private readonly brand: 'Bytes'
  static readonly empty: Bytes
  /** `length` zero bytes. */
  static alloc(length: u32): Bytes
  /** The UTF-8 bytes of `text`. */
  static from(text: string): Bytes
  readonly length: u32
  [index: number]: u8
  /** A view from `start` to before `end`. */
  slice(start: u32, end?: u32): Bytes
  concat(other: Bytes): Bytes
  /** The text these bytes are in UTF-8. */
  toString(): string
}

export declare class Bytes32 {
  private readonly brand: 'Bytes32'
  constructor()
  static from(bytes: Bytes): Bytes32
  readonly length: u32
  toBytes(): Bytes
}

export declare class Address {
  private readonly brand: 'Address'
  /** The ID address of `id`. */
  static fromId(id: ActorId): Address
  /** The actor behind this address; exits 17 when there is none. */
  id(): ActorId
  /** The actor behind this address, or −1. */
  tryId(): i64
  /** 0 ID, 1 secp256k1, 2 actor, 3 BLS, 4 delegated. */
  readonly protocol: u8
}

export declare class Cid {
  private readonly brand: 'Cid'
}

/** A map over blocks. Integers, strings, `Bytes`, `Address`, `Cid` and classes of those are keys. */
export declare class Hamt<K, V> {
  private readonly brand: ['Hamt', K, V]
  constructor(bitWidth?: u32)
  readonly isEmpty: bool
  has(key: K): bool
  /** The value of `key`; exits 17 when there is none. */
  get(key: K): V
  getOr(key: K, otherwise: V): V
  set(key: K, value: V): void
  /** Removes `key`; whether it was there. */
  delete(key: K): bool
  /** Up to `limit` entries after `cursor`; empty bytes mean the start. */
  entries(cursor: Bytes, limit: u32): Page<K, V>
}
export declare class Entry<K, V> {
  key: K
  value: V
  constructor(key: K, value: V)
}
export declare class Page<K, V> {
  entries: Array<Entry<K, V>>
  /** Where the next page starts; empty at the end. */
  next: Bytes
  constructor(entries: Array<Entry<K, V>>, next: Bytes)
}

/** A sparse array over blocks. */
export declare class Amt<V> {
  private readonly brand: ['Amt', V]
  constructor(bitWidth?: u32)
  /** How many elements there are. */
  readonly length: u64
  has(index: u64): bool
  /** The element at `index`; exits 17 when there is none. */
  get(index: u64): V
  getOr(index: u64, otherwise: V): V
  set(index: u64, value: V): void
  /** Appends behind the last element and answers its index. */
  push(value: V): u64
  delete(index: u64): bool
  /** Up to `limit` elements at or after `from`. */
  slice(from: u64, limit: u32): Array<Item<V>>
}
export declare class Item<V> {
  index: u64
  value: V
  constructor(index: u64, value: V)
}

/** A value in a block of its own, read when it is wanted. */
export declare class Lazy<T> {
  private readonly brand: ['Lazy', T]
  constructor(value: T)
  get(): T
  /** A value that was changed in place has to be set again. */
  set(value: T): void
}

/** The message that is being executed. */
export declare const msg: {
  /** The actor that sent this message. */
  readonly caller: ActorId
  /** The account that signed the message at the start of the chain of calls. */
  readonly origin: ActorId
  /** This actor. */
  readonly receiver: ActorId
  /** What came with the message, already part of the balance. */
  readonly value: TokenAmount
  readonly gasPremium: TokenAmount
  /** The origin's sequence number. */
  readonly nonce: u64
  readonly method: u64
  /** Whether writing is refused. */
  readonly readOnly: bool
}

export declare const chain: {
  readonly epoch: i64
  /** Seconds since 1970. */
  readonly timestamp: u64
  readonly baseFee: TokenAmount
  readonly id: u64
  readonly networkVersion: u32
  readonly circulatingSupply: TokenAmount
  tipsetCid(epoch: i64): Cid
  /** 32 bytes nobody chose. Always fails on IPC subnets. */
  randomness(tag: i64, epoch: i64, entropy: Bytes): Bytes
  /** 32 bytes nobody could know. Always fails on IPC subnets. */
  beacon(tag: i64, epoch: i64, entropy: Bytes): Bytes
}

export declare const self: {
  /** Read anew each time: calls change it. */
  readonly balance: TokenAmount
  /** The ID address. */
  readonly address: Address
  /** Deletes this actor; exits 20 while the balance is not zero. */
  destroy(): void
  destroyAndBurn(): void
}

export declare const gas: {
  readonly remaining: u64
  /** Burns `amount`, under a name that shows in traces. */
  charge(name: string, amount: u64): void
}

export declare const crypto: {
  blake2b(data: Bytes): Bytes
  blake2b512(data: Bytes): Bytes
  sha256(data: Bytes): Bytes
  keccak256(data: Bytes): Bytes
  ripemd160(data: Bytes): Bytes
  /** Whether `signature` (a type byte and the signature) over `data` is the signer's. */
  verify(signature: Bytes, signer: Address, data: Bytes): bool
  /** The key that signed the 32-byte `hash`; empty when there is none. */
  recover(hash: Bytes, signature: Bytes): Bytes
  verifyAggregate(signature: Bytes, keys: Array<Bytes>, messages: Array<Bytes>): bool
}

export declare const Actors: {
  /** The delegated address, null when there is none; exits 17 when there is no such actor. */
  delegated(id: ActorId): Address | null
  codeOf(id: ActorId): Cid
  /** The built-in type of a code, 0 when it is not built in. */
  typeOf(code: Cid): i32
  codeFor(type: i32): Cid
  isBuiltin(id: ActorId, type: i32): bool
  balanceOf(id: ActorId): TokenAmount
  nextAddress(): Address
  /** For the init actor. The error number is the answer, 0 for success. */
  create(id: ActorId, code: Cid, delegated: Address | null): u32
}

/** Numbers of the built-in types. */
export declare const ActorType: {
  readonly System: i32
  readonly Init: i32
  readonly Cron: i32
  readonly Account: i32
  readonly Power: i32
  readonly Miner: i32
  readonly Market: i32
  readonly PaymentChannel: i32
  readonly Multisig: i32
  readonly Reward: i32
  readonly VerifiedRegistry: i32
  readonly DataCap: i32
  readonly Placeholder: i32
  readonly EVM: i32
  readonly EAM: i32
  readonly EthAccount: i32
}

export declare const ExitCode: {
  readonly IllegalArgument: u32
  readonly NotFound: u32
  readonly Forbidden: u32
  readonly InsufficientFunds: u32
  readonly IllegalState: u32
  readonly Serialization: u32
  readonly UnhandledMessage: u32
  readonly Unspecified: u32
  readonly AssertionFailed: u32
  readonly ReadOnly: u32
  readonly NotPayable: u32
}

/** Leaves with `code` (16 when absent) and `message` unless `condition` holds. */
export declare function require(condition: bool, message: string, code?: number): asserts condition
/** Leaves with a code of this actor's own. */
export declare function fail(code: number, message?: string): never
/** Emits an instance of an `@event` class. */
export declare function emit(event: object): void
/** A message for humans; the release build has no trace of it. */
export declare function log(message: string): void
/** The CBOR of `value`. */
export declare function encode<T>(value: T): Bytes
/** The value whose CBOR is `bytes`; exits 21 when it is not exactly one. */
export declare function decode<T>(bytes: Bytes): T
/** The number of a method by its FRC-42 name, a literal. */
export declare function frc42(name: string): u64

/** How a call ended. */
export declare class Result<T> {
  readonly ok: bool
  /** 0, the callee's code, or a negated error number when the call did not happen. */
  readonly exitCode: i32
  /** The return value; exits with the callee's code when there is none. */
  readonly value: T
  readonly data: Bytes
}

type Call = (...args: any[]) => any
type Methods<T> = { [K in keyof T as T[K] extends Call ? K : never]: T[K] }
type Attempts<T> = {
  [K in keyof T & string as T[K] extends Call ? `try${Capitalize<K>}` : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Result<R>
    : never
}
/** The type of `at<T>(…)`: each method, and its `try` form, which answers a `Result`. */
export type Client<T> = Methods<T> &
  Attempts<T> & {
    withValue(amount: TokenAmount): Client<T>
    withGas(limit: u64): Client<T>
    readOnly(): Client<T>
  }
/** A typed client for the actor at an ID or address. */
export declare function at<T>(who: ActorId | Address): Client<T>

/** Sends `value` and runs no code at the receiver. */
export declare function send(to: ActorId | Address, value: TokenAmount): void
/** The same; the exit code is the answer. */
export declare function trySend(to: ActorId | Address, value: TokenAmount): i32
/** Calls `method` by number with params that are encoded already. */
export declare function call(
  to: ActorId | Address,
  method: u64,
  params: Bytes,
  value?: TokenAmount,
  codec?: u64,
  readOnly?: bool,
): Result<Bytes>
/** Makes an actor of `code` through the init actor; answers its robust address. */
export declare function create<T>(code: Cid, params: T): Address
/** The same with a delegated address of the caller's namespace. */
export declare function create4<T>(code: Cid, params: T, subaddress: Bytes): Address
