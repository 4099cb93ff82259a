/**
 * Snapshots that a node has made of its application, kept among the records of its chain's store. A new one is made beside the chain's
 * work: blocks of a state are never changed, so the chain may go on while they are read, a few milliseconds at a time.
 *
 * @source spec consensus §4.9
 */
import { decode, encode } from '../consensus/schema.ts'
import { SNAPSHOT } from '../consensus/wire-abci.ts'
import { type Cid, formatCid } from '../ipld/cid.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { CHUNK_KEYS, chunkKey, heightOfKey, SNAPSHOT_KEYS, snapshotKey } from './chain-records.ts'
import type { ChainStore } from './ports.ts'
import {
  ChunkWriter,
  describeSnapshot,
  encodeRecords,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type SnapshotRecords,
} from './snapshot-format.ts'
import { StateWalk } from './state-walk.ts'
import { KEEP_MAX, type SnapshotPolicy } from './sync-settings.ts'

/** What a snapshot is made of. */
export interface SnapshotContents {
  readonly height: number
  readonly records: SnapshotRecords
  /** Of the blocks that travel. */
  readonly roots: readonly Cid[]
}

/** Of keys, which have four bytes for it. */
const HEIGHT_MAX = 0xffff_ffff
/** How long it reads before others have their turn. */
const TURN_MS = 4

export class SnapshotArchive {
  readonly #store: ChainStore
  readonly #policy: SnapshotPolicy
  #making: Promise<void> = Promise.resolve()
  /** Of the snapshot that is being made. */
  #height: number | null = null
  #isGivenUp = false
  #isStopped = false

  constructor(store: ChainStore, policy: SnapshotPolicy) {
    this.#store = store
    this.#policy = policy
    this.#removeUnfinished()
  }

  /** Whether the policy wants one of this height. */
  isDue(height: number): boolean {
    const { interval } = this.#policy
    return interval > 0 && height > 0 && height % interval === 0
  }

  /** The newest first. */
  list(): readonly Snapshot[] {
    return this.#heights()
      .map((height) => decode(SNAPSHOT, this.#store.getRecord(snapshotKey(height))!))
      .reverse()
  }

  /** Empty when there is none. */
  chunk(height: number, format: number, index: number): Uint8Array {
    if (format !== SNAPSHOT_FORMAT || height > HEIGHT_MAX) return EMPTY_BYTES
    if (this.#store.getRecord(snapshotKey(height)) === undefined) return EMPTY_BYTES
    return this.#store.getRecord(chunkKey(height, index)) ?? EMPTY_BYTES
  }

  /** Begins a snapshot, unless another is being made. What cannot be made leaves nothing behind. */
  begin(contents: SnapshotContents): void {
    if (this.#height !== null || this.#isStopped) return
    this.#height = contents.height
    this.#isGivenUp = false
    this.#making = this.#make(contents)
      .catch(() => {
        // Of a node that stops, the next start removes it.
        if (!this.#isStopped) this.#remove(contents.height)
      })
      .finally(() => {
        this.#height = null
      })
  }

  /** Resolves when the snapshot that is being made is there, or given up. */
  get settled(): Promise<void> {
    return this.#making
  }

  /** The chain went back. */
  forgetAbove(height: number): void {
    if (this.#height !== null && this.#height > height) this.#isGivenUp = true
    for (const made of this.#heights()) if (made > height) this.#remove(made)
  }

  /** Gives up what is being made. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#isGivenUp = true
    await this.#making
  }

  async #make({ height, records, roots }: SnapshotContents): Promise<void> {
    if (this.#store.getRecord(snapshotKey(height)) !== undefined) return
    const writer = new ChunkWriter()
    const walk = new StateWalk(roots)
    const hashes: string[] = []
    let size = 0
    const keep = async (chunk: Uint8Array): Promise<void> => {
      this.#store.putRecord(chunkKey(height, hashes.length), chunk)
      hashes.push(sha256Binary(chunk))
      size += chunk.length
      await this.#store.commit()
    }
    writer.add(encodeRecords(records))
    let turnBegan = performance.now()
    for (let cid = walk.next(); cid !== undefined; cid = walk.next()) {
      const bytes = this.#store.get(cid)
      if (bytes === undefined) throw new Error(`${formatCid(cid)} is linked from the state, but is not there`)
      walk.enter(bytes)
      const full = writer.add(bytes)
      if (full !== undefined) await keep(full)
      if (performance.now() - turnBegan > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        turnBegan = performance.now()
      }
      this.#goOn()
    }
    await keep(writer.finish())
    this.#goOn()
    const snapshot = describeSnapshot({ height, chunkHashes: hashes, blocks: walk.count, bytes: size })
    this.#store.putRecord(snapshotKey(height), encode(SNAPSHOT, snapshot))
    const kept = Math.min(Math.max(this.#policy.keep, 1), KEEP_MAX)
    for (const old of this.#heights().slice(0, -kept)) this.#remove(old)
    await this.#store.commit()
  }

  #goOn(): void {
    if (this.#isGivenUp) throw new Error('nobody wants the snapshot any more')
  }

  #heights(): number[] {
    return [...this.#store.recordKeys(SNAPSHOT_KEYS.start, SNAPSHOT_KEYS.end)].map(heightOfKey)
  }

  #remove(height: number): void {
    this.#store.deleteRecord(snapshotKey(height))
    for (const key of [...this.#store.recordKeys(chunkKey(height, 0), chunkKey(height + 1, 0))])
      this.#store.deleteRecord(key)
  }

  /** A node that was killed leaves chunks of a snapshot that nobody can be told of. */
  #removeUnfinished(): void {
    const whole = new Set(this.#heights())
    for (const key of [...this.#store.recordKeys(CHUNK_KEYS.start, CHUNK_KEYS.end)]) {
      if (!whole.has(heightOfKey(key))) this.#store.deleteRecord(key)
    }
  }
}
