/**
 * What the replicas of a network were given, one JSON line each, in the order in which it happened: when a replica comes to a height, the
 * state of the chain before it; then each input as its journal has it.
 *
 *   {"v":"v0","t":<ms since 1970>,"address":"<hex>","precision":"<ns>"|null,"state":"<hex>"}
 *   {"v":"v0","t":<ms since 1970>,"record":"<hex>"}
 */
import { closeSync, openSync, writeSync } from 'node:fs'
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
  close(): void
}

/** Begins the file anew. */
export function openRecorder(path: string, now: () => number): Recorder {
  const file = openSync(path, 'w')
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
    close() {
      if (isClosed) return
      isClosed = true
      closeSync(file)
    },
  }
}

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
  const { record, state, address, precision } = value ?? {}
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
