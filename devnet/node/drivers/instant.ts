/**
 * One process, no votes: a message becomes a block at once. Blocks are executed one after the other without waiting for
 * the disk; whoever waits for a message hears of it when its block is durable, and blocks that finish while a write is
 * under way share the next one.
 *
 * @source spec consensus §7.6
 */
import type { Cid } from '../../ipld/cid.ts'
import { concatBytes, fromBinary, toBinary } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { type BlockPolicy, type Chain, ChainHalted, type Included, SubmitError } from '../chain.ts'
import type { BlockRecord } from '../chain-records.ts'
import { BLOCK_MESSAGES_MAX, type CheckedTransaction, type FvmApplication } from '../fvm-application.ts'
import { GAS_MARKET } from '../gas-market.ts'
import { Mempool, MempoolError } from '../mempool.ts'
import type { Clock } from '../ports.ts'
import { encodeTransaction, type Power } from '../transaction.ts'

interface Waiter {
  readonly resolve: (included: Included) => void
  readonly reject: (error: Error) => void
}

interface PowerRequest extends Waiter {
  readonly tx: Uint8Array
}

export class InstantChain implements Chain {
  readonly application: FvmApplication
  readonly mempool = new Mempool()
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
  #durable: Promise<void> = Promise.resolve()

  constructor(application: FvmApplication, clock: Clock, policy: BlockPolicy) {
    this.application = application
    this.#clock = clock
    this.#policy = policy
    this.#powerNonce = BigInt(application.head.height) << 20n
    this.policy = policy
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
      this.#produce()
      this.#tick(intervalMs)
    })
  }

  submit(tx: Uint8Array): Cid {
    this.#refuseHalted()
    const check = this.application.check(tx)
    if (!check.ok) throw new SubmitError(check.code, check.log)
    const { cid } = check.checked
    this.#pool(check.checked, tx)
    if (this.#policy.kind === 'auto') this.#schedule()
    return cid
  }

  #pool({ transaction, cid }: CheckedTransaction, tx: Uint8Array): void {
    if (transaction.kind === 'power') throw new SubmitError(53, 'devnet powers do not come through the mempool')
    const { from, sequence, gasLimit, gasFeeCap, gasPremium } = transaction.message
    try {
      this.mempool.add(
        { tx, cid, sender: from, sequence, gasLimit, feeCap: gasFeeCap, premium: gasPremium },
        this.application.senderOf(from)?.sequence ?? 0n,
      )
    } catch (error) {
      if (error instanceof MempoolError) throw new SubmitError(error.code, error.message)
      throw error
    }
  }

  waitFor(cid: Cid): Promise<Included> {
    const location = this.application.locate(cid)
    if (location !== undefined) {
      const result = this.application.block(location.height)!.results[location.index]!
      return this.#durable.then(() => {
        if (this.#halted !== null && location.height > this.application.head.height) throw this.#halted
        return { ...location, result }
      })
    }
    return new Promise((resolve, reject) => {
      if (this.#halted !== null) reject(this.#halted)
      else this.#waiters.set(cid, [...(this.#waiters.get(cid) ?? []), { resolve, reject }])
    })
  }

  apply(powers: readonly Power[]): Promise<Included> {
    this.#refuseHalted()
    const tx = encodeTransaction({ kind: 'power', nonce: this.#powerNonce++, powers })
    return new Promise((resolve, reject) => {
      this.#powers.push({ tx, resolve, reject })
      this.#schedule()
    })
  }

  async mine(count: number): Promise<number> {
    for (let i = 0; i < count; i++) {
      this.#refuseHalted()
      this.#produce()
      await this.#durable
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
    await this.#durable
    this.mempool.clear()
    const dropped = new SubmitError('DROPPED', 'the chain went back to an earlier block')
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(dropped)
    this.#waiters.clear()
    await this.application.rewind(height)
  }

  onBlock(listener: (block: BlockRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopInterval?.()
    await this.#durable.catch(() => {})
    await this.application.store.close()
  }

  /** Runs after what is on the stack now, so that messages which arrive together share a block. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#isClosed || this.#halted !== null) return
      if (this.#powers.length === 0 && (this.#policy.kind !== 'auto' || this.#ready().length === 0)) return
      this.#produce()
      this.#schedule()
    })
  }

  #ready() {
    const next = new Map<string, bigint>()
    return this.mempool.ready(
      (sender) => {
        const known = next.get(sender) ?? this.application.senderOf(sender)?.sequence ?? 0n
        next.set(sender, known)
        return known
      },
      GAS_MARKET.blockGasLimit,
      BLOCK_MESSAGES_MAX,
    )
  }

  #produce(): void {
    const powers = this.#powers.splice(0)
    const entries = this.#policy.kind === 'manual' && powers.length > 0 ? [] : this.#ready()
    const txs = [...powers.map(({ tx }) => tx), ...entries.map(({ tx }) => tx)]
    const { application } = this
    try {
      const { head } = application
      const height = head.height + 1
      const timeMs = this.#takeTime()
      const hash = sha256(
        concatBytes(head.hash, fromBinary(head.stateRoot), u64(height), u64(timeMs), ...txs.map(sha256)),
      )
      application.finalizeBlock({
        height: BigInt(height),
        time: BigInt(timeMs) * 1_000_000n,
        txs,
        hash: toBinary(hash),
        decidedLastCommit: { round: 0, votes: [] },
        misbehavior: [],
        nextValidatorsHash: '',
        proposerAddress: '',
      })
      const written = application.commit()
      const block = application.block(height)!
      const senders = new Set(entries.map(({ sender }) => sender))
      this.mempool.prune(senders, (sender) => application.senderOf(sender)?.sequence ?? 0n)
      for (const [index, entry] of entries.entries())
        if (block.results[powers.length + index]?.gasUsed === 0n) this.mempool.remove(entry)
      this.#durable = written.then(
        () =>
          this.#announce(
            block,
            powers,
            entries.map(({ cid }) => cid),
          ),
        (error) => this.#halt(error, powers),
      )
    } catch (error) {
      this.#halt(error, powers)
    }
  }

  #announce(block: BlockRecord, powers: readonly PowerRequest[], cids: readonly Cid[]): void {
    const { height } = block.header
    for (const [index, { resolve }] of powers.entries()) resolve({ height, index, result: block.results[index]! })
    for (const [at, cid] of cids.entries()) {
      const index = powers.length + at
      for (const { resolve } of this.#waiters.get(cid) ?? []) resolve({ height, index, result: block.results[index]! })
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

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
