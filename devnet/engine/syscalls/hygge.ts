/** System calls whose shape changed after network version 20. @source ref-fvm `fvm/src/syscalls` at `fvm@v3.14.1` */
import type { Guest } from '../guest.ts'
import { selfSyscalls } from './self.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

export const mixedRandSyscalls: Readonly<Record<string, Syscall>> = {
  get_chain_randomness: syscall('i32 i64 i64 i32 i32', 32, drawer('chain')),
  get_beacon_randomness: syscall('i32 i64 i64 i32 i32', 32, drawer('beacon')),
}

export const encodedEventSyscalls: Readonly<Record<string, Syscall>> = {
  emit_event: syscall('i32 i32', 0, emitEvent),
}

export const selfSyscallsWithBeneficiary: Readonly<Record<string, Syscall>> = {
  ...selfSyscalls,
  self_destruct: syscall('i32 i32', 0, selfDestruct),
}

/** Writes 32 bytes: the epoch's draw, mixed with a tag, the epoch and the actor's entropy. */
function drawer(source: 'chain' | 'beacon') {
  return ({ kernel, memory }: Guest, out: number, tag: bigint, epoch: bigint, at: number, size: number): void => {
    const entropy = memory.slice(at >>> 0, size >>> 0)
    memory.bytes.set(kernel.mixedRandomness(source, tag, epoch, entropy), out >>> 0)
  }
}

/** Emits one event, DAG-CBOR `[[flags, key, codec, value]…]`. */
function emitEvent({ kernel, memory }: Guest, at: number, size: number): void {
  kernel.emitEncodedEvent(memory.slice(at >>> 0, size >>> 0))
}

/** Deletes the actor; what it has goes to the beneficiary. */
function selfDestruct({ kernel, memory }: Guest, at: number, size: number): void {
  kernel.selfDestructTo(memory.readAddress(at >>> 0, size >>> 0))
}
