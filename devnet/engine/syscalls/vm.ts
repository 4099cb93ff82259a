/** `vm`: the end of an invocation, and what it is about. @source ref-fvm `fvm/src/syscalls/vm.rs` */
import { ExitCode, ExitSignal, FatalError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

const MESSAGE_BYTES_MAX = 1024
const U128_MAX = (1n << 128n) - 1n
const READ_ONLY = 1n
const lossy = new TextDecoder()

export const vmSyscalls: Readonly<Record<string, Syscall>> = {
  exit: syscall('i32 i32 i32 i32', 0, exit),
  message_context: syscall('i32', 80, messageContext),
}

/** Ends the invocation. Codes 1 to 15 belong to the machine: an actor that gives one exits with 9. */
function exit(guest: Guest, code: number, blockId: number, at: number, size: number): void {
  const exitCode = code >>> 0
  if (exitCode !== ExitCode.Ok && exitCode < ExitCode.FirstUser) {
    throw new ExitSignal(ExitCode.IllegalExitCode, blockId >>> 0, `the actor gave code ${exitCode}`)
  }
  throw new ExitSignal(exitCode, blockId >>> 0, readMessage(guest, at >>> 0, size >>> 0))
}

/** A bad message is no reason to fail: it is only for people. */
function readMessage({ memory }: Guest, at: number, size: number): string {
  if (size === 0) return 'actor aborted'
  if (!memory.fits(at, size)) return 'actor aborted with a message outside of its memory'
  if (size <= MESSAGE_BYTES_MAX) return lossy.decode(memory.slice(at, size))
  const half = MESSAGE_BYTES_MAX / 2
  const [head, tail] = [memory.slice(at, half), memory.slice(at + size - half, half)]
  return `${lossy.decode(head)} … (${size - MESSAGE_BYTES_MAX} bytes) … ${lossy.decode(tail)}`
}

/**
 * Writes: origin u64, nonce u64, caller u64, receiver u64, method u64, value 16 bytes, gas premium 16 bytes,
 * flags u64 (80 bytes).
 */
function messageContext({ kernel, memory }: Guest, out: number): void {
  const { call, calls } = kernel
  kernel.chargeMessageContext()
  if (call.value > U128_MAX || calls.origin.premium > U128_MAX) throw new FatalError('an amount exceeds 128 bits')
  const { view } = memory
  const at = out >>> 0
  view.setBigUint64(at, calls.origin.id, true)
  view.setBigUint64(at + 8, calls.origin.sequence, true)
  view.setBigUint64(at + 16, call.from, true)
  view.setBigUint64(at + 24, call.to, true)
  view.setBigUint64(at + 32, call.method, true)
  memory.writeU128(at + 40, call.value)
  memory.writeU128(at + 56, calls.origin.premium)
  view.setBigUint64(at + 72, call.readOnly ? READ_ONLY : 0n, true)
}
