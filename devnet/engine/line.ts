/**
 * What differs between the reference's code lines beyond prices: the system calls that a module may import, and the few
 * rules that are no numbers. A new line is a new object here.
 *
 * @source ref-fvm at `fvm@v3.14.1` and at 4.8; spec fvm §1.4
 */
import { SYSCALLS_B, SYSCALLS_C, type SyscallTable } from './syscalls/table.ts'

export interface Line {
  readonly name: 'V3' | 'V4'
  readonly syscalls: SyscallTable
  /** A block knows its links; only what an actor was given can be opened, linked to, or become its state. */
  readonly tracksLinks: boolean
  /** What a module without the export that is called means: exit 5, or a broken machine. */
  readonly missingExport: 'exit' | 'fatal'
  /** A call refused for its depth leaves the gas limit it brought in force for the caller. */
  readonly keepsLimitOfRefusedCall: boolean
  /** Largest number of a seal proof's type. */
  readonly sealProofMax: bigint
}

/** Network versions 18 to 20. */
export const V3: Line = {
  name: 'V3',
  syscalls: SYSCALLS_B,
  tracksLinks: false,
  missingExport: 'fatal',
  keepsLimitOfRefusedCall: true,
  sealProofMax: 9n,
}

/** Network versions 21 and later. */
export const V4: Line = {
  name: 'V4',
  syscalls: SYSCALLS_C,
  tracksLinks: true,
  missingExport: 'exit',
  keepsLimitOfRefusedCall: false,
  sealProofMax: 19n,
}
