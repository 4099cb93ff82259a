/** Links between nodes: how long a message takes, and whether it comes at all. */
import type { Random } from './random.ts'

export interface LinkSetting {
  readonly minMs: number
  readonly maxMs: number
  /** Of this share of the messages the delay has a long tail. */
  readonly tailChance: number
  readonly tailMs: number
  readonly loss: number
  readonly duplication: number
}

export const GOOD_LINK: LinkSetting = { minMs: 0.1, maxMs: 2, tailChance: 0, tailMs: 0, loss: 0, duplication: 0 }

export class Network {
  readonly #random: Random
  #setting: LinkSetting
  /** Pairs `from>to` that are cut. */
  readonly #cut = new Set<string>()

  constructor(random: Random, setting: LinkSetting) {
    this.#random = random
    this.#setting = setting
  }

  set links(setting: LinkSetting) {
    this.#setting = setting
  }

  /** Delays of the copies of a message that arrive. */
  route(from: string, to: string): readonly number[] {
    const { loss, duplication } = this.#setting
    if (this.#cut.has(`${from}>${to}`) || (loss > 0 && this.#random.chance(loss))) return []
    const delays = [this.#delay()]
    if (duplication > 0 && this.#random.chance(duplication)) delays.push(this.#delay())
    return delays
  }

  #delay(): number {
    const { minMs, maxMs, tailChance, tailMs } = this.#setting
    const delay = this.#random.between(minMs, maxMs)
    return tailChance > 0 && this.#random.chance(tailChance) ? delay + this.#random.next() ** 3 * tailMs : delay
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  /** Only nodes of the same group hear each other. */
  partition(groups: readonly (readonly string[])[]): void {
    this.heal()
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue
        for (const from of group) for (const to of other) this.cut(from, to)
      }
    }
  }

  heal(): void {
    this.#cut.clear()
  }
}
