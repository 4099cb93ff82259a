/** `debug`: nothing happens unless the machine was made for it. @source ref-fvm `fvm/src/syscalls/debug.rs` */
import { decodeUtf8 } from '../../primitives/utf8.ts'
import { ErrorNumber, SyscallError } from '../failure.ts'
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

const ARTIFACT_NAME_BYTES_MAX = 256

export const debugSyscalls: Readonly<Record<string, Syscall>> = {
  log: syscall('i32 i32', 0, log),
  enabled: syscall('i32', 4, enabled),
  store_artifact: syscall('i32 i32 i32 i32', 0, storeArtifact),
}

function log({ kernel, memory }: Guest, at: number, size: number): void {
  if (!kernel.calls.machine.debugging) return
  const text = decodeUtf8(memory.slice(at >>> 0, size >>> 0))
  if (text === undefined) throw new SyscallError(ErrorNumber.IllegalArgument, 'a log line is not UTF-8')
  kernel.log(text)
}

/** The result is 0 for on and −1 for off. */
function enabled({ kernel, memory }: Guest, out: number): void {
  memory.view.setInt32(out >>> 0, kernel.calls.machine.debugging ? 0 : -1, true)
}

/** Checks the name as the reference does; artifacts themselves are not kept. */
function storeArtifact({ kernel, memory }: Guest, nameAt: number, nameSize: number, at: number, size: number): void {
  if (!kernel.calls.machine.debugging) return
  memory.check(at >>> 0, size >>> 0)
  const name = decodeUtf8(memory.slice(nameAt >>> 0, nameSize >>> 0))
  const isGood =
    name !== undefined &&
    name !== '' &&
    nameSize >>> 0 <= ARTIFACT_NAME_BYTES_MAX &&
    !name.includes('/') &&
    name[0] !== '.'
  if (!isGood) throw new SyscallError(ErrorNumber.IllegalArgument, 'not the name of an artifact')
}
