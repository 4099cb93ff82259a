/** What plain instructions compute, by opcode: i32 as signed numbers, i64 as signed BigInts, floats as numbers. */
import type { Value } from './interpreter.ts'

export interface Arithmetic {
  readonly arity: 1 | 2
  /** Undefined is a trap. */
  readonly run: (left: Value, right: Value) => Value | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: which of number and bigint it is follows from the opcode
type Rule = (left: any, right: any) => any

export const OPERATIONS: Readonly<Record<number, Arithmetic>> = {}

function define(first: number, arity: 1 | 2, ...rules: readonly Rule[]): void {
  for (const [i, run] of rules.entries()) (OPERATIONS as Record<number, Arithmetic>)[first + i] = { arity, run }
}

const s32 = (value: bigint | number): number => Number(BigInt.asIntN(32, BigInt(value)))
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value)
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const bool = (holds: boolean): number => (holds ? 1 : 0)
const f32 = Math.fround

/** Comparisons, then arithmetic, of integers of `bits` bits, all in BigInt. */
function integers(bits: 32 | 64, comparisons: number, counts: number): void {
  const wrap = bits === 32 ? s32 : s64
  const u = (value: Value): bigint => BigInt.asUintN(bits, BigInt(value))
  const s = (value: Value): bigint => BigInt.asIntN(bits, BigInt(value))
  const size = BigInt(bits)
  const lowest = -(1n << (size - 1n))
  const turn = (value: bigint, by: bigint): Value => wrap((value << by) | (value >> (size - by)))
  define(comparisons, 1, (a) => bool(u(a) === 0n))
  define(
    comparisons + 1,
    2,
    (a, b) => bool(a === b),
    (a, b) => bool(a !== b),
    (a, b) => bool(s(a) < s(b)),
    (a, b) => bool(u(a) < u(b)),
    (a, b) => bool(s(a) > s(b)),
    (a, b) => bool(u(a) > u(b)),
    (a, b) => bool(s(a) <= s(b)),
    (a, b) => bool(u(a) <= u(b)),
    (a, b) => bool(s(a) >= s(b)),
    (a, b) => bool(u(a) >= u(b)),
  )
  const bitsOf = (value: Value): string => u(value).toString(2).padStart(bits, '0')
  define(
    counts,
    1,
    (a) => wrap(BigInt(`${bitsOf(a)}1`.indexOf('1'))),
    (a) => wrap(BigInt([...bitsOf(a)].reverse().concat('1').indexOf('1'))),
    (a) => wrap(BigInt([...bitsOf(a)].filter((bit) => bit === '1').length)),
  )
  define(
    counts + 3,
    2,
    (a, b) => wrap(s(a) + s(b)),
    (a, b) => wrap(s(a) - s(b)),
    (a, b) => wrap(s(a) * s(b)),
    (a, b) => (s(b) === 0n || (s(a) === lowest && s(b) === -1n) ? undefined : wrap(s(a) / s(b))),
    (a, b) => (u(b) === 0n ? undefined : wrap(u(a) / u(b))),
    (a, b) => (s(b) === 0n ? undefined : wrap(s(a) % s(b))),
    (a, b) => (u(b) === 0n ? undefined : wrap(u(a) % u(b))),
    (a, b) => wrap(u(a) & u(b)),
    (a, b) => wrap(u(a) | u(b)),
    (a, b) => wrap(u(a) ^ u(b)),
    (a, b) => wrap(u(a) << (u(b) % size)),
    (a, b) => wrap(s(a) >> (u(b) % size)),
    (a, b) => wrap(u(a) >> (u(b) % size)),
    (a, b) => turn(u(a), u(b) % size),
    (a, b) => turn(u(a), (size - (u(b) % size)) % size),
  )
}

function floats(comparisons: number, unary: number, round: (value: number) => number): void {
  define(
    comparisons,
    2,
    (a, b) => bool(a === b),
    (a, b) => bool(a !== b),
    (a, b) => bool(a < b),
    (a, b) => bool(a > b),
    (a, b) => bool(a <= b),
    (a, b) => bool(a >= b),
  )
  define(
    unary,
    1,
    Math.abs,
    (a) => -a,
    Math.ceil,
    Math.floor,
    Math.trunc,
    nearest,
    (a) => round(Math.sqrt(a)),
  )
  define(
    unary + 7,
    2,
    (a, b) => round(a + b),
    (a, b) => round(a - b),
    (a, b) => round(a * b),
    (a, b) => round(a / b),
    Math.min,
    Math.max,
  )
}

/** Halves go to the even neighbour. */
function nearest(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0)
  return up ? below + 1 : below
}

/** To an integer between the limits; outside, a trap, or the limit when it `saturates`. */
function toInteger(low: bigint, high: bigint, wrap: (value: bigint) => Value, saturates: boolean): Rule {
  return (value: number) => {
    if (Number.isNaN(value)) return saturates ? wrap(0n) : undefined
    if (!Number.isFinite(value)) return saturates ? wrap(value < 0 ? low : high) : undefined
    const whole = BigInt(Math.trunc(value))
    if (whole >= low && whole <= high) return wrap(whole)
    return saturates ? wrap(whole < low ? low : high) : undefined
  }
}

integers(32, 0x45, 0x67)
integers(64, 0x50, 0x79)
floats(0x5b, 0x8b, f32)
floats(0x61, 0x99, (value) => value)

const RANGES = [
  [-(2n ** 31n), 2n ** 31n - 1n, s32],
  [0n, 2n ** 32n - 1n, s32],
  [-(2n ** 63n), 2n ** 63n - 1n, s64],
  [0n, 2n ** 64n - 1n, s64],
] as const
for (const [i, [low, high, wrap]] of RANGES.entries()) {
  const wide = i >= 2 ? 6 : 0
  for (const of of [0, 2]) {
    define(0xa8 + wide + of + (i % 2), 1, toInteger(low, high, wrap, false))
    define(0x100 + (i >= 2 ? 4 : 0) + of + (i % 2), 1, toInteger(low, high, wrap, true))
  }
}
define(0xa7, 1, (a) => s32(a))
define(
  0xac,
  1,
  (a) => BigInt(a),
  (a) => BigInt(a >>> 0),
)
define(
  0xb2,
  1,
  (a) => f32(a),
  (a) => f32(a >>> 0),
)
define(
  0xb6,
  1,
  (a) => f32(a),
  (a) => a,
  (a) => a >>> 0,
  (a) => Number(a),
  (a) => Number(u64(a)),
  (a) => a,
)
define(
  0xc0,
  1,
  (a) => (a << 24) >> 24,
  (a) => (a << 16) >> 16,
  (a) => BigInt.asIntN(8, a),
  (a) => BigInt.asIntN(16, a),
  (a) => BigInt.asIntN(32, a),
)
