/**
 * The real CometBFT decides: messages go to its mempool, blocks come from the application's commits. Time, the moment of a
 * block and the way back are not ours.
 *
 * @source spec consensus §9
 */

import type { Cid } from '../../ipld/cid.ts'
import { type CometRpc, CometRpcError } from '../abci/comet-rpc.ts'
import { admitMessage } from '../admission.ts'
import { type BlockPolicy, type Chain, ChainHalted, type Included, PowerUnavailable, SubmitError } from '../chain.ts'
import type { BlockRecord } from '../chain-records.ts'
import type { FvmApplication } from '../fvm-application.ts'
import { Mempool } from '../mempool.ts'
import type { Clock } from '../ports.ts'
import { encodeTransaction, type Power } from '../transaction.ts'

interface Waiter {
  readonly resolve: (included: Included) => void
  readonly reject: (error: Error) => void
}

interface Outgoing {
  readonly cid: Cid
  readonly tx: Uint8Array
}

/** Broadcasts under way at once. Their order does not matter: a proposer puts a sender's messages in sequence. */
const BROADCASTS_MAX = 16
/** Before a node that starts or has gone is asked again. */
const RETRY_MS = 200

export interface CometChainOptions {
  /** That of the first node; the others have their own. */
  readonly application: FvmApplication
  /** Of all nodes: any that answers takes a message. */
  readonly rpcs: readonly CometRpc[]
  readonly policy: BlockPolicy
  readonly clock: Clock
  /** Stops the nodes and closes their stores. */
  readonly stop: () => Promise<void>
}

export class CometChain implements Chain {
  readonly application: FvmApplication
  readonly mempool = new Mempool()
  /** CometBFT keeps its blocks itself. */
  readonly blocks = null
  readonly consensus = null
  readonly #options: CometChainOptions
  readonly #waiters = new Map<Cid, Waiter[]>()
  readonly #listeners = new Set<(block: BlockRecord) => void>()
  readonly #outgoing: Outgoing[] = []
  readonly #unlisten: () => void
  #broadcasting = 0
  #powerNonce: bigint
  #halted: ChainHalted | null = null

  constructor(options: CometChainOptions) {
    this.application = options.application
    this.#options = options
    this.#powerNonce = BigInt(this.application.head.height) << 20n
    this.#unlisten = this.application.onCommit((block) => this.#take(block))
  }

  /** Where the first node answers questions about consensus itself. */
  get rpcUrl(): string {
    return this.#options.rpcs[0]!.url
  }

  get policy(): BlockPolicy {
    return this.#options.policy
  }

  set policy(policy: BlockPolicy) {
    if (JSON.stringify(policy) !== JSON.stringify(this.policy)) {
      throw new PowerUnavailable('CometBFT reads when to make blocks at its start; give --block-time to the command')
    }
  }

  submit(tx: Uint8Array): Cid {
    this.#refuseHalted()
    const cid = admitMessage(this.application, this.mempool, tx)
    this.#send({ cid, tx })
    return cid
  }

  waitFor(cid: Cid): Promise<Included> {
    const included = this.#find(cid)
    if (included !== undefined) return Promise.resolve(included)
    return new Promise((resolve, reject) => {
      if (this.#halted !== null) reject(this.#halted)
      else this.#waiters.set(cid, [...(this.#waiters.get(cid) ?? []), { resolve, reject }])
    })
  }

  #find(cid: Cid): Included | undefined {
    const location = this.application.history.locate(cid)
    if (location === undefined) return undefined
    return { ...location, result: this.application.history.block(location.height)!.results[location.index]! }
  }

  async apply(powers: readonly Power[]): Promise<Included> {
    this.#refuseHalted()
    const tx = encodeTransaction({ kind: 'power', nonce: this.#powerNonce++, powers })
    const check = this.application.door.check(tx)
    if (!check.ok) throw new SubmitError(check.code, check.log)
    const { cid } = check.checked
    const included = this.waitFor(cid)
    this.#send({ cid, tx })
    return included
  }

  /** Blocks come when there is something in them, so each gets a power that does nothing. */
  async mine(count: number): Promise<number> {
    for (let i = 0; i < count; i++) await this.apply([])
    return this.application.head.height
  }

  warp(): never {
    throw new PowerUnavailable('under CometBFT time is that of the validators’ clocks; --consensus instant can move it')
  }

  async rewind(): Promise<never> {
    throw new PowerUnavailable('CometBFT never goes back: its validators have signed; --consensus instant can')
  }

  onBlock(listener: (block: BlockRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An application failed: nothing more is taken, what was committed is safe. */
  halt(cause: unknown): void {
    this.#halted ??= new ChainHalted(`the chain stopped: ${(cause as Error).message}`, { cause })
    this.#outgoing.length = 0
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(this.#halted)
    this.#waiters.clear()
  }

  async close(): Promise<void> {
    this.#unlisten()
    this.halt(new Error('it is closed'))
    await this.#options.stop()
    await this.application.close()
  }

  #send(outgoing: Outgoing): void {
    this.#outgoing.push(outgoing)
    if (this.#broadcasting < BROADCASTS_MAX) void this.#broadcastAll()
  }

  async #broadcastAll(): Promise<void> {
    this.#broadcasting++
    for (let next = this.#outgoing.shift(); next !== undefined; next = this.#outgoing.shift()) {
      await this.#broadcast(next)
    }
    this.#broadcasting--
  }

  /** To the first node that answers; again, while none does. */
  async #broadcast({ cid, tx }: Outgoing): Promise<void> {
    for (let attempt = 0; this.#halted === null; attempt++) {
      const rpc = this.#options.rpcs[attempt % this.#options.rpcs.length]!
      try {
        const { code, log } = await rpc.broadcast(tx)
        if (code !== 0 && this.#find(cid) === undefined) this.#refuse(cid, new SubmitError(code, log))
        return
      } catch (error) {
        if (!(error instanceof CometRpcError)) throw error
        if (error.code === 'REFUSED' && error.message.includes('already exists in cache')) return
        if (error.code === 'REFUSED') return this.#refuse(cid, new SubmitError('REFUSED', error.message))
      }
      await new Promise<void>((resolve) => this.#options.clock.after(RETRY_MS, resolve))
    }
  }

  #refuse(cid: Cid, error: SubmitError): void {
    const entry = this.mempool.pending().find((pending) => pending.cid === cid)
    if (entry !== undefined) this.mempool.remove(entry)
    this.#reject(cid, error)
  }

  #reject(cid: Cid, error: Error): void {
    for (const { reject } of this.#waiters.get(cid) ?? []) reject(error)
    this.#waiters.delete(cid)
  }

  /** A block is durable. CometBFT checks what still waits again; so do we, because it does not say what it drops. */
  #take(block: BlockRecord): void {
    const { application, mempool } = this
    for (const [cid, waiters] of this.#waiters) {
      const included = this.#find(cid)
      if (included === undefined) continue
      for (const { resolve } of waiters) resolve(included)
      this.#waiters.delete(cid)
    }
    for (const entry of mempool.pending()) {
      const check = application.door.check(entry.tx)
      if (check.ok) continue
      mempool.remove(entry)
      this.#reject(entry.cid, new SubmitError(check.code, check.log))
    }
    for (const listener of this.#listeners) listener(block)
  }

  #refuseHalted(): void {
    if (this.#halted !== null) throw this.#halted
  }
}
