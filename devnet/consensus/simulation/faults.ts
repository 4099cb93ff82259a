/** Makes the faults of a plan happen, each for its time, and heals what is left of them. */

import type { Agenda } from './agenda.ts'
import type { Clients } from './clients.ts'
import type { Coverage } from './coverage.ts'
import { GOOD_LINK, type Link, type Network, partitionOf } from './network.ts'
import type { SimulatedNode } from './node.ts'
import type { Fault, Plan } from './plan.ts'

const SLOWNESS = 20
/** Longer than a proposal is waited for in the first rounds. */
const SLOW_PROPOSAL_MS = 900
const NARROW_BYTES_PER_MS = 4
const FLAP_MS = 300
const FLOOD_LINES = 1200

export interface FaultyWorld {
  readonly plan: Plan
  readonly agenda: Agenda
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly clients: Clients
  readonly coverage: Coverage
}

export class Faults {
  readonly #world: FaultyWorld

  constructor(world: FaultyWorld) {
    this.#world = world
  }

  begin(): void {
    const { agenda, plan } = this.#world
    for (const fault of plan.faults) agenda.after(fault.atMs, () => this.#strike(fault))
    agenda.after(plan.healMs, () => this.#heal())
  }

  #strike(fault: Fault): void {
    const { plan, agenda, nodes, network, clients, coverage } = this.#world
    const { kind } = fault
    const struck = fault.nodes.map((i) => nodes[i]!)
    const lastsMs = Math.min(fault.lastsMs, plan.healMs - agenda.nowMs)
    const until = (end: () => void): void => agenda.after(lastsMs, end)
    if (struck.length > 0 || kind === 'crash all') coverage.count(`fault ${kind}`)
    switch (kind) {
      case 'crash':
      case 'crash all':
        for (const node of kind === 'crash' ? struck : nodes) {
          node.crash()
          until(() => node.restart())
        }
        return
      case 'pause':
        for (const node of struck) {
          node.isPaused = true
          until(() => {
            node.isPaused = false
          })
        }
        return
      case 'slow':
      case 'slow proposals':
        for (const node of struck) {
          if (kind === 'slow') node.slowness = SLOWNESS
          else node.proposalDelayMs = SLOW_PROPOSAL_MS
          until(() => node.hurry())
        }
        return
      case 'sync error':
      case 'full disk':
        for (const node of struck) {
          node.disk.break(kind)
          until(() => {
            node.disk.repair()
            node.restart()
          })
        }
        return
      case 'clock jump':
        for (const node of struck) node.clockJumpMs += fault.byMs
        return
      case 'narrow links':
        network.bytesPerMs = NARROW_BYTES_PER_MS
        return until(() => {
          network.bytesPerMs = null
        })
      case 'flood':
        return clients.flood(struck[0], FLOOD_LINES)
      case 'flapping':
        return this.#flap(this.#linksOf(fault), agenda.nowMs + lastsMs)
      default:
        return until(network.cut(this.#linksOf(fault)))
    }
  }

  #linksOf({ kind, nodes: struck, links }: Fault): readonly Link[] {
    const names = this.#world.nodes.map(({ name }) => name)
    const isStruck = (i: number): boolean => struck.includes(i)
    const [inside, outside] = [names.filter((_, i) => isStruck(i)), names.filter((_, i) => !isStruck(i))]
    switch (kind) {
      case 'one way':
        return inside.flatMap((from) => outside.map((to) => [from, to] as const))
      case 'ring': {
        const { length } = names
        const isFar = (a: number, b: number): boolean => a !== b && ![1, length - 1].includes(Math.abs(a - b))
        return names.flatMap((from, a) => names.flatMap((to, b) => (isFar(a, b) ? [[from, to] as const] : [])))
      }
      case 'mask':
        return links.map(([from, to]) => [names[from]!, names[to]!])
      default:
        return partitionOf([inside, outside])
    }
  }

  #flap(links: readonly Link[], untilMs: number): void {
    const { agenda, network } = this.#world
    if (agenda.nowMs >= untilMs) return
    const mend = network.cut(links)
    agenda.after(Math.min(FLAP_MS, untilMs - agenda.nowMs), () => {
      mend()
      agenda.after(FLAP_MS, () => this.#flap(links, untilMs))
    })
  }

  #heal(): void {
    const { agenda, network, nodes } = this.#world
    network.links = GOOD_LINK
    network.bytesPerMs = null
    network.heal()
    for (const node of nodes) {
      node.isPaused = false
      node.hurry()
      node.disk.repair()
      // Each by itself: one may die again as it starts.
      agenda.after(0, () => node.restart())
    }
  }
}
