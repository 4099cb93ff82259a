/** Numbers and damage from a seed: the same for the same seed. */
import { decode, encode, type Message } from '../../devnet/consensus/schema.ts'

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0, below `end`. @source mulberry32 */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  chance(part: number): boolean {
    return this.below(1_000_000) < part * 1_000_000
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }

  binary(size: number): string {
    return String.fromCharCode(...this.bytes(size))
  }
}

type Path = readonly (string | number)[]

/** The value with one of its leaves or lists changed, in a form that still encodes. */
export function forge<T>(dice: Dice, message: Message<T>, value: T): T {
  const places = [...placesIn(value, [])]
  for (;;) {
    const forged = changeAt(value, dice.pick(places), (before) => change(dice, before)) as T
    try {
      // What the wire has no form for is not a forgery that can be sent.
      return decode(message, encode(message, forged))
    } catch {}
  }
}

/** The bytes with a few of them flipped, cut off, left out or added. */
export function damage(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length + 1)
  switch (dice.below(4)) {
    case 0:
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << dice.below(8)) : byte))
    case 1:
      return bytes.slice(0, at)
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...dice.bytes(dice.between(1, 3)), ...bytes.subarray(at)])
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + dice.between(1, 3))])
  }
}

function* placesIn(value: unknown, path: Path): Iterable<Path> {
  if (path.length > 0) yield path
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return
  for (const [key, inner] of Object.entries(value)) {
    if (key !== 'kind') yield* placesIn(inner, [...path, Array.isArray(value) ? Number(key) : key])
  }
}

function changeAt(value: unknown, [key, ...rest]: Path, act: (before: unknown) => unknown): unknown {
  if (key === undefined) return act(value)
  if (Array.isArray(value)) return value.with(Number(key), changeAt(value[Number(key)], rest, act))
  const object = value as Readonly<Record<string, unknown>>
  return { ...object, [key]: changeAt(object[key], rest, act) }
}

function change(dice: Dice, before: unknown): unknown {
  if (typeof before === 'bigint') return dice.pick([before + 1n, before - 1n, -before, 0n, before * 3n, 2n ** 63n - 1n])
  if (typeof before === 'number') return dice.pick([before + 1, before - 1, -before, 0, 2 ** 31 - 1, dice.below(8)])
  if (typeof before === 'boolean') return !before
  if (typeof before === 'string') return changeText(dice, before)
  if (before instanceof Uint8Array) return damage(dice, before)
  if (Array.isArray(before)) return changeList(dice, before)
  return before
}

/** Also of text: its characters stay in ASCII. */
function changeText(dice: Dice, before: string): string {
  const at = dice.below(before.length + 1)
  switch (dice.below(4)) {
    case 0:
      return ''
    case 1:
      return before.slice(0, at)
    case 2:
      return `${before}x`
    default:
      return before.slice(0, at) + String.fromCharCode((before.charCodeAt(at) || 0) ^ 1) + before.slice(at + 1)
  }
}

function changeList(dice: Dice, before: readonly unknown[]): readonly unknown[] {
  const [i, j] = [dice.below(before.length || 1), dice.below(before.length || 1)]
  if (before.length === 0) return before
  switch (dice.below(3)) {
    case 0:
      return before.toSpliced(i, 1)
    case 1:
      return [...before, before[i]]
    default:
      return before.with(i, before[j]).with(j, before[i])
  }
}
