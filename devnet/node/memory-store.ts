/** A chain that nobody wants to keep: tests, and `--no-persist`. */
import type { Cid } from '../ipld/cid.ts'
import type { ChainStore } from './ports.ts'

export class MemoryChainStore implements ChainStore {
  readonly blocks = new Map<Cid, Uint8Array>()
  readonly #records = new Map<string, Uint8Array>()

  get(cid: Cid): Uint8Array | undefined {
    return this.blocks.get(cid)
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.blocks.set(cid, bytes)
  }

  has(cid: Cid): boolean {
    return this.blocks.has(cid)
  }

  getRecord(key: string): Uint8Array | undefined {
    return this.#records.get(key)
  }

  putRecord(key: string, bytes: Uint8Array): void {
    this.#records.set(key, bytes)
  }

  deleteRecord(key: string): void {
    this.#records.delete(key)
  }

  *recordKeys(from: string, to: string, max = Number.POSITIVE_INFINITY): Iterable<string> {
    const keys = [...this.#records.keys()].filter((key) => key >= from && key < to).sort()
    yield* max < keys.length ? keys.slice(0, max) : keys
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}
}
