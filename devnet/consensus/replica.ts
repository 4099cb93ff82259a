/**
 * One node of a chain: its rounds, its signatures, what it owes its peers. Everything outside is the host's: the clock, the timers, the
 * journal's file, the network, the application. A host that keeps those in memory runs many replicas from one seed; the same
 * replica runs in a devnet.
 *
 *   inbox.ts          what peers say, judged         ┐                       ┌ own-messages.ts  proposals, votes
 *   catch-up.ts       what is missing, asked for     ├→ replica-core.ts   →  ┤ catch-up.ts      statuses, answers
 *   journal-replay.ts the life before                ┘  rounds and journal   └ outbox.ts        when the disk has them
 *
 * All calls return at once, and answers come back through `proposed`, `validated`, `applied` and `synced`, from within the call or later.
 * What a peer sends never throws.
 *
 * @source spec consensus §4.8, §6.2, §11.2
 */

import { CatchUp } from './catch-up.ts'
import type { ChainState } from './chain-state.ts'
import { EvidencePool } from './evidence-pool.ts'
import { Inbox } from './inbox.ts'
import { encodeJournalRecord, type JournalRecord } from './journal.ts'
import { signedRecord } from './journal-input.ts'
import { replayJournal } from './journal-replay.ts'
import { addressOf } from './key.ts'
import { LastPrecommits } from './last-precommits.ts'
import { OwnMessages } from './own-messages.ts'
import { checkPeerMessage, type PeerMessage } from './peer-message.ts'
import { ReplicaCore } from './replica-core.ts'
import type { Decision, ReplicaHost, ReplicaKey, ReplicaOptions, Timer } from './replica-host.ts'
import type { Candidate, Choice, Effect, RoundState, Verdict } from './round.ts'
import { votesOf } from './vote-keeper.ts'
import { extendedCommitOf } from './vote-set.ts'
import { type ExtendedCommit, PRECOMMIT, type Vote } from './wire.ts'

/** Heights between two cuts of the journal. */
const HEIGHTS_PER_CUT = 64n

export class Replica {
  readonly #core: ReplicaCore
  readonly #pool: EvidencePool
  readonly #lastPrecommits: LastPrecommits
  readonly #own: OwnMessages
  readonly #inbox: Inbox
  readonly #catchUp: CatchUp
  #cutAt: bigint

  constructor(
    host: ReplicaHost,
    options: ReplicaOptions,
    key: ReplicaKey | null,
    chain: ChainState,
    lastCommit: ExtendedCommit | null,
  ) {
    const address = key === null ? '' : addressOf(key.publicKey)
    this.#core = new ReplicaCore(host, options, { address, chain }, (effect) => this.#perform(effect))
    this.#pool = new EvidencePool(host)
    this.#lastPrecommits = new LastPrecommits(chain, lastCommit)
    this.#own = new OwnMessages(this.#core, key, this.#pool, this.#lastPrecommits)
    this.#catchUp = new CatchUp(this.#core, (decision) => this.#apply(decision))
    this.#inbox = new Inbox(this.#core, {
      own: this.#own,
      lastPrecommits: this.#lastPrecommits,
      onHeight: (peer, height) => this.#catchUp.noteHeight(peer, height),
      onConflict: (votes) => this.#onConflict(votes),
    })
    this.#cutAt = this.height + HEIGHTS_PER_CUT
  }

  /** The height that is being decided. */
  get height(): bigint {
    return this.#core.height
  }

  get chain(): ChainState {
    return this.#core.chain
  }

  get rounds(): RoundState {
    return this.#core.rounds
  }

  get isHalted(): boolean {
    return this.#core.isHalted
  }

  /** Whether nothing is being decided, for want of something to propose. */
  get isWaiting(): boolean {
    return this.#core.isWaiting
  }

  /** Height that each peer is at. */
  get peers(): ReadonlyMap<string, bigint> {
    return this.#catchUp.peers
  }

  /**
   * Begins, with what the journal holds. `unsure`: the journal was torn or is gone, so that signatures may have left that it does not
   * know; the replica listens before it signs.
   */
  start(records: readonly JournalRecord[], certainty: 'sure' | 'unsure'): void {
    const core = this.#core
    core.run(() => {
      const { rounds, pending, conflicts, lastSigned } = replayJournal(records, core.rounds)
      core.rounds = rounds
      for (const votes of conflicts) this.#onConflict(votes)
      this.#own.recover(lastSigned)
      if (certainty === 'unsure') this.#own.listen()
      // The last block may have become durable just before its height's end was written down.
      const last = records.findLast((record) => record.kind === 'height')
      if (last?.value.height !== this.height) core.journal({ kind: 'height', value: { height: this.height } })
      for (const effect of pending) this.#perform(effect)
      this.#catchUp.start()
      this.#await()
    })
  }

  /** There is something to propose, or a block is wanted for its own sake. */
  wake(): void {
    const core = this.#core
    core.run(() => {
      if (core.isWaiting) core.input({ kind: 'begin' })
    })
  }

  /** Takes nothing more from anybody. */
  stop(): void {
    this.#core.stop()
  }

  receive(peer: string, message: PeerMessage): void {
    this.#core.run(() => {
      if (checkPeerMessage(message) === null) this.#receive(peer, message)
    })
  }

  timeout(timer: Timer): void {
    const core = this.#core
    core.run(() => {
      switch (timer.kind) {
        case 'status':
          return this.#catchUp.onTimer()
        case 'listen':
          return this.#own.endListening()
        default:
          if (timer.height === core.height) core.input({ kind: 'timeout', step: timer.kind, round: timer.round })
      }
    })
  }

  /** The peer is gone; what it said of itself counts no more. */
  forget(peer: string): void {
    this.#catchUp.forget(peer)
  }

  /** Asks a peer that just came for what it has. */
  greet(peer: string): void {
    this.#core.run(() => this.#catchUp.greet(peer))
  }

  #receive(peer: string, message: PeerMessage): void {
    switch (message.kind) {
      case 'status':
        this.#catchUp.setHeight(peer, message.value.height)
        this.#own.hear(this.#catchUp.peers.keys())
        return this.#catchUp.onStatus(peer, message.value)
      case 'proposal':
        return this.#inbox.onProposal(peer, message)
      case 'block':
        return this.#core.takeBlock(message.value.block)
      case 'vote':
        return this.#inbox.onVote(peer, message)
      case 'evidence':
        if (message.value.evidence !== null) this.#pool.add(this.chain, message.value.evidence)
        return
      case 'blocksRequest':
        return this.#catchUp.onBlocksRequest(peer, message.value.from, message.value.count)
      case 'blocks':
        return this.#catchUp.onBlocks(peer, message.value.blocks)
    }
  }

  // --- effects ----------------------------------------------------------------------------------------------------

  #perform(effect: Effect): void {
    const { host, options } = this.#core
    switch (effect.kind) {
      case 'timer': {
        const { baseMs, deltaMs } = options.timeouts[effect.step]
        const timer = { kind: effect.step, height: this.height, round: effect.round }
        return host.setTimer(timer, baseMs + deltaMs * effect.round)
      }
      case 'propose':
      case 'vote':
        return this.#own.say(effect)
      case 'validate':
        return this.#validate(effect.candidate)
      case 'decide':
        return this.#decide(effect.decision, effect.candidate)
      case 'evidence':
        return this.#onConflict(effect.votes)
      case 'round':
        if (effect.round > 0) this.#catchUp.announce()
        return
      case 'alarm':
        return host.alarm(effect.reason)
      case 'halt':
        return this.#core.halt(effect.reason)
      case 'rule':
        return
    }
  }

  #validate(candidate: Candidate): void {
    const core = this.#core
    const { height } = core
    const { blockId, block } = candidate
    const answer = (verdict: Exclude<Verdict, 'asked'>): void =>
      core.run(() => {
        if (core.height === height) core.input({ kind: 'verdict', blockId, verdict })
      })
    const pieces = block.evidence.evidence.filter((piece) => piece !== null)
    const refused = this.#pool.check(core.chain, pieces)
    // What happened below the lowest block that is kept cannot be judged: no vote for it, but no halt if it is decided.
    const isOlder = refused?.code === 'unknown-height' && core.host.baseHeight() > core.chain.initialHeight
    if (refused !== null) return answer(isOlder ? 'rejected' : 'malformed')
    core.host.validate(core.chain, candidate, answer)
  }

  #onConflict(votes: readonly [Vote, Vote]): void {
    const { address, outbox, chain, height } = this.#core
    if (votes[0].validatorAddress === address) return
    this.#pool.addConflict(votes)
    if (votes[0].height >= height) return
    for (const evidence of this.#pool.update(chain, [])) outbox.broadcast({ kind: 'evidence', value: { evidence } })
  }

  // --- the end of a height ----------------------------------------------------------------------------------------

  #decide(decision: Choice, { block, bytes, blockId }: Candidate): void {
    const precommits = votesOf(this.rounds.keeper, decision.round, PRECOMMIT)
    const commit = precommits === undefined ? undefined : extendedCommitOf(precommits)
    if (commit === undefined) return this.#core.halt('the decision has no commit')
    this.#apply({ block, bytes, blockId, commit })
  }

  #apply(decision: Decision): void {
    const core = this.#core
    const { height } = core
    core.host.apply(core.chain, decision, (next) =>
      core.run(() => {
        if (core.height === height) this.#nextHeight(next, decision)
      }),
    )
  }

  #nextHeight(next: ChainState, { block, commit }: Decision): void {
    const core = this.#core
    this.#lastPrecommits.follow(next, commit, votesOf(core.rounds.keeper, commit.round, PRECOMMIT))
    for (const vote of this.#inbox.takeSpare()) this.#lastPrecommits.keep(vote)
    core.follow(next)
    this.#own.forget()
    this.#journalHeight()
    core.host.trace({ kind: 'height', rounds: core.rounds })
    const carried = block.evidence.evidence.filter((piece) => piece !== null)
    for (const evidence of this.#pool.update(next, carried)) {
      core.outbox.broadcast({ kind: 'evidence', value: { evidence } })
    }
    this.#catchUp.announceSoon()
    for (const { peer, message } of this.#inbox.takeEarly()) core.later(() => this.#receive(peer, message))
    core.later(() => this.#catchUp.applyNext())
    core.later(() => this.#await())
  }

  /** Now and then the journal begins anew: what was decided is durable elsewhere. */
  #journalHeight(): void {
    const { height } = this
    const record: JournalRecord = { kind: 'height', value: { height } }
    if (height < this.#cutAt) return this.#core.journal(record)
    this.#cutAt = height + HEIGHTS_PER_CUT
    this.#core.host.cutJournal([signedRecord(this.#own.lastSigned), record].map(encodeJournalRecord))
  }

  /** Evidence goes with the next block that is wanted for another reason: a block for it alone could call for the next. */
  #await(): void {
    if (this.isWaiting) this.#core.host.waiting(this.height)
  }
}
