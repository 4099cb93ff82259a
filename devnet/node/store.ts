/**
 * A chain on disk: one LMDB file per node, holding blocks by CID and records by key. Reads are synchronous, straight
 * from the memory map. Writes wait in memory until `commit` has a thread of LMDB put them down in one transaction, so a node that is
 * killed at any instruction comes back at its last commit, never between two.
 *
 *   blocks    CID bytes → block
 *   records   key bytes → whatever the chain node keeps: headers, messages by CID, receipts, snapshots
 *   meta      'format' → version of this layout; 'owner' → [pid, start of that process], while it is open
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { constants as system } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Database, RootDatabase } from 'lmdb'
import type { Cid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import { toBinary } from '../primitives/bytes.ts'
import { DiskPatience, type DiskThread } from './disk-patience.ts'
import type { ChainStore } from './ports.ts'
import { isProcessRunning, processStart } from './process.ts'
import { findDamage } from './store-file.ts'

export type StoreFault =
  /** Another process, or this one, has the folder open. */
  | { readonly code: 'STORE_LOCKED'; readonly folder: string; readonly pid: number }
  /** A later release wrote it. */
  | { readonly code: 'STORE_NEWER'; readonly folder: string; readonly found: number; readonly known: number }
  /** An earlier release wrote it. */
  | { readonly code: 'STORE_OLDER'; readonly folder: string; readonly found: number; readonly known: number }
  /** There is a file, but not one of ours, or it is damaged. */
  | { readonly code: 'STORE_DAMAGED'; readonly folder: string; readonly detail: string }
  | { readonly code: 'STORE_READ_ONLY'; readonly folder: string; readonly detail: string }
  /** No room on the disk or in the quota. Nothing of the commit was written; it can be repeated. */
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

  /** Whether this release will never read what is there: the way on is a new chain. */
  get isLost(): boolean {
    return ['STORE_NEWER', 'STORE_OLDER', 'STORE_DAMAGED'].includes(this.code)
  }
}

function explain(fault: StoreFault): string {
  const { folder } = fault
  switch (fault.code) {
    case 'STORE_LOCKED':
      return `${folder} is in use by process ${fault.pid}; stop it, or choose another state folder`
    case 'STORE_NEWER':
      return `${folder} has format ${fault.found}, this release knows ${fault.known}; update, or choose another folder`
    case 'STORE_OLDER':
      return `${folder} has format ${fault.found} of an earlier release, this one reads ${fault.known}; go on with that release, or choose another folder`
    case 'STORE_DAMAGED':
      return `${folder} holds no readable chain (${fault.detail}); restore it from a copy, or start with an empty folder`
    case 'STORE_READ_ONLY':
      return `${folder} cannot be written (${fault.detail}); change its permissions, or choose another state folder`
    case 'STORE_FULL':
      return `no room left in ${folder} (${fault.detail}); free some and go on`
    case 'STORE_FAILED':
      return `${folder} failed (${fault.detail}); check the disk, then restart`
    case 'STORE_UNAVAILABLE':
      return `LMDB does not run here (${fault.detail}); keep state in memory instead`
    case 'STORE_CLOSED':
      return `${folder} was closed`
  }
}

export type Durability = 'full' | 'relaxed'

export interface StoreOptions {
  /**
   * `full`, the default: a commit is on the disk once its promise resolves. `relaxed`: it is in the system's cache,
   * which survives the death of the process but not that of the machine.
   */
  readonly durability?: Durability
  /** By default another, so that this one goes on. */
  readonly thread?: DiskThread
}

/** A `ChainStore` in a folder. One commit is one transaction; the same CIDs and keys as anywhere else. */
export interface NodeStore extends ChainStore {
  readonly folder: string
  /** Pages in use or free for use, as the file has them. */
  sizeBytes(): number
}

export const STORE_FORMAT = 2
/** LMDB's own limit is 1978. */
export const RECORD_KEY_SIZE_MAX = 1024

const FILE_NAME = 'chain.mdb'
/**
 * Bytes of addresses that the file may grow into. A map that becomes too small is followed by one twice as large while the old one stays,
 * so that the same pages count several times; addresses that nobody uses cost nothing. On Windows, where this is not measured, LMDB decides.
 */
const ADDRESS_SPACE = process.platform === 'win32' ? {} : { mapSize: 2 ** 34 }
const PROBE_NAME = 'room.tmp'
/** With less room than this, no store is opened. */
const FREE_BYTES_MIN = 1 << 16

/** Opens the store in `folder`, which is made when it is not there. One process at a time may have it open. */
export function openStore(path: string, options: StoreOptions = {}): NodeStore {
  const folder = resolve(path)
  const lmdb = loadLmdb(folder)
  try {
    const file = join(folder, FILE_NAME)
    checkFolder(folder, file)
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
    const noSync = options.durability === 'relaxed'
    // A commit begins when it is asked for, not at the end of the event loop's turn.
    const eventTurnBatching = false
    const settings = { noSubdir: true, overlappingSync: false, eventTurnBatching, noSync, maxDbs: 3 }
    return new LmdbStore(
      folder,
      options.thread ?? 'another',
      lmdb.open<Buffer, Buffer>({ path: file, ...settings, ...binary, ...ADDRESS_SPACE }),
    )
  } catch (error) {
    throw toStoreError(folder, error)
  }
}

/**
 * Removes the chain that is kept in `folder`, readable or not, and nothing else that may lie there.
 *
 * @throws StoreError when another process has it open
 */
export async function removeStore(path: string): Promise<void> {
  const folder = resolve(path)
  try {
    // Opening shows whether somebody else uses it.
    await openStore(folder).close()
  } catch (error) {
    if (!(error instanceof StoreError) || !error.isLost) throw error
  }
  for (const name of [FILE_NAME, `${FILE_NAME}-lock`, PROBE_NAME]) rmSync(join(folder, name), { force: true })
}

type Table = Database<Buffer, Buffer>

/** What is undefined is to be deleted. */
interface Changes {
  readonly blocks: Map<Cid, Uint8Array | undefined>
  readonly records: Map<string, Uint8Array | undefined>
}

interface Writer {
  readonly put: (table: Table, key: Buffer, bytes: Buffer) => void
  readonly remove: (table: Table, key: Buffer) => void
}

const emptyChanges = (): Changes => ({ blocks: new Map(), records: new Map() })

class LmdbStore implements NodeStore {
  readonly folder: string
  readonly #patience: DiskPatience
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #blocks: Table
  readonly #records: Table
  readonly #meta: Table
  /** What the next commit writes. */
  #next = emptyChanges()
  /** What is being written now, off this thread. */
  #written = emptyChanges()
  #commits: Promise<void> = Promise.resolve()
  #state: 'open' | 'failed' | 'closed' = 'open'

  constructor(folder: string, thread: DiskThread, root: RootDatabase<Buffer, Buffer>) {
    this.folder = folder
    this.#patience = new DiskPatience(thread)
    this.#root = root
    try {
      this.#meta = this.#table('meta')
      this.#claim()
      this.#blocks = this.#table('blocks')
      this.#records = this.#table('records')
    } catch (error) {
      void root.close()
      throw error
    }
  }

  get(cid: Cid): Uint8Array | undefined {
    this.#checkOpen()
    for (const { blocks } of [this.#next, this.#written]) if (blocks.has(cid)) return blocks.get(cid)
    return readValue(this.#blocks, cid)
  }

  has(cid: Cid): boolean {
    this.#checkOpen()
    for (const { blocks } of [this.#next, this.#written]) if (blocks.has(cid)) return blocks.get(cid) !== undefined
    return this.#blocks.doesExist(toKey(cid))
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.#checkOpen()
    this.#next.blocks.set(cid, bytes)
  }

  delete(cid: Cid): void {
    this.#checkOpen()
    this.#next.blocks.set(cid, undefined)
  }

  getRecord(key: string): Uint8Array | undefined {
    this.#checkOpen()
    for (const { records } of [this.#next, this.#written]) if (records.has(key)) return records.get(key)
    return readValue(this.#records, key)
  }

  putRecord(key: string, bytes: Uint8Array): void {
    this.#checkOpen()
    checkRecordKey(key)
    this.#next.records.set(key, bytes)
  }

  deleteRecord(key: string): void {
    this.#checkOpen()
    checkRecordKey(key)
    this.#next.records.set(key, undefined)
  }

  /** Lists the keys as they are now: what the caller writes while it walks does not show. */
  recordKeys(from: string, to: string, max?: number): Iterable<string> {
    this.#checkOpen()
    if (from >= to) return []
    const changes = [this.#written, this.#next].flatMap(({ records }) =>
      [...records].filter(([key]) => key >= from && key < to),
    )
    const keys = new Set<string>()
    const range = { start: toKey(from), end: toKey(to) }
    // Those that are about to go may be among the first.
    const limited = max === undefined ? range : { ...range, limit: max + changes.length }
    for (const key of this.#records.getKeys(limited)) keys.add(toBinary(key))
    let changed = false
    for (const [key, bytes] of changes) {
      if (bytes === undefined) keys.delete(key)
      else if (!keys.has(key)) {
        keys.add(key)
        changed = true
      }
    }
    const sorted = changed ? [...keys].sort() : keys
    return max === undefined || keys.size <= max ? sorted : [...sorted].slice(0, max)
  }

  /** One after the other, each off this thread. What was put while another was being written goes with the next. */
  async commit(): Promise<void> {
    this.#checkOpen()
    const commit = this.#commits.then(() => this.#write())
    this.#commits = commit.catch(() => {})
    await commit
  }

  async #write(): Promise<void> {
    if (this.#state === 'failed') {
      throw new StoreError({ code: 'STORE_FAILED', folder: this.folder, detail: 'an earlier commit failed' })
    }
    const { blocks, records } = this.#next
    if (blocks.size === 0 && records.size === 0) return
    this.#written = this.#next
    this.#next = emptyChanges()
    try {
      if (this.#patience.next() === 'another') await this.#transactAside(this.#written)
      else this.#patience.wait(() => this.#transactHere(this.#written))
    } catch (error) {
      for (const [cid, bytes] of this.#next.blocks) blocks.set(cid, bytes)
      for (const [key, bytes] of this.#next.records) records.set(key, bytes)
      this.#next = this.#written
      throw this.#noteFailure(error)
    } finally {
      this.#written = emptyChanges()
      this.#root.resetReadTxn()
    }
  }

  /** One transaction, written and flushed by this thread. */
  #transactHere(changes: Changes): void {
    this.#root.transactionSync(() => {
      this.#apply(changes, {
        put: (table, key, bytes) => table.putSync(key, bytes),
        remove: (table, key) => table.removeSync(key),
      })
    })
  }

  /** One transaction, written and flushed by a thread of LMDB's. */
  async #transactAside(changes: Changes): Promise<void> {
    const writes: Promise<boolean>[] = []
    const batch = this.#root.batch(() => {
      this.#apply(changes, {
        put: (table, key, bytes) => writes.push(table.put(key, bytes)),
        remove: (table, key) => writes.push(table.remove(key)),
      })
    })
    writes.push(batch)
    try {
      await Promise.all(writes)
    } catch (error) {
      // LMDB's own error comes by another way, and only then.
      const { commitError } = error as { readonly commitError?: Promise<never> }
      await commitError
      throw error
    }
  }

  #apply({ blocks, records }: Changes, to: Writer): void {
    for (const [cid, bytes] of blocks) {
      const key = toKey(cid)
      if (bytes === undefined) to.remove(this.#blocks, key)
      // The same CID is the same block; writing it again would only dirty its page.
      else if (!this.#blocks.doesExist(key)) to.put(this.#blocks, key, toBuffer(bytes))
    }
    for (const [key, bytes] of records) {
      if (bytes === undefined) to.remove(this.#records, toKey(key))
      else to.put(this.#records, toKey(key), toBuffer(bytes))
    }
  }

  sizeBytes(): number {
    this.#checkOpen()
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number }
    return (lastPageNumber + 1) * pageSize
  }

  /** Frees the folder. What was put since the last commit is dropped. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const isUsable = this.#state === 'open'
    this.#state = 'closed'
    await this.#commits
    try {
      if (isUsable) this.#transact(() => this.#meta.removeSync(toKey(OWNER)))
    } finally {
      await this.#root.close()
    }
  }

  #table(name: string): Table {
    return this.#root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' })
  }

  /** Checks the format and takes the folder, in one transaction: LMDB lets processes into it one by one. */
  #claim(): void {
    this.#transact(() => {
      const format = this.#meta.getBinary(toKey(FORMAT))
      if (format === undefined && this.#hasOtherTables()) throw this.#damaged('it has no format version')
      const found = format === undefined ? STORE_FORMAT : decodeFormat(format)
      if (found === undefined) throw this.#damaged('its format version is malformed')
      if (found !== STORE_FORMAT) {
        const code = found > STORE_FORMAT ? 'STORE_NEWER' : 'STORE_OLDER'
        throw new StoreError({ code, folder: this.folder, found, known: STORE_FORMAT })
      }
      const owner = this.#meta.getBinary(toKey(OWNER))
      const pid = owner && runningOwner(owner)
      if (pid !== undefined) throw new StoreError({ code: 'STORE_LOCKED', folder: this.folder, pid })
      this.#meta.putSync(toKey(FORMAT), toBuffer(new CborWriter().uint(STORE_FORMAT).finish()))
      this.#meta.putSync(toKey(OWNER), toBuffer(encodeOwner(process.pid)))
    })
  }

  /** Besides `meta`, which opening has made. */
  #hasOtherTables(): boolean {
    return [...this.#root.getKeys({ limit: 2 })].length > 1
  }

  #damaged(detail: string): StoreError {
    return new StoreError({ code: 'STORE_DAMAGED', folder: this.folder, detail })
  }

  #transact(action: () => void): void {
    try {
      this.#root.transactionSync(action)
    } catch (error) {
      throw this.#noteFailure(error)
    } finally {
      this.#root.resetReadTxn()
    }
  }

  #noteFailure(error: unknown): StoreError {
    const coded = toStoreError(this.folder, error)
    if (coded.code !== 'STORE_FULL') this.#state = 'failed'
    return coded
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new StoreError({ code: 'STORE_CLOSED', folder: this.folder })
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

function readValue(table: Table, key: string): Uint8Array | undefined {
  const bytes = table.getBinary(toKey(key))
  return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function checkRecordKey(key: string): void {
  if (key.length === 0 || key.length > RECORD_KEY_SIZE_MAX) throw new RangeError(`a record key of ${key.length} bytes`)
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

/** Makes the folder, and refuses what LMDB would not survive. */
function checkFolder(folder: string, file: string): void {
  makeFolder(folder)
  accessSync(folder, constants.W_OK)
  if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK)
  const detail = findDamage(file)
  if (detail !== undefined) throw new StoreError({ code: 'STORE_DAMAGED', folder, detail })
  if (isFull(folder)) throw new StoreError({ code: 'STORE_FULL', folder, detail: 'less than 64 KiB is free' })
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    // Node says "no such file" where a file system is read-only; the nearest folder above knows better.
    let above = dirname(folder)
    while (!existsSync(above)) above = dirname(above)
    accessSync(above, constants.W_OK)
    throw error
  }
}

function isFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize < FREE_BYTES_MIN
}

/** Whether the file cannot grow, for the disk, a quota or a limit: tried on a file beside it, as far from its start. */
function cannotGrow(folder: string): boolean {
  const path = join(folder, PROBE_NAME)
  try {
    const end = statSync(join(folder, FILE_NAME)).size
    const file = openSync(path, 'w')
    try {
      const zeros = new Uint8Array(FREE_BYTES_MIN)
      for (let at = 0; at < zeros.length; ) at += writeSync(file, zeros, at, undefined, end + at)
      return false
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return NO_ROOM.has((error as NodeJS.ErrnoException).code)
  } finally {
    rmSync(path, { force: true })
  }
}

const MDB_MAP_FULL = -30792
/** Not found, corrupted, of another version, invalid. */
const MDB_DAMAGED: ReadonlySet<unknown> = new Set([-30797, -30796, -30794, -30793])
const NO_ROOM: ReadonlySet<unknown> = new Set([MDB_MAP_FULL, ...errorNumbers('ENOSPC', 'EDQUOT', 'EFBIG')])
const NO_PERMISSION: ReadonlySet<unknown> = new Set(errorNumbers('EACCES', 'EPERM', 'EROFS'))
const INPUT_OUTPUT: ReadonlySet<unknown> = new Set(errorNumbers('EIO'))

/** An error of Node names the system's error, one of LMDB has its number. */
function errorNumbers(...names: readonly (keyof typeof system.errno)[]): (string | number)[] {
  return names.flatMap((name) => [name, system.errno[name]])
}

function toStoreError(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const detail = messageOf(error)
  const code = (error as { readonly code?: unknown } | undefined)?.code
  // A write that stops half way for want of room is a plain input/output error to LMDB.
  const isWithoutRoom = NO_ROOM.has(code) || (INPUT_OUTPUT.has(code) && cannotGrow(folder))
  if (isWithoutRoom) return new StoreError({ code: 'STORE_FULL', folder, detail }, error)
  if (NO_PERMISSION.has(code)) return new StoreError({ code: 'STORE_READ_ONLY', folder, detail }, error)
  if (MDB_DAMAGED.has(code)) return new StoreError({ code: 'STORE_DAMAGED', folder, detail }, error)
  return new StoreError({ code: 'STORE_FAILED', folder, detail }, error)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
