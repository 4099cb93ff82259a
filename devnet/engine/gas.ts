/**
 * Milligas and its tracker. 1 gas = 1000 milligas; all sums saturate.
 *
 * A message's limit is nearly always below 2^53 milligas, so the tracker counts in doubles, exactly; a message with a
 * larger one (implicit messages have i64::MAX) gets the tracker that counts in BigInt.
 *
 * @source ref-fvm `fvm/src/gas/mod.rs`; spec fvm §7.1
 */
import { assert } from '../primitives/assert.ts'
import { OUT_OF_GAS } from './failure.ts'
import type { Trace } from './trace.ts'

/** A charge: doubles are exact below 2^53, larger amounts come as BigInt. */
export type Milligas = number | bigint

export const MILLIGAS = 1000
const I64_MAX = (1n << 63n) - 1n
const U64_MAX = (1n << 64n) - 1n
const SAFE_MAX = 2 ** 53 - 1

/** The instance side of the gas counter, as instrumented code exports it. */
export interface GasCounter {
  readonly gas: WebAssembly.Global
  readonly gas_get: () => number
  readonly gas_set: (milligas: number) => void
}

export interface GasTracker {
  readonly trace: Trace | null
  /** @throws OutOfGas; then everything is used. */
  charge(name: string, amount: Milligas): void
  /** A charge that only matters when there is a trace or the amount is not 0. */
  isEmpty(): boolean
  /** Whole gas, rounded up. */
  used(): bigint
  /** Whole gas, rounded down; what `gas.available` answers. */
  available(): bigint
  availableRoundedUp(): bigint
  /** Milligas left, for local budgets. */
  availableMilligas(): Milligas
  /** `limit` in whole gas. */
  pushLimit(limit: bigint): void
  popLimit(): void
  /** Writes what is available into the counter and answers the mark that `consumed` takes. */
  fill(counter: GasCounter): Milligas
  /** Milligas that the guest used since `mark`: more than `mark` when the counter is negative. */
  consumed(counter: GasCounter, mark: Milligas): Milligas
}

/** `limit` is whole gas, u64. */
export function createGasTracker(limit: bigint, trace: Trace | null): GasTracker {
  const milligas = limit * 1000n
  return milligas <= BigInt(SAFE_MAX)
    ? new NarrowTracker(Number(milligas), trace)
    : new WideTracker(milligas > I64_MAX ? I64_MAX : milligas, trace)
}

class NarrowTracker implements GasTracker {
  readonly trace: Trace | null
  #limit: number
  #used = 0
  readonly #saved: { limit: number; used: number }[] = []

  constructor(limit: number, trace: Trace | null) {
    this.#limit = limit
    this.trace = trace
  }

  charge(name: string, amount: Milligas): void {
    if (this.trace !== null) this.trace.push({ kind: 'gas', name, milligas: amount })
    const used = this.#used + (typeof amount === 'number' ? amount : Number(amount))
    if (used > this.#limit) {
      this.#used = this.#limit
      throw OUT_OF_GAS
    }
    this.#used = used
  }

  isEmpty(): boolean {
    return this.#used >= this.#limit
  }

  used(): bigint {
    return BigInt(Math.ceil(this.#used / MILLIGAS))
  }

  available(): bigint {
    return BigInt(Math.floor((this.#limit - this.#used) / MILLIGAS))
  }

  availableRoundedUp(): bigint {
    return BigInt(Math.ceil((this.#limit - this.#used) / MILLIGAS))
  }

  availableMilligas(): number {
    return this.#limit - this.#used
  }

  pushLimit(limit: bigint): void {
    const available = this.#limit - this.#used
    this.#saved.push({ limit: this.#limit, used: this.#used })
    this.#limit = Math.min(available, Number(limit) * MILLIGAS)
    this.#used = 0
  }

  popLimit(): void {
    const saved = this.#saved.pop()
    assert(saved !== undefined, 'a gas limit to pop')
    this.#limit = saved.limit
    this.#used += saved.used
  }

  fill(counter: GasCounter): number {
    const available = this.#limit - this.#used
    counter.gas_set(available)
    return available
  }

  consumed(counter: GasCounter, mark: Milligas): Milligas {
    const left = counter.gas_get()
    if (left >= 0) return Math.max(0, (mark as number) - left)
    if (left > -SAFE_MAX) return (mark as number) - left
    return BigInt(mark) - (counter.gas.value as bigint)
  }
}

class WideTracker implements GasTracker {
  readonly trace: Trace | null
  #limit: bigint
  #used = 0n
  readonly #saved: { limit: bigint; used: bigint }[] = []

  constructor(limit: bigint, trace: Trace | null) {
    this.#limit = limit
    this.trace = trace
  }

  charge(name: string, amount: Milligas): void {
    const charge = BigInt(amount)
    if (this.trace !== null) this.trace.push({ kind: 'gas', name, milligas: charge })
    const used = this.#used + charge
    if (used > this.#limit) {
      this.#used = this.#limit
      throw OUT_OF_GAS
    }
    this.#used = used
  }

  isEmpty(): boolean {
    return this.#used >= this.#limit
  }

  used(): bigint {
    return (this.#used + 999n) / 1000n
  }

  available(): bigint {
    return (this.#limit - this.#used) / 1000n
  }

  availableRoundedUp(): bigint {
    return (this.#limit - this.#used + 999n) / 1000n
  }

  availableMilligas(): bigint {
    return this.#limit - this.#used
  }

  pushLimit(limit: bigint): void {
    const available = this.#limit - this.#used
    this.#saved.push({ limit: this.#limit, used: this.#used })
    const milligas = limit * 1000n
    this.#limit = milligas < available ? milligas : available
    this.#used = 0n
  }

  popLimit(): void {
    const saved = this.#saved.pop()
    assert(saved !== undefined, 'a gas limit to pop')
    this.#limit = saved.limit
    this.#used += saved.used
  }

  fill(counter: GasCounter): bigint {
    const available = this.#limit - this.#used
    counter.gas.value = available
    return available
  }

  consumed(counter: GasCounter, mark: Milligas): bigint {
    const left = counter.gas.value as bigint
    const used = (mark as bigint) - left
    if (left < 0n) return used
    return used > 0n ? used : 0n
  }
}

/** `amount` whole gas as milligas, saturating at u64::MAX. */
export function gasToMilligas(amount: bigint): bigint {
  const milligas = amount * 1000n
  return milligas > U64_MAX ? U64_MAX : milligas
}

/** `rate * count`, saturating at u64::MAX; exact whatever the size. */
export function scale(rate: number, count: number | bigint): Milligas {
  if (typeof count === 'number') {
    const product = rate * count
    if (product <= SAFE_MAX) return product
  }
  const product = BigInt(rate) * BigInt(count)
  if (product > U64_MAX) return U64_MAX
  return product <= BigInt(SAFE_MAX) ? Number(product) : product
}

export function addMilligas(a: Milligas, b: Milligas): Milligas {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (sum <= SAFE_MAX) return sum
  }
  const sum = BigInt(a) + BigInt(b)
  return sum > U64_MAX ? U64_MAX : sum
}
