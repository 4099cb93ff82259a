/** `actor`: other actors. @source ref-fvm `fvm/src/syscalls/actor.rs`; spec fvm §5.8 */
import type { ActorId } from '../../state/actor.ts'
import { ErrorNumber, FatalError, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall, toU64 } from './syscall.ts'

const U128_MAX = (1n << 128n) - 1n
/** Protocol byte and hash. */
const ACTOR_ADDRESS_BYTES = 21

export const actorSyscalls: Readonly<Record<string, Syscall>> = {
  resolve_address: syscall('i32 i32 i32', 8, resolveAddress),
  get_actor_code_cid: syscall('i32 i64 i32 i32', 4, getActorCodeCid),
  get_builtin_actor_type: syscall('i32 i32', 4, getBuiltinActorType),
  get_code_cid_for_type: syscall('i32 i32 i32 i32', 4, getCodeCidForType),
  next_actor_address: syscall('i32 i32 i32', 4, nextActorAddress),
  create_actor: syscall('i64 i32 i32 i32', 0, createActor),
  lookup_delegated_address: syscall('i32 i64 i32 i32', 4, lookupDelegatedAddress),
  balance_of: syscall('i32 i64', 16, balanceOf),
}

function id(word: bigint): ActorId {
  return toU64(word) as ActorId
}

/** The result is the actor id, u64. An ID address is its own answer, whether the actor exists or not. */
function resolveAddress({ kernel, memory }: Guest, out: number, at: number, size: number): void {
  const resolved = kernel.resolveAddress(memory.readAddress(at >>> 0, size >>> 0))
  memory.view.setBigUint64(out >>> 0, resolved, true)
}

function getActorCodeCid({ kernel, memory }: Guest, out: number, actor: bigint, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  memory.view.setUint32(out >>> 0, memory.writeBinary(kernel.actorCode(id(actor)), at >>> 0, size >>> 0), true)
}

/** The result is the type number, 0 when the code is no built-in actor's. */
function getBuiltinActorType({ kernel, memory }: Guest, out: number, cidAt: number): void {
  memory.view.setInt32(out >>> 0, kernel.builtinType(memory.readCid(cidAt >>> 0)), true)
}

function getCodeCidForType({ kernel, memory }: Guest, out: number, type: number, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  memory.view.setUint32(out >>> 0, memory.writeBinary(kernel.codeForType(type), at >>> 0, size >>> 0), true)
}

/** Writes the address that the next actor of this message would get; nothing is reserved. */
function nextActorAddress({ kernel, memory }: Guest, out: number, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  if (size >>> 0 < ACTOR_ADDRESS_BYTES) {
    throw new SyscallError(ErrorNumber.BufferTooSmall, `an actor address has ${ACTOR_ADDRESS_BYTES} bytes`)
  }
  const address = kernel.calls.nextActorAddress()
  memory.view.setUint32(out >>> 0, memory.writeBinary(address, at >>> 0, size >>> 0), true)
}

function createActor(
  { kernel, memory }: Guest,
  actor: bigint,
  cidAt: number,
  addressAt: number,
  addressSize: number,
): void {
  const code = memory.readCid(cidAt >>> 0)
  const delegated = addressSize === 0 ? null : memory.readAddress(addressAt >>> 0, addressSize >>> 0)
  kernel.createActor(code, id(actor), delegated)
}

/** Writes the delegated address into a buffer; the result is its size, 0 without one. */
function lookupDelegatedAddress({ kernel, memory }: Guest, out: number, actor: bigint, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  const address = kernel.delegatedAddress(id(actor))
  const written = address === null ? 0 : memory.writeBinary(address, at >>> 0, size >>> 0)
  memory.view.setUint32(out >>> 0, written, true)
}

/** Writes the balance, 16 bytes. */
function balanceOf({ kernel, memory }: Guest, out: number, actor: bigint): void {
  const balance = kernel.balanceOf(id(actor))
  if (balance > U128_MAX || balance < 0n) throw new FatalError('the balance exceeds 128 bits')
  memory.writeU128(out >>> 0, balance)
}
