/**
 * A chain on disk: one LMDB file per node, holding blocks by CID and records by key. Reads are synchronous, straight
 * from the memory map. Writes wait in memory until `commit` puts them down in one transaction, so a node that is
 * killed at any instruction comes back at its last commit, never between two.
 *
 *   blocks    CID bytes → block
 *   records   key bytes → whatever the chain node keeps: headers, messages by CID, receipts, snapshots
 *   meta      'format' → version of this layout; 'owner' → [pid, start of that process], while it is open
 */
import { mkdirSync, readdirSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Database, RootDatabase } from 'lmdb'
import type { Cid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import { fromBinary, toBinary } from '../primitives/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../primitives/utf8.ts'
import type { ChainStore } from './ports.ts'
import { isProcessRunning, processStart } from './process.ts'

export type StoreFault =
  /** Another process, or this one, has the folder open. */
  | { readonly code: 'STORE_LOCKED'; readonly folder: string; readonly pid: number }
  /** A later release wrote it. */
  | { readonly code: 'STORE_NEWER'; readonly folder: string; readonly found: number; readonly known: number }
  /** There is a file, but not one of ours, or it is damaged. */
  | { readonly code: 'STORE_DAMAGED'; readonly folder: string; readonly detail: string }
  | { readonly code: 'STORE_READ_ONLY'; readonly folder: string; readonly detail: string }
  /** No room on the disk, in the quota or in the address space. Nothing of the commit was written; it can be repeated. */
  | { readonly code: 'STORE_FULL'; readonly folder: string; readonly detail: string }
  /** Any other failure of the disk. The store takes no more commits. */
  | { readonly code: 'STORE_FAILED'; readonly folder: string; readonly detail: string }
  /** LMDB's addon does not load on this platform. */
  | { readonly code: 'STORE_UNAVAILABLE'; readonly folder: string; readonly detail: string }
  | { readonly code: 'STORE_CLOSED'; readonly folder: string }

/** The store cannot be opened, or cannot keep what it was given. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly fault: StoreFault
  constructor(fault: StoreFault, cause?: unknown) {
    super(`${fault.code}: ${explain(fault)}`, { cause })
    this.fault = fault
  }

  get code(): StoreFault['code'] {
    return this.fault.code
  }
}

function explain(fault: StoreFault): string {
  switch (fault.code) {
    case 'STORE_LOCKED':
      return `${fault.folder} is in use by process ${fault.pid}; stop it, or choose another state folder`
    case 'STORE_NEWER':
      return `${fault.folder} has format ${fault.found}, this release knows ${fault.known}; update, or choose another state folder`
    case 'STORE_DAMAGED':
      return `${fault.folder} holds no readable chain (${fault.detail}); restore it from a copy, or start with an empty folder`
    case 'STORE_READ_ONLY':
      return `${fault.folder} cannot be written (${fault.detail}); change its permissions, or choose another state folder`
    case 'STORE_FULL':
      return `no room left in ${fault.folder} (${fault.detail}); free some and go on`
    case 'STORE_FAILED':
      return `${fault.folder} failed (${fault.detail}); check the disk, then restart`
    case 'STORE_UNAVAILABLE':
      return `LMDB does not run here (${fault.detail}); keep state in memory instead`
    case 'STORE_CLOSED':
      return `${fault.folder} was closed`
  }
}

export interface StoreOptions {
  /**
   * `full`: a commit is on the disk once its promise resolves. `relaxed`: it is in the system's cache, which survives
   * the death of the process but not that of the machine.
   */
  readonly durability?: 'full' | 'relaxed'
}

export interface NodeStore extends ChainStore {
  readonly folder: string
  /** Bytes of the file, and of it what is in use. */
  size(): { readonly fileBytes: number; readonly usedBytes: number }
}

export const STORE_FORMAT = 1
const FILE_NAME = 'chain.mdb'
/** LMDB's own limit is 1978. */
const KEY_SIZE_MAX = 1024
const FULL_SYNC = 0x03
/** Commit at once, and leave flushing to the system. */
const NO_SYNC = 0x1_0003
/** With less than this left, LMDB's plain "input/output error" means that the disk is full. */
const ROOM_MIN = 1 << 20

/** Opens the store in `folder`, which is made when it is not there. One process at a time may have it open. */
export function openStore(folder: string, options: StoreOptions = {}): NodeStore {
  const lmdb = loadLmdb(folder)
  try {
    mkdirSync(folder, { recursive: true })
    const files = readdirSync(folder)
    const root: RootDatabase<Buffer, Buffer> = lmdb.open({
      path: join(folder, FILE_NAME),
      noSubdir: true,
      // Commits are flushed before they return, or not at all; see `durability`.
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 3,
    })
    return new LmdbStore(folder, root, { isNew: !files.includes(FILE_NAME), durability: options.durability ?? 'full' })
  } catch (error) {
    throw toStoreError(folder, error)
  }
}

type Table = Database<Buffer, Buffer>

class LmdbStore implements NodeStore {
  readonly folder: string
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #blocks: Table
  readonly #records: Table
  readonly #meta: Table
  readonly #durability: 'full' | 'relaxed'
  /** What the next commit writes. An undefined record is to be deleted. */
  #newBlocks = new Map<Cid, Uint8Array>()
  #newRecords = new Map<string, Uint8Array | undefined>()
  #state: 'open' | 'failed' | 'closed' = 'open'

  constructor(
    folder: string,
    root: RootDatabase<Buffer, Buffer>,
    how: { isNew: boolean; durability: 'full' | 'relaxed' },
  ) {
    this.folder = folder
    this.#root = root
    this.#durability = how.durability
    try {
      const table = (name: string): Table => root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' })
      this.#meta = table('meta')
      this.#claim(how.isNew)
      this.#blocks = table('blocks')
      this.#records = table('records')
    } catch (error) {
      void root.close()
      throw error
    }
  }

  get(cid: Cid): Uint8Array | undefined {
    return this.#newBlocks.get(cid) ?? this.#read(this.#blocks, cid)
  }

  has(cid: Cid): boolean {
    return this.#newBlocks.has(cid) || this.#isOpen(() => this.#blocks.doesExist(toKey(cid)))
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.#newBlocks.set(cid, bytes)
  }

  getRecord(key: string): Uint8Array | undefined {
    if (this.#newRecords.has(key)) return this.#newRecords.get(key)
    return this.#read(this.#records, key)
  }

  putRecord(key: string, bytes: Uint8Array): void {
    checkKey(key)
    this.#newRecords.set(key, bytes)
  }

  deleteRecord(key: string): void {
    checkKey(key)
    this.#newRecords.set(key, undefined)
  }

  *recordKeys(from: string, to: string): Generator<string> {
    if (from >= to) return
    const fresh = [...this.#newRecords.keys()].filter((key) => key >= from && key < to).sort()
    const range = from === '' ? { end: toKey(to) } : { start: toKey(from), end: toKey(to) }
    // What is in the file is listed before anything is handed out, as a reader may write meanwhile.
    const stored = this.#isOpen(() => [...this.#records.getKeys(range)].map(toBinary))
    let next = 0
    for (const key of stored) {
      for (; next < fresh.length && fresh[next]! < key; next++) if (this.#isThere(fresh[next]!)) yield fresh[next]!
      if (fresh[next] === key) next++
      if (this.#isThere(key)) yield key
    }
    for (; next < fresh.length; next++) if (this.#isThere(fresh[next]!)) yield fresh[next]!
  }

  async commit(): Promise<void> {
    if (this.#state === 'closed') throw new StoreError({ code: 'STORE_CLOSED', folder: this.folder })
    if (this.#state === 'failed') {
      throw new StoreError({ code: 'STORE_FAILED', folder: this.folder, detail: 'an earlier commit failed' })
    }
    if (this.#newBlocks.size === 0 && this.#newRecords.size === 0) return
    this.#transact(() => {
      for (const [cid, bytes] of this.#newBlocks) {
        const key = toKey(cid)
        // The same CID means the same block; writing it again would only dirty its page.
        if (!this.#blocks.doesExist(key)) this.#blocks.putSync(key, toBuffer(bytes))
      }
      for (const [key, bytes] of this.#newRecords) {
        if (bytes === undefined) this.#records.removeSync(toKey(key))
        else this.#records.putSync(toKey(key), toBuffer(bytes))
      }
    })
    this.#newBlocks = new Map()
    this.#newRecords = new Map()
  }

  size(): { fileBytes: number; usedBytes: number } {
    const { mapSize, lastPageNumber, pageSize, freePageCount } = this.#isOpen(() => this.#root.getStats()) as Record<
      string,
      number
    >
    void mapSize
    const fileBytes = (lastPageNumber! + 1) * pageSize!
    return { fileBytes, usedBytes: fileBytes - (freePageCount ?? 0) * pageSize! }
  }

  /** Gives the folder free. What was put since the last commit is dropped. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    try {
      if (this.#state === 'open') this.#transact(() => this.#meta.removeSync(toKey(OWNER)), FULL_SYNC)
    } finally {
      this.#state = 'closed'
      this.#newBlocks.clear()
      this.#newRecords.clear()
      await this.#root.close()
    }
  }

  /** Checks the format and takes the folder, in one transaction: LMDB lets processes into it one by one. */
  #claim(isNew: boolean): void {
    this.#transact(() => {
      const format = this.#meta.getBinary(toKey(FORMAT))
      if (format === undefined && !isNew && this.#hasTables()) throw this.#damaged('it has no format version')
      const found = format === undefined ? STORE_FORMAT : decodeFormat(format)
      if (found === undefined) throw this.#damaged('its format version is malformed')
      if (found > STORE_FORMAT) {
        throw new StoreError({ code: 'STORE_NEWER', folder: this.folder, found, known: STORE_FORMAT })
      }
      const owner = this.#meta.getBinary(toKey(OWNER))
      const pid = owner && runningOwner(owner)
      if (pid !== undefined) throw new StoreError({ code: 'STORE_LOCKED', folder: this.folder, pid })
      this.#meta.putSync(toKey(FORMAT), toBuffer(new CborWriter().uint(STORE_FORMAT).finish()))
      this.#meta.putSync(toKey(OWNER), toBuffer(encodeOwner(process.pid)))
    }, FULL_SYNC)
  }

  /** Whether the file holds anything but the empty table of meta data that opening it has made. */
  #hasTables(): boolean {
    return [...this.#root.getKeys({ limit: 3 })].some((key) => toBinary(key) !== 'meta')
  }

  #damaged(detail: string): StoreError {
    return new StoreError({ code: 'STORE_DAMAGED', folder: this.folder, detail })
  }

  #transact(action: () => void, flags: number = this.#durability === 'full' ? FULL_SYNC : NO_SYNC): void {
    try {
      this.#root.transactionSync(action, flags)
    } catch (error) {
      const coded = toStoreError(this.folder, error)
      if (coded.code === 'STORE_FAILED' || coded.code === 'STORE_DAMAGED') this.#state = 'failed'
      throw coded
    } finally {
      this.#root.resetReadTxn()
    }
  }

  #read(table: Table, key: string): Uint8Array | undefined {
    const bytes = this.#isOpen(() => table.getBinary(toKey(key)))
    return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  #isThere(key: string): boolean {
    return !this.#newRecords.has(key) || this.#newRecords.get(key) !== undefined
  }

  #isOpen<T>(read: () => T): T {
    if (this.#state === 'closed') throw new StoreError({ code: 'STORE_CLOSED', folder: this.folder })
    return read()
  }
}

const FORMAT = 'format'
const OWNER = 'owner'

function decodeFormat(bytes: Uint8Array): number | undefined {
  try {
    const reader = new CborReader(bytes)
    const format = reader.number()
    reader.end()
    return format > 0 ? format : undefined
  } catch {
    return undefined
  }
}

function encodeOwner(pid: number): Uint8Array {
  return new CborWriter()
    .array(2)
    .uint(pid)
    .text(processStart(pid) ?? '')
    .finish()
}

/** The pid of an owner that still runs. A pid that meanwhile belongs to another process is not the owner's. */
function runningOwner(bytes: Uint8Array): number | undefined {
  try {
    const reader = new CborReader(bytes)
    reader.tuple(2)
    const pid = reader.number()
    const start = reader.text()
    if (!isProcessRunning(pid)) return undefined
    const now = processStart(pid) ?? ''
    return start === '' || now === '' || start === now ? pid : undefined
  } catch {
    return undefined
  }
}

function checkKey(key: string): void {
  if (key.length === 0 || key.length > KEY_SIZE_MAX) throw new RangeError(`a record key of ${key.length} bytes`)
}

function toKey(binary: string): Buffer {
  return Buffer.from(binary, 'latin1')
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function loadLmdb(folder: string): typeof import('lmdb') {
  try {
    return createRequire(import.meta.url)('lmdb') as typeof import('lmdb')
  } catch (error) {
    throw new StoreError({ code: 'STORE_UNAVAILABLE', folder, detail: messageOf(error) }, error)
  }
}
