/** `gas`. @source ref-fvm `fvm/src/syscalls/gas.rs` */
import { decodeUtf8 } from '../../primitives/utf8.ts'
import { ErrorNumber, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall, toU64 } from './syscall.ts'

export const gasSyscalls: Readonly<Record<string, Syscall>> = {
  charge: syscall('i32 i32 i64', 0, charge),
  available: syscall('i32', 8, available),
}

/** Charges `amount` whole gas under a name of the actor's. */
function charge({ kernel, memory }: Guest, nameAt: number, nameSize: number, amount: bigint): void {
  const name = decodeUtf8(memory.slice(nameAt >>> 0, nameSize >>> 0))
  if (name === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'the name of a charge is not UTF-8')
  kernel.chargeGas(name, toU64(amount))
}

/** The result is what is left, u64, in whole gas rounded down. */
function available({ kernel, memory }: Guest, out: number): void {
  memory.view.setBigUint64(out >>> 0, kernel.calls.gas.available(), true)
}
