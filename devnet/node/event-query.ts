/**
 * Queries about events: conditions joined by AND, each a key, an operator and an operand. A query is compiled once and then
 * asked for many events.
 *
 *   tm.event = 'Tx' AND transfer.amount >= 5 AND block.time < TIME 2030-01-01T00:00:00Z AND memo CONTAINS 'x' AND app.key EXISTS
 *
 * Two meanings. A subscription asks about everything that happened in a transaction: a condition holds if any value of its key
 * does, and each condition may find its value in another event. A search asks about one event: all conditions must hold there
 * (`event-search.ts`).
 *
 * @source CometBFT v0.38.25 `libs/pubsub/query`, `state/txindex/kv/kv.go`; spec consensus §5.4
 */

export type Comparison = '=' | '<' | '<=' | '>' | '>='
export type OperandKind = 'number' | 'string' | 'timestamp' | 'datestamp'

export interface Operand {
  readonly kind: OperandKind
  /** Without quotes and without `TIME` or `DATE`. */
  readonly text: string
}

export type Condition =
  | { readonly tag: string; readonly operator: Comparison; readonly operand: Operand }
  | { readonly tag: string; readonly operator: 'CONTAINS'; readonly operand: Operand }
  | { readonly tag: string; readonly operator: 'EXISTS'; readonly operand: null }

export interface EventQuery {
  readonly conditions: readonly Condition[]
  /** Evenly spaced: equal for queries that differ in nothing else. */
  readonly text: string
  /** Whether the conditions hold for the values that each key has. */
  matches(events: EventValues): boolean
}

/** Key to values: `type.attribute`, and the reserved `tm.event`, `tx.hash`, `tx.height`. */
export type EventValues = ReadonlyMap<string, readonly string[]>

/** The query says nothing that can be asked. The message has the place, as CometBFT gives it. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code = 'BAD_QUERY'
}

/** Bytes of UTF-8. */
export const QUERY_SIZE_MAX = 512

/** @throws QueryError */
export function parseQuery(source: string): EventQuery {
  if (Buffer.byteLength(source) > QUERY_SIZE_MAX) throw new QueryError('maximum query length exceeded')
  const conditions = readConditions(new Scanner(source))
  const compiled = conditions.map((condition) => ({ tag: condition.tag, holds: compileCondition(condition) }))
  return {
    conditions,
    text: conditions.map(formatCondition).join(' AND '),
    matches: (events) => events.size > 0 && compiled.every(({ tag, holds }) => holdsAnywhere(tag, holds, events)),
  }
}

function formatCondition({ tag, operator, operand }: Condition): string {
  return operand === null ? `${tag} ${operator}` : `${tag} ${operator} ${formatOperand(operand)}`
}

function formatOperand({ kind, text }: Operand): string {
  if (kind === 'string') return `'${text}'`
  return kind === 'number' ? text : `${kind === 'timestamp' ? 'TIME' : 'DATE'} ${text}`
}

type Holds = (value: string) => boolean

/** A key that is an event's type is looked at as an empty value, so that `EXISTS` works for types. */
function holdsAnywhere(tag: string, holds: Holds, events: EventValues): boolean {
  if (events.get(tag)?.some(holds) === true) return true
  if (!holds('')) return false
  for (const key of events.keys()) if (key.slice(0, Math.max(key.lastIndexOf('.'), 0)) === tag) return true
  return false
}

/** What a subscription makes of a value. A number is what the value begins with: `8atom` is 8. */
export function compileCondition({ operator, operand }: Condition): Holds {
  if (operator === 'EXISTS') return () => true
  if (operator === 'CONTAINS') return (value) => value.includes(operand.text)
  const { kind, text } = operand
  switch (kind) {
    case 'string':
      return (value) => value === text
    case 'number':
      return (value) => isOrdered(compareDecimals(/^\d+(\.\d+)?/.exec(value)?.[0], text), operator)
    case 'timestamp':
      return (value) => isOrdered(compareNumbers(parseTimestamp(value), parseTimestamp(text)), operator)
    case 'datestamp':
      return (value) => isOrdered(compareNumbers(parseDatestamp(value), parseDatestamp(text)), operator)
  }
}

/** What a search makes of a value: equality is that of texts, and a number is the whole value. */
export function compileIndexedCondition(condition: Condition): Holds {
  const { operator, operand } = condition
  if (operator === '=') return (value) => value === operand.text
  if (operand?.kind !== 'number') return compileCondition(condition)
  return (value) => isOrdered(compareDecimals(/^[+-]?\d+(\.\d+)?$/.exec(value)?.[0], operand.text), operator)
}

export function isRange(operator: Condition['operator']): boolean {
  return operator === '<' || operator === '<=' || operator === '>' || operator === '>='
}

/** Undefined: the values cannot be compared. */
type Order = number | undefined

function isOrdered(order: Order, operator: Condition['operator']): boolean {
  if (order === undefined) return false
  switch (operator) {
    case '=':
      return order === 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    default:
      return false
  }
}

/** Exact, of any length. */
function compareDecimals(a: string | undefined, b: string): Order {
  if (a === undefined) return undefined
  const [left, right] = [splitDecimal(a), splitDecimal(b)]
  const places = Math.max(left.fraction.length, right.fraction.length)
  const scale = ({ sign, whole, fraction }: Decimal) => sign * BigInt(whole + fraction.padEnd(places, '0'))
  const difference = scale(left) - scale(right)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

interface Decimal {
  readonly sign: bigint
  readonly whole: string
  readonly fraction: string
}

function splitDecimal(text: string): Decimal {
  const digits = text.replace(/^[+-]/, '')
  const [whole = '0', fraction = ''] = digits.split('.')
  return { sign: text.startsWith('-') ? -1n : 1n, whole, fraction }
}

function compareNumbers(a: bigint | undefined, b: bigint | undefined): Order {
  if (a === undefined || b === undefined) return undefined
  return a < b ? -1 : a > b ? 1 : 0
}

/** RFC 3339, nanoseconds since 1970; undefined for anything else. */
function parseTimestamp(text: string): bigint | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (parts === null) return undefined
  const [, date, clock, fraction = '', zone] = parts
  const day = parseDatestamp(date!)
  const ms = Date.parse(`1970-01-01T${clock}Z`)
  if (day === undefined || Number.isNaN(ms) || ms >= 86_400_000) return undefined
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  const minutes = zone === 'Z' ? 0 : Number(zone!.slice(1, 3)) * 60 + Number(zone!.slice(4))
  const offset = BigInt(zone!.startsWith('-') ? -minutes : minutes) * 60_000_000_000n
  return day + BigInt(ms) * 1_000_000n + nanos - offset
}

function parseDatestamp(text: string): bigint | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const date = new Date(`${text}T00:00:00Z`)
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
  return isReal ? BigInt(date.getTime()) * 1_000_000n : undefined
}

// --- reading --------------------------------------------------------------------------------------------------------

type Token = 'tag' | OperandKind | Comparison | 'AND' | 'CONTAINS' | 'EXISTS'

const TOKEN_NAMES: Readonly<Record<Token, string>> = {
  tag: 'tag',
  string: 'string',
  number: 'number',
  timestamp: 'timestamp',
  datestamp: 'datestamp',
  AND: 'AND operator',
  CONTAINS: 'CONTAINS operator',
  EXISTS: 'EXISTS operator',
  '=': '= operator',
  '<': '< operator',
  '<=': '<= operator',
  '>': '> operator',
  '>=': '>= operator',
}
const OPERATORS = ['<=', '>=', '<', '>', '=', 'CONTAINS', 'EXISTS'] as const

function readConditions(scanner: Scanner): Condition[] {
  const conditions = [readCondition(scanner)]
  for (let token = scanner.next(); token !== 'end'; token = scanner.next()) {
    if (token !== 'AND') throw scanner.fail(`got ${TOKEN_NAMES[token]}, want ${TOKEN_NAMES.AND}`)
    conditions.push(readCondition(scanner))
  }
  return conditions
}

function readCondition(scanner: Scanner): Condition {
  require(scanner, ['tag'])
  const tag = scanner.text
  const operator = require(scanner, OPERATORS)
  if (operator === 'EXISTS') return { tag, operator, operand: null }
  if (operator === 'CONTAINS') {
    return { tag, operator, operand: { kind: require(scanner, ['string']), text: scanner.text } }
  }
  const kinds = ['number', 'timestamp', 'datestamp', ...(operator === '=' ? (['string'] as const) : [])] as const
  return { tag, operator, operand: { kind: require(scanner, kinds), text: scanner.text } }
}

function require<Wanted extends Token>(scanner: Scanner, wanted: readonly Wanted[]): Wanted {
  const token = scanner.next()
  if (token === 'end') throw scanner.fail('EOF')
  const found = wanted.find((one) => one === token)
  if (found !== undefined) return found
  const names = wanted.map((one) => TOKEN_NAMES[one])
  const list = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)!}`
  throw scanner.fail(`got ${TOKEN_NAMES[token]}, wanted ${list}`)
}

const SPACE = /\s/u
const DIGIT = /\d/
const TAG_START = /[_\p{L}]/u
const TAG = /[._\-\p{L}\p{Nd}]/u
const TIMESTAMP = /[-T:+Z\d]/
const DATESTAMP = /[-\d]/

/** Places are in bytes of UTF-8. */
class Scanner {
  text = ''
  readonly #characters: readonly string[]
  #at = 0
  #start = 0

  constructor(source: string) {
    this.#characters = [...source]
  }

  fail(detail: string): QueryError {
    return new QueryError(`offset ${Buffer.byteLength(this.#characters.slice(0, this.#start).join(''))}: ${detail}`)
  }

  next(): Token | 'end' {
    this.#take(SPACE)
    this.#start = this.#at
    this.text = ''
    const first = this.#characters[this.#at]
    if (first === undefined) return 'end'
    if (DIGIT.test(first)) return this.#number()
    if (TAG_START.test(first)) return this.#word()
    this.#at++
    if (first === "'") return this.#string()
    if (first === '=') return first
    if (first !== '<' && first !== '>') throw this.fail(`invalid input ${first}`)
    if (this.#characters[this.#at] !== '=') return first
    this.#at++
    return `${first}=`
  }

  #take(kind: RegExp): string {
    const from = this.#at
    while (this.#at < this.#characters.length && kind.test(this.#characters[this.#at]!)) this.#at++
    return this.#characters.slice(from, this.#at).join('')
  }

  #number(): Token {
    this.text = this.#take(DIGIT)
    if (this.#characters[this.#at] !== '.') return 'number'
    this.#at++
    this.text = `${this.text}.${this.#take(DIGIT)}`
    return 'number'
  }

  #string(): Token {
    const end = this.#characters.indexOf("'", this.#at)
    if (end < 0) throw this.fail('EOF')
    this.text = this.#characters.slice(this.#at, end).join('')
    this.#at = end + 1
    return 'string'
  }

  #word(): Token {
    this.text = this.#take(TAG)
    const isLabel = this.#characters[this.#at] === ' '
    if (isLabel && this.text === 'TIME') return this.#moment('timestamp')
    if (isLabel && this.text === 'DATE') return this.#moment('datestamp')
    const { text } = this
    return text === 'AND' || text === 'EXISTS' || text === 'CONTAINS' ? text : 'tag'
  }

  #moment(kind: 'timestamp' | 'datestamp'): Token {
    this.#at++
    this.text = this.#take(kind === 'timestamp' ? TIMESTAMP : DATESTAMP)
    const time = kind === 'timestamp' ? parseTimestamp(this.text) : parseDatestamp(this.text)
    const label = kind === 'timestamp' ? 'TIME' : 'DATE'
    if (time === undefined) throw this.fail(`invalid ${label} value ${JSON.stringify(this.text)}`)
    const year = Number(this.text.slice(0, 4))
    if (year < 1900 || year > 2999) throw this.fail(`${kind} year ${year} out of range`)
    return kind
  }
}
