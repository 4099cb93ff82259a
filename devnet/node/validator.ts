/**
 * One node of a chain under the embedded engine: its application, its blocks, its mempool, and the replica that joins them to the others.
 * A validator with a key signs; without one it follows.
 *
 * @source spec consensus §6.2, §7.4–7.5
 */

import { isNil, NIL_BLOCK_ID } from '../consensus/block-id.ts'
import type { ChainState } from '../consensus/chain-state.ts'
import type { ChainPast } from '../consensus/evidence-pool.ts'
import { encodeJournalRecord, type JournalRecord } from '../consensus/journal.ts'
import { addressOf, type PrivateKey, publicKeyOf, signMessage, type VerifyMessage } from '../consensus/key.ts'
import type { DecidedBlock, PeerMessage, Status } from '../consensus/peer-message.ts'
import { Replica } from '../consensus/replica.ts'
import type {
  Decision,
  Passage,
  ProposeRequest,
  ReplicaHost,
  ReplicaOptions,
  Timer,
} from '../consensus/replica-host.ts'
import type { Candidate, Verdict } from '../consensus/round.ts'
import { voteSignBytes } from '../consensus/sign-bytes.ts'
import type { Time } from '../consensus/time.ts'
import type { ValidatorSet } from '../consensus/validator-set.ts'
import type { VerifiedSignatures } from '../consensus/verified-signatures.ts'
import { type Block, type BlockId, FLAG_COMMIT, PREVOTE, type Vote } from '../consensus/wire.ts'
import type { Cid } from '../ipld/cid.ts'
import { toBinary } from '../primitives/bytes.ts'
import type { Address } from '../state/address.ts'
import { admitMessage, poolMessage } from './admission.ts'
import { type BlockExecutor, identifyBlock } from './block-executor.ts'
import { BLOCK_MESSAGES_MAX } from './block-filling.ts'
import { type BlockStore, pastOf } from './block-store.ts'
import { SubmitError } from './chain.ts'
import type { BlockRecord } from './chain-records.ts'
import type { FvmApplication } from './fvm-application.ts'
import { GAS_MARKET } from './gas-market.ts'
import type { Journal } from './journal-file.ts'
import { Mempool } from './mempool.ts'
import type { NodeMessage, PeerLinks, PeerListener } from './peer-links.ts'
import type { Recorder } from './recording.ts'
import { answerSync } from './sync-answers.ts'
import { isSyncMessage, type SyncMessage } from './sync-message.ts'

/** The clock of a node: the chain's time, and timers. */
export interface NodeClock {
  /** Milliseconds since 1970, as the chain has it; may have a fraction. */
  now(): number
  after(delayMs: number, run: () => void): () => void
}

export interface ValidatorOptions {
  readonly name: string
  readonly key: PrivateKey | null
  readonly application: FvmApplication
  readonly executor: BlockExecutor
  readonly state: ChainState
  /** The state came from others: what this validator signed before is not known here. */
  readonly isRestored: boolean
  readonly journal: Journal
  readonly clock: NodeClock
  readonly replica: ReplicaOptions
  readonly signatures: VerifiedSignatures
  /** Whether waiting transactions make a block by themselves. */
  readonly isEager: () => boolean
  /** Whether it signs what an honest validator does not: a fault that is asked for. */
  readonly isByzantine: () => boolean
  /** A peer's user asked something of the whole network. */
  readonly onPower: (said: PowerMessage) => void
  readonly recorder: Recorder | null
  readonly watcher: ValidatorWatcher
}

export type PowerMessage = Extract<NodeMessage, { readonly kind: 'want' | 'clock' }>

export interface ValidatorWatcher {
  committed(validator: Validator, block: BlockRecord, decision: Decision): void
  /** A message can be in no block. */
  dropped(validator: Validator, cid: Cid, reason: SubmitError): void
  halted(validator: Validator, reason: string): void
  alarmed(validator: Validator, reason: string): void
  /** Blocks alone cannot bring it on. */
  stranded(validator: Validator): void
  passed(validator: Validator, passage: Passage): void
  /** Whether somebody listens to all that it passes through. */
  isWatching(validator: Validator): boolean
}

/** Powers that wait at a node. */
const POWERS_MAX = 10_000
/** Transactions told to a peer in one message. */
const TXS_PER_MESSAGE = 256

export class Validator implements ReplicaHost, PeerListener {
  readonly name: string
  readonly address: string
  readonly application: FvmApplication
  readonly executor: BlockExecutor
  readonly mempool = new Mempool()
  readonly verify: VerifyMessage
  readonly replica: Replica
  readonly #options: ValidatorOptions
  readonly #past: ChainPast
  #links: PeerLinks | null = null
  readonly #timers = new Map<string, () => void>()
  /** Powers that wait, by their bytes. */
  readonly #powers = new Map<string, Uint8Array>()
  /** Transactions to be told to the others at the end of this turn. */
  #news: Uint8Array[] = []
  #isTelling = false
  /** Blocks are wanted up to this height, empty ones too. */
  #wantedHeight = 0n
  /** A block that was accepted and is not executed yet. */
  #likely: { readonly state: ChainState; readonly candidate: Candidate } | null = null
  #isClosed = false
  #recordedHeight = -1n

  constructor(options: ValidatorOptions) {
    const { name, key, application, executor, state, signatures } = options
    this.name = name
    this.#options = options
    this.application = application
    this.executor = executor
    this.#past = pastOf(executor.blocks)
    this.verify = signatures.verify
    const publicKey = key === null ? null : publicKeyOf(key)
    this.address = publicKey === null ? '' : addressOf(publicKey)
    const signer =
      key === null || publicKey === null
        ? null
        : { publicKey, sign: (message: Uint8Array) => signatures.sign(key, publicKey, message) }
    const lastCommit = state.lastHeight === 0n ? null : (executor.blocks.extendedCommit(state.lastHeight) ?? null)
    this.replica = new Replica(this, options.replica, signer, state, lastCommit)
  }

  get blocks(): BlockStore {
    return this.executor.blocks
  }

  start(links: PeerLinks): void {
    this.#links = links
    const { journal, state, isRestored } = this.#options
    const isLost = journal.found === 'missing' && state.lastHeight > 0n
    const isUnsure = journal.found === 'torn' || isLost || isRestored
    if (this.#options.recorder !== null) this.#recordEarlier(journal.records)
    this.replica.start(journal.records, isUnsure ? 'unsure' : 'sure')
  }

  /** Stops at once; what was acknowledged is durable. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.replica.stop()
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
    this.#links?.close()
    this.#options.journal.close()
  }

  // --- transactions -----------------------------------------------------------------------------------------------

  /** Takes a message at the door, and tells the others. @throws SubmitError */
  submit(tx: Uint8Array): Cid {
    const cid = admitMessage(this.application, this.mempool, tx)
    this.#tell(tx)
    this.#wakeIfWanted()
    return cid
  }

  /** Takes a power, which goes into the next block that this node proposes. @throws SubmitError */
  addPower(tx: Uint8Array): Cid {
    const check = this.application.door.check(tx)
    if (!check.ok) throw new SubmitError(check.code, check.log)
    if (this.#powers.size >= POWERS_MAX) throw new SubmitError('POOL_FULL', 'too many powers are waiting')
    this.#powers.set(toBinary(tx), tx)
    this.#tell(tx)
    this.#wakeIfWanted()
    return check.checked.cid
  }

  #tell(tx: Uint8Array): void {
    this.#news.push(tx)
    if (this.#isTelling) return
    this.#isTelling = true
    queueMicrotask(() => this.#tellNews())
  }

  #tellNews(): void {
    this.#isTelling = false
    const news = this.#news
    this.#news = []
    for (let at = 0; at < news.length; at += TXS_PER_MESSAGE) {
      this.#links?.broadcast({ kind: 'txs', value: { txs: news.slice(at, at + TXS_PER_MESSAGE) } })
    }
  }

  /** Of another node: what is refused is dropped without a word. */
  #onTxs(txs: readonly Uint8Array[]): void {
    for (const tx of txs) {
      const check = this.application.door.check(tx)
      if (!check.ok) continue
      if (check.checked.transaction.kind === 'power') {
        if (this.#powers.size < POWERS_MAX && this.application.history.locate(check.checked.cid) === undefined) {
          this.#powers.set(toBinary(tx), tx)
        }
        continue
      }
      try {
        poolMessage(this.application, this.mempool, check.checked, tx)
      } catch (error) {
        if (!(error instanceof SubmitError)) throw error
      }
    }
    this.#wakeIfWanted()
  }

  /** Makes blocks up to this height, empty ones too. */
  wantBlocks(height: bigint): void {
    if (height > this.#wantedHeight) this.#wantedHeight = height
    this.#wakeIfWanted()
  }

  #wakeIfWanted(): void {
    if (this.replica.isWaiting && this.#isBlockWanted()) this.replica.wake()
  }

  #isBlockWanted(): boolean {
    if (this.replica.height <= this.#wantedHeight || this.#powers.size > 0) return true
    return this.#options.isEager() && this.mempool.size > 0 && this.#ready(1).length > 0
  }

  #ready(count: number) {
    const next = new Map<string, bigint>()
    return this.mempool.ready(
      (sender) => {
        const known = next.get(sender) ?? this.application.door.senderOf(sender)?.sequence ?? 0n
        next.set(sender, known)
        return known
      },
      GAS_MARKET.blockGasLimit,
      count,
    )
  }

  /** Powers first; messages only where they may make blocks, or a block is wanted anyway. */
  #reap(bytesMax: bigint): readonly Uint8Array[] {
    const powers = [...this.#powers.values()].slice(0, BLOCK_MESSAGES_MAX)
    const isOnlyPowers = !this.#options.isEager() && powers.length > 0 && this.replica.height > this.#wantedHeight
    const entries = isOnlyPowers ? [] : this.#ready(BLOCK_MESSAGES_MAX - powers.length)
    const txs: Uint8Array[] = []
    let size = 0n
    for (const tx of [...powers, ...entries.map(({ tx }) => tx)]) {
      size += BigInt(tx.length) + TX_OVERHEAD
      if (bytesMax >= 0n && size > bytesMax) break
      txs.push(tx)
    }
    return txs
  }

  // --- peers ------------------------------------------------------------------------------------------------------

  receive(peer: string, message: NodeMessage): void {
    if (this.#isClosed) return
    switch (message.kind) {
      case 'txs':
        return this.#onTxs(message.value.txs)
      case 'want':
      case 'clock':
        if (this.application.config.powers) this.#options.onPower(message)
        return
      case 'status':
        this.replica.receive(peer, message)
        if (this.#isStranded(message.value)) this.#options.watcher.stranded(this)
        return
      default:
        if (isSyncMessage(message)) this.#answer(peer, message)
        else this.replica.receive(peer, message)
    }
  }

  #answer(peer: string, question: SyncMessage): void {
    const answer = answerSync({ application: this.application, blocks: this.blocks }, question)
    if (answer !== undefined) this.#links?.send(peer, answer)
  }

  /** Whether a peer is ahead and no longer has the block that this node needs first. */
  #isStranded({ height, base }: Status): boolean {
    const { lastHeight, initialHeight } = this.replica.chain
    return lastHeight === 0n && height > initialHeight && base > initialHeight
  }

  tellPeers(message: PowerMessage): void {
    this.#links?.broadcast(message)
  }

  joined(peer: string): void {
    if (this.#isClosed || this.#links === null) return
    this.replica.greet(peer)
    const waiting = [...this.#powers.values(), ...this.mempool.pending().map(({ tx }) => tx)]
    for (let at = 0; at < waiting.length; at += TXS_PER_MESSAGE) {
      this.#links.send(peer, { kind: 'txs', value: { txs: waiting.slice(at, at + TXS_PER_MESSAGE) } })
    }
    if (this.replica.height <= this.#wantedHeight) {
      this.#links.send(peer, { kind: 'want', value: { height: this.#wantedHeight } })
    }
  }

  left(peer: string): void {
    this.replica.forget(peer)
  }

  peers(): readonly string[] {
    return this.#links?.peers() ?? []
  }

  // --- what the replica asks of the world -------------------------------------------------------------------------

  now(): Time {
    return BigInt(Math.floor(this.#options.clock.now() * 1000)) * 1000n
  }

  setTimer(timer: Timer, delayMs: number): void {
    this.#timers.get(timer.kind)?.()
    this.#timers.set(
      timer.kind,
      this.#options.clock.after(delayMs, () => this.replica.timeout(timer)),
    )
  }

  append(record: Uint8Array): void {
    this.#record(record)
    this.#options.journal.append(record)
  }

  /** What an earlier life was given at this height belongs to the recording too. */
  #recordEarlier(records: readonly JournalRecord[]): void {
    let height = 0n
    for (const record of records) {
      if (record.kind === 'height') height = record.value.height
      else if (height === this.replica.height) this.#record(encodeJournalRecord(record))
    }
  }

  /** With the state of the chain before each height. */
  #record(record: Uint8Array): void {
    const { recorder, replica } = this.#options
    if (recorder === null) return
    const { chain, height } = this.replica
    if (height !== this.#recordedHeight) {
      this.#recordedHeight = height
      const precision = replica.timeRule === 'median' ? null : replica.precision
      recorder.height({ name: this.name, address: this.address, precision }, chain)
    }
    recorder.record(this.name, record)
  }

  sync(synced: () => void): void {
    this.#options.journal.sync((error) => {
      // After a failed flush nobody knows what is on the disk: nothing more may be signed.
      if (error === null) synced()
      else this.halt(`the journal cannot be written: ${error.message}`)
    })
    this.#executeLikely()
  }

  /** While the disk writes the vote for a block, the block is executed. */
  #executeLikely(): void {
    const likely = this.#likely
    if (likely === null) return
    this.#likely = null
    this.executor.executeAhead(likely.state, likely.candidate)
  }

  cutJournal(head: readonly Uint8Array[]): void {
    this.#options.journal.cut(head)
  }

  send(peer: string, message: PeerMessage): void {
    this.#links?.send(peer, message)
  }

  broadcast(message: PeerMessage): void {
    this.#links?.broadcast(message)
    if (message.kind === 'vote' && this.#options.isByzantine()) this.#contradict(message.value.vote)
  }

  /** Signs the opposite, without a guard: for those who want to see evidence. */
  #contradict(vote: Vote): void {
    const { key, state } = this.#options
    if (key === null || vote.type !== PREVOTE) return
    const other = isNil(vote.blockId) ? this.replica.rounds.candidates.values().next().value?.blockId : NIL_BLOCK_ID
    if (other === undefined) return
    const lie = { ...vote, blockId: other }
    const signature = signMessage(key, voteSignBytes(state.chainId, lie))
    this.#links?.broadcast({ kind: 'vote', value: { vote: { ...lie, signature } } })
  }

  validatorOf(peer: string): string | undefined {
    return this.#links?.validatorOf(peer)
  }

  propose(
    { state, time, lastCommit, evidence, proposer }: ProposeRequest,
    proposed: (block: Block, bytes: Uint8Array, blockId: BlockId) => void,
  ): void {
    this.#guard(() => {
      const draft = { time, lastCommit, evidence, proposer, reap: (bytesMax: bigint) => this.#reap(bytesMax) }
      const { block, bytes, blockId } = identifyBlock(this.executor.propose(state, draft))
      proposed(block, bytes, blockId)
    })
  }

  validate(state: ChainState, candidate: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void {
    this.#guard(() => {
      const verdict = this.executor.judge(state, candidate)
      this.#likely = verdict.isAccepted ? { state, candidate } : null
      validated(verdict.isAccepted ? 'accepted' : verdict.fault === null ? 'rejected' : 'malformed')
    })
  }

  extendVote(_state: ChainState, _candidate: Candidate): Uint8Array {
    return this.application.extendVote().voteExtension
  }

  verifyExtension(vote: Vote): boolean {
    const { height, extension, blockId, validatorAddress } = vote
    const request = { hash: blockId.hash, validatorAddress, height, voteExtension: extension }
    return this.application.verifyVoteExtension(request).status === 1
  }

  apply(state: ChainState, decision: Decision, applied: (next: ChainState) => void): void {
    this.#guard(() => {
      this.#likely = null
      const finalized = this.executor.finalize(state, decision)
      this.executor.commit(finalized).then(
        () =>
          this.#guard(() => {
            if (this.#isClosed) return
            const block = this.application.history.block(Number(decision.block.header.height))!
            this.#tidy(block)
            this.#options.watcher.committed(this, block, decision)
            applied(finalized.state)
          }),
        (error: Error) => this.halt(error.message),
      )
    })
  }

  /** What is in the block waits no more, and what cannot be in any is dropped. */
  #tidy(block: BlockRecord): void {
    const { application, mempool } = this
    const nextOf = (sender: Address): bigint => application.door.senderOf(sender)?.sequence ?? 0n
    for (const [index, tx] of block.txs.entries()) {
      this.#powers.delete(toBinary(tx))
      if (block.results[index]!.gasUsed > 0n) continue
      for (const cid of application.door.namesOf(tx)) {
        const refused = mempool.get(cid)
        if (refused !== undefined) mempool.remove(refused)
      }
    }
    const senders = mempool.senders()
    mempool.prune(senders, nextOf)
    for (const sender of senders) {
      const first = mempool.at(sender, nextOf(sender))
      if (first === undefined) continue
      const check = application.door.check(first.tx)
      if (check.ok) continue
      mempool.remove(first)
      this.#options.watcher.dropped(this, first.cid, new SubmitError(check.code, check.log))
    }
  }

  /** A failure of our own or of the application: this node stops signing; others go on. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.halt((error as Error).message)
    }
  }

  blockAt(height: bigint): DecidedBlock | undefined {
    const block = this.blocks.blockBytes(height)
    const commit = this.blocks.extendedCommit(height)
    return block === undefined || commit === undefined ? undefined : { block, commit }
  }

  baseHeight(): bigint {
    return this.blocks.base
  }

  timeAt(height: bigint): Time | undefined {
    return this.#past.timeAt(height)
  }

  validatorsAt(height: bigint): ValidatorSet | undefined {
    return this.#past.validatorsAt(height)
  }

  signedHeaderAt(height: bigint) {
    return this.#past.signedHeaderAt(height)
  }

  isCommittedEvidence(hash: string): boolean {
    return this.#past.isCommittedEvidence(hash)
  }

  waiting(): void {
    if (this.#isBlockWanted()) this.replica.wake()
  }

  halt(reason: string): void {
    this.replica.stop()
    this.#options.watcher.halted(this, reason)
  }

  alarm(reason: string): void {
    this.#options.watcher.alarmed(this, reason)
  }

  isWatched(): boolean {
    return this.#options.watcher.isWatching(this)
  }

  trace(passage: Passage): void {
    this.#options.watcher.passed(this, passage)
  }
}

/** Tag and length of a transaction in a block, at most. */
const TX_OVERHEAD = 5n

/** How many of a block's validators signed it. */
export function signersOf({ commit }: Decision): number {
  return commit.extendedSignatures.filter(({ blockIdFlag }) => blockIdFlag === FLAG_COMMIT).length
}
