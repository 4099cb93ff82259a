/** `send`. @source ref-fvm `fvm/src/syscalls/send.rs`; spec fvm §5.10 */
import type { TokenAmount } from '../../state/token.ts'
import { ErrorNumber, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall, toU64 } from './syscall.ts'

const READ_ONLY = 1n

export const sendSyscalls: Readonly<Record<string, Syscall>> = {
  send: syscall('i32 i32 i32 i64 i32 i64 i64 i64 i64', 20, send),
}

/**
 * Calls another actor. The value comes high word first. Writes: exit code u32, block id u32, codec u64, size u32.
 *
 * @throws {SyscallError} when the call could not be made; how it ended is the exit code
 */
function send(
  { kernel, memory }: Guest,
  out: number,
  at: number,
  size: number,
  method: bigint,
  paramsId: number,
  valueHigh: bigint,
  valueLow: bigint,
  gasLimit: bigint,
  flags: bigint,
): void {
  const to = memory.readAddress(at >>> 0, size >>> 0)
  const value = ((toU64(valueHigh) << 64n) | toU64(valueLow)) as TokenAmount
  if (flags !== 0n && flags !== READ_ONLY)
    throw new SyscallError(ErrorNumber.IllegalArgument, `send flags ${flags} are unknown`)
  const result = kernel.send({
    to,
    method: toU64(method),
    paramsId: paramsId >>> 0,
    value,
    gasLimit: toU64(gasLimit),
    readOnly: flags === READ_ONLY,
  })
  const { view } = memory
  const start = out >>> 0
  view.setUint32(start, result.exitCode, true)
  view.setUint32(start + 4, result.blockId, true)
  view.setBigUint64(start + 8, BigInt(result.codec), true)
  view.setUint32(start + 16, result.size, true)
}
