/** What is run of the space of all runs; a number names each. */
import { hasHonest } from '../../devnet/consensus/quorum.ts'
import { InvariantBroken } from '../../devnet/consensus/simulation/invariants.ts'
import { GOOD_LINK } from '../../devnet/consensus/simulation/network.ts'
import { CRASH_KEEPS, makePlan, type Plan, USUAL_PLAN } from '../../devnet/consensus/simulation/plan.ts'
import { Run, type RunResult } from '../../devnet/consensus/simulation/run.ts'
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
  clients: 'all',
  joinMs: null,
  hasExtensions: false,
  timeRule: 'proposer',
  initialHeight: 1n,
}

const CRASH_NODES = 4
const CRASH_POINTS = 60
/** After each record, with each of what may be left of it. */
export const CRASH_RECORD_PLANS = CRASH_NODES * CRASH_POINTS * CRASH_KEEPS.length
/** Then before each effect, with what was synced or everything. */
export const CRASH_PLANS = CRASH_RECORD_PLANS + CRASH_NODES * CRASH_POINTS * 2

function crashPlan(number: number): Plan {
  const isRecord = number < CRASH_RECORD_PLANS
  const among = isRecord ? CRASH_KEEPS.length : 2
  const left = isRecord ? number : number - CRASH_RECORD_PLANS
  const at = Math.floor(left / among)
  const crashPoint = {
    node: at % CRASH_NODES,
    after: isRecord ? 'record' : 'effect',
    count: 1 + (Math.floor(at / CRASH_NODES) % CRASH_POINTS),
    keeps: CRASH_KEEPS[left % among]!,
  } as const
  return { ...QUIET, seed: number, heights: 7, crashPoint }
}

const TWINS_ROUNDS = 3
const SIDES = 16
const LEADERS = 4
/** Until three rounds have run out of time in every step. */
const TWINS_MS = 2400
/** One validator is there twice; in each of three rounds any leads, and any of the ways to part five nodes in two. */
export const TWINS_PLANS = (SIDES * LEADERS) ** TWINS_ROUNDS

function twinsPlan(number: number): Plan {
  const rounds = Array.from({ length: TWINS_ROUNDS }, (_, round) => {
    const choice = Math.floor(number / (SIDES * LEADERS) ** round) % (SIDES * LEADERS)
    return { leader: choice % LEADERS, side: Math.floor(choice / LEADERS) }
  })
  return { ...QUIET, seed: number, heights: 2, clients: 'patient', twins: { key: 0, rounds }, healMs: TWINS_MS }
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
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error
      const failure = { plan, invariant: error.invariant, message: error.message }
      if (tier !== 'accountability') failures.push(failure)
      else blame(run, failure)
    }
    for (const [name, count] of run.coverage.counts) coverage.set(name, (coverage.get(name) ?? 0) + count)
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
