/**
 * A replica's journal on disk: one file, in which batches of records follow each other. What was appended before `sync` was called is
 * durable when it calls back.
 *
 *   file  = batch* zeros
 *   batch = checksum of the records (4 bytes, highest first) ‖ their size (4) ‖ records
 *
 * The zeros are room: flushing what overwrites them costs half of flushing a file that has grown. The disk may write the sectors of one
 * batch in any order, so a batch counts whole or not at all; the one before is durable when a batch is written.
 *
 * @source spec consensus §4.8
 */
import {
  close,
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type JournalReading, type JournalRecord, readJournal } from '../consensus/journal.ts'
import { crc32c } from '../consensus/log-record.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { DiskPatience, type DiskThread } from './disk-patience.ts'
import type { Durability } from './store.ts'

const HEAD_SIZE = 8
/** Room is made in steps of this size. */
const ROOM_SIZE = 256 * 1024

export interface Journal {
  /** What was there when it was opened. */
  readonly records: readonly JournalRecord[]
  /** `missing`: there was no file; `torn`: its last record was not whole. */
  readonly found: 'whole' | 'torn' | 'missing'
  append(record: Uint8Array): void
  /** Calls back with the error when the disk fails: then nothing is known to be durable. */
  sync(done: (error: Error | null) => void): void
  /** Begins anew with these records; a crash before the next `sync` calls back finds the journal as it was, or anew. */
  cut(head: readonly Uint8Array[]): void
  close(): void
}

/** Whether what a journal holds counts. */
export type JournalStart = 'where it ended' | 'the beginning'

/** Nobody knows what was signed. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged'
  readonly code = 'TRP-8216'
  constructor(path: string, offset: number) {
    super(
      `${path} is damaged at byte ${offset}, with whole records behind; restore it from a copy, or remove it when no other node holds this validator's votes`,
    )
  }
}

/** @throws JournalDamaged */
export function openJournal(path: string, durability: Durability, thread: DiskThread): Journal {
  const found = existsSync(path)
  const bytes = found ? readFileSync(path) : new Uint8Array(0)
  const { records, size, end } = readJournalFile(bytes)
  if (end === 'damaged') throw new JournalDamaged(path, size)
  if (end === 'torn') truncateSync(path, size)
  const room = end === 'torn' ? size : bytes.length
  return new JournalFile({ path, durability, thread, size, room }, records, found ? end : 'missing')
}

/** What a journal's file holds; `size` is where its room begins. */
export function readJournalFile(file: Uint8Array): JournalReading {
  const records: JournalRecord[] = []
  let at = 0
  while (!isBlank(file, at)) {
    const batch = batchAt(file, at)
    if (batch === undefined) return { records, size: at, end: hasBatchAfter(file, at) ? 'damaged' : 'torn' }
    const read = readJournal(batch)
    if (read.end !== 'whole') return { records, size: at, end: 'damaged' }
    records.push(...read.records)
    at += HEAD_SIZE + batch.length
  }
  return { records, size: at, end: 'whole' }
}

/** Nothing but room lies from there on. */
function isBlank(file: Uint8Array, at: number): boolean {
  for (let i = at; i < file.length; i++) if (file[i] !== 0) return false
  return true
}

function batchAt(file: Uint8Array, at: number): Uint8Array | undefined {
  if (at + HEAD_SIZE >= file.length) return undefined
  const head = new DataView(file.buffer, file.byteOffset + at, HEAD_SIZE)
  const size = head.getUint32(4)
  if (size === 0 || at + HEAD_SIZE + size > file.length) return undefined
  const records = file.subarray(at + HEAD_SIZE, at + HEAD_SIZE + size)
  return head.getUint32(0) === checksum(records) ? records : undefined
}

function hasBatchAfter(file: Uint8Array, torn: number): boolean {
  for (let at = torn + 1; at + HEAD_SIZE < file.length; at++) if (batchAt(file, at) !== undefined) return true
  return false
}

/** No record is taken for a batch: its own checksum is another. */
function checksum(records: Uint8Array): number {
  return (crc32c(records) ^ records.length ^ 0x4261_7463) >>> 0
}

function encodeBatch(records: readonly Uint8Array[]): Uint8Array {
  const batch = concatBytes(new Uint8Array(HEAD_SIZE), ...records)
  const head = new DataView(batch.buffer, batch.byteOffset, HEAD_SIZE)
  head.setUint32(0, checksum(batch.subarray(HEAD_SIZE)))
  head.setUint32(4, batch.length - HEAD_SIZE)
  return batch
}

interface OpenFile {
  readonly path: string
  readonly durability: Durability
  readonly thread: DiskThread
  /** Of what it holds. */
  readonly size: number
  /** With the zeros behind. */
  readonly room: number
}

class JournalFile implements Journal {
  readonly records: readonly JournalRecord[]
  readonly found: Journal['found']
  readonly #path: string
  readonly #durability: Durability
  readonly #patience: DiskPatience
  /** Synchronised when a name in it changed. */
  readonly #folder: number
  /** Where records go. */
  #file: number
  #size: number
  #room: number
  /** What stands at the path while `#file` is not durable enough to take its place. */
  #replaced: number | null = null
  #buffer: Uint8Array[] = []
  #isClosed = false

  constructor(
    { path, durability, thread, size, room }: OpenFile,
    records: readonly JournalRecord[],
    found: Journal['found'],
  ) {
    this.#path = path
    this.#durability = durability
    this.#patience = new DiskPatience(thread)
    this.#size = size
    this.#room = room
    this.records = records
    this.found = found
    this.#folder = openSync(dirname(path), 'r')
    this.#file = openSync(path, found === 'missing' ? 'w' : 'r+')
    // What an earlier process left to the system's cache must be on the disk before more is written.
    if (durability === 'full') fdatasyncSync(this.#file)
  }

  append(record: Uint8Array): void {
    this.#buffer.push(record)
  }

  sync(done: (error: Error | null) => void): void {
    const ended = (error: Error | null): void => {
      if (!this.#isClosed) done(error)
    }
    try {
      this.#write()
    } catch (error) {
      return done(error as Error)
    }
    if (this.#durability === 'relaxed') return queueMicrotask(() => done(null))
    if (this.#patience.next() === 'this thread' && this.#replaced === null) return this.#wait(ended)
    const file = this.#file
    fdatasync(file, (error) => {
      if (error !== null || this.#isClosed || this.#replaced === null || file !== this.#file) return ended(error)
      this.#takePlace(ended)
    })
  }

  #wait(ended: (error: Error | null) => void): void {
    try {
      this.#patience.wait(() => fdatasyncSync(this.#file))
    } catch (error) {
      return ended(error as Error)
    }
    ended(null)
  }

  #write(): void {
    if (this.#buffer.length === 0) return
    const batch = encodeBatch(this.#buffer)
    this.#buffer = []
    this.#put(batch)
  }

  /** Writes at the end, and makes room behind it when it does not fit into what there is. */
  #put(batch: Uint8Array): void {
    const end = this.#size + batch.length
    let bytes = batch
    if (end > this.#room && this.#durability === 'full') {
      this.#room = Math.ceil(end / ROOM_SIZE) * ROOM_SIZE
      bytes = new Uint8Array(this.#room - this.#size)
      bytes.set(batch)
    }
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, undefined, this.#size + at)
    this.#size = end
  }

  /** Records go to a new file at once; it takes the old one's place with the next `sync`, without anybody waiting for the disk twice. */
  cut(head: readonly Uint8Array[]): void {
    const file = openSync(this.#nextPath, 'w')
    this.#buffer = []
    if (this.#replaced === null) this.#replaced = this.#file
    else closeSync(this.#file)
    this.#file = file
    this.#size = 0
    this.#room = 0
    this.#put(encodeBatch(head))
    if (this.#durability === 'relaxed') this.#rename()
  }

  get #nextPath(): string {
    return `${this.#path}.new`
  }

  #takePlace(done: (error: Error | null) => void): void {
    try {
      this.#rename()
    } catch (error) {
      return done(error as Error)
    }
    fsync(this.#folder, done)
  }

  /** The last descriptor of a file frees its blocks, which takes tens of milliseconds: not in this thread. */
  #rename(): void {
    renameSync(this.#nextPath, this.#path)
    const replaced = this.#replaced!
    this.#replaced = null
    close(replaced, () => {})
  }

  close(): void {
    if (this.#isClosed) return
    this.#write()
    this.#isClosed = true
    if (this.#replaced !== null) {
      fdatasyncSync(this.#file)
      this.#rename()
      fsyncSync(this.#folder)
    }
    closeSync(this.#file)
    closeSync(this.#folder)
  }
}

/** A journal for chains that nobody wants to keep. */
export class MemoryJournal implements Journal {
  readonly records: readonly JournalRecord[]
  readonly found = 'whole'
  #kept: Uint8Array[]

  /** `earlier` is the journal of an earlier life; null is an empty one. */
  constructor(earlier: MemoryJournal | null) {
    this.#kept = earlier === null ? [] : [...earlier.#kept]
    this.records = readJournal(concatBytes(...this.#kept)).records
  }

  append(record: Uint8Array): void {
    this.#kept.push(record)
  }

  sync(done: (error: Error | null) => void): void {
    queueMicrotask(() => done(null))
  }

  cut(head: readonly Uint8Array[]): void {
    this.#kept = [...head]
  }

  close(): void {}
}
