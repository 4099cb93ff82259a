/** What is run of the space of all runs; a number names each. */
import { hasHonest } from '../../devnet/consensus/quorum.ts'
import { InvariantBroken } from '../../devnet/consensus/simulation/invariants.ts'
import { GOOD_LINK } from '../../devnet/consensus/simulation/network.ts'
import { makePlan, type Plan, Run, type RunResult, USUAL_PLAN } from '../../devnet/consensus/simulation/run.ts'
import { type Failure, shrink } from '../../devnet/consensus/simulation/shrink.ts'

export const TIERS = {
  /** Any number of nodes, less than a third faulty, any faults of links, disks and clocks. */
  mixed: (seed: number) => makePlan(seed),
  deep: (seed: number) => makePlan(seed, { ...USUAL_PLAN, heights: 30 }),
  /** Twenty faults each, then all is healed and the chain must go on. */
  liveness: (seed: number) => makePlan(seed, { heights: 4, faults: 20, trouble: 'always' }),
  crash: crashPlan,
  twins: twinsPlan,
  /** Half of the power is faulty: forks happen, and the guilty must be known. */
  accountability: (seed: number): Plan => ({
    ...QUIET,
    seed,
    heights: 3,
    vices: new Map([
      [2, 'two faces'],
      [3, 'two faces'],
    ]),
  }),
} as const satisfies Record<string, (number: number) => Plan>
export type Tier = keyof typeof TIERS

const QUIET: Plan = {
  seed: 0,
  powers: [10n, 10n, 10n, 10n],
  spares: 0,
  heights: 4,
  vices: new Map(),
  links: GOOD_LINK,
  faults: [],
  healMs: 0,
  clockSpreadMs: 0,
  isSlow: false,
  changesValidators: false,
  timeRule: 'proposer',
  initialHeight: 1n,
}

const CRASH_NODES = 4
const CRASH_RECORDS = 60
const KEEPS = ['what was synced', 'everything', 'a torn head', 'a torn body'] as const
export const CRASH_PLANS = CRASH_NODES * CRASH_RECORDS * KEEPS.length

function crashPlan(number: number): Plan {
  const keeps = KEEPS[number % KEEPS.length]!
  const rest = Math.floor(number / KEEPS.length)
  const crashPoint = { node: rest % CRASH_NODES, record: 1 + (Math.floor(rest / CRASH_NODES) % CRASH_RECORDS), keeps }
  return { ...QUIET, seed: number, heights: 7, crashPoint }
}

const SIDES = 16
const TWINS_ROUNDS = 3
/** Of a round that times out in every step. */
const TWINS_ROUND_MS = 430
export const TWINS_PLANS = 4 * SIDES ** TWINS_ROUNDS

/** Each validator as the twin, which changes in which round it leads; in each of three rounds any of the ways to part five nodes in two. */
function twinsPlan(number: number): Plan {
  const sides = Array.from({ length: TWINS_ROUNDS }, (_, round) => Math.floor(number / 4 / SIDES ** round) % SIDES)
  return {
    ...QUIET,
    seed: number,
    heights: 2,
    twins: { key: number % 4, sides, lastsMs: TWINS_ROUND_MS },
    healMs: TWINS_ROUNDS * TWINS_ROUND_MS,
  }
}

export interface Campaign {
  readonly runs: number
  readonly events: number
  /** Runs in which honest nodes decided different blocks: only where the faulty hold too much. */
  readonly forks: number
  readonly failures: readonly Failure[]
  readonly coverage: ReadonlyMap<string, number>
  readonly results: readonly RunResult[]
}

export function runCampaign(tier: Tier, numbers: Iterable<number>): Campaign {
  const failures: Failure[] = []
  const coverage = new Map<string, number>()
  const results: RunResult[] = []
  let runs = 0
  let events = 0
  let forks = 0
  /** Half of the power can fork a chain or stop it, but not without showing who they are. */
  const blame = (run: Run, failure: Failure): void => {
    if (failure.invariant === 'I11') return
    if (failure.invariant !== 'I1') failures.push(failure)
    forks++
    const guilty = run.invariants.equivocators
    const power = BigInt(guilty.size) * 10n
    if (!hasHonest(power, 40n)) failures.push({ ...failure, message: `a fork, and ${guilty.size} are guilty` })
  }
  for (const number of numbers) {
    runs++
    const plan = TIERS[tier](number)
    const run = new Run(plan)
    try {
      const result = run.finish()
      results.push(result)
      events += result.events
      for (const [name, count] of result.coverage) coverage.set(name, (coverage.get(name) ?? 0) + count)
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error
      const failure = { plan, invariant: error.invariant, message: error.message }
      if (tier !== 'accountability') failures.push(failure)
      else blame(run, failure)
    }
  }
  return { runs, events, forks, failures, coverage, results }
}

/** What a person needs to see the failure again. */
export function explainFailure(tier: Tier, failure: Failure): string {
  const { plan, message } = shrink(failure)
  const { seed, powers, heights, vices, faults, links, crashPoint, twins } = plan
  const shrunk = { powers: powers.map(String), heights, vices: [...vices], faults, links, crashPoint, twins }
  return `${message}\n  again: npm run simulate -- ${tier} ${seed}\n  made smaller: ${JSON.stringify(shrunk)}`
}
