/**
 * What the replicas of a network were given, one JSON line each, in the order in which it happened: when a replica comes to a height, the
 * state of the chain before it; then each input as its journal has it. Validators in processes of their own have a file each, which goes on
 * over restarts: what a journal brings back begins its height anew.
 *
 *   {"v":"v0","t":<ms since 1970>,"address":"<hex>","precision":"<ns>"|null,"state":"<hex>"}
 *   {"v":"v0","t":<ms since 1970>,"record":"<hex>"}
 *   {"v":"v0","t":<ms since 1970>,"rewind":<height>}
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ChainState, fromWireState, toWireState } from '../consensus/chain-state.ts'
import { isFault } from '../consensus/fault.ts'
import { readJournal } from '../consensus/journal.ts'
import type { ReplayEntry } from '../consensus/replay.ts'
import { decode, encode } from '../consensus/schema.ts'
import { STATE } from '../consensus/wire.ts'
import { fromBinary, fromHex, toBinary, toHex } from '../primitives/bytes.ts'

/** Hears of everything that a replica writes down. */
export interface Recorder {
  height(
    replica: { readonly name: string; readonly address: string; readonly precision: bigint | null },
    chain: ChainState,
  ): void
  record(name: string, record: Uint8Array): void
  /** The replica goes back to this height, with all others. */
  rewind(name: string, height: number): void
  close(): void
}

export function openRecorder(
  path: string,
  now: () => number,
  from: 'where it ended' | 'the beginning' = 'the beginning',
): Recorder {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, from === 'the beginning' ? 'w' : 'a+')
  if (from === 'where it ended') cutTornLine(file)
  let isClosed = false
  const put = (line: unknown): void => {
    if (!isClosed) writeSync(file, `${JSON.stringify(line)}\n`)
  }
  return {
    height: ({ name, address, precision }, chain) =>
      put({
        v: name,
        t: now(),
        address: toHex(fromBinary(address)),
        precision: precision === null ? null : String(precision),
        state: toHex(encode(STATE, toWireState(chain, ''))),
      }),
    record: (name, record) => put({ v: name, t: now(), record: toHex(record) }),
    rewind: (name, height) => put({ v: name, t: now(), rewind: height }),
    close() {
      if (isClosed) return
      isClosed = true
      closeSync(file)
    },
  }
}

/** A process that is killed may leave a line that is not whole. */
function cutTornLine(file: number): void {
  const { size } = fstatSync(file)
  const end = Buffer.alloc(TAIL_BYTES)
  for (let to = size; to > 0; to -= TAIL_BYTES) {
    const from = Math.max(to - TAIL_BYTES, 0)
    const read = end.subarray(0, readSync(file, end, 0, to - from, from))
    const newline = read.lastIndexOf(0x0a)
    if (newline !== -1) return ftruncateSync(file, from + newline + 1)
  }
  ftruncateSync(file, 0)
}

const TAIL_BYTES = 1 << 16

/** The file is no recording, or is damaged. */
export class RecordingDamaged extends Error {
  override readonly name = 'RecordingDamaged'
  readonly code = 'TRP-7306'
  /** From 1. */
  readonly line: number
  constructor(line: number, what: string) {
    super(`line ${line} ${what}`)
    this.line = line
  }
}

/** A last line that is not whole is left out: the network was killed. @throws RecordingDamaged */
export function* readRecording(text: string): Generator<ReplayEntry> {
  const lines = text.split('\n')
  lines.pop()
  if (lines.length === 0) throw new RecordingDamaged(1, 'is not there: nothing was recorded')
  for (const [i, line] of lines.entries()) yield readLine(line, i + 1)
}

function readLine(line: string, number: number): ReplayEntry {
  const refuse = (what: string): never => {
    throw new RecordingDamaged(number, what)
  }
  let value: Readonly<Record<string, unknown>> | null
  try {
    value = JSON.parse(line)
  } catch {
    return refuse('is not JSON')
  }
  const replica = value?.['v']
  if (typeof replica !== 'string' || replica === '') return refuse('names no replica')
  const { record, state, address, precision, rewind } = value ?? {}
  if (typeof rewind === 'number') return { kind: 'rewind', replica }
  try {
    if (typeof record === 'string') {
      const { records, end } = readJournal(fromHex(record))
      const [first] = records
      if (first === undefined || records.length !== 1 || end !== 'whole')
        return refuse('has a record that is not whole')
      return { kind: 'record', replica, record: first }
    }
    if (typeof state === 'string' && typeof address === 'string') {
      const chain = fromWireState(decode(STATE, fromHex(state)))
      if (isFault(chain)) return refuse(`has a state of a chain that cannot be: ${chain.code}`)
      const ahead = typeof precision === 'string' && /^\d{1,18}$/.test(precision) ? BigInt(precision) : null
      return { kind: 'height', replica, address: toBinary(fromHex(address)), precision: ahead, chain }
    }
  } catch (error) {
    if (error instanceof RecordingDamaged) throw error
    return refuse(`cannot be read: ${(error as Error).message}`)
  }
  return refuse('has neither a record nor a state')
}
