import { expect, test } from 'vitest'
import { answerStatus, statusOf } from '../../../devnet/consensus/resync.ts'
import { PREVOTE } from '../../../devnet/consensus/wire.ts'
import { RoundBench } from './round-bench.ts'

const FOUR = [10n, 10n, 10n, 10n]

test('the proof of the valid block is sent, however many rounds without a block came after it', () => {
  const ahead = new RoundBench(FOUR, 3).begin()
  const v = ahead.block('v')
  ahead.precommit(0, [0, 1, 2], null).timeout('precommit', 0)
  ahead.offer(1, v).prevote(1, [0, 1, 2], v)
  for (let round = 1; round < 30; round++) {
    ahead.precommit(round, [0, 1, 2], null).timeout('precommit', round)
    ahead.prevote(round + 1, [0, 1, 2], null)
  }
  ahead.offer(30, v, 1)
  // It came to the height late, and has seen nothing of round 1.
  const late = new RoundBench(FOUR, 2)
  late.prevote(30, [0, 1], null).offer(30, v, 1)
  expect(late.state.step).toBe('propose')
  const answer = answerStatus(ahead.state, statusOf(late.state, 1n))
  const proof = answer.flatMap(({ kind, value }) => (kind === 'vote' ? [value.vote] : []))
  expect(proof.filter(({ round, type }) => round === 1 && type === PREVOTE)).toHaveLength(3)
  for (const vote of proof) late.put({ kind: 'vote', vote })
  expect(late.state.step).not.toBe('propose')
})
