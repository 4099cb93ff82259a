/**
 * Votes that can change nothing any more: their step has its majority, for the block that they name. They are kept as they came, and
 * their signatures are verified only when somebody needs them: for the next block's commit, or against a vote that contradicts them.
 *
 * Only what a validator said itself is kept so, one vote a step: no peer can put a forged vote in the place of a good one.
 *
 * @source spec consensus §7.4
 */

import { equalBlockIds } from './block-id.ts'
import type { VoteSet } from './vote-set.ts'
import type { Vote } from './wire.ts'

export class SpareVotes {
  readonly #votes = new Map<string, Vote>()

  keep(vote: Vote): void {
    this.#votes.set(placeOf(vote), vote)
  }

  /** The vote of the same validator in the same step; it is spare no more. */
  take(vote: Vote): Vote | undefined {
    const place = placeOf(vote)
    const spare = this.#votes.get(place)
    this.#votes.delete(place)
    return spare
  }

  /** All there are; none is left. */
  takeAll(): readonly Vote[] {
    if (this.#votes.size === 0) return []
    const votes = [...this.#votes.values()]
    this.#votes.clear()
    return votes
  }
}

/** Whether the vote, which `sender` brought, would change nothing in the set of its step. A vote with an extension is never spare. */
export function isSpare(set: VoteSet | undefined, vote: Vote, sender: string | undefined): boolean {
  return (
    set !== undefined &&
    sender === vote.validatorAddress &&
    !set.step.hasExtensions &&
    set.votes[vote.validatorIndex] === null &&
    set.majority !== null &&
    equalBlockIds(set.majority, vote.blockId)
  )
}

function placeOf({ round, type, validatorIndex }: Vote): string {
  return `${round}/${type}/${validatorIndex}`
}
