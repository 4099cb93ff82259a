/** `self`: the running actor. @source ref-fvm `fvm/src/syscalls/sself.rs`; spec fvm §5.7 */
import { FatalError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

const U128_MAX = (1n << 128n) - 1n

export const selfSyscalls: Readonly<Record<string, Syscall>> = {
  root: syscall('i32 i32 i32', 4, root),
  set_root: syscall('i32', 0, setRoot),
  current_balance: syscall('i32', 16, currentBalance),
  self_destruct: syscall('i32', 0, selfDestruct),
}

/** Writes the CID of the state into a buffer; the result is its size. */
function root({ kernel, memory }: Guest, out: number, at: number, size: number): void {
  memory.check(at >>> 0, size >>> 0)
  memory.view.setUint32(out >>> 0, memory.writeBinary(kernel.root(), at >>> 0, size >>> 0), true)
}

function setRoot({ kernel, memory }: Guest, cidAt: number): void {
  kernel.setRoot(memory.readCid(cidAt >>> 0))
}

/** Writes the balance, 16 bytes. */
function currentBalance({ kernel, memory }: Guest, out: number): void {
  const balance = kernel.currentBalance()
  if (balance > U128_MAX || balance < 0n) throw new FatalError('the balance exceeds 128 bits')
  memory.writeU128(out >>> 0, balance)
}

function selfDestruct({ kernel }: Guest, burnUnspent: number): void {
  kernel.selfDestruct(burnUnspent !== 0)
}
