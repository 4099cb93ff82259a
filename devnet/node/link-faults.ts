/**
 * Bad networks on purpose: what links between nodes do with messages. Every decision comes from one seed.
 *
 * @source spec consensus §8.3
 */
import { Random } from '../consensus/simulation/random.ts'

export type LinkFault =
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number; readonly nodes: readonly string[] }
  | { readonly kind: 'loss'; readonly share: number; readonly nodes: readonly string[] }
  /** Nodes of different groups do not hear each other; who is in no group hears nobody. */
  | { readonly kind: 'partition'; readonly groups: readonly (readonly string[])[] }
  /** The node says nothing and hears nothing. */
  | { readonly kind: 'stop'; readonly nodes: readonly string[] }
  /** The node signs two votes where it may sign one. */
  | { readonly kind: 'byzantine'; readonly nodes: readonly string[] }

export interface ActiveFault {
  readonly id: number
  readonly fault: LinkFault
}

export class LinkFaults {
  readonly seed: number
  readonly #random: Random
  readonly #active = new Map<number, LinkFault>()
  #lastId = 0

  constructor(seed: number) {
    this.seed = seed
    this.#random = new Random(seed, 'link faults')
  }

  add(fault: LinkFault): number {
    this.#active.set(++this.#lastId, fault)
    return this.#lastId
  }

  list(): readonly ActiveFault[] {
    return [...this.#active].map(([id, fault]) => ({ id, fault }))
  }

  /** Whether there was such a fault. */
  remove(id: number): boolean {
    return this.#active.delete(id)
  }

  clear(): void {
    this.#active.clear()
  }

  get isQuiet(): boolean {
    return this.#active.size === 0
  }

  isByzantine(node: string): boolean {
    for (const fault of this.#active.values()) if (fault.kind === 'byzantine' && fault.nodes.includes(node)) return true
    return false
  }

  /** After how many milliseconds the message arrives; null when it does not. */
  delayOf(from: string, to: string): number | null {
    let delayMs = 0
    for (const fault of this.#active.values()) {
      switch (fault.kind) {
        case 'latency':
          if (fault.nodes.length === 0 || fault.nodes.includes(from) || fault.nodes.includes(to)) {
            delayMs += Math.max(0, fault.ms + (this.#random.next() * 2 - 1) * fault.jitterMs)
          }
          break
        case 'loss':
          if (fault.nodes.length > 0 && !fault.nodes.includes(from) && !fault.nodes.includes(to)) break
          if (this.#random.chance(fault.share)) return null
          break
        case 'partition':
          if (!fault.groups.some((group) => group.includes(from) && group.includes(to))) return null
          break
        case 'stop':
          if (fault.nodes.includes(from) || fault.nodes.includes(to)) return null
          break
        case 'byzantine':
          break
      }
    }
    return delayMs
  }
}
