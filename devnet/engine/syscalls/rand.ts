/** `rand`: draws. @source ref-fvm `fvm/src/syscalls/rand.rs`; spec fvm §5.10 */
import type { Guest } from '../guest.ts'
import type { Syscall } from './syscall.ts'
import { syscall } from './syscall.ts'

export const randSyscalls: Readonly<Record<string, Syscall>> = {
  get_chain_randomness: syscall('i32 i64', 32, (guest: Guest, out: number, epoch: bigint) =>
    draw(guest, out, 'chain', epoch),
  ),
  get_beacon_randomness: syscall('i32 i64', 32, (guest: Guest, out: number, epoch: bigint) =>
    draw(guest, out, 'beacon', epoch),
  ),
}

/** Writes the raw 32 bytes of an epoch; actors mix in tag and entropy themselves. */
function draw({ kernel, memory }: Guest, out: number, source: 'chain' | 'beacon', epoch: bigint): void {
  memory.bytes.set(kernel.randomness(source, epoch), out >>> 0)
}
