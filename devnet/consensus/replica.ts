/**
 * One node of a chain: its rounds, its signatures, what it owes its peers. Everything outside is the host's: the clock, the timers, the
 * journal's file, the network, the application. A host that keeps those in memory runs many replicas from one seed; the same
 * replica runs in a devnet.
 *
 * All calls return at once, and answers come back through `proposed`, `validated`, `applied` and `synced`, from within the call or later.
 * What a peer sends never throws.
 *
 * @source spec consensus §4.8, §6.2, §11.2
 */

import { equalBytes } from '../primitives/bytes.ts'
import { decodeBlock } from './block.ts'
import { equalBlockIds, isNil } from './block-id.ts'
import type { TimeRule } from './block-validation.ts'
import type { ChainState } from './chain-state.ts'
import { EMPTY_COMMIT, medianTime, verifyCommit, verifyExtendedCommit, withoutExtensions } from './commit.ts'
import { type ChainPast, EvidencePool } from './evidence-pool.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import { encodeJournalRecord, type JournalRecord } from './journal.ts'
import { inputOf, isDone, isOwed, recordOf, signedRecord } from './journal-input.ts'
import { addressOf, type VerifyMessage } from './key.ts'
import { hasExtensions } from './params.ts'
import { partSetHeader } from './part-set.ts'
import { checkPeerMessage, type DecidedBlock, type PeerMessage, type Status } from './peer-message.ts'
import { hasRoomFor, verifyProposal } from './proposal.ts'
import { hasHonest } from './quorum.ts'
import { answerStatus, BLOCKS_REQUESTED, claimsOf, statusOf } from './resync.ts'
import {
  type Candidate,
  type Choice,
  createRoundState,
  type Effect,
  type Input,
  judgeProposal,
  missingBlocks,
  proposerAt,
  type RoundState,
  type Step,
  step,
  type Verdict,
} from './round.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import { type LastSigned, NOTHING_SIGNED, signProposal, signVote } from './sign-guard.ts'
import { type Duration, MILLISECOND, type Time } from './time.ts'
import type { ValidatorSet } from './validator-set.ts'
import { isExtensible, verifyVote, verifyVoteAndExtension } from './vote.ts'
import { judgeVote, votesOf } from './vote-keeper.ts'
import { addVote, extendedCommitOf, type VoteSet, voteSetOfCommit } from './vote-set.ts'
import {
  type Block,
  type BlockId,
  type Evidence,
  type ExtendedCommit,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL_TYPE,
  type Proposal,
  type PublicKey,
  type Vote,
} from './wire.ts'

/** How long a step waits in round 0, and how much longer in each round after. Milliseconds. */
export interface Timeout {
  readonly baseMs: number
  readonly deltaMs: number
}

export interface ReplicaOptions {
  readonly timeouts: Readonly<Record<Step, Timeout>>
  /** Between two statuses while something is being decided. */
  readonly statusMs: number
  /** How long a node that is not sure of what it signed listens before it signs, unless it hears of peers sooner. */
  readonly listenMs: number
  /** How far ahead a proposer's clock may be; unused where block times are medians. */
  readonly precision: Duration
  readonly timeRule: TimeRule
}

export const LOOPBACK_OPTIONS: ReplicaOptions = {
  timeouts: {
    propose: { baseMs: 300, deltaMs: 150 },
    prevote: { baseMs: 60, deltaMs: 60 },
    precommit: { baseMs: 60, deltaMs: 60 },
  },
  statusMs: 250,
  listenMs: 500,
  precision: 505n * MILLISECOND,
  timeRule: 'proposer',
}

export interface ReplicaKey {
  readonly publicKey: PublicKey
  readonly sign: (message: Uint8Array) => Uint8Array
}

export type Timer =
  | { readonly kind: Step; readonly height: bigint; readonly round: number }
  | { readonly kind: 'status' | 'listen' }

export interface ProposeRequest {
  readonly state: ChainState
  readonly round: number
  readonly time: Time
  readonly lastCommit: ExtendedCommit
  readonly evidence: readonly Evidence[]
  /** An address. */
  readonly proposer: string
}

export interface Decision {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly blockId: BlockId
  readonly commit: ExtendedCommit
}

/** What a replica asks of the world. */
export interface ReplicaHost extends ChainPast {
  readonly verify: VerifyMessage
  now(): Time
  /** Sets the one timer of this kind; a later one replaces it. */
  setTimer(timer: Timer, delayMs: number): void
  /** Appends to the journal. */
  append(record: Uint8Array): void
  /** Calls `synced` when all that was appended survives a crash. */
  sync(synced: () => void): void
  /** Everything that was decided up to `height` is durable elsewhere: the journal may begin with `head`. */
  cutJournal(head: readonly Uint8Array[]): void
  send(peer: string, message: PeerMessage): void
  broadcast(message: PeerMessage): void
  /** The address of the validator that a peer has proved to be. */
  validatorOf(peer: string): string | undefined
  /** Makes a block and calls `proposed`. */
  propose(request: ProposeRequest, proposed: (block: Block, bytes: Uint8Array, blockId: BlockId) => void): void
  /** Judges a block against the chain and asks the application. */
  validate(state: ChainState, candidate: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void
  extendVote(state: ChainState, candidate: Candidate): Uint8Array
  verifyExtension(vote: Vote): boolean
  /** Executes the block and makes it durable, with its commit. */
  apply(state: ChainState, decision: Decision, applied: (next: ChainState) => void): void
  /** A block that was applied, with its commit, as long as it is kept. */
  blockAt(height: bigint): DecidedBlock | undefined
  /** The lowest height that is kept. */
  baseHeight(): bigint
  /** The replica has nothing to propose until `wake` is called. */
  waiting(height: bigint): void
  halt(reason: string): void
  alarm(reason: string): void
  /** What the rounds did, for those who watch. */
  trace(effect: Effect): void
}

interface Outgoing {
  /** Null for all. */
  readonly peer: string | null
  readonly message: PeerMessage
}

const NO_BYTES = new Uint8Array(0)
/** Statuses of an idle chain become rarer, up to this factor. */
const IDLE_STATUS_FACTOR_MAX = 32
/** Heights between two cuts of the journal. */
const HEIGHTS_PER_CUT = 64n

export class Replica {
  readonly #host: ReplicaHost
  readonly #options: ReplicaOptions
  readonly #key: ReplicaKey | null
  readonly #address: string
  readonly #pool: EvidencePool
  #chain: ChainState
  #state: RoundState
  /** Precommits of the height before, as they come in. */
  #lastPrecommits: VoteSet | null
  #lastSigned: LastSigned = NOTHING_SIGNED
  /** Nothing is signed at this height: a signature of ours came back that the journal does not know. */
  #muteHeight = 0n
  /** `heard`: enough peers have spoken, and what they had for us is on its way. */
  #listening: 'no' | 'yes' | 'heard' = 'no'
  #isReplaying = false
  #isHalted = false
  #isStopped = false
  /** What happens next, in order: effects may answer while others are being performed. */
  readonly #queue: (() => void)[] = []
  #isDraining = false
  /** Effects that need a signature and wait until listening ends. */
  #held: Effect[] = []
  #outbox: Outgoing[] = []
  #hasUnsynced = false
  #isSyncing = false
  /** Height that each peer is at. */
  readonly #peers = new Map<string, bigint>()
  /** Messages for the next height. */
  #early: { readonly peer: string; readonly message: PeerMessage }[] = []
  /** Blocks that others decided, to be applied one after the other. */
  #decided: DecidedBlock[] = []
  #requested: { readonly peer: string; readonly from: bigint } | null = null
  #idleFactor = 1
  #cutAt: bigint

  constructor(
    host: ReplicaHost,
    options: ReplicaOptions,
    key: ReplicaKey | null,
    chain: ChainState,
    lastCommit: ExtendedCommit | null,
  ) {
    this.#host = host
    this.#options = options
    this.#key = key
    this.#address = key === null ? '' : addressOf(key.publicKey)
    this.#pool = new EvidencePool(host)
    this.#chain = chain
    this.#state = this.#newHeight()
    this.#lastPrecommits = lastCommit === null ? null : precommitsOf(chain, lastCommit)
    this.#cutAt = this.height + HEIGHTS_PER_CUT
  }

  /** The height that is being decided. */
  get height(): bigint {
    return this.#state.keeper.height
  }

  get chain(): ChainState {
    return this.#chain
  }

  get rounds(): RoundState {
    return this.#state
  }

  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Whether nothing is being decided, for want of something to propose. */
  get isWaiting(): boolean {
    return this.#state.round === -1 && this.#state.decided === null
  }

  get peers(): ReadonlyMap<string, bigint> {
    return this.#peers
  }

  /**
   * Begins, with what the journal holds. `unsure`: the journal was torn or is gone, so that signatures may have left that it does not
   * know; the replica listens before it signs.
   */
  start(records: readonly JournalRecord[], certainty: 'sure' | 'unsure'): void {
    this.#run(() => {
      const pending = this.#replay(records)
      if (certainty === 'unsure' && this.#key !== null) this.#listening = 'yes'
      if (this.#listening === 'yes') this.#host.setTimer({ kind: 'listen' }, this.#options.listenMs)
      // The last block may have become durable just before its height's end was written down.
      const last = records.findLast((record) => record.kind === 'height')
      if (last?.value.height !== this.height) {
        this.#journal({ kind: 'height', value: { height: this.height } })
      }
      for (const effect of pending) this.#perform(effect)
      this.#setStatusTimer()
      this.#announce()
      this.#await()
    })
  }

  /** There is something to propose, or a block is wanted for its own sake. */
  wake(): void {
    this.#run(() => {
      if (this.isWaiting) this.#input({ kind: 'begin' })
    })
  }

  /** Takes nothing more from anybody. */
  stop(): void {
    this.#isStopped = true
  }

  receive(peer: string, message: PeerMessage): void {
    this.#run(() => {
      if (checkPeerMessage(message) === null) this.#receive(peer, message)
    })
  }

  timeout(timer: Timer): void {
    this.#run(() => {
      switch (timer.kind) {
        case 'status':
          return this.#onStatusTimer()
        case 'listen':
          return this.#endListening()
        default:
          if (timer.height !== this.height) return
          this.#input({ kind: 'timeout', step: timer.kind, round: timer.round })
      }
    })
  }

  /** The peer is gone; what it said of itself counts no more. */
  forget(peer: string): void {
    this.#peers.delete(peer)
    if (this.#requested?.peer === peer) this.#requested = null
  }

  /** Asks a peer that just came for what it has. */
  greet(peer: string): void {
    this.#run(() => this.#send(peer, { kind: 'status', value: this.#status() }))
  }

  // --- the loop ---------------------------------------------------------------------------------------------------

  /** Runs, and what comes of it, and what comes of that; then lets go of the messages. */
  #run(work: () => void): void {
    if (this.#isHalted || this.#isStopped) return
    this.#queue.push(work)
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (this.#isHalted || this.#isStopped) break
        next()
      }
    } finally {
      this.#queue.length = 0
      this.#isDraining = false
    }
    this.#settle()
  }

  /** Nothing leaves before the signatures in the journal are durable. */
  #settle(): void {
    if (this.#isSyncing || this.#isStopped || this.#outbox.length === 0) return
    const batch = this.#outbox
    this.#outbox = []
    if (!this.#hasUnsynced) return this.#dispatch(batch)
    this.#hasUnsynced = false
    this.#isSyncing = true
    this.#host.sync(() => {
      this.#isSyncing = false
      if (this.#isStopped) return
      this.#dispatch(batch)
      this.#settle()
    })
  }

  #dispatch(batch: readonly Outgoing[]): void {
    for (const { peer, message } of batch) {
      if (peer === null) this.#host.broadcast(message)
      else this.#host.send(peer, message)
    }
  }

  #send(peer: string, message: PeerMessage): void {
    this.#outbox.push({ peer, message })
  }

  #broadcast(message: PeerMessage): void {
    this.#outbox.push({ peer: null, message })
  }

  #journal(record: JournalRecord): void {
    this.#host.append(encodeJournalRecord(record))
  }

  /** Writes the input down, puts it into the rounds, and performs what they ask for. */
  #input(input: Input, isOwn = false): void {
    this.#journal(recordOf(input, isOwn))
    if (isOwn) this.#hasUnsynced = true
    for (const effect of this.#step(input)) this.#perform(effect)
  }

  #step(input: Input): readonly Effect[] {
    const before = this.#state
    const { state, effects } = step(before, input)
    this.#state = state
    if (state.round !== before.round || state.step !== before.step) this.#idleFactor = 1
    return effects
  }

  // --- effects ----------------------------------------------------------------------------------------------------

  #perform(effect: Effect): void {
    this.#host.trace(effect)
    switch (effect.kind) {
      case 'timer': {
        const { baseMs, deltaMs } = this.#options.timeouts[effect.step]
        const timer = { kind: effect.step, height: this.height, round: effect.round }
        return this.#host.setTimer(timer, baseMs + deltaMs * effect.round)
      }
      case 'propose':
        if (this.#listening !== 'no') this.#held.push(effect)
        else this.#propose(effect.round, effect.valid)
        return
      case 'vote':
        if (this.#listening !== 'no') this.#held.push(effect)
        else this.#vote(effect)
        return
      case 'validate':
        return this.#validate(effect.candidate)
      case 'decide':
        return this.#decide(effect.decision, effect.candidate)
      case 'evidence':
        return this.#onConflict(effect.votes)
      case 'round':
        if (effect.round > 0) this.#announce()
        return
      case 'alarm':
        return this.#host.alarm(effect.reason)
      case 'halt':
        return this.#halt(effect.reason)
      case 'rule':
        return
    }
  }

  #halt(reason: string): void {
    this.#isHalted = true
    this.#host.halt(reason)
  }

  #propose(round: number, valid: Choice | null): void {
    const { height } = this
    const candidate = valid === null ? undefined : this.#candidateOf(valid.blockId)
    if (valid !== null && candidate !== undefined) {
      return this.#offer({ round, polRound: valid.round }, candidate.bytes, valid.blockId, candidate.block.header.time)
    }
    const lastCommit = this.#lastCommit()
    if (lastCommit === undefined) return this.#halt('the last block has no commit to build on')
    const time = this.#blockTime(lastCommit)
    const evidence = this.#pool.take(this.#chain)
    const request = { state: this.#chain, round, time, lastCommit, evidence, proposer: this.#address }
    this.#host.propose(request, (block, bytes, blockId) =>
      this.#run(() => {
        if (this.height !== height || this.#state.round !== round || this.#state.step !== 'propose') return
        this.#offer({ round, polRound: -1 }, bytes, blockId, block.header.time)
      }),
    )
  }

  #candidateOf(blockId: BlockId): Candidate | undefined {
    for (const candidate of this.#state.candidates.values()) {
      if (equalBlockIds(candidate.blockId, blockId)) return candidate
    }
    return undefined
  }

  #blockTime(lastCommit: ExtendedCommit): Time {
    const { lastHeight, lastTime, lastValidators } = this.#chain
    if (this.#options.timeRule === 'median') {
      if (lastHeight === 0n) return lastTime
      const time = medianTime(withoutExtensions(lastCommit), lastValidators)
      if (typeof time === 'bigint') return time
    }
    const now = this.#host.now()
    const least = lastHeight === 0n ? lastTime : lastTime + MILLISECOND
    return now > least ? now : least
  }

  /** Signs and sends a proposal of ours. */
  #offer(
    { round, polRound }: { readonly round: number; readonly polRound: number },
    bytes: Uint8Array,
    blockId: BlockId,
    timestamp: Time,
  ): void {
    const { height } = this
    if (this.#key === null || height === this.#muteHeight) return
    const draft: Proposal = { type: PROPOSAL_TYPE, height, round, polRound, blockId, timestamp, signature: NO_BYTES }
    const signed = signProposal(this.#lastSigned, { chainId: this.#chain.chainId, sign: this.#key.sign }, draft)
    if (isFault(signed)) return this.#host.alarm(`the sign guard refused a proposal: ${signed.code}`)
    this.#lastSigned = signed.last
    const proposal = signed.message
    this.#broadcast({ kind: 'proposal', value: { proposal, block: bytes } })
    this.#input({ kind: 'proposal', proposal, receivedAt: this.#host.now() }, true)
    this.#takeBlock(bytes)
  }

  #vote({ type, round, blockId }: Extract<Effect, { kind: 'vote' }>): void {
    const { height } = this
    const { self } = this.#state
    if (this.#key === null || self === null || height === this.#muteHeight) return
    const isForBlock = type === PRECOMMIT && !isNil(blockId)
    const candidate = isForBlock ? this.#candidateOf(blockId) : undefined
    const mustExtend = candidate !== undefined && this.#state.keeper.hasExtensions
    const draft: Vote = {
      type,
      height,
      round,
      blockId,
      timestamp: this.#voteTime(),
      validatorAddress: this.#address,
      validatorIndex: self,
      signature: NO_BYTES,
      extension: mustExtend ? this.#host.extendVote(this.#chain, candidate) : NO_BYTES,
      extensionSignature: NO_BYTES,
    }
    const signed = signVote(this.#lastSigned, { chainId: this.#chain.chainId, sign: this.#key.sign }, draft)
    if (isFault(signed)) return this.#host.alarm(`the sign guard refused a vote: ${signed.code}`)
    this.#lastSigned = signed.last
    const vote = mustExtend ? signed.message : { ...signed.message, extensionSignature: NO_BYTES }
    this.#broadcast({ kind: 'vote', value: { vote } })
    this.#input({ kind: 'vote', vote }, true)
  }

  /** Later than the block that is voted for, so that the median of the votes is too. */
  #voteTime(): Time {
    const now = this.#host.now()
    const { locked, proposals, round } = this.#state
    const blockId = locked?.blockId ?? proposals.get(round)?.proposal.blockId
    const candidate = blockId === undefined ? undefined : this.#candidateOf(blockId)
    if (this.#options.timeRule !== 'median' || candidate === undefined) return now
    const least = candidate.block.header.time + MILLISECOND
    return now > least ? now : least
  }

  #validate(candidate: Candidate): void {
    const { height } = this
    const { blockId, block } = candidate
    const answer = (verdict: Exclude<Verdict, 'asked'>): void =>
      this.#run(() => {
        if (this.height === height) this.#input({ kind: 'verdict', blockId, verdict })
      })
    const pieces = block.evidence.evidence.filter((piece) => piece !== null)
    const refused = this.#pool.check(this.#chain, pieces)
    // What happened below the lowest block that is kept cannot be judged: no vote for it, but no halt if it is decided.
    const isOlder = refused?.code === 'unknown-height' && this.#host.baseHeight() > this.#chain.initialHeight
    if (refused !== null) return answer(isOlder ? 'rejected' : 'malformed')
    this.#host.validate(this.#chain, candidate, answer)
  }

  #decide(decision: Choice, { block, bytes, blockId }: Candidate): void {
    const precommits = votesOf(this.#state.keeper, decision.round, PRECOMMIT)
    const commit = precommits === undefined ? undefined : extendedCommitOf(precommits)
    if (commit === undefined) return this.#halt('the decision has no commit')
    this.#apply({ block, bytes, blockId, commit })
  }

  #apply(decision: Decision): void {
    const { height } = this
    this.#host.apply(this.#chain, decision, (next) =>
      this.#run(() => {
        if (this.height === height) this.#nextHeight(next, decision)
      }),
    )
  }

  #nextHeight(next: ChainState, { block, commit }: Decision): void {
    const precommits = votesOf(this.#state.keeper, commit.round, PRECOMMIT)
    const isOurs = precommits?.majority != null && equalBlockIds(precommits.majority, commit.blockId)
    this.#chain = next
    this.#lastPrecommits = isOurs ? precommits : precommitsOf(next, commit)
    this.#state = this.#newHeight()
    this.#held = []
    this.#idleFactor = 1
    const record: JournalRecord = { kind: 'height', value: { height: this.height } }
    if (this.height >= this.#cutAt) {
      this.#cutAt = this.height + HEIGHTS_PER_CUT
      this.#host.cutJournal([signedRecord(this.#lastSigned), record].map(encodeJournalRecord))
    } else this.#journal(record)
    const carried = block.evidence.evidence.filter((piece) => piece !== null)
    for (const evidence of this.#pool.update(next, carried)) {
      this.#broadcast({ kind: 'evidence', value: { evidence } })
    }
    this.#announce()
    const early = this.#early
    this.#early = []
    for (const { peer, message } of early) this.#queue.push(() => this.#receive(peer, message))
    this.#queue.push(() => this.#applyDecided())
    this.#queue.push(() => this.#await())
  }

  /** Evidence goes with the next block that is wanted for another reason: a block for it alone could call for the next. */
  #await(): void {
    if (this.isWaiting) this.#host.waiting(this.height)
  }

  #newHeight(): RoundState {
    const { lastHeight, initialHeight, validators, chainId, params } = this.#chain
    const height = lastHeight === 0n ? initialHeight : lastHeight + 1n
    const place = validators.validators.findIndex(({ address }) => address === this.#address)
    return createRoundState({
      chainId,
      height,
      validators,
      hasExtensions: hasExtensions(params, height),
      self: place === -1 ? null : place,
      precision: this.#options.timeRule === 'median' ? null : this.#options.precision,
    })
  }

  /** What the next block says of the last; undefined when that cannot be. */
  #lastCommit(): ExtendedCommit | undefined {
    if (this.height === this.#chain.initialHeight) return { ...EMPTY_COMMIT, extendedSignatures: [] }
    return this.#lastPrecommits === null ? undefined : extendedCommitOf(this.#lastPrecommits)
  }

  // --- peers ------------------------------------------------------------------------------------------------------

  #receive(peer: string, message: PeerMessage): void {
    switch (message.kind) {
      case 'status':
        return this.#onStatus(peer, message.value)
      case 'proposal':
        return this.#onProposal(peer, message)
      case 'block':
        return this.#takeBlock(message.value.block)
      case 'vote':
        return this.#onVote(peer, message)
      case 'evidence':
        if (message.value.evidence !== null) this.#pool.add(this.#chain, message.value.evidence)
        return
      case 'blocksRequest':
        return this.#onBlocksRequest(peer, message.value.from, message.value.count)
      case 'blocks':
        return this.#onBlocks(peer, message.value.blocks)
    }
  }

  /** One height ahead is kept for later, with a limit; further ahead shows that blocks are missing. */
  #isEarly(peer: string, height: bigint, message: PeerMessage): boolean {
    if (height === this.height) return false
    if (height > this.height) this.#noteHeight(peer, height)
    const limit = message.kind === 'proposal' ? 2 : 8 * this.#chain.validators.validators.length
    const alike = this.#early.filter((early) => early.message.kind === message.kind)
    if (height === this.height + 1n && alike.length < limit) this.#early.push({ peer, message })
    return true
  }

  #onProposal(peer: string, message: Extract<PeerMessage, { kind: 'proposal' }>): void {
    const { proposal, block } = message.value
    if (this.#isEarly(peer, proposal.height, message)) return
    const judged = judgeProposal(this.#state, proposal)
    if (judged === null) {
      if (this.#verifyProposal(proposal) !== null) return
      this.#input({ kind: 'proposal', proposal, receivedAt: this.#host.now() })
    } else if (judged !== 'known') return
    if (block.length > 0) this.#takeBlock(block)
  }

  #verifyProposal(proposal: Proposal): Fault | null {
    const proposer = proposerAt(this.#state, proposal.round)
    const { validators } = this.#state.keeper.validators
    const validator = validators.find(({ address }) => address === proposer)
    if (validator === undefined) return fault('proposer-not-a-validator')
    if (!hasRoomFor(proposal.blockId.partSetHeader.total, this.#chain.params.block.maxBytes)) return fault('too-long')
    const refused = verifyProposal(this.#chain.chainId, proposal, validator.pubKey, this.#host.verify)
    if (refused === null && proposer === this.#address) this.#mute()
    return refused
  }

  /** Takes a block that is missing; others cost nothing. */
  #takeBlock(bytes: Uint8Array): void {
    const missing = missingBlocks(this.#state)
    if (missing.length === 0) return
    const partSet = partSetHeader(bytes)
    const wanted = missing.find(({ partSetHeader: header }) => header.hash === partSet.hash)
    if (wanted === undefined) return
    const block = decodeBlock(bytes)
    if (isFault(block) || headerHash(block.header) !== wanted.hash || partSet.total !== wanted.partSetHeader.total) {
      return
    }
    this.#input({ kind: 'block', blockId: wanted, block, bytes })
  }

  #onVote(peer: string, message: Extract<PeerMessage, { kind: 'vote' }>): void {
    const { vote } = message.value
    if (vote.height === this.height - 1n && vote.type === PRECOMMIT) return this.#onLateVote(vote)
    if (this.#isEarly(peer, vote.height, message)) return
    if (judgeVote(this.#state.keeper, vote) !== 'wanted') return
    const { hasExtensions: isExtended, validators } = this.#state.keeper
    if (this.#verifyVote(vote, validators, isExtended) !== null) return
    if (vote.validatorAddress === this.#address) this.#mute()
    else if (isExtended && isExtensible(vote) && !this.#host.verifyExtension(vote)) return
    // A validator has begun the height: what it wants a block for may not have reached us, and alone it cannot end it.
    if (this.isWaiting) this.#input({ kind: 'begin' })
    this.#input({ kind: 'vote', vote })
  }

  #verifyVote(vote: Vote, { validators }: ValidatorSet, isExtended: boolean): Fault | null {
    const { pubKey } = validators[vote.validatorIndex]!
    const { chainId } = this.#chain
    if (isExtended) return verifyVoteAndExtension(chainId, vote, pubKey, this.#host.verify)
    if (vote.extension.length > 0 || vote.extensionSignature.length > 0) return fault('extension')
    return verifyVote(chainId, vote, pubKey, this.#host.verify)
  }

  /** A precommit for the last block: it makes the commit in the next block more complete. */
  #onLateVote(vote: Vote): void {
    const set = this.#lastPrecommits
    if (set === null || vote.round !== set.step.round) return
    const validator = set.validators.validators[vote.validatorIndex]
    if (validator === undefined || validator.address !== vote.validatorAddress) return
    const known = set.votes[vote.validatorIndex]
    if (known != null && equalBytes(known.signature, vote.signature)) return
    if (this.#verifyVote(vote, set.validators, set.step.hasExtensions) !== null) return
    const { set: next, conflicting } = addVote(set, vote, 'verified')
    this.#lastPrecommits = next
    if (conflicting !== null) this.#onConflict([conflicting, vote])
  }

  #onConflict(votes: readonly [Vote, Vote]): void {
    if (votes[0].validatorAddress === this.#address || this.#isReplaying) return
    this.#pool.addConflict(votes)
    if (votes[0].height >= this.height) return
    for (const evidence of this.#pool.update(this.#chain, [])) {
      this.#broadcast({ kind: 'evidence', value: { evidence } })
    }
  }

  /** Somebody has a signature of ours that we do not know: signing on could contradict it. */
  #mute(): void {
    if (this.#muteHeight === this.height) return
    this.#muteHeight = this.height
    this.#held = []
    this.#host.alarm(
      `a signature of this validator came back that its journal does not know; it is silent at ${this.height}`,
    )
  }

  // --- catching up ------------------------------------------------------------------------------------------------

  #status(): Status {
    return statusOf(this.#state, this.#host.baseHeight())
  }

  #announce(): void {
    this.#broadcast({ kind: 'status', value: this.#status() })
  }

  #setStatusTimer(): void {
    // Replicas that start together do not speak at once.
    const spread = 1 + ((this.#state.self ?? 0) % 8) / 16
    this.#host.setTimer({ kind: 'status' }, Math.round(this.#options.statusMs * this.#idleFactor * spread))
  }

  #onStatusTimer(): void {
    this.#requested = null
    this.#requestBlocks(1n)
    this.#announce()
    this.#idleFactor = this.isWaiting ? Math.min(this.#idleFactor * 2, IDLE_STATUS_FACTOR_MAX) : 1
    this.#setStatusTimer()
  }

  #noteHeight(peer: string, height: bigint): void {
    if (!this.#peers.has(peer) && this.#peers.size >= 1000) return
    if ((this.#peers.get(peer) ?? 0n) < height) this.#peers.set(peer, height)
  }

  #onStatus(peer: string, status: Status): void {
    this.#peers.set(peer, status.height)
    this.#hear()
    if (status.height > this.height) return this.#requestBlocks(2n)
    if (status.height < this.height) {
      // The peer will ask, once it knows.
      this.#send(peer, { kind: 'status', value: this.#status() })
      return
    }
    for (const { round, type, blockId } of claimsOf(this.#state, status)) {
      if (votesOf(this.#state.keeper, round, type)?.claims.has(peer) === false) {
        this.#input({ kind: 'claim', peer, round, type, blockId })
      }
    }
    for (const message of answerStatus(this.#state, status)) this.#send(peer, message)
  }

  /** Asks one peer that is `gap` heights ahead, unless another was asked already. */
  #requestBlocks(gap: bigint): void {
    if (this.#requested !== null || this.#decided.length > 0) return
    let best: string | null = null
    for (const [peer, height] of this.#peers) {
      if (height >= this.height + gap && (best === null || height > this.#peers.get(best)!)) best = peer
    }
    if (best === null) return
    this.#requested = { peer: best, from: this.height }
    this.#send(best, { kind: 'blocksRequest', value: { from: this.height, count: BLOCKS_REQUESTED } })
  }

  #onBlocksRequest(peer: string, from: bigint, count: number): void {
    const blocks: DecidedBlock[] = []
    let size = 0
    for (let height = from; height < this.height && blocks.length < Math.min(count, BLOCKS_REQUESTED); height++) {
      const found = this.#host.blockAt(height)
      if (found === undefined) break
      size += found.block.length
      if (blocks.length > 0 && size > ANSWER_SIZE_MAX) break
      blocks.push(found)
    }
    if (blocks.length > 0) this.#send(peer, { kind: 'blocks', value: { blocks } })
  }

  #onBlocks(peer: string, blocks: readonly DecidedBlock[]): void {
    if (this.#decided.length > 0) return
    if (this.#requested?.peer === peer) this.#requested = null
    this.#decided = [...blocks]
    this.#applyDecided()
  }

  /** The next block that others decided, if it is here and its commit is good. */
  #applyDecided(): void {
    if (this.#state.decided !== null) return
    for (let next = this.#decided.shift(); next !== undefined; next = this.#decided.shift()) {
      if (next.commit.height < this.height) continue
      const decision = this.#readDecided(next)
      if (decision === undefined) break
      this.#state = { ...this.#state, decided: { round: decision.commit.round, blockId: decision.blockId } }
      const candidate: Candidate = { ...decision, verdict: 'asked' }
      const { height } = this
      this.#host.validate(this.#chain, candidate, (verdict) =>
        this.#run(() => {
          if (this.height !== height) return
          if (verdict === 'malformed') this.#halt('two thirds decided a block that does not follow from the chain')
          else this.#apply(decision)
        }),
      )
      return
    }
    this.#decided = []
    this.#requestBlocks(2n)
  }

  #readDecided({ block: bytes, commit }: DecidedBlock): Decision | undefined {
    const block = decodeBlock(bytes)
    if (isFault(block) || block.header.height !== this.height) return undefined
    const blockId = { hash: headerHash(block.header) ?? '', partSetHeader: partSetHeader(bytes) }
    const target = { chainId: this.#chain.chainId, height: this.height, blockId }
    const { validators } = this.#chain
    const refused = hasExtensions(this.#chain.params, this.height)
      ? verifyExtendedCommit(validators, target, commit, this.#host.verify)
      : verifyCommit(validators, target, withoutExtensions(commit), this.#host.verify)
    return refused === null ? { block, bytes, blockId, commit } : undefined
  }

  // --- restart ----------------------------------------------------------------------------------------------------

  /** Peers that hold a third of the power have spoken: if a signature of ours is about, they would have sent it. */
  #hear(): void {
    if (this.#listening !== 'yes') return
    const heard = new Set([...this.#peers.keys()].map((peer) => this.#host.validatorOf(peer)))
    let power = 0n
    for (const { address, votingPower } of this.#chain.validators.validators)
      if (heard.has(address)) power += votingPower
    if (hasHonest(power, this.#chain.validators.totalVotingPower)) {
      this.#listening = 'heard'
      this.#host.setTimer({ kind: 'listen' }, Math.min(this.#options.listenMs, this.#options.statusMs))
    }
  }

  #endListening(): void {
    if (this.#listening === 'no') return
    this.#listening = 'no'
    const held = this.#held
    this.#held = []
    for (const effect of held) this.#perform(effect)
  }

  /** Puts the inputs of the height in again. Answers what had been asked for but was not done when the journal ended. */
  #replay(records: readonly JournalRecord[]): readonly Effect[] {
    this.#isReplaying = true
    let height = 0n
    let pending: Effect[] = []
    for (const record of records) {
      // A journal may have gone on to heights that the chain's store has lost: what was decided here is applied again.
      if (record.kind === 'height') {
        height = record.value.height
        continue
      }
      this.#remember(record)
      if (height !== this.height) continue
      const input = inputOf(record)
      if (input === null) continue
      const effects = this.#step(input)
      pending = [...pending.filter((effect) => !isDone(effect, record)), ...effects.filter(isOwed)]
    }
    this.#isReplaying = false
    const { round, step: at } = this.#state
    // Timers of steps that are over would only be ignored.
    return pending.filter((effect) => {
      if (effect.kind === 'timer') return effect.round === round && (effect.step === at || effect.step === 'precommit')
      if (effect.kind === 'propose' || effect.kind === 'vote') return effect.round === round
      return true
    })
  }

  /** What the journal says that we signed. */
  #remember(record: JournalRecord): void {
    const { chainId } = this.#chain
    if (record.kind === 'signed') this.#lastSigned = record.value
    else if (record.kind === 'vote' && record.value.isOwn) {
      const { vote } = record.value
      const { height, round, type, signature } = vote
      this.#lastSigned = {
        height,
        round,
        step: type === PREVOTE ? 2 : 3,
        signBytes: voteSignBytes(chainId, vote),
        signature,
      }
    } else if (record.kind === 'proposal' && record.value.isOwn) {
      const { proposal } = record.value
      const { height, round, signature } = proposal
      this.#lastSigned = { height, round, step: 1, signBytes: proposalSignBytes(chainId, proposal), signature }
    }
  }
}

/** Bytes of blocks in one answer, unless a single block has more. */
const ANSWER_SIZE_MAX = 4 << 20

/** Of the chain's last block. */
function precommitsOf(chain: ChainState, commit: ExtendedCommit): VoteSet {
  const { chainId, params, lastValidators } = chain
  const { height, round } = commit
  const step = { chainId, height, round, type: PRECOMMIT, hasExtensions: hasExtensions(params, height) }
  return voteSetOfCommit(step, lastValidators, commit)
}
