/**
 * The tiers that take long: `npm run test:deep` runs them all, `npm run simulate -- deep-tiers [T3|T4|T7|T8…]` some. One line of JSON each.
 *
 * `TROUPE_DEEP_TWINS` says how many of the 262,144 ways to set twins against the others are run (default 10,000, evenly spread), and
 * `TROUPE_DEEP_TWINS_FIRST` where to begin: then they are run one after the other, and `next` is where to go on. `TROUPE_DEEP_FIRST` and
 * `TROUPE_DEEP_SEEDS` are the first seed of T4 and how many.
 *
 * @source spec consensus §8.4
 */
import { step } from '../../devnet/consensus/round.ts'
import { missingIn } from './required-coverage.ts'
import { search, USUAL_SEARCH } from './search.ts'
import { explainFailure, runCampaign, type Tier, TWINS_PLANS } from './tiers.ts'

const BATCH = 200
const DEEP_SEEDS = Number(process.env['TROUPE_DEEP_SEEDS'] ?? 2000)
const DEEP_FIRST = Number(process.env['TROUPE_DEEP_FIRST'] ?? 1)
const TWINS_SAMPLE = 10_000
/** Of fewer runs nobody expects that everything happens. */
const COVERED_RUNS = 200
const ACCOUNTABILITY_SEEDS = 200
/** In the round that the faulty validator leads; null: in none. Of each, all that there is. */
const SEARCHES = [null, 0, 1] as const

export interface DeepTier {
  readonly name: string
  /** Answers how many things were found. */
  readonly run: () => number
}

export const DEEP_TIERS: readonly DeepTier[] = [
  { name: 'T3', run: runTwins },
  { name: 'T4', run: () => runSeeds('T4', 'deep', seeds(DEEP_SEEDS, DEEP_FIRST), { first: DEEP_FIRST }) },
  { name: 'T7', run: () => runSeeds('T7', 'accountability', seeds(ACCOUNTABILITY_SEEDS)) },
  { name: 'T8', run: runSearches },
]

function seeds(count: number, first = 1): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}

function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function runTwins(): number {
  const count = Math.min(Number(process.env['TROUPE_DEEP_TWINS'] ?? TWINS_SAMPLE), TWINS_PLANS)
  const first = process.env['TROUPE_DEEP_TWINS_FIRST']
  const numbers =
    first === undefined
      ? Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * TWINS_PLANS) / count))
      : Array.from({ length: count }, (_, i) => (Number(first) + i) % TWINS_PLANS)
  const next = first === undefined ? {} : { next: Number(first) + count }
  return runSeeds('T3', 'twins', numbers, { of: TWINS_PLANS, ...next })
}

function runSeeds(
  name: string,
  tier: Tier,
  numbers: readonly number[],
  more: Readonly<Record<string, unknown>> = {},
): number {
  const began = performance.now()
  let findings = 0
  let events = 0
  let forks = 0
  const coverage = new Map<string, number>()
  for (let at = 0; at < numbers.length; at += BATCH) {
    const campaign = runCampaign(tier, numbers.slice(at, at + BATCH))
    findings += campaign.failures.length
    events += campaign.events
    forks += campaign.forks
    for (const [counter, count] of campaign.coverage) coverage.set(counter, (coverage.get(counter) ?? 0) + count)
    for (const failure of campaign.failures) process.stderr.write(`${explainFailure(tier, failure)}\n`)
    if (process.env['TROUPE_DEEP_PROGRESS'] !== undefined) {
      process.stderr.write(`${name} ${Math.min(at + BATCH, numbers.length)}/${numbers.length} ${findings}\n`)
    }
  }
  const seconds = (performance.now() - began) / 1000
  const perRun = seconds / numbers.length
  const all = 'of' in more ? { hoursForAll: Math.round((perRun * Number(more['of'])) / 360) / 10 } : {}
  const never = numbers.length >= COVERED_RUNS ? missingIn(tier, coverage) : []
  say({
    tier: name,
    runs: numbers.length,
    ...more,
    events,
    forks,
    findings,
    never,
    seconds: Math.round(seconds),
    ...all,
  })
  return findings + never.length
}

function runSearches(): number {
  let findings = 0
  for (const faultyLeads of SEARCHES) {
    const began = performance.now()
    const { states, nodeStates, decided, isComplete, broken } = search({ ...USUAL_SEARCH, faultyLeads, step })
    const seconds = Math.round((performance.now() - began) / 1000)
    say({ tier: 'T8', faultyLeads, rounds: USUAL_SEARCH.rounds, states, nodeStates, decided, isComplete, seconds })
    if (broken === null) continue
    findings++
    process.stderr.write(`${broken.promise}\n  ${broken.path.join('\n  ')}\n`)
  }
  return findings
}
