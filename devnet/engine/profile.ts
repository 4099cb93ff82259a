/**
 * A profile is one network's rules as data: FVM line, price list, limits, and the few rules where nodes differ.
 *
 * @source spec fvm §1.1, design §2 and §10
 */
import { type Line, V3, V4 } from './line.ts'
import { HYGGE, type PriceList, TEEP, WATERMELON } from './price-list.ts'

export type ProfileName = 'ipc' | 'filecoin' | 'nv18'

export interface Profile {
  readonly name: ProfileName
  readonly networkVersion: number
  readonly actorsVersion: number
  /** Which bytes pay for inclusion: the signed message (Lotus), or the bare one (Fendermint). */
  readonly inclusion: 'signed' | 'unsigned'
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  ipc: { name: 'ipc', networkVersion: 21, actorsVersion: 17, inclusion: 'unsigned' },
  filecoin: { name: 'filecoin', networkVersion: 28, actorsVersion: 18, inclusion: 'signed' },
  nv18: { name: 'nv18', networkVersion: 18, actorsVersion: 10, inclusion: 'signed' },
}

export const NETWORK_VERSION_MIN = 18
export const NETWORK_VERSION_MAX = 29

/** The code line of the reference that a network version runs on. */
export function lineOf(networkVersion: number): Line {
  return networkVersion >= 21 ? V4 : V3
}

/** The price list of a network version. */
export function pricesOf(networkVersion: number): PriceList {
  if (networkVersion >= 25) return TEEP
  return networkVersion >= 21 ? WATERMELON : HYGGE
}

/** Limits of the machine. @source ref-fvm `fvm/src/machine/mod.rs` */
export const LIMITS = {
  callDepth: 1024,
  instancePages: 8192,
  messageMemoryBytes: 2 ** 31,
  tableElements: 20_000,
  blockBytes: 1 << 20,
  registryBlocks: 2 ** 31 - 1,
  /** Native stack of all calls of a message in baseline code, of the 256 MB that the largest has; the reference's threads have 64 MiB. */
  messageStackBytes: 200 * 2 ** 20,
  /** Of that, what the host takes for a call. */
  callStackBytes: 8192,
} as const
