/**
 * The votes of one type in one round, counted for each block and for any. Plain data: adding a vote gives the next set.
 *
 * A validator's first vote is the one that counts. A second one for another block is a contradiction; it counts for its
 * block only if some peer claims that this block has two thirds, so that an equivocator cannot hide a real majority.
 *
 * @source CometBFT v0.38.25 `types/vote_set.go`
 */

import { equalBytes } from '../primitives/bytes.ts'
import { blockIdKey, equalBlockIds, isComplete, NIL_BLOCK_ID } from './block-id.ts'
import { ABSENT_SIG, checkExtensions, commitSigOf, withoutExtensions } from './commit.ts'
import { type Fault, fault } from './fault.ts'
import { isQuorum } from './quorum.ts'
import type { ValidatorSet } from './validator-set.ts'
import { verifyVote, verifyVoteAndExtension } from './vote.ts'
import {
  type BlockId,
  type Commit,
  type ExtendedCommit,
  type ExtendedCommitSig,
  FLAG_ABSENT,
  FLAG_COMMIT,
  PRECOMMIT,
  type Vote,
} from './wire.ts'

/** Which votes a set is for. */
export interface VoteStep {
  readonly chainId: string
  readonly height: bigint
  readonly round: number
  readonly type: number
  /** Precommits for a block must carry a signed extension; otherwise no vote may carry one. */
  readonly hasExtensions: boolean
}

interface BlockVotes {
  readonly blockId: BlockId
  readonly isClaimed: boolean
  readonly votes: readonly (Vote | null)[]
  readonly power: bigint
}

export interface VoteSet {
  readonly step: VoteStep
  readonly validators: ValidatorSet
  /** By validator. */
  readonly votes: readonly (Vote | null)[]
  /** Power that voted for anything, each validator once. */
  readonly power: bigint
  /** The first block id, nil included, that got more than two thirds. */
  readonly majority: BlockId | null
  readonly byBlock: ReadonlyMap<string, BlockVotes>
  /** What each peer says has two thirds. */
  readonly claims: ReadonlyMap<string, BlockId>
}

export interface VoteAdded {
  readonly set: VoteSet
  /** Whether the vote counts now; false for a vote that was known. */
  readonly isAdded: boolean
  /** Why not, or, of a vote that was added too, that it contradicts another: `conflicting-votes`. */
  readonly fault: Fault | null
  /** The vote it contradicts. */
  readonly conflicting: Vote | null
}

/** Whether a signature is checked: the caller may have done so. */
export type Verification = 'verify' | 'verified'

export function createVoteSet(step: VoteStep, validators: ValidatorSet): VoteSet {
  const votes = new Array<Vote | null>(validators.validators.length).fill(null)
  return { step, validators, votes, power: 0n, majority: null, byBlock: new Map(), claims: new Map() }
}

/** Cheap checks first: no signature is verified for a vote that is known or misplaced. */
export function addVote(set: VoteSet, vote: Vote, verification: Verification = 'verify'): VoteAdded {
  const misplaced = checkPlace(set, vote)
  if (misplaced !== null) return refuse(set, misplaced)
  const key = blockIdKey(vote.blockId)
  const known = findVote(set, vote.validatorIndex, key)
  if (known !== null) {
    return refuse(set, equalBytes(known.signature, vote.signature) ? null : fault('non-deterministic-signature'))
  }
  const unsigned = verification === 'verify' ? verifyInSet(set, vote) : null
  return unsigned === null ? count(set, vote, key) : refuse(set, unsigned)
}

function refuse(set: VoteSet, refused: Fault | null): VoteAdded {
  return { set, isAdded: false, fault: refused, conflicting: null }
}

function checkPlace({ step, validators }: VoteSet, vote: Vote): Fault | null {
  if (vote.validatorIndex < 0) return fault('validator-index')
  if (vote.validatorAddress === '') return fault('validator-address')
  if (vote.height !== step.height || vote.round !== step.round || vote.type !== step.type) {
    return fault('unexpected-step')
  }
  const validator = validators.validators[vote.validatorIndex]
  if (validator === undefined) return fault('validator-index')
  return validator.address === vote.validatorAddress ? null : fault('validator-address')
}

function findVote({ votes, byBlock }: VoteSet, index: number, key: string): Vote | null {
  const first = votes[index] ?? null
  return first !== null && blockIdKey(first.blockId) === key ? first : (byBlock.get(key)?.votes[index] ?? null)
}

function verifyInSet({ step, validators }: VoteSet, vote: Vote): Fault | null {
  const voter = validators.validators[vote.validatorIndex]!
  if (step.hasExtensions) return verifyVoteAndExtension(step.chainId, vote, voter)
  const refused = verifyVote(step.chainId, vote, voter)
  if (refused !== null) return refused
  return vote.extension.length > 0 || vote.extensionSignature.length > 0 ? fault('extension') : null
}

function count(set: VoteSet, vote: Vote, key: string): VoteAdded {
  const index = vote.validatorIndex
  const { votingPower } = set.validators.validators[index]!
  const conflicting = set.votes[index] ?? null
  const isOfMajority = set.majority !== null && equalBlockIds(set.majority, vote.blockId)
  let next: VoteSet = set
  if (conflicting === null) next = { ...set, votes: set.votes.with(index, vote), power: set.power + votingPower }
  else if (isOfMajority) next = { ...set, votes: set.votes.with(index, vote) }

  const tally = set.byBlock.get(key)
  if (conflicting !== null && tally?.isClaimed !== true) {
    return { set: next, isAdded: false, fault: fault('conflicting-votes'), conflicting }
  }
  const before = tally ?? emptyTally(set, vote.blockId, false)
  const after = { ...before, votes: before.votes.with(index, vote), power: before.power + votingPower }
  next = { ...next, byBlock: new Map(next.byBlock).set(key, after) }
  if (next.majority === null && isQuorum(after.power, set.validators.totalVotingPower)) {
    const votes = next.votes.map((first, i) => after.votes[i] ?? first)
    next = { ...next, majority: vote.blockId, votes }
  }
  return { set: next, isAdded: true, fault: conflicting === null ? null : fault('conflicting-votes'), conflicting }
}

function emptyTally({ votes }: VoteSet, blockId: BlockId, isClaimed: boolean): BlockVotes {
  return { blockId, isClaimed, votes: votes.map(() => null), power: 0n }
}

/** A peer says that a block id has two thirds: from now on contradicting votes for it count too. One claim a peer. */
export function claimMajority(set: VoteSet, peer: string, blockId: BlockId): VoteSet | Fault {
  const earlier = set.claims.get(peer)
  if (earlier !== undefined) return equalBlockIds(earlier, blockId) ? set : fault('conflicting-claim')
  const key = blockIdKey(blockId)
  const tally = set.byBlock.get(key) ?? emptyTally(set, blockId, true)
  return {
    ...set,
    claims: new Map(set.claims).set(peer, blockId),
    byBlock: new Map(set.byBlock).set(key, { ...tally, isClaimed: true }),
  }
}

/** More than two thirds voted, for whatever. */
export function hasAnyQuorum({ power, validators }: VoteSet): boolean {
  return isQuorum(power, validators.totalVotingPower)
}

export function hasAll({ power, validators }: VoteSet): boolean {
  return power === validators.totalVotingPower
}

/** Who voted for the block id, by validator. */
export function votersFor({ byBlock, votes }: VoteSet, blockId: BlockId): readonly boolean[] {
  const tally = byBlock.get(blockIdKey(blockId))
  return tally === undefined ? votes.map(() => false) : tally.votes.map((vote) => vote !== null)
}

/**
 * The commit of a set of precommits with a majority for a block, with extensions; undefined without one, or when extensions
 * are missing. A precommit for another block is as good as none.
 */
export function extendedCommitOf({ step, votes, majority }: VoteSet): ExtendedCommit | undefined {
  if (majority === null || !isComplete(majority)) return undefined
  const absent: ExtendedCommitSig = {
    ...ABSENT_SIG,
    extension: ABSENT_SIG.signature,
    extensionSignature: ABSENT_SIG.signature,
  }
  const extendedSignatures = votes.map((vote) => {
    if (vote === null) return absent
    return isComplete(vote.blockId) && !equalBlockIds(vote.blockId, majority) ? absent : commitSigOf(vote)
  })
  const commit = { height: step.height, round: step.round, blockId: majority, extendedSignatures }
  return checkExtensions(commit, step.hasExtensions) === null ? commit : undefined
}

export function commitOf(set: VoteSet): Commit | undefined {
  const extended = extendedCommitOf(set)
  return extended === undefined ? undefined : withoutExtensions(extended)
}

/** The precommits that a commit was made of, so that late ones can be added. Its signatures have been verified. */
export function voteSetOfCommit(step: VoteStep, validators: ValidatorSet, commit: ExtendedCommit): VoteSet {
  const { height, round, blockId } = commit
  let set = createVoteSet(step, validators)
  for (const [index, sig] of commit.extendedSignatures.entries()) {
    const { blockIdFlag, validatorAddress, timestamp, signature, extension, extensionSignature } = sig
    if (blockIdFlag === FLAG_ABSENT) continue
    const vote: Vote = {
      type: PRECOMMIT,
      height,
      round,
      blockId: blockIdFlag === FLAG_COMMIT ? blockId : NIL_BLOCK_ID,
      timestamp,
      validatorAddress,
      validatorIndex: index,
      signature,
      extension,
      extensionSignature,
    }
    set = addVote(set, vote, 'verified').set
  }
  return set
}
