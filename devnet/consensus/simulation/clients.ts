/** Those who send lines, and those who change the validators. */

import type { Agenda } from './agenda.ts'
import type { Coverage } from './coverage.ts'
import type { SimulatedNode } from './node.ts'
import type { Plan } from './plan.ts'
import type { Random } from './random.ts'

export interface ClientWorld {
  readonly plan: Plan
  readonly agenda: Agenda
  readonly nodes: readonly SimulatedNode[]
  readonly coverage: Coverage
}

export class Clients {
  readonly #world: ClientWorld
  readonly #random: Random
  /** All that was ever sent. */
  readonly submitted = new Set<string>()
  #count = 0
  #nextChange = 0n
  /** The least power that each key may have, whichever of the lines that were sent comes last. */
  readonly #least: bigint[]

  constructor(world: ClientWorld, random: Random) {
    this.#world = world
    this.#random = random
    const { powers, spares, initialHeight } = world.plan
    this.#least = [...powers, ...Array<bigint>(spares).fill(0n)]
    this.#nextChange = initialHeight + 2n
  }

  begin(): void {
    const { agenda, plan } = this.#world
    const isWaiting = plan.clients === 'patient' && this.#count > 0
    const leastMs = isWaiting ? plan.healMs - agenda.nowMs : 0
    agenda.after(Math.max(leastMs, this.#random.between(5, 150)), () => {
      // A node may die of what it is sent.
      this.begin()
      this.#submit()
    })
  }

  /** So many lines at once, at one node. */
  flood(node: SimulatedNode | undefined, count: number): void {
    for (let i = 0; i < count; i++) node?.take(this.#note(`put flood ${++this.#count}`))
  }

  #note(line: string): string {
    this.submitted.add(line)
    return line
  }

  #submit(): void {
    const { plan, nodes, agenda } = this.#world
    const line = this.#note(this.#change() ?? `put ${++this.#count}`)
    if (plan.clients === 'one') {
      const ready = nodes.filter(({ isUp, isPaused }) => isUp && !isPaused)
      if (ready.length > 0) this.#random.pick(ready).submit(line)
      return
    }
    for (const node of nodes) {
      const { life } = node
      node.keep(line)
      agenda.after(this.#random.between(0, 5), () => {
        if (node.isUp && node.life === life && !node.isPaused) node.wakeIfWanted()
      })
    }
  }

  /** Every three to five heights; null when it is not time. */
  #change(): string | null {
    const { plan, nodes, coverage } = this.#world
    if (!plan.changesValidators) return null
    const tip = nodes.reduce((most, { chain }) => (chain.lastHeight > most ? chain.lastHeight : most), 0n)
    if (tip < this.#nextChange) return null
    this.#nextChange = tip + BigInt(3 + this.#random.below(3))
    const { key, power, name } = this.#nextPower()
    coverage.count(`validators ${name}`)
    return `power ${key} ${power} ${++this.#count}`
  }

  /** Only honest powers change, and never so much that the faulty could get a third. */
  #nextPower(): { readonly key: number; readonly power: bigint; readonly name: string } {
    const { plan } = this.#world
    const { powers, spares } = plan
    if (spares > 0 && this.#random.chance(0.5)) {
      const key = powers.length + this.#random.below(spares)
      return this.#random.chance(0.6) ? { key, power: 5n, name: 'join' } : { key, power: 0n, name: 'leave' }
    }
    const honest = powers.map((_, i) => i).filter((i) => !plan.vices.has(i))
    const key = this.#random.pick(honest)
    if (this.#random.chance(0.4) && this.#canLeave(key)) {
      this.#least[key] = 0n
      return { key, power: 0n, name: 'leave' }
    }
    return { key, power: powers[key]! + BigInt(this.#random.below(3)), name: 'power' }
  }

  #canLeave(leaving: number): boolean {
    const { vices } = this.#world.plan
    let honest = 0n
    let faulty = 0n
    let count = 0
    for (const [key, power] of this.#least.entries()) {
      if (vices.has(key)) faulty += power
      else if (key !== leaving && power > 0n) {
        honest += power
        count++
      }
    }
    return count >= 2 && faulty * 2n < honest
  }
}
