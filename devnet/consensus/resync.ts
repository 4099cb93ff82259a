/**
 * What one replica tells of itself so that others can send it what it lacks. Messages are pushed once when they come into being; over
 * links that lose them, statuses are what makes every message arrive at last.
 *
 * @source spec consensus §6.2
 */

import { blockIdKey, isComplete } from './block-id.ts'
import { bitArray } from './gossip.ts'
import type { PeerMessage, Status, VoteSummary } from './peer-message.ts'
import { BLOCKS_COUNT_MAX, STATUS_MISSING_MAX, STATUS_SUMMARIES_MAX } from './peer-message.ts'
import { isQuorum } from './quorum.ts'
import { candidateOf, missingBlocks, type RoundState } from './round.ts'
import { votesOf } from './vote-keeper.ts'
import { type BitArray, PRECOMMIT, PREVOTE } from './wire.ts'

/** Votes that one status is answered with. */
const VOTES_PUSHED_MAX = 400

export function statusOf(state: RoundState, base: bigint): Status {
  const { keeper, round } = state
  const votes: VoteSummary[] = []
  for (const at of roundsToCompare(state, round)) {
    for (const type of [PREVOTE, PRECOMMIT]) {
      for (const { blockId, votes: cast } of votesOf(keeper, at, type)?.byBlock.values() ?? []) {
        const isCast = cast.map((vote) => vote !== null)
        if (votes.length < STATUS_SUMMARIES_MAX && isCast.includes(true)) {
          votes.push({ round: at, type, blockId, voters: bitArray(isCast) })
        }
      }
    }
  }
  return {
    height: keeper.height,
    round,
    base,
    votes,
    proposal: state.proposals.has(Math.max(round, 0)) ? Math.max(round, 0) + 1 : 0,
    missing: missingBlocks(state).slice(0, STATUS_MISSING_MAX),
  }
}

/** What we have and a peer at the same height has not. */
export function answerStatus(state: RoundState, status: Status): readonly PeerMessage[] {
  const messages: PeerMessage[] = []
  const round = Math.max(status.round, 0)
  const received = state.proposals.get(round)
  if (received !== undefined && status.proposal !== round + 1) {
    const candidate = candidateOf(state, received.proposal.blockId)
    const block = candidate?.bytes ?? new Uint8Array(0)
    messages.push({ kind: 'proposal', value: { proposal: received.proposal, block } })
  }
  for (const blockId of status.missing) {
    const candidate = candidateOf(state, blockId)
    if (candidate !== undefined) messages.push({ kind: 'block', value: { block: candidate.bytes } })
  }
  let count = 0
  for (const at of roundsToCompare(state, status.round)) {
    for (const type of [PREVOTE, PRECOMMIT]) {
      for (const { blockId, votes } of votesOf(state.keeper, at, type)?.byBlock.values() ?? []) {
        const known = summaryOf(status, { round: at, type, key: blockIdKey(blockId) })
        for (const [index, vote] of votes.entries()) {
          if (vote === null || hasBit(known, index) || ++count > VOTES_PUSHED_MAX) continue
          messages.push({ kind: 'vote', value: { vote } })
        }
      }
    }
  }
  return messages
}

/** Where a peer says that a block id has two thirds, so that a contradicting vote must not hide it. */
export function claimsOf(state: RoundState, status: Status): readonly VoteSummary[] {
  const { validators, totalVotingPower } = state.keeper.validators
  return status.votes.filter(({ voters }) => {
    let power = 0n
    for (const [index, { votingPower }] of validators.entries()) if (hasBit(voters, index)) power += votingPower
    return isQuorum(power, totalVotingPower)
  })
}

/** Of the rounds that are compared at a time. */
const ROUNDS_COMPARED_MAX = 8

/**
 * Rounds whose votes may matter to somebody who is in `round`, what matters most first: his, ours, those that proofs of lock name, and
 * those in which a block had a quorum, the latest first.
 */
function roundsToCompare(state: RoundState, round: number): readonly number[] {
  const { keeper, round: own, valid, locked, proposals } = state
  const rounds = new Set([Math.max(round, 0), Math.max(own, 0)])
  for (const at of [...rounds]) rounds.add(proposals.get(at)?.proposal.polRound ?? -1)
  for (const choice of [valid, locked]) if (choice !== null) rounds.add(choice.round)
  for (const [at, { prevotes, precommits }] of [...keeper.rounds].reverse()) {
    if ([precommits, prevotes].some(({ majority }) => majority !== null && isComplete(majority))) rounds.add(at)
  }
  return [...rounds].filter((at) => keeper.rounds.has(at)).slice(0, ROUNDS_COMPARED_MAX)
}

function summaryOf(
  { votes }: Status,
  { round, type, key }: { readonly round: number; readonly type: number; readonly key: string },
): BitArray | undefined {
  return votes.find(
    (summary) => summary.round === round && summary.type === type && blockIdKey(summary.blockId) === key,
  )?.voters
}

function hasBit(array: BitArray | undefined, index: number): boolean {
  const word = array?.elems[index >> 6]
  return word !== undefined && ((word >> BigInt(index & 63)) & 1n) === 1n
}

/** How many blocks are asked for at once. */
export const BLOCKS_REQUESTED = BLOCKS_COUNT_MAX
