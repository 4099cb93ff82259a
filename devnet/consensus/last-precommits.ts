/**
 * Precommits of the last height, as they come in: what decided it, and those that came too late for that. The next block's last commit
 * is all of them.
 *
 * @source spec consensus §2.7
 */

import { equalBytes } from '../primitives/bytes.ts'
import { equalBlockIds } from './block-id.ts'
import type { ChainState } from './chain-state.ts'
import { EMPTY_COMMIT } from './commit.ts'
import type { VerifyMessage } from './key.ts'
import { hasExtensions } from './params.ts'
import { verifyVoteOfSet } from './vote.ts'
import { addVote, extendedCommitOf, type VoteSet, voteSetOfCommit } from './vote-set.ts'
import { type ExtendedCommit, PRECOMMIT, type Vote } from './wire.ts'

interface Taken {
  readonly isAdded: boolean
  readonly conflict: readonly [Vote, Vote] | null
}

const NOTHING_TAKEN: Taken = { isAdded: false, conflict: null }

export class LastPrecommits {
  #set: VoteSet | null

  /** `commit`: of the chain's last block; null where it has none, or nobody kept it. */
  constructor(chain: ChainState, commit: ExtendedCommit | null) {
    this.#set = commit === null ? null : precommitsOf(chain, commit)
  }

  /** `chain` is after the block that `commit` decided. `seen`: what came in for the commit's round, if anything did. */
  follow(chain: ChainState, commit: ExtendedCommit, seen: VoteSet | undefined): void {
    const isOurs = seen?.majority != null && equalBlockIds(seen.majority, commit.blockId)
    this.#set = isOurs ? seen : precommitsOf(chain, commit)
  }

  /** What the block after `chain` says of the last; undefined when that cannot be. */
  commitFor(chain: ChainState): ExtendedCommit | undefined {
    if (chain.lastHeight === 0n) return { ...EMPTY_COMMIT, extendedSignatures: [] }
    return this.#set === null ? undefined : extendedCommitOf(this.#set)
  }

  /** Takes one more, and says whether it is news; `conflict` are two votes that contradict each other, of which it is the second. */
  take(chainId: string, vote: Vote, verify: VerifyMessage): Taken {
    const set = this.#set
    if (set === null || vote.round !== set.step.round) return NOTHING_TAKEN
    const validator = set.validators.validators[vote.validatorIndex]
    if (validator === undefined || validator.address !== vote.validatorAddress) return NOTHING_TAKEN
    const known = set.votes[vote.validatorIndex]
    if (known != null && equalBytes(known.signature, vote.signature)) return NOTHING_TAKEN
    const place = { set: set.validators, hasExtensions: set.step.hasExtensions }
    if (verifyVoteOfSet(chainId, vote, place, verify) !== null) return NOTHING_TAKEN
    const { set: next, isAdded, conflicting } = addVote(set, vote, 'verified')
    this.#set = next
    return { isAdded, conflict: conflicting === null ? null : [conflicting, vote] }
  }
}

/** Of the chain's last block. */
function precommitsOf(chain: ChainState, commit: ExtendedCommit): VoteSet {
  const { chainId, params, lastValidators } = chain
  const { height, round } = commit
  const step = { chainId, height, round, type: PRECOMMIT, hasExtensions: hasExtensions(params, height) }
  return voteSetOfCommit(step, lastValidators, commit)
}
