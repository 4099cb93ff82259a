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

/** From, to. */
export type Link = readonly [string, string]

/** What waits on a narrow link for longer is lost. */
const QUEUE_MS_MAX = 3000

export class Network {
  readonly #random: Random
  #setting: LinkSetting
  /** Each cut, with its links by name. */
  readonly #cuts = new Set<ReadonlySet<string>>()
  /** Null where links are wide enough for everything. */
  bytesPerMs: number | null = null
  /** When a narrow link has sent all it was given. */
  readonly #freeAtMs = new Map<string, number>()

  constructor(random: Random, setting: LinkSetting) {
    this.#random = random
    this.#setting = setting
  }

  set links(setting: LinkSetting) {
    this.#setting = setting
  }

  /** Delays of the copies of a message that arrive. */
  route(
    from: string,
    to: string,
    { nowMs, size }: { readonly nowMs: number; readonly size: () => number },
  ): readonly number[] {
    const { loss, duplication } = this.#setting
    const link = nameOf([from, to])
    for (const cut of this.#cuts) if (cut.has(link)) return []
    if (loss > 0 && this.#random.chance(loss)) return []
    const queueMs = this.bytesPerMs === null ? 0 : this.#queue(link, nowMs, size() / this.bytesPerMs)
    if (queueMs > QUEUE_MS_MAX) return []
    const delays = [queueMs + this.#delay()]
    if (duplication > 0 && this.#random.chance(duplication)) delays.push(queueMs + this.#delay())
    return delays
  }

  /** How long until the link has sent it. */
  #queue(link: string, nowMs: number, takesMs: number): number {
    const free = Math.max(this.#freeAtMs.get(link) ?? 0, nowMs) + takesMs
    if (free - nowMs <= QUEUE_MS_MAX) this.#freeAtMs.set(link, free)
    return free - nowMs
  }

  #delay(): number {
    const { minMs, maxMs, tailChance, tailMs } = this.#setting
    const delay = this.#random.between(minMs, maxMs)
    return tailChance > 0 && this.#random.chance(tailChance) ? delay + this.#random.next() ** 3 * tailMs : delay
  }

  /** Cuts links, beside those that are cut already. The answer mends them. */
  cut(links: readonly Link[]): () => void {
    const cut = new Set(links.map(nameOf))
    this.#cuts.add(cut)
    return () => this.#cuts.delete(cut)
  }

  /** Mends everything. */
  heal(): void {
    this.#cuts.clear()
  }
}

/** The links that must be cut so that only nodes of the same group hear each other. */
export function partitionOf(groups: readonly (readonly string[])[]): readonly Link[] {
  return groups.flatMap((group) =>
    groups
      .filter((other) => other !== group)
      .flatMap((other) => group.flatMap((from) => other.map((to) => [from, to] as const))),
  )
}

function nameOf([from, to]: Link): string {
  return `${from}>${to}`
}
