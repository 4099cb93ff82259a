/** Chance that can be repeated: numbers that follow from a seed, and choices that follow from bytes. */

/** xorshift128 of Marsaglia, its state spread from two numbers by the finalizer of MurmurHash3. */
export class Random {
  #x: number
  #y: number
  #z: number
  #w: number

  /** The same numbers for the same `seed` and `index`, which are whole. */
  constructor(seed: number, index = 0) {
    const low = index >>> 0
    const high = Math.floor(index / 0x1_0000_0000)
    this.#x = mix(seed ^ 0x9e37_79b9)
    this.#y = mix(low ^ this.#x)
    this.#z = mix(high ^ this.#y ^ Math.floor(seed / 0x1_0000_0000))
    this.#w = mix(this.#z + 0x85eb_ca6b) | 1
    for (let i = 0; i < 8; i++) this.u32()
  }

  u32(): number {
    const t = this.#x ^ (this.#x << 11)
    this.#x = this.#y
    this.#y = this.#z
    this.#z = this.#w
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)
    return this.#w >>> 0
  }

  /** 0 to `count` − 1. */
  below(count: number): number {
    return this.u32() % count
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size)
    for (let i = 0; i < size; i++) bytes[i] = this.u32() >>> 24
    return bytes
  }
}

function mix(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return mixed ^ (mixed >>> 16)
}

/** Bytes read as decisions, so that mutating bytes mutates what was decided. Behind their end everything is 0. */
export class Choices {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  /** 0 to `count` − 1. */
  below(count: number): number {
    let value = this.byte()
    for (let range = 256; range < count; range *= 256) value = value * 256 + this.byte()
    return value % count
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  u32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  take(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.byte())
  }

  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at)
    this.#at = this.#bytes.length
    return rest
  }
}
