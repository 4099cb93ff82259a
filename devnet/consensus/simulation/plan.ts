/**
 * What is to happen in one run, from a seed: who there is, what they send, what goes wrong and until when.
 *
 * @source spec consensus §8.3, §8.4
 */

import type { ReplicaOptions } from '../replica-host.ts'
import { VICES, type Vice } from './byzantine.ts'
import { GOOD_LINK, type LinkSetting } from './network.ts'
import { Random } from './random.ts'

export const FAULT_KINDS = [
  'crash',
  'crash all',
  'pause',
  /** Everything that it does takes twenty times as long. */
  'slow',
  /** Its application makes blocks slower than the others wait for one. */
  'slow proposals',
  /** The disk says that it did not write: nobody knows what is there. */
  'sync error',
  'full disk',
  'clock jump',
  'partition',
  'one way',
  /** Each hears its two neighbours. */
  'ring',
  /** Any links, each in one direction. */
  'mask',
  /** A partition that comes and goes. */
  'flapping',
  'narrow links',
  /** More lines than nodes keep. */
  'flood',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Fault {
  readonly atMs: number
  readonly lastsMs: number
  readonly kind: FaultKind
  /** Nodes it is about; of a partition, those on one side. */
  readonly nodes: readonly number[]
  /** Of a mask: from, to. */
  readonly links: readonly (readonly [number, number])[]
  /** Of a clock that jumps. */
  readonly byMs: number
}

export interface Plan {
  readonly seed: number
  readonly powers: readonly bigint[]
  /** Nodes with keys that have no power at first. */
  readonly spares: number
  readonly heights: number
  /** By node. */
  readonly vices: ReadonlyMap<number, Vice>
  readonly links: LinkSetting
  readonly faults: readonly Fault[]
  /** When links become good and nodes stay up. */
  readonly healMs: number
  /** Clocks are ahead or behind by as much. */
  readonly clockSpreadMs: number
  readonly isSlow: boolean
  /** Every three to five heights a validator comes, goes, or has another power. */
  readonly changesValidators: boolean
  /**
   * `one`: clients send to some node, which tells the others over the same bad links. `patient`: to all, and after the first line
   * nothing until all is healed.
   */
  readonly clients: 'all' | 'one' | 'patient'
  /** When the last node begins, which is a spare or else one without a key; null: with all others. */
  readonly joinMs: number | null
  readonly hasExtensions: boolean
  readonly timeRule: ReplicaOptions['timeRule']
  readonly initialHeight: bigint
  /** One node dies at a point that is counted. */
  readonly crashPoint?: CrashPoint
  /** A second node with the key of the first, and who hears whom in the first rounds. */
  readonly twins?: Twins
}

/**
 * Of a life that began with the chain: after so many records, with so much of them on the disk, or before so many effects are
 * performed.
 */
export interface CrashPoint {
  readonly node: number
  readonly after: 'record' | 'effect'
  readonly count: number
  readonly keeps: (typeof CRASH_KEEPS)[number]
}

export const CRASH_KEEPS = ['what was synced', 'everything', 'a torn head', 'a torn body'] as const

/** @source arXiv:2004.10617 (Twins) */
export interface Twins {
  /** Key that two nodes have. */
  readonly key: number
  /** By round: who leads, a key; and the nodes of one side as a bit mask, of which the twin is the last node. Then all is whole. */
  readonly rounds: readonly { readonly leader: number; readonly side: number }[]
}

export interface PlanOptions {
  readonly heights: number
  /** At most so many faults; `always`: every run has that many, and bad links. */
  readonly faults: number
  readonly trouble: 'sometimes' | 'always'
}

export const USUAL_PLAN: PlanOptions = { heights: 20, faults: 10, trouble: 'sometimes' }

export function makePlan(seed: number, options: PlanOptions = USUAL_PLAN): Plan {
  const random = new Random(seed, 'plan')
  const { heights } = options
  const count = random.pick([1, 2, 3, 4, 4, 4, 4, 5, 7])
  const isWeighted = random.chance(0.3)
  const powers = Array.from({ length: count }, () => (isWeighted ? BigInt(5 + random.below(6)) : 10n))
  const vices = pickVices(random, powers)
  const isRough = random.chance(0.7) || options.trouble === 'always'
  const healMs = isRough ? random.between(1000, 12_000) : 0
  const crashPoint: CrashPoint | null = random.chance(0.4)
    ? {
        node: random.below(count),
        after: random.pick(['record', 'effect'] as const),
        count: 1 + random.below(400),
        keeps: random.pick(CRASH_KEEPS),
      }
    : null
  const faultCount = options.trouble === 'always' ? options.faults : isRough ? random.below(options.faults) : 0
  return {
    seed,
    powers,
    heights,
    vices,
    links: isRough ? badLinks(random) : GOOD_LINK,
    faults: Array.from({ length: faultCount }, () => makeFault(random, count, healMs)),
    healMs,
    spares: random.chance(0.4) ? 1 + random.below(2) : 0,
    clockSpreadMs: random.chance(0.5) ? 500 : 0,
    isSlow: random.chance(0.15),
    changesValidators: random.chance(0.4),
    clients: random.chance(0.6) ? 'one' : 'all',
    joinMs: random.chance(0.3) ? random.between(500, 10_000) : null,
    hasExtensions: random.chance(0.2) || [...vices.values()].includes('bad extension'),
    timeRule: random.chance(0.25) ? 'median' : 'proposer',
    initialHeight: random.chance(0.1) ? 1000n : 1n,
    ...(crashPoint === null ? {} : { crashPoint }),
  }
}

/** Of the last nodes, with less than a third of the power. */
function pickVices(random: Random, powers: readonly bigint[]): ReadonlyMap<number, Vice> {
  const vices = new Map<number, Vice>()
  const count = powers.length
  for (let i = 0; i < Math.floor((count - 1) / 3); i++) {
    if (random.chance(0.6)) vices.set(count - 1 - i, random.pick(VICES))
  }
  const total = powers.reduce((sum, power) => sum + power, 0n)
  const faulty = powers.reduce((sum, power, i) => (vices.has(i) ? sum + power : sum), 0n)
  return faulty * 3n < total ? vices : new Map()
}

function badLinks(random: Random): LinkSetting {
  return {
    minMs: 0.1,
    maxMs: random.pick([1, 5, 20, 60]),
    tailChance: random.chance(0.5) ? 0.05 : 0,
    tailMs: random.between(100, 2000),
    loss: random.chance(0.5) ? random.between(0, 0.3) : 0,
    duplication: random.chance(0.5) ? random.between(0, 0.1) : 0,
  }
}

/** Nodes die more often than links, and a fault of 20 seconds is as likely as one of 200 milliseconds. */
const WEIGHTED_KINDS: readonly FaultKind[] = [...FAULT_KINDS, 'crash', 'crash', 'crash all', 'partition', 'partition']
const FAULT_MS_MIN = 100
const FAULT_MS_MAX = 20_000
const JUMP_MS_MAX = 5000

function makeFault(random: Random, count: number, healMs: number): Fault {
  const kind = random.pick(WEIGHTED_KINDS)
  const all = Array.from({ length: count }, (_, node) => node)
  const nodes = all.filter(() => random.chance(0.4))
  const pairs = kind === 'mask' ? all.flatMap((from) => all.map((to) => [from, to] as const)) : []
  return {
    atMs: random.between(0, healMs),
    lastsMs: FAULT_MS_MIN * (FAULT_MS_MAX / FAULT_MS_MIN) ** random.next(),
    kind,
    // One clock jumps, if any.
    nodes: kind === 'clock jump' ? nodes.slice(0, 1) : nodes,
    links: pairs.filter(([from, to]) => from !== to && random.chance(0.4)),
    byMs: kind === 'clock jump' ? random.between(-JUMP_MS_MAX, JUMP_MS_MAX) : 0,
  }
}
