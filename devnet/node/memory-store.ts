/** A chain that nobody wants to keep: tests, and `--no-persist`. */
import type { Cid } from '../ipld/cid.ts'
import type { ChainStore } from './ports.ts'

export class MemoryChainStore implements ChainStore {
  readonly blocks = new Map<Cid, Uint8Array>()
  readonly #records = new Map<string, Uint8Array>()
  /** Keys in their order, until one comes or goes. */
  #sorted: readonly string[] | null = null

  get(cid: Cid): Uint8Array | undefined {
    return this.blocks.get(cid)
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.blocks.set(cid, bytes)
  }

  has(cid: Cid): boolean {
    return this.blocks.has(cid)
  }

  delete(cid: Cid): void {
    this.blocks.delete(cid)
  }

  getRecord(key: string): Uint8Array | undefined {
    return this.#records.get(key)
  }

  putRecord(key: string, bytes: Uint8Array): void {
    if (!this.#records.has(key)) this.#sorted = null
    this.#records.set(key, bytes)
  }

  deleteRecord(key: string): void {
    if (this.#records.delete(key)) this.#sorted = null
  }

  recordKeys(from: string, to: string, max = Number.POSITIVE_INFINITY): Iterable<string> {
    this.#sorted ??= [...this.#records.keys()].sort()
    const start = placeOf(this.#sorted, from)
    return this.#sorted.slice(start, Math.max(Math.min(placeOf(this.#sorted, to), start + max), start))
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Where the first key lies that is not below `key`. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
