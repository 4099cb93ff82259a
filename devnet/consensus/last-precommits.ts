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
import { isSpare, SpareVotes } from './spare-votes.ts'
import { verifyVoteOfSet } from './vote.ts'
import { addVote, extendedCommitOf, type VoteSet, voteSetOfCommit } from './vote-set.ts'
import { type ExtendedCommit, PRECOMMIT, type Vote } from './wire.ts'

interface Verifier {
  readonly chainId: string
  readonly verify: VerifyMessage
}

interface Taken {
  readonly isAdded: boolean
  readonly conflict: readonly [Vote, Vote] | null
}

const NOTHING_TAKEN: Taken = { isAdded: false, conflict: null }

export class LastPrecommits {
  #set: VoteSet | null
  readonly #spare = new SpareVotes()

  /** `commit`: of the chain's last block; null where it has none, or nobody kept it. */
  constructor(chain: ChainState, commit: ExtendedCommit | null) {
    this.#set = commit === null ? null : precommitsOf(chain, commit)
  }

  /** `chain` is after the block that `commit` decided. `seen`: what came in for the commit's round, if anything did. */
  follow(chain: ChainState, commit: ExtendedCommit, seen: VoteSet | undefined): void {
    const isOurs = seen?.majority != null && equalBlockIds(seen.majority, commit.blockId)
    this.#set = isOurs ? seen : precommitsOf(chain, commit)
    this.#spare.takeAll()
  }

  /** A vote that was spare when the height ended. */
  keep(vote: Vote): void {
    if (this.#set !== null && isSpare(this.#set, vote, vote.validatorAddress) && isOfStep(this.#set, vote))
      this.#spare.keep(vote)
  }

  /** What the block after `chain` says of the last; undefined when that cannot be. */
  commitFor(chain: ChainState, verify: VerifyMessage): ExtendedCommit | undefined {
    if (chain.lastHeight === 0n) return { ...EMPTY_COMMIT, extendedSignatures: [] }
    for (const vote of this.#spare.takeAll()) this.#add({ chainId: chain.chainId, verify }, vote)
    return this.#set === null ? undefined : extendedCommitOf(this.#set)
  }

  /**
   * Takes one more, which the validator `sender` brought, if it is one, and says whether it is news; `conflict` are two votes that
   * contradict each other, of which it is one.
   */
  take(verifier: Verifier, vote: Vote, sender: string | undefined): Taken {
    const set = this.#set
    if (set === null || !isOfStep(set, vote)) return NOTHING_TAKEN
    const known = set.votes[vote.validatorIndex]
    if (known != null && equalBytes(known.signature, vote.signature)) return NOTHING_TAKEN
    if (isSpare(set, vote, sender)) {
      this.#spare.keep(vote)
      return NOTHING_TAKEN
    }
    const contradicted = this.#spare.take(vote)
    const taken = this.#add(verifier, vote)
    return contradicted === undefined ? taken : { ...taken, conflict: this.#add(verifier, contradicted).conflict }
  }

  #add({ chainId, verify }: Verifier, vote: Vote): Taken {
    const set = this.#set!
    const place = { set: set.validators, hasExtensions: set.step.hasExtensions }
    if (verifyVoteOfSet(chainId, vote, place, verify) !== null) return NOTHING_TAKEN
    const { set: next, isAdded, conflicting } = addVote(set, vote, 'verified')
    this.#set = next
    return { isAdded, conflict: conflicting === null ? null : [conflicting, vote] }
  }
}

/** Whether the vote is of the round that decided, in the name of the validator at its index. */
function isOfStep({ step, validators }: VoteSet, { round, type, validatorIndex, validatorAddress }: Vote): boolean {
  return (
    round === step.round && type === step.type && validators.validators[validatorIndex]?.address === validatorAddress
  )
}

/** Of the chain's last block. */
function precommitsOf(chain: ChainState, commit: ExtendedCommit): VoteSet {
  const { chainId, params, lastValidators } = chain
  const { height, round } = commit
  const step = { chainId, height, round, type: PRECOMMIT, hasExtensions: hasExtensions(params, height) }
  return voteSetOfCommit(step, lastValidators, commit)
}
