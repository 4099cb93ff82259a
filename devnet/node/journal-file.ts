/**
 * A replica's journal on disk: one file, written at its end. What was appended before `sync` was called is durable when it calls back.
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
import { type JournalRecord, readJournal } from '../consensus/journal.ts'
import { concatBytes } from '../primitives/bytes.ts'
import type { Durability } from './store.ts'

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
export function openJournal(path: string, durability: Durability): Journal {
  const found = existsSync(path)
  const { records, size, end } = readJournal(found ? readFileSync(path) : new Uint8Array(0))
  if (end === 'damaged') throw new JournalDamaged(path, size)
  if (end === 'torn') truncateSync(path, size)
  return new JournalFile(path, durability, records, found ? (end === 'torn' ? 'torn' : 'whole') : 'missing')
}

class JournalFile implements Journal {
  readonly records: readonly JournalRecord[]
  readonly found: Journal['found']
  readonly #path: string
  readonly #durability: Durability
  /** Synchronised when a name in it changed. */
  readonly #folder: number
  /** Where records go. */
  #file: number
  /** What stands at the path while `#file` is not durable enough to take its place. */
  #replaced: number | null = null
  #buffer: Uint8Array[] = []
  #isClosed = false

  constructor(path: string, durability: Durability, records: readonly JournalRecord[], found: Journal['found']) {
    this.#path = path
    this.#durability = durability
    this.records = records
    this.found = found
    this.#folder = openSync(dirname(path), 'r')
    this.#file = openSync(path, 'a')
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
    const file = this.#file
    fdatasync(file, (error) => {
      if (error !== null || this.#isClosed || this.#replaced === null || file !== this.#file) return ended(error)
      this.#takePlace(ended)
    })
  }

  #write(): void {
    if (this.#buffer.length === 0) return
    const bytes = concatBytes(...this.#buffer)
    this.#buffer = []
    writeAll(this.#file, bytes)
  }

  /** Records go to a new file at once; it takes the old one's place with the next `sync`, without anybody waiting for the disk twice. */
  cut(head: readonly Uint8Array[]): void {
    const file = openSync(this.#nextPath, 'w')
    writeAll(file, concatBytes(...head))
    this.#buffer = []
    if (this.#replaced === null) this.#replaced = this.#file
    else closeSync(this.#file)
    this.#file = file
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

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
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
