/**
 * A profile is one network's rules as data: FVM line, price list, limits, and the few rules where nodes differ.
 *
 * @source spec fvm §1.1, design §2 and §10
 */
import { type PriceList, TEEP, WATERMELON } from './price-list.ts'

export type ProfileName = 'ipc' | 'filecoin'

export interface Profile {
  readonly name: ProfileName
  /** Code line of the reference whose rules apply. */
  readonly line: 'V4'
  readonly networkVersion: number
  readonly actorsVersion: number
  /** Which bytes pay for inclusion: the signed message (Lotus), or the bare one (Fendermint). */
  readonly inclusion: 'signed' | 'unsigned'
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  ipc: { name: 'ipc', line: 'V4', networkVersion: 21, actorsVersion: 17, inclusion: 'unsigned' },
  filecoin: { name: 'filecoin', line: 'V4', networkVersion: 28, actorsVersion: 18, inclusion: 'signed' },
}

export const NETWORK_VERSION_MIN = 21
export const NETWORK_VERSION_MAX = 29

/** The price list of a network version of the V4 line. */
export function pricesOf(networkVersion: number): PriceList {
  return networkVersion >= 25 ? TEEP : WATERMELON
}

/** Limits of the machine. @source ref-fvm `fvm/src/machine/mod.rs` */
export const LIMITS = {
  callDepth: 1024,
  instancePages: 8192,
  messageMemoryBytes: 2 ** 31,
  tableElements: 20_000,
  blockBytes: 1 << 20,
  registryBlocks: 2 ** 31 - 1,
} as const
