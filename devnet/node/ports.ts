/** What a node asks of the world. Everything above takes these as arguments, so a test can hold them. */
import type { Blockstore } from '../ipld/blockstore.ts'
import type { Cid } from '../ipld/cid.ts'

/**
 * Blocks and records of one chain. Reads see every put at once; `commit` makes all puts since the last one durable
 * together, or none of them. Record keys are binary strings (one character a byte), ordered by their bytes.
 */
export interface ChainStore extends Blockstore {
  /** Forgets a block that nothing links to. */
  delete(cid: Cid): void
  getRecord(key: string): Uint8Array | undefined
  putRecord(key: string, bytes: Uint8Array): void
  deleteRecord(key: string): void
  /** Keys in [from, to), ascending; the first `max` of them, when it is given. */
  recordKeys(from: string, to: string, max?: number): Iterable<string>
  commit(): Promise<void>
  close(): Promise<void>
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once; the answer stops it. */
  after(delayMs: number, run: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
