// Calls of other actors. The state is committed before and reloaded after, unless nothing can come back.

import * as sys from './sys/send'
import * as ipld from './sys/ipld'
import * as cbor from './cbor'
import { ERR_INSUFFICIENT_FUNDS, ERR_NOT_FOUND, ERR_READ_ONLY, ExitCode, check, exit } from './abort'
import { Address } from './address'
import { Bytes, putVarint } from './bytes'
import { Cid } from './cid'
import { decodeAt, write } from './codec'
import { commit, reload } from './current'
import { TokenAmount } from './token'

const SENT: usize = memory.data(24)
const OUT: usize = memory.data(8)
const NO_GAS_LIMIT: u64 = ~0
const READ_ONLY: u64 = 1

/** Whom a call goes to, and with what. Typed clients, which the compiler writes, extend it with the methods. */
export class Target {
  __lo: u64 = 0
  __hi: u64 = 0
  __gas: u64 = NO_GAS_LIMIT
  __flags: u64 = 0

  constructor(public __ptr: usize, public __length: u32) {}

  __value(amount: TokenAmount): void {
    this.__lo = amount.lo
    this.__hi = amount.hi
  }
}

/** A typed client, or any other subclass of `Target`, aimed at an ID or an address. */
export function aim<C, W>(who: W): C {
  if (isInteger<W>()) {
    const start = __alloc(11)
    store<u8>(start, 0)
    return instantiate<C>(start, <u32>(putVarint(start + 1, <u64>who) - start))
  }
  const address = changetype<Address>(who)
  return instantiate<C>(address.ptr, address.length)
}

/**
 * Sends what was written as params (nothing when `codec` is 0) and puts the read cursor on the return value.
 * Answers the exit code; a system call that failed is the negated error number.
 */
export function sendTo(target: Target, method: u64, codec: u64, flags: u64): i32 {
  let params: u32 = 0
  if (codec) {
    check(ipld.block_create(OUT, codec, cbor.writerStart(), cbor.written()))
    params = load<u32>(OUT)
  }
  flags |= target.__flags
  const alone = method == 0 || (flags & READ_ONLY) != 0
  if (!alone) commit()
  const error = sys.send(
    SENT, target.__ptr, target.__length, method, params, target.__hi, target.__lo, target.__gas, flags,
  )
  if (!alone) reload()
  cbor.openReader(0, 0)
  if (error) return -error
  const block = load<u32>(SENT, 4)
  if (block) {
    const size = load<u32>(SENT, 16)
    const at = __alloc(size + 8)
    check(ipld.block_read(OUT, block, 0, at, size))
    cbor.openReader(at, size)
  }
  return load<i32>(SENT)
}

/** Leaves when a call failed. A callee's own codes pass through, the system's do not: they would accuse this actor. */
export function propagate(code: i32): void {
  if (code) exit(exitCodeOf(code))
}

function exitCodeOf(code: i32): u32 {
  if (code >= 16) return code
  if (code == -ERR_INSUFFICIENT_FUNDS) return ExitCode.InsufficientFunds
  if (code == -ERR_READ_ONLY) return ExitCode.ReadOnly
  if (code == -ERR_NOT_FOUND || code == 4 || code == 9 || code == 11) return ExitCode.Unspecified
  return ExitCode.AssertionFailed
}

/** The return value of a call that succeeded. */
export function readReturn<T>(): T {
  return decodeReturn<T>(cbor.readerAt(), <u32>(cbor.readerEnd() - cbor.readerAt()))
}

/** No return block reads as empty bytes or null where the type allows it. */
function decodeReturn<T>(at: usize, length: u32): T {
  if (isNullable<T>()) {
    if (!length) return changetype<T>(0)
  } else if (isReference<T>()) {
    if (idof<T>() == idof<Bytes>()) {
      if (!length) return changetype<T>(new Bytes())
    }
  }
  return decodeAt<T>(at, length)
}

/** How a call ended: the `try` form of a method. */
@final
export class Result<T> {
  constructor(public exitCode: i32, public data: Bytes) {}

  get ok(): bool {
    return this.exitCode == 0
  }

  /** The decoded return value; leaves with the callee's code when there is none. */
  get value(): T {
    propagate(this.exitCode)
    return decodeReturn<T>(this.data.ptr, this.data.length)
  }
}

/** The outcome of the call that just came back. */
export function resultOf<T>(code: i32): Result<T> {
  return new Result<T>(code, new Bytes(cbor.readerAt(), <u32>(cbor.readerEnd() - cbor.readerAt())))
}

/** Sends `value` and runs no code at the receiver. */
export function send<W>(to: W, value: TokenAmount): void {
  propagate(trySend<W>(to, value))
}

/** The same; the exit code is the answer. */
export function trySend<W>(to: W, value: TokenAmount): i32 {
  const target = aim<Target, W>(to)
  target.__value(value)
  return sendTo(target, 0, 0, 0)
}

/** Calls `method` by number with params that are encoded already (no block when empty). `data` is what came back. */
export function call<W>(
  to: W, method: u64, params: Bytes, value: TokenAmount = TokenAmount.zero, codec: u64 = 0x51, readOnly: bool = false,
): Result<Bytes> {
  const target = aim<Target, W>(to)
  target.__value(value)
  cbor.openWriter()
  cbor.writeRaw(params.ptr, params.length)
  return resultOf<Bytes>(sendTo(target, method, params.length ? codec : 0, u64(readOnly)))
}

const INIT_ACTOR: u64 = 1
const EXEC: u64 = 2
const EXEC4: u64 = 3

/** Makes an actor of `code` through the init actor, its constructor called with `params`; answers its robust address. */
export function create<T>(code: Cid, params: T): Address {
  return exec(EXEC, code, encodeParams<T>(params), null)
}

/** The same with a delegated address of the caller's namespace. */
export function create4<T>(code: Cid, params: T, subaddress: Bytes): Address {
  return exec(EXEC4, code, encodeParams<T>(params), subaddress)
}

function encodeParams<T>(params: T): Bytes {
  cbor.openWriter()
  write<T>(params)
  return new Bytes(cbor.writerStart(), cbor.written())
}

function exec(method: u64, code: Cid, params: Bytes, subaddress: Bytes | null): Address {
  cbor.openWriter()
  cbor.writeHead(4, subaddress ? 3 : 2)
  code.__encode()
  params.__encode()
  if (subaddress) subaddress.__encode()
  propagate(sendTo(aim<Target, u64>(INIT_ACTOR), method, 0x71, 0))
  cbor.readTuple(2)
  cbor.readBytes()
  const at = cbor.readBytes()
  return new Address(at, cbor.lastLength)
}
