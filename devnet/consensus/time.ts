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
