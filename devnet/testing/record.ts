/**
 * What a message did, and the watch that matchers keep over all worlds while the code between `expect(` and `)` runs.
 */
import type { Trace } from '../engine/trace.ts'
import type { StampedEvent } from '../state/event.ts'
import type { Who } from './js.ts'

/** An event as its emitter's ABI has it; fields are empty when the emitter is unknown. */
export interface WorldEvent {
  readonly emitter: bigint
  /** Kebab case, as on the wire. */
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly raw: StampedEvent
}

/** A message that an actor sent while the outer one ran. */
export interface SentMessage {
  readonly from: bigint
  readonly to: bigint | undefined
  /** As in the source, when the receiver is known, else its number. */
  readonly method: string
  readonly number: bigint
  /** attoFIL. */
  readonly value: bigint
  /** Decoded when the receiver is known. */
  readonly args: readonly unknown[] | undefined
  readonly params: Uint8Array
  readonly readOnly: boolean
  /** Undefined when the call could not be made. */
  readonly exitCode: number | undefined
}

/** One message, after it ran. */
export interface MessageRecord {
  /** `Counter.increment`, or `send`. */
  readonly label: string
  readonly exitCode: number
  /** Of the receipt: with inclusion, where an account sent it. */
  readonly gas: bigint
  /** What the sender paid for gas, attoFIL. */
  readonly fee: bigint
  readonly from: bigint
  readonly returned: unknown
  readonly events: readonly WorldEvent[]
  readonly sent: readonly SentMessage[]
  /** Lines that actors logged; release builds of actors log nothing. */
  readonly logs: readonly string[]
  readonly trace: Trace
  /** The world it ran in. */
  readonly ledger: Ledger
}

/** A world as matchers see it. */
export interface Ledger {
  /** attoFIL. */
  balanceOfId(id: bigint): bigint
  idOfWho(who: Who): bigint | undefined
}

export interface Watch {
  readonly records: MessageRecord[]
  /** Worlds that were touched. */
  readonly ledgers: Set<Ledger>
  /** Called with each of them before anything happens there. */
  readonly enter: (ledger: Ledger) => void
}

/** Of the process, not of the module: the harness may be loaded twice, as source and as package. */
const WATCHES = Symbol.for('troupe.test.watches')
const shared = globalThis as { [WATCHES]?: Watch[] }

function watches(): Watch[] {
  shared[WATCHES] ??= []
  return shared[WATCHES]
}

/** Tells whoever watches that something is about to happen in a world. */
export function enterLedger(ledger: Ledger): void {
  for (const watch of watches()) {
    if (watch.ledgers.has(ledger)) continue
    watch.ledgers.add(ledger)
    watch.enter(ledger)
  }
}

/** Tells whoever watches of a message. */
export function report(record: MessageRecord): void {
  for (const watch of watches()) watch.records.push(record)
}

export interface Watched {
  readonly watch: Watch
  readonly error: unknown
  readonly hasFailed: boolean
}

/** Runs `run` and keeps what happened in any world meanwhile. */
export function watchMessages(run: () => unknown, enter: Watch['enter'] = () => {}): Watched {
  const watch: Watch = { records: [], ledgers: new Set(), enter }
  watches().push(watch)
  try {
    const returned = run()
    if (returned instanceof Promise) throw new TypeError('calls answer at once: give a function that is not async')
    return { watch, error: undefined, hasFailed: false }
  } catch (error) {
    return { watch, error, hasFailed: true }
  } finally {
    watches().splice(watches().indexOf(watch), 1)
  }
}

/** `TransferFrom` and `transfer-from` name the same event. */
export function eventName(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()
}
