/**
 * The tiers that take long: `npm run test:deep` runs them all, `npm run simulate -- deep-tiers [T3|T4|T7|T8…]` some. One line of JSON each.
 *
 * `TROUPE_DEEP_TWINS` says how many of the 16,384 ways to set twins against the others are run (default: all; fewer are
 * evenly spread), and
 * `TROUPE_DEEP_TWINS_FIRST` where to begin: then they are run one after the other, and `next` is where to go on.
 *
 * @source spec consensus §8.4
 */
import { step } from '../../devnet/consensus/round.ts'
import { search, USUAL_SEARCH } from './search.ts'
import { explainFailure, runCampaign, type Tier, TWINS_PLANS } from './tiers.ts'

const BATCH = 200
const DEEP_SEEDS = 2000
const ACCOUNTABILITY_SEEDS = 200
const SEARCHES = [
  { faultyLeads: null, statesMax: 700_000 },
  { faultyLeads: 0, statesMax: 650_000 },
  { faultyLeads: 1, statesMax: 650_000 },
] as const

export interface DeepTier {
  readonly name: string
  /** Answers how many things were found. */
  readonly run: () => number
}

export const DEEP_TIERS: readonly DeepTier[] = [
  { name: 'T3', run: runTwins },
  { name: 'T4', run: () => runSeeds('T4', 'deep', seeds(DEEP_SEEDS)) },
  { name: 'T7', run: () => runSeeds('T7', 'accountability', seeds(ACCOUNTABILITY_SEEDS)) },
  { name: 'T8', run: runSearches },
]

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function runTwins(): number {
  const count = Math.min(Number(process.env['TROUPE_DEEP_TWINS'] ?? TWINS_PLANS), TWINS_PLANS)
  const first = Number(process.env['TROUPE_DEEP_TWINS_FIRST'] ?? -1)
  const stride = first >= 0 ? 1 : Math.floor(TWINS_PLANS / count)
  const numbers = Array.from({ length: count }, (_, i) => (Math.max(first, 0) + i * stride) % TWINS_PLANS)
  return runSeeds('T3', 'twins', numbers, { of: TWINS_PLANS, ...(first >= 0 ? { next: first + count } : { stride }) })
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
  for (let at = 0; at < numbers.length; at += BATCH) {
    const campaign = runCampaign(tier, numbers.slice(at, at + BATCH))
    findings += campaign.failures.length
    events += campaign.events
    forks += campaign.forks
    for (const failure of campaign.failures) process.stderr.write(`${explainFailure(tier, failure)}\n`)
    if (process.env['TROUPE_DEEP_PROGRESS'] !== undefined) {
      process.stderr.write(`${name} ${Math.min(at + BATCH, numbers.length)}/${numbers.length} ${findings}\n`)
    }
  }
  const seconds = (performance.now() - began) / 1000
  const perRun = seconds / numbers.length
  const all = 'of' in more ? { hoursForAll: Math.round((perRun * Number(more['of'])) / 360) / 10 } : {}
  say({ tier: name, runs: numbers.length, ...more, events, forks, findings, seconds: Math.round(seconds), ...all })
  return findings
}

function runSearches(): number {
  const began = performance.now()
  let states = 0
  let decided = 0
  let findings = 0
  for (const { faultyLeads, statesMax } of SEARCHES) {
    const result = search({ ...USUAL_SEARCH, faultyLeads, statesMax, step })
    states += result.states
    decided += result.decided
    if (result.broken === null) continue
    findings++
    process.stderr.write(`${result.broken.promise}\n  ${result.broken.path.join('\n  ')}\n`)
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  say({ tier: 'T8', rounds: USUAL_SEARCH.rounds, states, decided, findings, seconds })
  return findings
}
