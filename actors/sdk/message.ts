// The message that is being executed, read with one system call before anything else.

import * as vm from './sys/vm'
import * as ipld from './sys/ipld'
import * as cbor from './cbor'
import { ExitCode, check, fault } from './abort'
import { ActorId } from './address'
import { Bytes } from './bytes'
import { TokenAmount } from './token'

/** origin 0, nonce 8, caller 16, receiver 24, method 32, value 40, gas premium 56, flags 72. */
const CONTEXT: usize = memory.data(80)
const OUT: usize = memory.data(8)
const PARAMS_SIZE: u32 = 256
const PARAMS: usize = memory.data(264)

const INIT_ACTOR: u64 = 1

export class msg {
  /** The actor that sent this message. */
  @inline static get caller(): ActorId {
    return load<u64>(CONTEXT, 16)
  }
  /** The account that signed the message at the start of the chain of calls. */
  @inline static get origin(): ActorId {
    return load<u64>(CONTEXT)
  }
  /** This actor. */
  @inline static get receiver(): ActorId {
    return load<u64>(CONTEXT, 24)
  }
  /** What came with the message, already part of the balance. */
  static get value(): TokenAmount {
    return new TokenAmount(load<u64>(CONTEXT, 40), load<u64>(CONTEXT, 48))
  }
  static get gasPremium(): TokenAmount {
    return new TokenAmount(load<u64>(CONTEXT, 56), load<u64>(CONTEXT, 64))
  }
  /** The origin's sequence number. */
  @inline static get nonce(): u64 {
    return load<u64>(CONTEXT, 8)
  }
  @inline static get method(): u64 {
    return load<u64>(CONTEXT, 32)
  }
  /** Whether writing is refused. */
  @inline static get readOnly(): bool {
    return bool(load<u8>(CONTEXT, 72) & 1)
  }
}

/** Reads the context and answers the method number. */
export function openMessage(): u64 {
  check(vm.message_context(CONTEXT))
  return load<u64>(CONTEXT, 32)
}

/** Refuses a message that brings value. */
export function refuseValue(): void {
  if (load<u64>(CONTEXT, 40) | load<u64>(CONTEXT, 48)) fault(ExitCode.NotPayable, 'method is not payable')
}

/** Only the init actor (1) and the system actor (0) may construct. */
export function guardConstructor(): void {
  if (load<u64>(CONTEXT, 16) > INIT_ACTOR) fault(ExitCode.Forbidden, 'constructor is called by the init actor')
}

/** Leaves because the caller may not. */
export function forbid(): void {
  fault(ExitCode.Forbidden, 'caller may not call this method')
}

/** Leaves because there is no such method. */
export function unhandled(): u32 {
  fault(ExitCode.UnhandledMessage, 'no such method')
  return 0
}

/** Puts the read cursor on the params: one system call up to 256 bytes, two beyond. */
export function openParams(block: u32): void {
  if (!block) fault(ExitCode.IllegalArgument, 'params are missing')
  check(ipld.block_read(OUT, block, 0, PARAMS, PARAMS_SIZE))
  const beyond = load<i32>(OUT)
  const size = PARAMS_SIZE + beyond
  let at = PARAMS
  if (beyond > 0) {
    at = __alloc(size + 8)
    check(ipld.block_read(OUT, block, 0, at, size))
  }
  cbor.openReader(at, size)
}

/** The params as they are, empty when there are none. */
export function paramsAsBytes(block: u32): Bytes {
  if (!block) return new Bytes()
  openParams(block)
  return new Bytes(cbor.readerAt(), <u32>(cbor.readerEnd() - cbor.readerAt()))
}

/** Makes a block of bytes that are encoded already; no block when there are none. */
export function finishBytes(bytes: Bytes): u32 {
  if (!bytes.length) return 0
  check(ipld.block_create(OUT, 0x51, bytes.ptr, bytes.length))
  return load<u32>(OUT)
}

/** Makes a block of what was written: the return value. */
export function finish(codec: u64): u32 {
  check(ipld.block_create(OUT, codec, cbor.writerStart(), cbor.written()))
  return load<u32>(OUT)
}
