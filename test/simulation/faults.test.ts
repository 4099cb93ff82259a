import { describe, expect, test } from 'vitest'
import { makePlan } from '../../devnet/consensus/simulation/plan.ts'
import { Run, runPlan } from '../../devnet/consensus/simulation/run.ts'
import { expectNone, range, spread, TIMEOUT_MS } from './expect-none.ts'
import { CRASH_PLANS, TWINS_PLANS } from './tiers.ts'

describe('a chain keeps its promises', { timeout: TIMEOUT_MS }, () => {
  test('and goes on when twenty faults are healed', () => {
    expectNone('liveness', range(100, 1))
  })

  test('wherever a node dies while it writes, whatever of that is on the disk', () => {
    expectNone('crash', range(CRASH_PLANS))
  })

  test('when two nodes have the same key, whoever leads', () => {
    expectNone('twins', spread(1000, TWINS_PLANS))
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
  const run = new Run({
    ...makePlan(5),
    powers: [10n, 10n, 10n, 10n],
    vices: new Map(),
    faults: [],
    healMs: 0,
    joinMs: null,
  })
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
