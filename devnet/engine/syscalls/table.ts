/** The system calls that modules may import, by module and name: one table an ABI. @source spec fvm §5.4 */
import { actorSyscalls } from './actor.ts'
import { cryptoSyscalls } from './crypto.ts'
import { debugSyscalls } from './debug.ts'
import { eventSyscalls } from './event.ts'
import { gasSyscalls } from './gas.ts'
import { encodedEventSyscalls, mixedRandSyscalls, selfSyscallsWithBeneficiary } from './hygge.ts'
import { ipldSyscalls } from './ipld.ts'
import { networkSyscalls } from './network.ts'
import { randSyscalls } from './rand.ts'
import { selfSyscalls } from './self.ts'
import { sendSyscalls } from './send.ts'
import type { Syscall } from './syscall.ts'
import { vmSyscalls } from './vm.ts'

export type SyscallTable = Readonly<Record<string, Readonly<Record<string, Syscall>>>>

/** ABI C: built-in actors v12 and later. */
export const SYSCALLS_C: SyscallTable = {
  actor: actorSyscalls,
  crypto: cryptoSyscalls,
  debug: debugSyscalls,
  event: eventSyscalls,
  gas: gasSyscalls,
  ipld: ipldSyscalls,
  network: networkSyscalls,
  rand: randSyscalls,
  self: selfSyscalls,
  send: sendSyscalls,
  vm: vmSyscalls,
}

const { verify_bls_aggregate: _, ...cryptoSyscallsB } = cryptoSyscalls

/** ABI B: built-in actors v10 and v11. */
export const SYSCALLS_B: SyscallTable = {
  ...SYSCALLS_C,
  crypto: cryptoSyscallsB,
  event: encodedEventSyscalls,
  rand: mixedRandSyscalls,
  self: selfSyscallsWithBeneficiary,
}
