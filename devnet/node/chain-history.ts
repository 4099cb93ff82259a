/** What the store has of a chain's blocks: their records, where messages are, what was decided, and the way back. */
import type { Cid } from '../ipld/cid.ts'
import {
  type BlockHeader,
  type BlockRecord,
  blockKey,
  decodeBlock,
  decodeBlockHeader,
  decodeLocation,
  encodeBlock,
  encodeLocation,
  HEAD_KEY,
  headerKey,
  INSTALLED_KEYS,
  installedKey,
  type MessageLocation,
  messageKey,
  SETTINGS_KEYS,
  settingsKey,
} from './chain-records.ts'
import { type ConsensusSettings, decodeSettings, encodeSettings, NO_SETTINGS } from './consensus-settings.ts'
import type { ChainStore } from './ports.ts'

/** A block that ran, and what it leaves behind beside the state. */
export interface HistoryEntry {
  readonly record: BlockRecord
  /** Names of each transaction. */
  readonly names: readonly (readonly Cid[])[]
  /** Null where the block decided nothing about consensus. */
  readonly settings: ConsensusSettings | null
  /** Code that powers put into the store. */
  readonly installed: readonly Cid[]
}

export class ChainHistory {
  readonly #store: ChainStore
  #head: BlockHeader
  /** The block at the head, when this process made it. */
  #newest: BlockRecord | null = null

  private constructor(store: ChainStore, head: BlockHeader) {
    this.#store = store
    this.#head = head
  }

  /** The history in `store`, or one that begins with the header of `genesis`. The first commit makes a new one durable. */
  static open(store: ChainStore, genesis: () => BlockHeader): ChainHistory {
    const head = readHead(store)
    if (head !== undefined) return new ChainHistory(store, head)
    const history = new ChainHistory(store, genesis())
    history.begin(history.head)
    return history
  }

  get head(): BlockHeader {
    return this.#head
  }

  /** Nothing came before `header`. */
  begin(header: BlockHeader): void {
    this.#putBlock({ header, txs: [], results: [] }, [])
    this.#head = header
  }

  /** Puts down a block that is no head yet. The answer takes it back, should the store fail to keep it. */
  put({ record, names, settings, installed }: HistoryEntry): () => void {
    const { height } = record.header
    this.#putBlock(record, names)
    if (settings !== null) this.#store.putRecord(settingsKey(height), encodeSettings(settings))
    const news = installed.map(installedKey).filter((key) => this.#store.getRecord(key) === undefined)
    for (const key of news) this.#store.putRecord(key, encodeLocation({ height, index: 0 }))
    return () => {
      this.#deleteBlock(height, names.flat())
      this.#store.deleteRecord(settingsKey(height))
      for (const key of news) this.#store.deleteRecord(key)
      this.#store.putRecord(HEAD_KEY, encodeLocation({ height: this.#head.height, index: 0 }))
    }
  }

  /** A block that was put and is durable becomes the head. */
  advance(record: BlockRecord): void {
    this.#head = record.header
    this.#newest = record
  }

  /** Forgets everything above an earlier block. The next commit makes that durable. */
  rewind(height: number, namesOf: (tx: Uint8Array) => readonly Cid[]): void {
    const record = this.block(height)
    if (record === undefined) throw new RangeError(`there is no block ${height}`)
    for (let above = this.#head.height; above > height; above--) {
      const removed = this.block(above)
      if (removed !== undefined) this.#deleteBlock(above, removed.txs.flatMap(namesOf))
      this.#store.deleteRecord(headerKey(above))
    }
    for (const key of this.#store.recordKeys(settingsKey(height + 1), SETTINGS_KEYS.end)) this.#store.deleteRecord(key)
    this.#store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
    for (const key of this.#installedKeys()) {
      if (decodeLocation(this.#store.getRecord(key)!).height > height) this.#store.deleteRecord(key)
    }
    this.#head = record.header
    this.#newest = null
  }

  /** Another hand has put a head into the store. */
  reload(): void {
    this.#head = readHead(this.#store)!
    this.#newest = null
  }

  // --- questions ------------------------------------------------------------------------------------------------

  block(height: number): BlockRecord | undefined {
    if (height === this.#newest?.header.height) return this.#newest
    const bytes = height > this.#head.height ? undefined : this.#store.getRecord(blockKey(height))
    return bytes === undefined ? undefined : decodeBlock(bytes)
  }

  header(height: number): BlockHeader | undefined {
    if (height === this.#head.height) return this.#head
    return height > this.#head.height ? undefined : readHeader(this.#store, height)
  }

  /** What the application had decided about consensus after block `height`. */
  settingsAfter(height: number): ConsensusSettings {
    const keys = [...this.#store.recordKeys(SETTINGS_KEYS.start, settingsKey(height + 1))]
    const bytes = keys.length === 0 ? undefined : this.#store.getRecord(keys.at(-1)!)
    return bytes === undefined ? NO_SETTINGS : decodeSettings(bytes)
  }

  /** By the CID of the message, or of the signed message. */
  locate(cid: Cid): MessageLocation | undefined {
    const bytes = this.#store.getRecord(messageKey(cid))
    const location = bytes === undefined ? undefined : decodeLocation(bytes)
    return location !== undefined && location.height <= this.#head.height ? location : undefined
  }

  /** Code that powers put into the store. */
  installed(): Cid[] {
    return this.#installedKeys().map((key) => key.slice(1) as Cid)
  }

  #installedKeys(): string[] {
    return [...this.#store.recordKeys(INSTALLED_KEYS.start, INSTALLED_KEYS.end)]
  }

  #putBlock(record: BlockRecord, names: readonly (readonly Cid[])[]): void {
    const { height } = record.header
    this.#store.putRecord(blockKey(height), encodeBlock(record))
    for (const [index, cids] of names.entries()) {
      for (const cid of cids) this.#store.putRecord(messageKey(cid), encodeLocation({ height, index }))
    }
    this.#store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
  }

  #deleteBlock(height: number, names: readonly Cid[]): void {
    for (const cid of names) this.#store.deleteRecord(messageKey(cid))
    this.#store.deleteRecord(blockKey(height))
  }
}

function readHead(store: ChainStore): BlockHeader | undefined {
  const head = store.getRecord(HEAD_KEY)
  if (head === undefined) return undefined
  const header = readHeader(store, decodeLocation(head).height)
  if (header === undefined) throw new Error('the block that the head names is missing: the state folder is damaged')
  return header
}

/** Of a block that was executed here, or of one that came with a snapshot. */
function readHeader(store: ChainStore, height: number): BlockHeader | undefined {
  const bytes = store.getRecord(blockKey(height)) ?? store.getRecord(headerKey(height))
  return bytes === undefined ? undefined : decodeBlockHeader(bytes)
}
