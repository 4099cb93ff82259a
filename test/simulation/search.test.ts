import { describe, expect, test } from 'vitest'
import { step } from '../../devnet/consensus/round.ts'
import type { VoteKeeper } from '../../devnet/consensus/vote-keeper.ts'
import type { VoteSet } from '../../devnet/consensus/vote-set.ts'
import { search, USUAL_SEARCH } from './search.ts'

describe('everything that can happen in one height', () => {
  test.each([
    ['honest', null, false],
    ['honest, of two blocks one is refused', null, true],
    ['faulty', 0, false],
    ['faulty, of two blocks one is refused', 0, true],
  ] as const)('in one round, its proposer %s: no promise is broken', (_, faultyLeads, refusesSecond) => {
    const result = search({ ...USUAL_SEARCH, rounds: 1, faultyLeads, refusesSecond })
    expect(result.broken).toBeNull()
    expect(result.isComplete).toBe(true)
    expect(result.decided).toBeGreaterThan(20)
  })

  test('shows a rule that forgets locks, and the way to where it breaks', () => {
    const result = search({
      ...USUAL_SEARCH,
      order: 'deep',
      step: (state, input) => step({ ...state, locked: null }, input),
    })
    expect(result.broken?.promise).toMatch(/^lock: /)
    expect(result.broken?.path.length).toBeGreaterThan(3)
  })

  test('shows votes that are counted against half of the power', () => {
    const weak: typeof step = (state, input) => step({ ...state, keeper: halve(state.keeper) }, input)
    const result = search({ ...USUAL_SEARCH, rounds: 1, faultyLeads: 0, step: weak })
    expect(result.broken?.promise).toMatch(/^agreement: /)
  })
})

/** Every count believes that there is half as much power as there is. */
function halve(keeper: VoteKeeper): VoteKeeper {
  const weaken = (set: VoteSet): VoteSet => ({ ...set, validators: { ...set.validators, totalVotingPower: 20n } })
  const rounds = [...keeper.rounds].map(
    ([round, { prevotes, precommits }]) =>
      [round, { prevotes: weaken(prevotes), precommits: weaken(precommits) }] as const,
  )
  return { ...keeper, rounds: new Map(rounds) }
}
