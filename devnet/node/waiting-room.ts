/** Who waits for what of a chain: for a message, for a power, for blocks; and what they hear when it stops. */
import type { Cid } from '../ipld/cid.ts'
import { ChainHalted, type Included } from './chain.ts'
import type { BlockRecord } from './chain-records.ts'

interface Waiter {
  readonly resolve: (included: Included) => void
  readonly reject: (error: Error) => void
}

interface HeightWaiter {
  readonly height: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class WaitingRoom {
  readonly #waiters = new Map<Cid, Waiter[]>()
  readonly #heights = new Set<HeightWaiter>()
  readonly #listeners = new Set<(block: BlockRecord) => void>()
  #halted: ChainHalted | null = null
  #isClosed = false

  /** Resolves when a durable block has it. */
  waitFor(cid: Cid): Promise<Included> {
    return new Promise((resolve, reject) => {
      if (this.#halted !== null) reject(this.#halted)
      else this.#waiters.set(cid, [...(this.#waiters.get(cid) ?? []), { resolve, reject }])
    })
  }

  /** Resolves when the block of this height is durable. */
  reach(height: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#halted !== null) reject(this.#halted)
      else this.#heights.add({ height, resolve, reject })
    })
  }

  onBlock(listener: (block: BlockRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The block is durable; `namesOf` says by which names a transaction is waited for. */
  announce(block: BlockRecord, namesOf: (tx: Uint8Array) => readonly Cid[]): void {
    const { height } = block.header
    if (this.#waiters.size > 0) {
      for (const [index, tx] of block.txs.entries()) {
        for (const cid of namesOf(tx)) {
          for (const { resolve } of this.#waiters.get(cid) ?? [])
            resolve({ height, index, result: block.results[index]! })
          this.#waiters.delete(cid)
        }
      }
    }
    for (const waiter of this.#heights) {
      if (waiter.height > height) continue
      this.#heights.delete(waiter)
      waiter.resolve()
    }
    for (const listener of this.#listeners) listener(block)
  }

  /** It will not be in a block. */
  drop(cid: Cid, reason: Error): void {
    for (const { reject } of this.#waiters.get(cid) ?? []) reject(reason)
    this.#waiters.delete(cid)
  }

  dropAll(reason: Error): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(reason)
    this.#waiters.clear()
  }

  halt(cause: Error): void {
    this.#halted ??= new ChainHalted(`the chain stopped: ${cause.message}`, { cause })
    this.dropAll(this.#halted)
    for (const { reject } of this.#heights) reject(this.#halted)
    this.#heights.clear()
  }

  close(): void {
    this.#isClosed = true
  }

  get isOpen(): boolean {
    return this.#halted === null && !this.#isClosed
  }

  /** @throws ChainHalted */
  refuseHalted(): void {
    if (this.#halted !== null) throw this.#halted
    if (this.#isClosed) throw new ChainHalted('the chain is closed')
  }
}
