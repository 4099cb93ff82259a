/**
 * One process that holds the keys of all validators: a message becomes a block at once, with a genuine header and genuine
 * signatures, and nobody to ask. Blocks are executed one after the other without waiting for the disk; whoever waits for a
 * message hears of it when its block is durable.
 *
 * @source spec consensus §7.6
 */
import type { ChainState } from '../../consensus/chain-state.ts'
import { EMPTY_COMMIT } from '../../consensus/commit.ts'
import { EvidencePool } from '../../consensus/evidence-pool.ts'
import { MILLISECOND } from '../../consensus/time.ts'
import { proposerOf } from '../../consensus/validator-set.ts'
import type { Evidence, ExtendedCommit } from '../../consensus/wire.ts'
import type { Cid } from '../../ipld/cid.ts'
import { admitMessage } from '../admission.ts'
import { type BlockExecutor, type Finalized, identifyBlock } from '../block-executor.ts'
import { BLOCK_MESSAGES_MAX } from '../block-filling.ts'
import { type BlockStore, pastOf, withEmptyExtensions } from '../block-store.ts'
import { type BlockPolicy, type Chain, ChainHalted, type ConsensusView, type Included, SubmitError } from '../chain.ts'
import type { BlockRecord } from '../chain-records.ts'
import type { Crew } from '../crew.ts'
import type { FvmApplication } from '../fvm-application.ts'
import { GAS_MARKET } from '../gas-market.ts'
import { Mempool, type PoolEntry } from '../mempool.ts'
import type { Clock } from '../ports.ts'
import { encodeTransaction, type Power } from '../transaction.ts'

interface Waiter {
  readonly resolve: (included: Included) => void
  readonly reject: (error: Error) => void
}

interface PowerRequest extends Waiter {
  readonly tx: Uint8Array
}

/** What of consensus a driver is given: the state that the handshake ended with, and who signs. */
export interface InstantConsensus {
  readonly executor: BlockExecutor
  readonly crew: Crew
  readonly state: ChainState
}

export class InstantChain implements Chain {
  readonly application: FvmApplication
  readonly mempool = new Mempool()
  readonly #executor: BlockExecutor
  readonly #crew: Crew
  #state: ChainState
  #lastCommit: ExtendedCommit
  /** What clients have shown of validators that sign twice: here nobody does, but keys are known. */
  #evidence: EvidencePool
  readonly #clock: Clock
  #policy: BlockPolicy
  #offsetMs = 0
  #nextTimeMs: number | null = null
  #powerNonce: bigint
  readonly #powers: PowerRequest[] = []
  readonly #waiters = new Map<Cid, Waiter[]>()
  readonly #listeners = new Set<(block: BlockRecord) => void>()
  #isScheduled = false
  #stopInterval: (() => void) | null = null
  #halted: ChainHalted | null = null
  #isClosed = false
  /** Blocks are made one after the other: the next when the last is durable. Never rejects. */
  #turn: Promise<void> = Promise.resolve()

  constructor(
    application: FvmApplication,
    { executor, crew, state }: InstantConsensus,
    clock: Clock,
    policy: BlockPolicy,
  ) {
    this.application = application
    this.#executor = executor
    this.#crew = crew
    this.#state = state
    this.#lastCommit = this.#commitOf(state)
    this.#evidence = new EvidencePool(pastOf(executor.blocks))
    this.#clock = clock
    this.#policy = policy
    this.#powerNonce = BigInt(application.head.height) << 20n
    this.policy = policy
  }

  get blocks(): BlockStore {
    return this.#executor.blocks
  }

  get consensus(): ConsensusView {
    return {
      publicKey: this.#crew.publicKey,
      onFinalized: (listener) => this.#executor.onCommit(listener),
      onPassage: () => () => {},
      deciding: () => ({ rounds: null, isWaiting: true }),
      isCatchingUp: () => false,
      peers: () => [],
      addEvidence: (piece) => this.#addEvidence(piece),
    }
  }

  /** It goes into the next block that is made for another reason. */
  #addEvidence(piece: Evidence): void {
    const refused = this.#executor.checkEvidence(this.#state, [piece])
    if (refused !== null) throw new SubmitError('EVIDENCE', `failed to add evidence: ${refused.code}`)
    this.#evidence.add(this.#state, piece)
  }

  #commitOf({ lastHeight }: ChainState): ExtendedCommit {
    return this.blocks.extendedCommit(lastHeight) ?? withEmptyExtensions(EMPTY_COMMIT)
  }

  get policy(): BlockPolicy {
    return this.#policy
  }

  set policy(policy: BlockPolicy) {
    this.#policy = policy
    this.#stopInterval?.()
    this.#stopInterval = null
    if (policy.kind === 'interval') this.#tick(policy.intervalMs)
    if (policy.kind === 'auto') this.#schedule()
  }

  #tick(intervalMs: number): void {
    this.#stopInterval = this.#clock.after(intervalMs, () => {
      if (this.#halted !== null || this.#isClosed) return
      void this.#inTurn(() => this.#produce())
      this.#tick(intervalMs)
    })
  }

  submit(tx: Uint8Array): Cid {
    this.#refuseHalted()
    const cid = admitMessage(this.application, this.mempool, tx)
    if (this.#policy.kind === 'auto') this.#schedule()
    return cid
  }

  waitFor(cid: Cid): Promise<Included> {
    const location = this.application.history.locate(cid)
    if (location !== undefined) {
      const result = this.application.history.block(location.height)!.results[location.index]!
      return Promise.resolve({ ...location, result })
    }
    return new Promise((resolve, reject) => {
      if (this.#halted !== null) reject(this.#halted)
      else this.#waiters.set(cid, [...(this.#waiters.get(cid) ?? []), { resolve, reject }])
    })
  }

  apply(powers: readonly Power[]): Promise<Included> {
    this.#refuseHalted()
    const tx = encodeTransaction({ kind: 'power', nonce: this.#powerNonce++, powers })
    const check = this.application.door.check(tx)
    if (!check.ok) return Promise.reject(new SubmitError(check.code, check.log))
    return new Promise((resolve, reject) => {
      this.#powers.push({ tx, resolve, reject })
      this.#schedule()
    })
  }

  async mine(count: number): Promise<number> {
    for (let i = 0; i < count; i++) {
      this.#refuseHalted()
      await this.#inTurn(() => this.#produce())
    }
    this.#refuseHalted()
    return this.application.head.height
  }

  warp(change: { readonly byMs: number } | { readonly toMs: number }): void {
    if ('byMs' in change) {
      if (change.byMs < 0) throw new RangeError('time only moves forwards')
      this.#offsetMs += change.byMs
      return
    }
    if (change.toMs <= this.application.head.timeMs) {
      throw new RangeError(`the last block is at ${this.application.head.timeMs} ms; time only moves forwards`)
    }
    this.#nextTimeMs = change.toMs
    this.#offsetMs = change.toMs - this.#clock.now()
  }

  async rewind(height: number): Promise<void> {
    this.#refuseHalted()
    await this.#inTurn(() => this.#rewind(height))
  }

  async #rewind(height: number): Promise<void> {
    if (this.application.history.header(height) === undefined) throw new RangeError(`there is no block ${height}`)
    const state = this.blocks.rewind(BigInt(height))
    this.mempool.clear()
    const dropped = new SubmitError('DROPPED', 'the chain went back to an earlier block')
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(dropped)
    this.#waiters.clear()
    this.#state = state
    this.#lastCommit = this.#commitOf(state)
    this.#evidence = new EvidencePool(pastOf(this.blocks))
    await this.application.rewind(height)
  }

  onBlock(listener: (block: BlockRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopInterval?.()
    await this.#turn
    await this.application.close()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Runs after what is on the stack now, so that messages which arrive together share a block. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() =>
      this.#inTurn(async () => {
        this.#isScheduled = false
        if (this.#isClosed || this.#halted !== null) return
        if (this.#powers.length === 0 && (this.#policy.kind !== 'auto' || this.#ready().length === 0)) return
        await this.#produce()
        this.#schedule()
      }),
    )
  }

  #ready() {
    const next = new Map<string, bigint>()
    return this.mempool.ready(
      (sender) => {
        const known = next.get(sender) ?? this.application.door.senderOf(sender)?.sequence ?? 0n
        next.set(sender, known)
        return known
      },
      GAS_MARKET.blockGasLimit,
      BLOCK_MESSAGES_MAX,
    )
  }

  async #produce(): Promise<void> {
    if (this.#isClosed || this.#halted !== null) return
    const powers = this.#powers.splice(0)
    const entries = this.#policy.kind === 'manual' && powers.length > 0 ? [] : this.#ready()
    const txs = [...powers.map(({ tx }) => tx), ...entries.map(({ tx }) => tx)]
    try {
      const finalized = this.#decide(txs)
      await this.#executor.commit(finalized)
      this.#state = finalized.state
      this.#lastCommit = finalized.decided.commit
      const carried = finalized.decided.block.evidence.evidence.filter((piece) => piece !== null)
      this.#evidence.update(finalized.state, carried)
      const block = this.application.history.block(this.application.head.height)!
      const at = new Map(block.txs.map((tx, index) => [tx, index]))
      const [included, left] = partition(powers, ({ tx }) => at.has(tx))
      this.#powers.unshift(...left)
      this.#tidyMempool(entries, block, at)
      this.#announce(block, at, included, entries)
    } catch (error) {
      this.#halt(error, powers)
    }
  }

  /** Makes the block, signs it for all validators, and executes it. */
  #decide(txs: readonly Uint8Array[]): Finalized {
    const state = this.#state
    if (!this.#crew.isQuorum(state)) throw new Error('this process no longer has the keys of two thirds of the power')
    const block = this.#executor.propose(state, {
      time: BigInt(this.#takeTime()) * MILLISECOND,
      lastCommit: this.#lastCommit,
      evidence: this.#evidence.take(state),
      proposer: proposerOf(state.validators)!.address,
      reap: () => txs,
    })
    const candidate = identifyBlock(block)
    const commit = this.#crew.sign(state, candidate)
    return this.#executor.finalize(state, { ...candidate, commit })
  }

  /** Messages of the block leave, and so do those that cannot be in any. */
  #tidyMempool(entries: readonly PoolEntry[], block: BlockRecord, at: ReadonlyMap<Uint8Array, number>): void {
    const { application, mempool } = this
    const senders = new Set(entries.map(({ sender }) => sender))
    mempool.prune(senders, (sender) => application.door.senderOf(sender)?.sequence ?? 0n)
    for (const entry of entries) {
      const index = at.get(entry.tx)
      if (index !== undefined) {
        if (block.results[index]!.gasUsed === 0n) mempool.remove(entry)
        continue
      }
      const check = application.door.check(entry.tx)
      if (check.ok && at.size > 0) continue
      mempool.remove(entry)
      const refusal = check.ok
        ? new SubmitError('TOO_LARGE', 'the message is larger than a block may be')
        : new SubmitError(check.code, check.log)
      for (const { reject } of this.#waiters.get(entry.cid) ?? []) reject(refusal)
      this.#waiters.delete(entry.cid)
    }
  }

  #announce(
    block: BlockRecord,
    at: ReadonlyMap<Uint8Array, number>,
    powers: readonly PowerRequest[],
    entries: readonly PoolEntry[],
  ): void {
    const included = (tx: Uint8Array): Included | undefined => {
      const index = at.get(tx)
      return index === undefined ? undefined : { height: block.header.height, index, result: block.results[index]! }
    }
    for (const { tx, resolve } of powers) resolve(included(tx)!)
    for (const { tx, cid } of entries) {
      const place = included(tx)
      if (place === undefined) continue
      for (const { resolve } of this.#waiters.get(cid) ?? []) resolve(place)
      this.#waiters.delete(cid)
    }
    for (const listener of this.#listeners) listener(block)
  }

  #takeTime(): number {
    const { timeMs: last } = this.application.head
    const timeMs = this.#nextTimeMs ?? this.#clock.now() + this.#offsetMs
    this.#nextTimeMs = null
    return Math.max(timeMs, last + 1)
  }

  #halt(cause: unknown, powers: readonly PowerRequest[] = []): void {
    this.#halted ??= new ChainHalted(`the chain stopped: ${(cause as Error).message}`, { cause })
    for (const { reject } of powers) reject(this.#halted)
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(this.#halted)
    this.#waiters.clear()
    for (const { reject } of this.#powers.splice(0)) reject(this.#halted)
  }

  #refuseHalted(): void {
    if (this.#halted !== null) throw this.#halted
    if (this.#isClosed) throw new ChainHalted('the chain is closed')
  }
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  const halves: [T[], T[]] = [[], []]
  for (const item of items) halves[isFirst(item) ? 0 : 1].push(item)
  return halves
}
