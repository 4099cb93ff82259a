/**
 * A replica's journal on disk: one file, written at its end. What was appended before `sync` was called is durable when it calls back.
 *
 * @source spec consensus §4.8
 */
import {
  closeSync,
  existsSync,
  fdatasync,
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
  /** Begins anew with these records, durably. */
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
  #file: number
  #buffer: Uint8Array[] = []
  #isClosed = false

  constructor(path: string, durability: Durability, records: readonly JournalRecord[], found: Journal['found']) {
    this.#path = path
    this.#durability = durability
    this.records = records
    this.found = found
    this.#file = openSync(path, 'a')
  }

  append(record: Uint8Array): void {
    this.#buffer.push(record)
  }

  sync(done: (error: Error | null) => void): void {
    try {
      this.#write()
    } catch (error) {
      return done(error as Error)
    }
    if (this.#durability === 'relaxed') return queueMicrotask(() => done(null))
    fdatasync(this.#file, (error) => {
      if (!this.#isClosed) done(error)
    })
  }

  #write(): void {
    if (this.#buffer.length === 0) return
    const bytes = concatBytes(...this.#buffer)
    this.#buffer = []
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at)
  }

  cut(head: readonly Uint8Array[]): void {
    const path = `${this.#path}.new`
    const file = openSync(path, 'w')
    const bytes = concatBytes(...head)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    if (this.#durability === 'full') fsyncSync(file)
    renameSync(path, this.#path)
    if (this.#durability === 'full') syncFolder(dirname(this.#path))
    closeSync(this.#file)
    this.#buffer = []
    this.#file = file
  }

  close(): void {
    if (this.#isClosed) return
    this.#write()
    this.#isClosed = true
    closeSync(this.#file)
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
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
