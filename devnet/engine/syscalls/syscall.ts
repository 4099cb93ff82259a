/** What a system call looks like to the linker. */
import type { Guest } from '../guest.ts'

export type WordType = 'i32' | 'i64'

export interface Syscall {
  /** Types of the arguments, the out pointer included, where there is one. */
  readonly params: readonly WordType[]
  /** Bytes that the result takes at the out pointer, the first argument; 0 without one. */
  readonly resultSize: number
  /**
   * Copy in, ask the kernel, copy out. i32 arguments arrive signed, i64 as signed BigInt. The result is written last.
   * Throws the signals of `failure.ts`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the argument types are what `params` says
  readonly run: (guest: Guest, ...args: any[]) => void
}

export function syscall(
  params: string,
  resultSize: number,
  // biome-ignore lint/suspicious/noExplicitAny: the argument types are what `params` says
  run: (guest: Guest, ...args: any[]) => void,
): Syscall {
  return { params: params === '' ? [] : (params.split(' ') as WordType[]), resultSize, run }
}

export function toU64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
