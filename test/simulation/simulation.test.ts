/** Runs of whole networks from seeds. A failure prints the command that runs it again, and a smaller plan that fails alike. */
import { describe, expect, test } from 'vitest'
import { makePlan, Run, runPlan } from '../../devnet/consensus/simulation/run.ts'
import { CRASH_PLANS, explainFailure, runCampaign, type Tier, TWINS_PLANS } from './tiers.ts'

const TIMEOUT_MS = 600_000

function expectNone(tier: Tier, numbers: readonly number[]) {
  const campaign = runCampaign(tier, numbers)
  expect(campaign.failures.map((failure) => explainFailure(tier, failure))).toEqual([])
  expect(campaign.runs).toBe(numbers.length)
  return campaign
}

function range(count: number, first = 0, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => first + i * step)
}

/** Every rule, and each way in which it can end that honest replicas meet. */
const COVERED = [
  ...['R0 propose', 'R0 repropose', 'R0 wait', 'R1 block', 'R1 nil', 'R1 nil-locked', 'R2 block', 'R3 wait'],
  ...['R4 lock', 'R4 relock', 'R4 move', 'R4 valid-only', 'R5 unlocked', 'R6 wait', 'R7 current', 'R7 past'],
  ...['R8 first', 'R8 later', 'R9 nil', 'R10 nil', 'R11 next'],
]

describe('a chain keeps its promises', { timeout: TIMEOUT_MS }, () => {
  test('under 300 mixtures of faults, with up to a third faulty', () => {
    const { coverage } = expectNone('mixed', range(300, 1))
    expect(COVERED.filter((name) => !coverage.has(name))).toEqual([])
  })

  test('and goes on when twenty faults are healed', () => {
    expectNone('liveness', range(100, 1))
  })

  test('wherever a node dies while it writes, whatever of that is on the disk', () => {
    expectNone('crash', range(CRASH_PLANS))
  })

  test('when two nodes have the same key', () => {
    expectNone('twins', range(1000, 0, Math.floor(TWINS_PLANS / 1000)))
  })

  test('and forks with half of it faulty only if that shows who they are', () => {
    const { forks } = expectNone('accountability', range(20, 1))
    expect(forks).toBeGreaterThan(0)
  })
})

test('the same seed gives the same run, event by event', () => {
  for (const seed of [3, 17, 40]) {
    const [first, second] = [runPlan(makePlan(seed)), runPlan(makePlan(seed))]
    expect(second.logHash).toBe(first.logHash)
    expect(second.events).toBe(first.events)
  }
  expect(runPlan(makePlan(3)).logHash).not.toBe(runPlan(makePlan(17)).logHash)
})

test('a node whose application answers differently is found out', () => {
  const run = new Run({ ...makePlan(5), powers: [10n, 10n, 10n, 10n], vices: new Map(), faults: [], healMs: 0 })
  const odd = run.nodes[2]!
  const apply = odd.apply.bind(odd)
  odd.apply = (state, decision, applied) => {
    if (decision.block.header.height === state.initialHeight + 3n) {
      odd.ledger = { ...odd.ledger, digest: Uint8Array.from(odd.ledger.digest, (byte) => byte ^ 1) }
    }
    apply(state, decision, applied)
  }
  expect(() => run.finish()).toThrow(expect.objectContaining({ invariant: 'I4' }))
})
