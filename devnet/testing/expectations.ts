/**
 * Matchers over what messages do. All but `toExit` and `toRevert` take a function and look at every message that any
 * world ran in it; the last three also take a handle, for its newest message. A function that gives a promise, as calls
 * over a devnet do, makes the matcher give one.
 */

import type { ActorError } from './actor-error.ts'
import { targetOf } from './handle.ts'
import type { Who } from './js.ts'
import {
  after,
  afterAll,
  eventName,
  type Later,
  type Ledger,
  type MessageRecord,
  type SentMessage,
  type Watch,
  type WorldEvent,
  watchMessages,
} from './record.ts'

interface State {
  readonly isNot: boolean
  readonly utils: {
    stringify(value: unknown): string
    printExpected(value: unknown): string
    printReceived(value: unknown): string
  }
  equals(a: unknown, b: unknown, testers?: unknown[]): boolean
}

interface Verdict {
  readonly pass: boolean
  readonly message: () => string
  readonly actual?: unknown
  readonly expected?: unknown
}

/** What a sent message must have; what is left out does not matter. */
export interface SentPattern {
  readonly to?: Who
  readonly from?: Who
  /** The name in the source, `send` for plain transfers, or the number. */
  readonly method?: string | number | bigint
  readonly args?: readonly unknown[]
  /** attoFIL. */
  readonly value?: bigint
  readonly exitCode?: number
}

/** Bounds of gas, both included; a number alone is the upper one. */
export type GasBounds = number | bigint | { readonly atLeast?: number | bigint; readonly atMost?: number | bigint }

export interface BalanceOptions {
  /** Counts what the account paid for gas as well. */
  readonly withFees?: boolean
}

export const MATCHERS = {
  /** The call ends with this exit code, given as a number or by its name, and with this message when one is given. */
  toExit(this: State, received: unknown, code: number | string, message?: string | RegExp): Later<Verdict> {
    return after(failureOf(received), (ended) => {
      const isCode = ended !== undefined && (ended.exitCode === code || ended.exitName === code)
      const pass = code === 0 ? ended === undefined : isCode && says(ended, message)
      return {
        pass,
        message: () =>
          `expected the call ${this.isNot ? 'not ' : ''}to exit with ${codeText(code, message)}, ${endText(ended)}`,
        actual: (typeof code === 'string' ? ended?.exitName : ended?.exitCode) ?? 0,
        expected: code,
      }
    })
  },

  /** The call fails, with this message when one is given. */
  toRevert(this: State, received: unknown, message?: string | RegExp): Later<Verdict> {
    return after(failureOf(received), (ended) => ({
      pass: ended !== undefined && says(ended, message),
      message: () =>
        `expected the call ${this.isNot ? 'not ' : ''}to revert${message === undefined ? '' : ` saying ${String(message)}`}, ${endText(ended)}`,
    }))
  },

  /** An event of this name is emitted, with at least these fields. */
  toEmit(this: State, received: unknown, name: string, fields?: Readonly<Record<string, unknown>>): Later<Verdict> {
    return after(recordsOf(received), (records) => {
      const events = records.flatMap((record) => record.events)
      const wanted = eventName(name)
      const named = events.filter((event) => event.name === wanted)
      const pass = named.some((event) => fields === undefined || hasFields(this, event, fields))
      const found = named.length > 0 ? named.map(({ fields }) => fields) : events.map((event) => event.name)
      return {
        pass,
        message: () =>
          `expected ${this.isNot ? 'no ' : ''}event ${wanted}${fields === undefined ? '' : ` with ${this.utils.stringify(fields)}`}; ` +
          (events.length === 0
            ? 'nothing was emitted'
            : `emitted: ${found.map((item) => this.utils.stringify(item)).join(', ')}`),
        ...(named.length === 1 && fields !== undefined ? { actual: named[0]!.fields, expected: fields } : {}),
      }
    })
  },

  /** An actor sends a message like this one. */
  toHaveSent(this: State, received: unknown, pattern: SentPattern): Later<Verdict> {
    return after(recordsOf(received), (records) => {
      const sent = records.flatMap((record) => record.sent)
      return {
        pass: records.some((record) => record.sent.some((message) => isLike(this, record.ledger, message, pattern))),
        message: () =>
          `expected ${this.isNot ? 'no ' : ''}message like ${this.utils.stringify(shown(pattern))}; ` +
          (sent.length === 0
            ? 'none was sent'
            : `sent: ${sent.map((message) => this.utils.stringify(brief(message))).join(', ')}`),
      }
    })
  },

  /** The balance of `who` changes by `delta` attoFIL, what was paid for gas aside. */
  toChangeBalance(
    this: State,
    received: unknown,
    who: Who,
    delta: bigint | number,
    options: BalanceOptions = {},
  ): Later<Verdict> {
    if (typeof received !== 'function')
      throw new TypeError('expect(…).toChangeBalance takes a function: expect(() => …)')
    const before = new Map<Ledger, bigint>()
    const watched = watchMessages(received as () => unknown, (ledger) =>
      after(ledger.balanceOf(who), (balance) => before.set(ledger, balance)),
    )
    const balances = after(watched, ({ watch, error, hasFailed }) => {
      if (hasFailed && !isActorError(error)) throw error
      const ledgers = [...watch.ledgers]
      return afterAll(
        ledgers.map((ledger) => ledger.balanceOf(who)),
        (now) =>
          ledgers.reduce((sum, ledger, index) => {
            const fees = options.withFees === true ? 0n : feesOf(watch, idIn(ledger, who))
            return sum + now[index]! - before.get(ledger)! + fees
          }, 0n),
      )
    })
    return after(balances as Later<bigint>, (changed) => ({
      pass: changed === BigInt(delta),
      message: () =>
        `expected the balance ${this.isNot ? 'not ' : ''}to change by ${delta} attoFIL; it changed by ${changed}`,
      actual: changed,
      expected: BigInt(delta),
    }))
  },

  /** The messages use gas within these bounds, each. */
  toUseGas(this: State, received: unknown, bounds: GasBounds): Later<Verdict> {
    return after(recordsOf(received), (records) => {
      const { atLeast = 0, atMost } = typeof bounds === 'object' ? bounds : { atMost: bounds }
      const outside = records.filter(
        ({ gas }) => gas < BigInt(atLeast) || (atMost !== undefined && gas > BigInt(atMost)),
      )
      const range = `${atLeast === 0 ? '' : `at least ${atLeast} `}${atMost === undefined ? '' : `at most ${atMost} `}gas`
      return {
        pass: records.length > 0 && outside.length === 0,
        message: () =>
          records.length === 0
            ? 'expected messages that use gas; there were none'
            : `expected ${this.isNot ? 'other than ' : ''}${range}; ${records.map(({ label, gas }) => `${label} used ${gas}`).join(', ')}`,
        actual: records[0]?.gas,
        expected: bounds,
      }
    })
  },
}

/** How the call failed; undefined when it did not. Errors that are none of an actor's fail the test. */
function failureOf(received: unknown): Later<ActorError | undefined> {
  if (isActorError(received)) return received
  if (typeof received !== 'function')
    throw new TypeError('expect(…).toExit and toRevert take a function: expect(() => …)')
  return after(watchMessages(received as () => unknown), ({ error, hasFailed }) => {
    if (!hasFailed) return undefined
    if (!isActorError(error)) throw error
    return error
  })
}

/** By name: the harness may be loaded twice, as source and as package. */
function isActorError(error: unknown): error is ActorError {
  return error instanceof Error && error.name === 'ActorError' && 'exitCode' in error
}

function says({ note }: ActorError, message: string | RegExp | undefined): boolean {
  if (message === undefined) return true
  return typeof message === 'string' ? note.includes(message) : message.test(note)
}

function codeText(code: number | string, message: string | RegExp | undefined): string {
  return message === undefined ? String(code) : `${code} saying ${String(message)}`
}

function endText(ended: ActorError | undefined): string {
  return ended === undefined ? 'but it ended with 0' : `but ${ended.message}`
}

/** The messages that a function runs, or the newest of a handle. What fails in the function fails the test. */
function recordsOf(received: unknown): Later<readonly MessageRecord[]> {
  const target = targetOf(received)
  if (target !== undefined) return target.last === undefined ? [] : [target.last]
  if (isRecord(received)) return [received]
  if (typeof received !== 'function') throw new TypeError('give a function or a handle: expect(() => …)')
  return after(watchMessages(received as () => unknown), ({ watch, error, hasFailed }) => {
    if (hasFailed) throw error
    return watch.records
  })
}

function isRecord(value: unknown): value is MessageRecord {
  return typeof value === 'object' && value !== null && 'sent' in value && 'gas' in value
}

function hasFields({ equals }: State, event: WorldEvent, fields: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(fields).every(([name, value]) => equals(event.fields[name], value))
}

function isLike({ equals }: State, ledger: Ledger, message: SentMessage, pattern: SentPattern): boolean {
  const { to, from, method, args, value, exitCode } = pattern
  return (
    (to === undefined || message.to === idIn(ledger, to)) &&
    (from === undefined || message.from === idIn(ledger, from)) &&
    (method === undefined || message.method === method || message.number.toString() === String(method)) &&
    (args === undefined || (message.args !== undefined && equals([...message.args], [...args]))) &&
    (value === undefined || message.value === value) &&
    (exitCode === undefined || message.exitCode === exitCode)
  )
}

/** Accounts and handles know their ID; text is for the world to read. */
function idIn(ledger: Ledger, who: Who): bigint | undefined {
  if (typeof who === 'bigint') return who
  const id = typeof who === 'object' ? (who as { readonly id?: unknown }).id : undefined
  return typeof id === 'bigint' ? id : ledger.idOfWho(who)
}

function feesOf({ records }: Watch, id: bigint | undefined): bigint {
  return records.reduce((sum, record) => (record.from === id ? sum + record.fee : sum), 0n)
}

function shown({ to, from, ...rest }: SentPattern): object {
  return {
    ...(to === undefined ? {} : { to: whoText(to) }),
    ...(from === undefined ? {} : { from: whoText(from) }),
    ...rest,
  }
}

function whoText(who: Who): string {
  return typeof who === 'object' ? who.address : String(who)
}

function brief({ to, method, args, value }: SentMessage): object {
  return { to, method, args, value }
}
