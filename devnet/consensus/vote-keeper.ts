/**
 * All votes of one height. Rounds up to the one after the current are kept whole; of the rounds beyond, which a peer may name
 * as it likes, only each validator's highest vote of a type, which is enough to see that others are there.
 *
 * Plain data; a change gives the next keeper.
 *
 * @source CometBFT v0.38.25 `consensus/types/height_vote_set.go`; spec consensus §2.5
 */

import { blockIdKey, isComplete } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { hasHonest } from './quorum.ts'
import type { ValidatorSet } from './validator-set.ts'
import { addVote, createVoteSet, type VoteSet } from './vote-set.ts'
import { type BlockId, PRECOMMIT, PREVOTE, type Vote } from './wire.ts'

/** Votes of rounds further ahead are not looked at. */
export const ROUNDS_AHEAD_MAX = 100_000
/** Rounds behind the current one of which votes are kept, beside those in which a block had a quorum. */
export const ROUNDS_KEPT = 32

export interface RoundVotes {
  readonly prevotes: VoteSet
  readonly precommits: VoteSet
}

export interface VoteKeeper {
  readonly chainId: string
  readonly height: bigint
  readonly validators: ValidatorSet
  readonly hasExtensions: boolean
  /** −1 before the first. */
  readonly round: number
  readonly rounds: ReadonlyMap<number, RoundVotes>
  /** By validator, the highest prevote and precommit beyond `round + 1`. */
  readonly ahead: ReadonlyMap<number, readonly (Vote | null)[]>
}

export interface VotesOfHeight {
  readonly chainId: string
  readonly height: bigint
  readonly validators: ValidatorSet
  /** Precommits for a block carry extensions. */
  readonly hasExtensions: boolean
}

export function createVoteKeeper(votes: VotesOfHeight): VoteKeeper {
  const keeper = { ...votes, round: -1, rounds: new Map(), ahead: new Map() }
  return { ...keeper, rounds: new Map([[0, emptyRound(keeper, 0)]]) }
}

function emptyRound({ chainId, height, validators, hasExtensions }: VotesOfHeight, round: number): RoundVotes {
  const step = { chainId, height, round }
  return {
    prevotes: createVoteSet({ ...step, type: PREVOTE, hasExtensions: false }, validators),
    precommits: createVoteSet({ ...step, type: PRECOMMIT, hasExtensions }, validators),
  }
}

/**
 * What to do with a vote, before its signature costs anything: `wanted` if it would tell something new, `known`, or the rule that
 * it breaks. A vote that contradicts another is wanted.
 */
export function judgeVote(keeper: VoteKeeper, vote: Vote): 'wanted' | 'known' | Fault {
  if (vote.height !== keeper.height || vote.round > keeper.round + ROUNDS_AHEAD_MAX) return fault('unexpected-step')
  const validator = keeper.validators.validators[vote.validatorIndex]
  if (validator === undefined) return fault('validator-index')
  if (validator.address !== vote.validatorAddress) return fault('validator-address')
  if (vote.round > keeper.round + 1) {
    const highest = keeper.ahead.get(vote.validatorIndex)?.[vote.type - 1] ?? null
    return highest === null || highest.round < vote.round ? 'wanted' : 'known'
  }
  const set = votesOf(keeper, vote.round, vote.type)
  if (set === undefined) return 'known'
  const first = set.votes[vote.validatorIndex] ?? null
  if (first === null) return 'wanted'
  const key = blockIdKey(vote.blockId)
  if (blockIdKey(first.blockId) === key) return 'known'
  return set.byBlock.get(key)?.votes[vote.validatorIndex] ? 'known' : 'wanted'
}

export interface VoteKept {
  readonly keeper: VoteKeeper
  /** The vote that this one contradicts. */
  readonly conflicting: Vote | null
}

/** The vote was judged `wanted`, and its signature is good. */
export function keepVote(keeper: VoteKeeper, vote: Vote): VoteKept {
  if (vote.round > keeper.round + 1) {
    const places = [...(keeper.ahead.get(vote.validatorIndex) ?? [null, null])]
    places[vote.type - 1] = vote
    return { keeper: { ...keeper, ahead: new Map(keeper.ahead).set(vote.validatorIndex, places) }, conflicting: null }
  }
  const votes = keeper.rounds.get(vote.round)
  if (votes === undefined) return { keeper, conflicting: null }
  const name = vote.type === PREVOTE ? 'prevotes' : 'precommits'
  const { set, conflicting } = addVote(votes[name], vote, 'verified')
  const rounds = set === votes[name] ? keeper.rounds : new Map(keeper.rounds).set(vote.round, { ...votes, [name]: set })
  return { keeper: { ...keeper, rounds }, conflicting }
}

/** The votes of a round that is kept. */
export function votesOf(keeper: VoteKeeper, round: number, type: number): VoteSet | undefined {
  const votes = keeper.rounds.get(round)
  return type === PREVOTE ? votes?.prevotes : votes?.precommits
}

/** The block id, or nil, that has more than two thirds of a round's prevotes. */
export function polkaOf(keeper: VoteKeeper, round: number): BlockId | null {
  return keeper.rounds.get(round)?.prevotes.majority ?? null
}

/** A round whose precommits decide, and the block. */
export function decisionOf({ rounds }: VoteKeeper): { readonly round: number; readonly blockId: BlockId } | null {
  for (const [round, { precommits }] of rounds) {
    if (precommits.majority !== null && isComplete(precommits.majority)) return { round, blockId: precommits.majority }
  }
  return null
}

/** The highest round at or above which an honest validator is, if it is above the current one. */
export function roundToSkipTo({ round, rounds, ahead, validators }: VoteKeeper): number | null {
  const next = rounds.get(round + 1)
  const reached: { readonly round: number; readonly power: bigint }[] = []
  for (const [index, { votingPower }] of validators.validators.entries()) {
    let highest = next !== undefined && (next.prevotes.votes[index] || next.precommits.votes[index]) ? round + 1 : -1
    for (const vote of ahead.get(index) ?? []) if (vote !== null && vote.round > highest) highest = vote.round
    if (highest > round) reached.push({ round: highest, power: votingPower })
  }
  if (reached.length === 0) return null
  reached.sort((a, b) => b.round - a.round)
  let power = 0n
  for (const there of reached) {
    power += there.power
    if (hasHonest(power, validators.totalVotingPower)) return there.round
  }
  return null
}

/** Keeps votes of a round up to the next, also of one that was skipped: somebody says that it matters. */
export function openRound(keeper: VoteKeeper, round: number): VoteKeeper {
  if (round < 0 || round > keeper.round + 1 || keeper.rounds.has(round)) return keeper
  const rounds = [...keeper.rounds, [round, emptyRound(keeper, round)] as const]
  return { ...keeper, rounds: new Map(rounds.sort(([a], [b]) => a - b)) }
}

/** Goes on to a later round: votes that waited for it are counted, and old rounds are let go of unless a block had a quorum there. */
export function enterRound(keeper: VoteKeeper, round: number): VoteKeeper {
  const rounds = new Map<number, RoundVotes>()
  for (const [at, votes] of keeper.rounds) {
    const isProof = [votes.prevotes, votes.precommits].some(({ majority }) => majority !== null && isComplete(majority))
    if (at >= round - ROUNDS_KEPT || isProof) rounds.set(at, votes)
  }
  for (const at of [round, round + 1]) if (!rounds.has(at)) rounds.set(at, emptyRound(keeper, at))
  const waiting: Vote[] = []
  const ahead = new Map<number, readonly (Vote | null)[]>()
  for (const [index, places] of keeper.ahead) {
    const left = places.map((vote) => (vote !== null && vote.round > round + 1 ? vote : null))
    if (left.some((vote) => vote !== null)) ahead.set(index, left)
    for (const vote of places)
      if (vote !== null && (vote.round === round || vote.round === round + 1)) waiting.push(vote)
  }
  let next: VoteKeeper = { ...keeper, round, rounds, ahead }
  for (const vote of waiting) next = keepVote(next, vote).keeper
  return next
}
