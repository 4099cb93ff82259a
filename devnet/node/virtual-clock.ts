/** A clock that stands still until it is told to go on to what happens next: time costs nothing, and is the same in every run. */
import type { Clock } from './ports.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class VirtualClock implements Clock {
  #nowMs: number
  #count = 0
  readonly #timers = new Set<Timer>()

  /** Milliseconds since 1970. */
  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#count++, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** When the next timer runs out; null when there is none. */
  nextMs(): number | null {
    return this.#next()?.atMs ?? null
  }

  /** Goes on to the next timer and runs it, unless that is later than `endMs`; whether it did. */
  advance(endMs: number): boolean {
    const next = this.#next()
    if (next === null || next.atMs > endMs) {
      this.#nowMs = Math.max(this.#nowMs, endMs)
      return false
    }
    this.#timers.delete(next)
    this.#nowMs = next.atMs
    next.run()
    return true
  }

  #next(): Timer | null {
    let first: Timer | null = null
    for (const timer of this.#timers) {
      const isEarlier =
        first === null || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)
      if (isEarlier) first = timer
    }
    return first
  }
}
