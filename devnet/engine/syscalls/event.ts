/** `event`. @source ref-fvm `fvm/src/syscalls/event.rs`; spec fvm §9 */
import { ErrorNumber, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { EventHeader } from '../kernel.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

/** flags u64, codec u64, key size u32, value size u32. */
const HEADER_BYTES = 24

export const eventSyscalls: Readonly<Record<string, Syscall>> = {
  emit_event: syscall('i32 i32 i32 i32 i32 i32', 0, emitEvent),
}

function emitEvent(
  { kernel, memory }: Guest,
  at: number,
  count: number,
  keysAt: number,
  keysSize: number,
  valuesAt: number,
  valuesSize: number,
): void {
  const entries = count >>> 0
  const size = entries * HEADER_BYTES
  if (size > 0xffff_ffff) throw new SyscallError(ErrorNumber.IllegalArgument, 'the entries do not fit into memory')
  memory.check(at >>> 0, size)
  const keys = memory.slice(keysAt >>> 0, keysSize >>> 0)
  const values = memory.slice(valuesAt >>> 0, valuesSize >>> 0)
  const { view } = memory
  // Read one by one: too many entries are refused before any is looked at.
  const headerOf = (index: number): EventHeader => {
    const start = (at >>> 0) + index * HEADER_BYTES
    return {
      flags: view.getBigUint64(start, true),
      codec: view.getBigUint64(start + 8, true),
      keySize: view.getUint32(start + 16, true),
      valueSize: view.getUint32(start + 20, true),
    }
  }
  kernel.emitEvent(headerOf, entries, keys, values)
}
