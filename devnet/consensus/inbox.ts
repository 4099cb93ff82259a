/**
 * Proposals, blocks and votes of peers, judged before they go into the rounds: what is cheap to ask first, signatures last. Those of the
 * next height wait for it, with a limit.
 *
 * @source spec consensus §2.5, §2.6
 */

import { type Fault, fault } from './fault.ts'
import type { LastPrecommits } from './last-precommits.ts'
import type { OwnMessages } from './own-messages.ts'
import type { PeerMessage } from './peer-message.ts'
import { hasRoomFor, verifyProposal } from './proposal.ts'
import type { ReplicaCore } from './replica-core.ts'
import { judgeProposal, proposerAt } from './round.ts'
import { isSpare, SpareVotes } from './spare-votes.ts'
import { isExtensible, verifyVoteOfSet } from './vote.ts'
import { judgeVote, votesOf } from './vote-keeper.ts'
import { PRECOMMIT, type Proposal, type Vote } from './wire.ts'

export interface InboxParts {
  readonly own: OwnMessages
  readonly lastPrecommits: LastPrecommits
  /** The peer is at this height at least. */
  readonly onHeight: (peer: string, height: bigint) => void
  /** A validator contradicted itself. */
  readonly onConflict: (votes: readonly [Vote, Vote]) => void
}

interface Early {
  readonly peer: string
  readonly message: PeerMessage
}

export class Inbox {
  readonly #core: ReplicaCore
  readonly #parts: InboxParts
  /** Messages for the next height. */
  #early: Early[] = []
  readonly #spare = new SpareVotes()

  constructor(core: ReplicaCore, parts: InboxParts) {
    this.#core = core
    this.#parts = parts
  }

  /** Votes of the height that ended, which were of no use in it. */
  takeSpare(): readonly Vote[] {
    return this.#spare.takeAll()
  }

  /** The next height has begun: what waited for it. */
  takeEarly(): readonly Early[] {
    const early = this.#early
    this.#early = []
    return early
  }

  onProposal(peer: string, message: Extract<PeerMessage, { kind: 'proposal' }>): void {
    const core = this.#core
    const { proposal, block } = message.value
    if (this.#isEarly(peer, proposal.height, message)) return
    const judged = judgeProposal(core.rounds, proposal)
    if (judged === null) {
      if (this.#verifyProposal(proposal) !== null) return
      core.input({ kind: 'proposal', proposal, receivedAt: core.host.now() })
    } else if (judged !== 'known') return
    if (block.length > 0) core.takeBlock(block)
  }

  onVote(peer: string, message: Extract<PeerMessage, { kind: 'vote' }>): void {
    const core = this.#core
    const { height, rounds } = core
    const { vote } = message.value
    if (vote.height === height - 1n && vote.type === PRECOMMIT) return this.#onLateVote(peer, vote)
    if (this.#isEarly(peer, vote.height, message)) return
    if (judgeVote(rounds.keeper, vote) !== 'wanted') return
    if (this.#isSpare(peer, vote)) return this.#spare.keep(vote)
    const spare = this.#spare.take(vote)
    this.#takeVote(vote)
    if (spare !== undefined && judgeVote(core.rounds.keeper, spare) === 'wanted') this.#takeVote(spare)
  }

  /** A vote of our own that comes back must be looked at in any case. */
  #isSpare(peer: string, vote: Vote): boolean {
    const { rounds, address } = this.#core
    if (vote.validatorAddress === address) return false
    return isSpare(votesOf(rounds.keeper, vote.round, vote.type), vote, this.#senderOf(peer))
  }

  /** The validator whose votes may be spared, coming from this peer. */
  #senderOf(peer: string): string | undefined {
    const { host } = this.#core
    return host.isWatched() ? undefined : host.validatorOf(peer)
  }

  #takeVote(vote: Vote): void {
    const core = this.#core
    const { chain, host, rounds } = core
    const { hasExtensions, validators } = rounds.keeper
    if (verifyVoteOfSet(chain.chainId, vote, { set: validators, hasExtensions }, host.verify) !== null) return
    if (vote.validatorAddress === core.address) this.#parts.own.mute()
    else if (hasExtensions && isExtensible(vote) && !host.verifyExtension(vote)) return
    // A validator has begun the height: what it wants a block for may not have reached us, and alone it cannot end it.
    if (core.isWaiting) core.input({ kind: 'begin' })
    core.input({ kind: 'vote', vote })
  }

  /** One height ahead is kept for later, with a limit; further ahead shows that blocks are missing. */
  #isEarly(peer: string, height: bigint, message: PeerMessage): boolean {
    const core = this.#core
    if (height === core.height) return false
    if (height > core.height) this.#parts.onHeight(peer, height)
    const limit = message.kind === 'proposal' ? 2 : 8 * core.chain.validators.validators.length
    const alike = this.#early.filter((early) => early.message.kind === message.kind)
    if (height === core.height + 1n && alike.length < limit) this.#early.push({ peer, message })
    return true
  }

  #verifyProposal(proposal: Proposal): Fault | null {
    const { rounds, chain, host, address } = this.#core
    const proposer = proposerAt(rounds, proposal.round)
    const validator = rounds.keeper.validators.validators.find((other) => other.address === proposer)
    if (validator === undefined) return fault('proposer-not-a-validator')
    if (!hasRoomFor(proposal.blockId.partSetHeader.total, chain.params.block.maxBytes)) return fault('too-long')
    const refused = verifyProposal(chain.chainId, proposal, validator.pubKey, host.verify)
    if (refused === null && proposer === address) this.#parts.own.mute()
    return refused
  }

  /** A precommit for the last block: it makes the commit in the next block more complete. */
  #onLateVote(peer: string, vote: Vote): void {
    const { chain, host } = this.#core
    const sender = this.#senderOf(peer)
    const { isAdded, conflict } = this.#parts.lastPrecommits.take(
      { chainId: chain.chainId, verify: host.verify },
      vote,
      sender,
    )
    if (isAdded) host.trace({ kind: 'late vote', vote })
    if (conflict !== null) this.#parts.onConflict(conflict)
  }
}
