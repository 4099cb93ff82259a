/**
 * Instants and durations: nanoseconds as BigInt, exact over all that the wire can hold. A JavaScript Date would lose the
 * nanoseconds that votes are signed with.
 */

/** Nanoseconds since 1970. */
export type Time = bigint
/** Nanoseconds. */
export type Duration = bigint

export const SECOND: Duration = 1_000_000_000n
export const MILLISECOND: Duration = 1_000_000n

/** The first instant of year 1: what a time that nobody set is, on the wire too. */
export const ZERO_TIME: Time = -62_135_596_800n * SECOND
/** The first instant that has no form on the wire: year 10000. */
const TIME_END: Time = 253_402_300_800n * SECOND

const DURATION_SECONDS_MAX = 315_576_000_000n

export interface SecondsAndNanos {
  readonly seconds: bigint
  readonly nanos: number
}

/** Seconds rounded down, so that nanos are never negative. */
export function splitTime(time: Time): SecondsAndNanos {
  const nanos = ((time % SECOND) + SECOND) % SECOND
  return { seconds: (time - nanos) / SECOND, nanos: Number(nanos) }
}

/** Undefined when nanos or the year are out of range. */
export function joinTime({ seconds, nanos }: SecondsAndNanos): Time | undefined {
  if (nanos < 0 || nanos >= 1_000_000_000) return undefined
  const time = seconds * SECOND + BigInt(nanos)
  return isWireTime(time) ? time : undefined
}

/** Whether the wire has a form for it: years 1 to 9999. */
export function isWireTime(time: Time): boolean {
  return time >= ZERO_TIME && time < TIME_END
}

/** Seconds rounded toward zero; nanos have the same sign. */
export function splitDuration(duration: Duration): SecondsAndNanos {
  return { seconds: duration / SECOND, nanos: Number(duration % SECOND) }
}

/** Undefined when the parts' signs differ or the sum has more than 63 bits. */
export function joinDuration({ seconds, nanos }: SecondsAndNanos): Duration | undefined {
  if (seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX) return undefined
  if (nanos <= -1_000_000_000 || nanos >= 1_000_000_000) return undefined
  if ((seconds < 0n && nanos > 0) || (seconds > 0n && nanos < 0)) return undefined
  const duration = seconds * SECOND + BigInt(nanos)
  return duration === BigInt.asIntN(64, duration) ? duration : undefined
}

/** RFC 3339 in UTC with the nanoseconds that there are, as Go writes it. Years 1 to 9999. */
export function formatTime(time: Time): string {
  const { seconds, nanos } = splitTime(time)
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = String(nanos).padStart(9, '0').replace(/0+$/, '')
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`
}

/** RFC 3339 in UTC, with up to nine digits of a second; undefined for anything else. */
export function parseTime(text: string): Time | undefined {
  const [, whole, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text) ?? []
  const ms = whole === undefined ? Number.NaN : Date.parse(`${whole}Z`)
  return Number.isNaN(ms) ? undefined : joinTime({ seconds: BigInt(ms / 1000), nanos: Number(fraction.padEnd(9, '0')) })
}
