import { describe, expect, test } from 'vitest'
import { missingBlocks } from '../../../devnet/consensus/round.ts'
import { judgeVote, ROUNDS_AHEAD_MAX, ROUNDS_KEPT } from '../../../devnet/consensus/vote-keeper.ts'
import { PRECOMMIT, PREVOTE } from '../../../devnet/consensus/wire.ts'
import { RoundBench } from './round-bench.ts'

const FOUR = [10n, 10n, 10n, 10n]

/** A validator that proposes in none of the first rounds unless asked for. */
function bench(powers: readonly bigint[] = FOUR, self: number | null = 3): RoundBench {
  return new RoundBench(powers, self)
}

describe('a height without trouble', () => {
  test('the proposer of the round proposes, the others wait for it', () => {
    const proposer = bench().proposerOf(0)
    const own = new RoundBench(FOUR, proposer).begin()
    expect(own.kinds()).toEqual(['round', 'timer', 'propose'])
    const other = new RoundBench(FOUR, (proposer + 1) % 4).begin()
    expect(other.kinds()).toEqual(['round', 'timer'])
  })

  test('a good proposal is prevoted, a polka precommitted, and two thirds of the precommits decide', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    expect(rounds.offer(0, v).votesAsked({ v })).toEqual(['prevote 0 v'])
    expect(rounds.echo().prevote(0, [0, 1], v).votesAsked({ v })).toEqual(['precommit 0 v'])
    rounds.echo().precommit(0, [0], v)
    expect(rounds.decided).toBeUndefined()
    rounds.precommit(0, [1], v)
    expect(rounds.decided).toBe(v.blockId.hash)
    expect(rounds.kinds()).toContain('decide')
  })

  test('a single validator decides alone', () => {
    const rounds = bench([7n], 0).begin()
    const v = rounds.block('v')
    rounds.offer(0, v).echo()
    expect(rounds.decided).toBe(v.blockId.hash)
  })

  test('an observer follows without a vote', () => {
    const rounds = bench(FOUR, null).begin()
    const v = rounds.block('v')
    expect(rounds.offer(0, v).votesAsked()).toEqual([])
    rounds.prevote(0, [0, 1, 2], v).precommit(0, [0, 1, 2], v)
    expect(rounds.decided).toBe(v.blockId.hash)
  })

  test('it may start at any height', () => {
    const rounds = new RoundBench(FOUR, 3, 1000n).begin()
    const v = rounds.block('v')
    rounds.offer(0, v).prevote(0, [0, 1, 2], v).precommit(0, [0, 1, 2], v)
    expect(rounds.state.keeper.height).toBe(1000n)
    expect(rounds.decided).toBe(v.blockId.hash)
  })
})

describe('a round without a block', () => {
  test('whose proposer is down ends with nil, and the next one decides', () => {
    const rounds = bench().begin()
    expect(rounds.timeout('propose', 0).votesAsked()).toEqual(['prevote 0 nil'])
    expect(rounds.echo().prevote(0, [0, 1], null).votesAsked()).toEqual(['precommit 0 nil'])
    rounds.echo().precommit(0, [0, 1], null).timeout('precommit', 0)
    const v = rounds.block('v')
    expect(rounds.offer(1, v).votesAsked({ v })).toEqual(['prevote 1 v'])
    rounds.echo().prevote(1, [0, 1], v).echo().precommit(1, [0, 1], v)
    expect(rounds.decided).toBe(v.blockId.hash)
    expect(rounds.state.decided?.round).toBe(1)
  })
})

describe('waiting for something to propose', () => {
  test('nothing happens until it begins, a proposal comes, or an honest validator is there', () => {
    const idle = bench()
    expect(idle.state.round).toBe(-1)
    expect(bench().begin().state.round).toBe(0)
    expect(bench().proposal(0, idle.block('v')).state.round).toBe(0)
    expect(bench().prevote(0, [0], null).state.round).toBe(-1)
    expect(bench().prevote(0, [0, 1], null).state.round).toBe(0)
  })

  test('begin is heard once', () => {
    const rounds = bench().begin()
    expect(rounds.begin().effects).toEqual([])
  })
})

describe('the propose step', () => {
  test('a proposal that the application rejects is prevoted nil', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    expect(rounds.proposal(0, v).body(v, 'rejected').votesAsked()).toEqual(['prevote 0 nil'])
  })

  test('a block that does not follow from the chain is prevoted nil', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    expect(rounds.proposal(0, v).body(v, 'malformed').votesAsked()).toEqual(['prevote 0 nil'])
  })

  test('while a block is being judged nothing is voted, and the timer goes on', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    expect(rounds.proposal(0, v).body(v, null).votesAsked()).toEqual([])
    expect(rounds.timeout('propose', 0).votesAsked()).toEqual(['prevote 0 nil'])
    expect(rounds.verdict(v, 'accepted').votesAsked()).toEqual([])
  })

  test('a block that is there before its proposal is judged once, and voted for when the proposal comes', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    expect(rounds.body(v).votesAsked()).toEqual([])
    expect(rounds.proposal(0, v).votesAsked({ v })).toEqual(['prevote 0 v'])
    expect(rounds.kinds()).not.toContain('validate')
  })

  test('no proposal in time is prevoted nil', () => {
    const rounds = bench().begin()
    expect(rounds.timeout('propose', 0).votesAsked()).toEqual(['prevote 0 nil'])
  })

  test('a proposal after the nil prevote changes nothing', () => {
    const rounds = bench().begin().timeout('propose', 0)
    expect(rounds.offer(0, rounds.block('v')).votesAsked()).toEqual([])
  })

  test('a block from too far in the future of this clock is prevoted nil; later rounds forgive more', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    const early = v.block.header.time - 600_000_000n
    expect(rounds.proposal(0, v, -1, early).body(v).votesAsked()).toEqual(['prevote 0 nil'])
    rounds.precommit(0, [0, 1, 2], null).timeout('precommit', 0)
    rounds.precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.proposal(2, v, -1, early).votesAsked({ v })).toEqual(['prevote 2 v'])
  })

  test('the first proposal of a round counts', () => {
    const rounds = bench().begin()
    const [v, w] = [rounds.block('v'), rounds.block('w')]
    rounds.proposal(0, v)
    expect(rounds.proposal(0, w).effects).toEqual([])
    expect(missingBlocks(rounds.state).map(({ hash }) => hash)).toEqual([v.blockId.hash])
  })

  test.each([
    ['of a later round than the next', 2, -1],
    ['whose proof is of its own round', 0, 0],
    ['whose proof is of a later round', 0, 3],
    ['with a round below zero', -1, -1],
  ])('a proposal %s is not looked at', (_, round, polRound) => {
    const rounds = bench().begin()
    expect(rounds.proposal(round, rounds.block('v'), polRound).effects).toEqual([])
    expect(rounds.state.proposals.size).toBe(0)
  })
})

describe('locks', () => {
  /** Locked on v in round 0, and in round 1. */
  function locked() {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0, 1], v).echo()
    expect(rounds.state.locked?.round).toBe(0)
    rounds.precommit(0, [0, 1], null).timeout('precommit', 0)
    expect(rounds.state.round).toBe(1)
    return { rounds, v, w: rounds.block('ww') }
  }

  test('another block without a proof is prevoted nil', () => {
    const { rounds, w } = locked()
    expect(rounds.offer(1, w).votesAsked()).toEqual(['prevote 1 nil'])
  })

  test('the same header in other parts is another block', () => {
    const { rounds, v } = locked()
    const other = { ...v, blockId: { ...v.blockId, partSetHeader: { total: 2, hash: 'p'.repeat(32) } } }
    expect(rounds.proposal(1, other).body(other).votesAsked()).toEqual(['prevote 1 nil'])
  })

  test('a polka for the same header in other parts is no proof', () => {
    const { rounds, w } = locked()
    const other = { ...w, blockId: { ...w.blockId, partSetHeader: { total: 2, hash: 'p'.repeat(32) } } }
    rounds.timeout('propose', 1).echo().prevote(1, [0, 1, 2], other)
    rounds.precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.offer(2, w, 1).votesAsked()).toEqual([])
  })

  test('a lock that others hid is followed once its proof is here', () => {
    // Others locked w in round 1, unseen by this node, which is locked on v since round 0.
    const { rounds, w } = locked()
    rounds.timeout('propose', 1).precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.offer(2, w, 1).votesAsked()).toEqual([])
    expect(rounds.prevote(1, [0, 1], w).votesAsked()).toEqual([])
    expect(rounds.prevote(1, [2], w).votesAsked({ w })).toEqual(['prevote 2 w'])
    rounds.echo().prevote(2, [0, 1], w)
    expect(rounds.votesAsked({ w })).toEqual(['precommit 2 w'])
    expect(rounds.state.locked).toEqual({ round: 2, blockId: w.blockId })
  })

  test('the same block is prevoted again, and locked anew', () => {
    const { rounds, v } = locked()
    expect(rounds.offer(1, v).votesAsked({ v })).toEqual(['prevote 1 v'])
    rounds.echo().prevote(1, [0, 1], v)
    expect(rounds.state.locked?.round).toBe(1)
  })

  test('a nil polka does not unlock', () => {
    const { rounds, w } = locked()
    rounds.prevote(1, [0, 1, 2], null).timeout('propose', 1)
    expect(rounds.votesAsked()).toEqual(['prevote 1 nil', 'precommit 1 nil'])
    expect(rounds.state.locked?.round).toBe(0)
    rounds.precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.offer(2, w).votesAsked()).toEqual(['prevote 2 nil'])
  })

  test('a block with a proof from the round of the lock or later is prevoted', () => {
    const { rounds, w } = locked()
    rounds.timeout('propose', 1).echo().prevote(1, [0, 1, 2], w)
    rounds.precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.offer(2, w, 1).votesAsked({ w })).toEqual(['prevote 2 w'])
  })

  test('a proof from before the lock does not move it', () => {
    const rounds = bench().begin()
    const [v, w] = [rounds.block('v'), rounds.block('ww')]
    rounds.timeout('propose', 0).prevote(0, [0, 1, 2], w)
    rounds.precommit(0, [0, 1, 2], null).timeout('precommit', 0)
    rounds.offer(1, v).echo().prevote(1, [0, 1], v).echo()
    expect(rounds.state.locked?.round).toBe(1)
    rounds.precommit(1, [0, 1], null).timeout('precommit', 1)
    expect(rounds.offer(2, w, 0).votesAsked()).toEqual(['prevote 2 nil'])
  })

  test('a proof that is not there is waited for', () => {
    const { rounds, w } = locked()
    rounds.precommit(1, [0, 1, 2], null).timeout('precommit', 1)
    expect(rounds.offer(2, w, 1).votesAsked()).toEqual([])
    expect(rounds.prevote(1, [0, 1, 2], w).votesAsked({ w })).toEqual(['prevote 2 w'])
  })

  test('a proof of a round that was skipped is taken when a proposal names it', () => {
    const rounds = bench()
    const v = rounds.block('v')
    // Others are in round 3 when this node hears of the height.
    rounds.prevote(3, [0, 1], null)
    expect(rounds.state.round).toBe(3)
    expect(rounds.offer(3, v, 1).votesAsked()).toEqual([])
    expect(rounds.prevote(1, [0, 1, 2], v).votesAsked({ v })).toEqual(['prevote 3 v'])
  })

  test('a polka moves the lock to another block', () => {
    const { rounds, w } = locked()
    rounds.offer(1, w).echo().prevote(1, [0, 1, 2], w)
    expect(rounds.votesAsked({ w })).toEqual(['precommit 1 w'])
    expect(rounds.state.locked).toEqual({ round: 1, blockId: w.blockId })
  })

  test('a polka after the precommit makes the block valid, not locked', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0], v).prevote(0, [1], null).timeout('prevote', 0)
    expect(rounds.votesAsked()).toEqual(['precommit 0 nil'])
    rounds.prevote(0, [2], v)
    expect(rounds.state.locked).toBeNull()
    expect(rounds.state.valid).toEqual({ round: 0, blockId: v.blockId })
  })

  test('the proposer proposes what it knows to be valid, with the round of its proof', () => {
    const second = bench().proposerOf(0)
    const probe = new RoundBench(FOUR, second).begin()
    const self = probe.proposerOf(1)
    const rounds = new RoundBench(FOUR, self).begin()
    const v = rounds.block('v')
    const others = [0, 1, 2, 3].filter((i) => i !== self)
    rounds.offer(0, v).echo().prevote(0, others.slice(0, 2), v).echo()
    rounds.precommit(0, others, null).timeout('precommit', 0)
    const propose = rounds.effects.find((effect) => effect.kind === 'propose')
    expect(propose).toEqual({ kind: 'propose', round: 1, valid: { round: 0, blockId: v.blockId } })
  })

  test('a polka for a block that is refused here is an alarm and a nil precommit', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.proposal(0, v).body(v, 'rejected').echo().prevote(0, [0, 1, 2], v)
    expect(rounds.votesAsked()).toEqual(['precommit 0 nil'])
    expect(rounds.kinds()).toContain('alarm')
    expect(rounds.state.locked).toBeNull()
  })
})

describe('quorums', () => {
  test('exactly two thirds are not enough', () => {
    const rounds = bench([1n, 1n, 1n], 2).begin()
    const v = rounds.block('v')
    rounds.offer(0, v).prevote(0, [0, 1], v)
    expect(rounds.state.step).toBe('prevote')
    expect(rounds.prevote(0, [2], v).votesAsked({ v })).toEqual(['precommit 0 v'])
  })

  test('power counts, not heads', () => {
    const rounds = bench([70n, 10n, 10n, 10n], 3).begin()
    const v = rounds.block('v')
    rounds.offer(0, v).prevote(0, [0], v).precommit(0, [0], v)
    expect(rounds.decided).toBe(v.blockId.hash)
  })

  test('one validator with more than a third can stop the others', () => {
    const rounds = bench([40n, 20n, 20n, 20n], 3).begin()
    const v = rounds.block('v')
    rounds.offer(0, v).prevote(0, [1, 2, 3], v)
    expect(rounds.votesAsked()).toEqual([])
  })

  test('votes for different blocks make no quorum for either, but end the waiting', () => {
    const rounds = bench().begin()
    const [v, w] = [rounds.block('v'), rounds.block('ww')]
    rounds.offer(0, v).echo().prevote(0, [0], w).prevote(0, [1], null)
    expect(rounds.effects).toContainEqual({ kind: 'timer', step: 'prevote', round: 0 })
    expect(rounds.timeout('prevote', 0).votesAsked()).toEqual(['precommit 0 nil'])
  })

  test('a quorum that was complete before the step counts when the step comes', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.prevote(0, [0, 1, 2], v)
    expect(rounds.votesAsked()).toEqual([])
    expect(rounds.offer(0, v).votesAsked({ v })).toEqual(['prevote 0 v', 'precommit 0 v'])
  })

  test('each waiting begins once', () => {
    const rounds = bench().begin().timeout('propose', 0).echo()
    rounds.prevote(0, [0], null).prevote(0, [1], rounds.block('v')).prevote(0, [2], rounds.block('ww'))
    const timers = rounds.all.filter((effect) => effect.kind === 'timer' && effect.step === 'prevote')
    expect(timers).toHaveLength(1)
  })

  test('nil and a block do not add up', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0, 1], null).prevote(0, [2], v)
    expect(rounds.votesAsked()).toEqual([])
    rounds.precommit(0, [0], null).precommit(0, [1, 2], v)
    expect(rounds.decided).toBeUndefined()
  })

  test('each waiting for precommits begins once', () => {
    const rounds = bench().begin()
    rounds.precommit(0, [0, 1, 2], null).precommit(0, [3], null)
    const timers = rounds.all.filter((effect) => effect.kind === 'timer' && effect.step === 'precommit')
    expect(timers).toHaveLength(1)
  })

  test('a second vote of one validator is evidence and does not count', () => {
    const rounds = bench().begin()
    const [v, w] = [rounds.block('v'), rounds.block('ww')]
    rounds.offer(0, v).prevote(0, [0], w).prevote(0, [0], v)
    expect(rounds.kinds()).toContain('evidence')
    rounds.prevote(0, [1], v)
    expect(rounds.votesAsked()).toEqual([])
  })

  test('it counts when a peer has shown that the block has two thirds', () => {
    const rounds = bench().begin()
    const [v, w] = [rounds.block('v'), rounds.block('ww')]
    rounds.offer(0, v).echo().prevote(0, [0], w)
    rounds.put({ kind: 'claim', peer: 'p', round: 0, type: PREVOTE, blockId: v.blockId })
    rounds.prevote(0, [0, 1], v)
    expect(rounds.votesAsked({ v })).toEqual(['precommit 0 v'])
  })
})

describe('deciding', () => {
  test('a block of a past round', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0, 1], v).precommit(0, [0, 1], v).precommit(0, [2], null)
    rounds.timeout('precommit', 0)
    expect(rounds.state.round).toBe(1)
    rounds.precommit(0, [3], v)
    expect(rounds.decided).toBe(v.blockId.hash)
  })

  test('a block of a round that is still ahead', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.precommit(1, [0, 1, 2], v)
    expect(rounds.decided).toBeUndefined()
    expect(missingBlocks(rounds.state).map(({ hash }) => hash)).toEqual([v.blockId.hash])
    rounds.body(v)
    expect(rounds.decided).toBe(v.blockId.hash)
  })

  test('precommits before the block: it is asked for, then decided without a proposal', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.precommit(0, [0, 1, 2], v)
    expect(missingBlocks(rounds.state)).toHaveLength(1)
    expect(rounds.body(v).kinds()).toContain('decide')
  })

  test('what the application rejects is decided all the same', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.precommit(0, [0, 1, 2], v).body(v, 'rejected')
    expect(rounds.kinds()).toContain('decide')
  })

  test('a decided block that does not follow from the chain stops the node', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.precommit(0, [0, 1, 2], v).body(v, 'malformed')
    expect(rounds.kinds()).toContain('halt')
    expect(rounds.kinds()).not.toContain('decide')
  })

  test('afterwards timeouts are ignored and precommits are still taken', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.offer(0, v).prevote(0, [0, 1, 2], v).precommit(0, [0, 1, 2], v)
    expect(rounds.timeout('precommit', 0).effects).toEqual([])
    rounds.precommit(0, [3], v)
    expect(rounds.state.keeper.rounds.get(0)?.precommits.votes[3]).not.toBeNull()
  })
})

describe('rounds', () => {
  test('more than a third in a later round take this node there, whatever they voted', () => {
    const rounds = bench().begin()
    rounds.prevote(5, [0], null)
    expect(rounds.state.round).toBe(0)
    rounds.precommit(5, [1], null)
    expect(rounds.state.round).toBe(5)
  })

  test.each([
    ['prevotes', 'prevote'],
    ['precommits', 'precommit'],
  ] as const)('%s alone do so too', (_, name) => {
    const rounds = bench().begin()
    expect(rounds[name](5, [0], null).state.round).toBe(0)
    expect(rounds[name](5, [1], null).state.round).toBe(5)
  })

  test('to the highest round that an honest validator has reached', () => {
    const rounds = bench().begin()
    rounds.prevote(9, [0], null).prevote(5, [1], null)
    expect(rounds.state.round).toBe(5)
  })

  test('exactly a third is not enough', () => {
    const rounds = bench([10n, 10n, 10n], 2).begin()
    rounds.prevote(3, [0], null)
    expect(rounds.state.round).toBe(0)
  })

  test('one validator counts once over both types', () => {
    const rounds = bench().begin()
    rounds.prevote(4, [0], null).precommit(4, [0], null)
    expect(rounds.state.round).toBe(0)
  })

  test('votes that waited for the round are counted when it comes', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.prevote(3, [0, 1, 2], v)
    expect(rounds.state.round).toBe(3)
    expect(rounds.offer(3, v).votesAsked({ v })).toEqual(['prevote 3 v', 'precommit 3 v'])
  })

  test('a precommit timeout goes on to the next round, one of an old round does not', () => {
    const rounds = bench().begin()
    rounds.precommit(0, [0, 1, 2], null)
    expect(rounds.effects).toContainEqual({ kind: 'timer', step: 'precommit', round: 0 })
    rounds.timeout('precommit', 0)
    expect(rounds.state.round).toBe(1)
    expect(rounds.timeout('precommit', 0).effects).toEqual([])
    expect(rounds.timeout('propose', 0).effects).toEqual([])
  })

  test('votes of a round that a peer made up cost one place each', () => {
    const rounds = bench().begin()
    for (let round = 2; round < 2000; round++) rounds.prevote(round, [0], null)
    expect(rounds.state.keeper.rounds.size).toBe(2)
    expect(rounds.state.keeper.ahead.size).toBe(1)
    expect(judgeVote(rounds.state.keeper, rounds.makeVote(PREVOTE, ROUNDS_AHEAD_MAX + 1, 1, null))).toMatchObject({
      code: 'unexpected-step',
    })
  })

  test('old rounds are let go of, unless a block had a quorum there', () => {
    const rounds = bench().begin()
    const v = rounds.block('v')
    rounds.prevote(0, [0, 1, 2], v)
    for (let round = 0; round < ROUNDS_KEPT + 10; round++) {
      rounds.precommit(round, [0, 1, 2], null).timeout('precommit', round)
    }
    expect(rounds.state.keeper.rounds.has(0)).toBe(true)
    expect(rounds.state.keeper.rounds.has(1)).toBe(false)
    expect(judgeVote(rounds.state.keeper, rounds.makeVote(PRECOMMIT, 1, 3, null))).toBe('known')
  })
})

describe('votes that are misplaced', () => {
  test.each([
    ['of another height', { height: 2n }, 'unexpected-step'],
    ['of nobody', { validatorIndex: 17 }, 'validator-index'],
    ['under another address', { validatorAddress: 'x'.repeat(20) }, 'validator-address'],
  ])('%s', (_, change, code) => {
    const rounds = bench().begin()
    const vote = { ...rounds.makeVote(PREVOTE, 0, 1, null), ...change }
    expect(judgeVote(rounds.state.keeper, vote)).toMatchObject({ code })
  })

  test('the same vote again is known', () => {
    const rounds = bench().begin().prevote(0, [1], null)
    expect(judgeVote(rounds.state.keeper, rounds.makeVote(PREVOTE, 0, 1, null))).toBe('known')
  })
})
