/** Snapshots and state sync, as a user writes them: keys and durations are those of CometBFT's `[statesync]`, in our spelling. */
import * as v from 'valibot'
import { type Duration, SECOND } from '../consensus/time.ts'
import { fromBinary, fromHex, toBinary, toHex } from '../primitives/bytes.ts'

export interface SnapshotPolicy {
  /** A snapshot is made after each block whose height is a multiple; 0 for none. */
  readonly interval: number
  /** The newest that are kept, `KEEP_MAX` at most. */
  readonly keep: number
}

export const DEFAULT_SNAPSHOTS: SnapshotPolicy = { interval: 1000, keep: 2 }
export const NO_SNAPSHOTS: SnapshotPolicy = { interval: 0, keep: 0 }
/** CometBFT asks for no more of a peer. */
export const KEEP_MAX = 10

const duration = v.pipe(v.string(), v.regex(/^(?=\d)(\d{1,6}h)?(\d{1,8}m)?(\d{1,9}s)?$/, 'a duration such as 168h0m0s'))
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))

export interface StateSyncSettings {
  /** Whether an empty node asks for a state at once, and not only when blocks alone cannot bring it on. */
  readonly isEnabled: boolean
  /** A header that is known to be the chain's: its height, and its hash as a binary string. The genesis when null. */
  readonly trusted: { readonly height: bigint; readonly hash: string } | null
  readonly trustingPeriod: Duration
  /** How long peers are waited for that might have a better offer. */
  readonly discoveryMs: number
}

export const SNAPSHOTS_SCHEMA = v.strictObject({
  /** Heights between two snapshots; 0 for none. The same on all nodes, or they vouch for nothing alike. */
  interval: whole(0, 1_000_000_000),
  keep: v.optional(whole(1, KEEP_MAX)),
})

export const STATE_SYNC_SCHEMA = v.pipe(
  v.strictObject({
    enable: v.boolean(),
    /** A header that is known to be the chain's. Without it the genesis' validators are trusted. */
    trustHeight: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    trustHash: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, '32 bytes in hex'))),
    trustPeriod: v.optional(duration),
    discoveryTime: v.optional(duration),
  }),
  v.check(
    ({ trustHeight, trustHash }) => (trustHeight === undefined) === (trustHash === undefined),
    'trustHeight and trustHash together, or neither',
  ),
)

const DISCOVERY_MS_DEFAULT = 5000
const TRUSTING_PERIOD_DEFAULT: Duration = 168n * 3600n * SECOND

export const DEFAULT_STATE_SYNC: StateSyncSettings = {
  isEnabled: false,
  trusted: null,
  trustingPeriod: TRUSTING_PERIOD_DEFAULT,
  discoveryMs: DISCOVERY_MS_DEFAULT,
}

export function snapshotPolicy({ interval, keep }: v.InferInput<typeof SNAPSHOTS_SCHEMA>): SnapshotPolicy {
  return { interval, keep: keep ?? DEFAULT_SNAPSHOTS.keep }
}

export function stateSyncSettings(written: v.InferInput<typeof STATE_SYNC_SCHEMA>): StateSyncSettings {
  const { enable, trustHeight, trustHash, trustPeriod, discoveryTime } = written
  return {
    isEnabled: enable,
    trusted:
      trustHeight === undefined || trustHash === undefined
        ? null
        : { height: BigInt(trustHeight), hash: toBinary(fromHex(trustHash)) },
    trustingPeriod: trustPeriod === undefined ? TRUSTING_PERIOD_DEFAULT : secondsOf(trustPeriod) * SECOND,
    discoveryMs: discoveryTime === undefined ? DISCOVERY_MS_DEFAULT : Number(secondsOf(discoveryTime)) * 1000,
  }
}

/** As `stateSyncSettings` reads it. */
export function formatStateSync(settings: StateSyncSettings): v.InferInput<typeof STATE_SYNC_SCHEMA> {
  const { isEnabled, trusted, trustingPeriod, discoveryMs } = settings
  return {
    enable: isEnabled,
    ...(trusted === null ? {} : { trustHeight: Number(trusted.height), trustHash: toHex(fromBinary(trusted.hash)) }),
    trustPeriod: `${trustingPeriod / SECOND}s`,
    discoveryTime: `${Math.round(discoveryMs / 1000)}s`,
  }
}

function secondsOf(text: string): Duration {
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? []
  return BigInt(hours ?? 0) * 3600n + BigInt(minutes ?? 0) * 60n + BigInt(seconds ?? 0)
}
