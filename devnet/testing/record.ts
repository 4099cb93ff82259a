/**
 * What a message did, and the watch that matchers keep over all worlds while the code between `expect(` and `)` runs.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
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

/** A world answers at once, a devnet later. */
export type Later<T> = T | Promise<T>

/** Goes on with a value: at once when it is there. */
export function after<T, U>(value: Later<T>, use: (value: T) => U): Later<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}

export function afterAll<T, U>(values: readonly Later<T>[], use: (values: readonly T[]) => U): Later<U> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values).then(use) : use(values as readonly T[])
}

/** A world, or a devnet, as matchers see it. */
export interface Ledger {
  /** attoFIL; 0 for somebody that is not there. */
  balanceOf(who: Who): Later<bigint>
  idOfWho(who: Who): bigint | undefined
}

export interface Watch {
  readonly records: MessageRecord[]
  /** Worlds that were touched. */
  readonly ledgers: Set<Ledger>
  /** Called with each of them before anything happens there. */
  readonly enter: (ledger: Ledger) => Later<unknown>
}

/**
 * The watches over the code that runs now, and over what it awaits: tests that run at the same time do not see each
 * other's messages. Of the process, not of the module: the harness may be loaded twice, as source and as package.
 */
const WATCHES = Symbol.for('troupe.test.watches')
const shared = globalThis as { [WATCHES]?: AsyncLocalStorage<readonly Watch[]> }

function watches(): AsyncLocalStorage<readonly Watch[]> {
  shared[WATCHES] ??= new AsyncLocalStorage()
  return shared[WATCHES]
}

/** Tells whoever watches that something is about to happen in a world; over a devnet, it begins when they are ready. */
export function enterLedger(ledger: Ledger): Later<unknown> {
  const ready: Later<unknown>[] = []
  for (const watch of watches().getStore() ?? []) {
    if (watch.ledgers.has(ledger)) continue
    watch.ledgers.add(ledger)
    ready.push(watch.enter(ledger))
  }
  return afterAll(ready, () => undefined)
}

/** Tells whoever watches of a message. */
export function report(record: MessageRecord): void {
  for (const watch of watches().getStore() ?? []) watch.records.push(record)
}

export interface Watched {
  readonly watch: Watch
  readonly error: unknown
  readonly hasFailed: boolean
}

/** Runs `run` and keeps what happened in any world meanwhile: until its promise settles, if it gives one. */
export function watchMessages(run: () => unknown, enter: Watch['enter'] = () => {}): Later<Watched> {
  const watch: Watch = { records: [], ledgers: new Set(), enter }
  const ended: Watched = { watch, error: undefined, hasFailed: false }
  const failed = (error: unknown): Watched => ({ watch, error, hasFailed: true })
  const storage = watches()
  try {
    const returned = storage.run([...(storage.getStore() ?? []), watch], run)
    return returned instanceof Promise ? returned.then(() => ended, failed) : ended
  } catch (error) {
    return failed(error)
  }
}

/** `TransferFrom` and `transfer-from` name the same event. */
export function eventName(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()
}
