/**
 * Arguments of a method, from JSON or from the query of a URI. In JSON, integers of any size are text and bytes are base64 (or
 * hex, where the method says so). In a URI, integers and booleans stand as they are, text is quoted, and bytes are `0x` and hex
 * or quoted text that is taken as it is.
 *
 * @source CometBFT v0.38.25 `rpc/jsonrpc/server/http_{json,uri}_handler.go`, `libs/json/decoder.go`
 */

import type { Evidence } from '../../consensus/wire.ts'
import { decodeUtf8, encodeUtf8 } from '../../primitives/utf8.ts'
import { readEvidence } from './evidence-json.ts'

/** `integer` is zero when it is not given, `optional integer` null. */
export type ArgumentKind = 'integer' | 'optional integer' | 'count' | 'flag' | 'text' | 'bytes' | 'hex' | 'evidence'

export interface ArgumentValues {
  readonly integer: bigint
  readonly 'optional integer': bigint | null
  /** Not negative. */
  readonly count: bigint
  readonly flag: boolean
  readonly text: string
  readonly bytes: Uint8Array
  readonly hex: Uint8Array
  readonly evidence: Evidence | null
}

/** Names of a method's arguments, in their order, and their kinds. */
export type ArgumentKinds = Readonly<Record<string, ArgumentKind>>
export type ArgumentsOf<Kinds extends ArgumentKinds> = { readonly [Name in keyof Kinds]: ArgumentValues[Kinds[Name]] }

/** The arguments are not those of the method. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
  readonly code = 'BAD_ARGUMENT'
}

const NO_BYTES = new Uint8Array(0)
const INT64_MAX = (1n << 63n) - 1n

const DEFAULTS: ArgumentValues = {
  integer: 0n,
  'optional integer': null,
  count: 0n,
  flag: false,
  text: '',
  bytes: NO_BYTES,
  hex: NO_BYTES,
  evidence: null,
}

/** By name (an object) or by position (a list); undefined and null are none. @throws ArgumentError */
export function readJsonArguments<Kinds extends ArgumentKinds>(kinds: Kinds, params: unknown): ArgumentsOf<Kinds> {
  const names = Object.keys(kinds)
  if (params === undefined || params === null) return collect(kinds, () => undefined)
  if (Array.isArray(params)) {
    if (params.length !== names.length) {
      throw new ArgumentError(`expected ${names.length} parameters ([${names.join(' ')}]), got ${params.length}`)
    }
    const byName = new Map(names.map((name, i) => [name, params[i] as unknown]))
    return collect(kinds, (name) => byName.get(name))
  }
  if (typeof params !== 'object') {
    throw new ArgumentError(`unknown type for JSON params: ${typeof params}. Expected map or array`)
  }
  return collect(kinds, (name) => (Object.hasOwn(params, name) ? (params as Record<string, unknown>)[name] : undefined))
}

function collect<Kinds extends ArgumentKinds>(kinds: Kinds, given: (name: string) => unknown): ArgumentsOf<Kinds> {
  const values = Object.entries(kinds).map(([name, kind]) => [name, readJson(kind, given(name))])
  return Object.fromEntries(values) as ArgumentsOf<Kinds>
}

function readJson(kind: ArgumentKind, value: unknown): ArgumentValues[ArgumentKind] {
  if (value === undefined || value === null) return DEFAULTS[kind]
  switch (kind) {
    case 'integer':
    case 'optional integer':
      return readInteger(value, -INT64_MAX - 1n)
    case 'count':
      return readInteger(value, 0n)
    case 'flag':
      if (typeof value !== 'boolean') throw mismatch(value, 'bool')
      return value
    case 'text':
      if (typeof value !== 'string') throw mismatch(value, 'string')
      return value
    case 'bytes':
      if (typeof value !== 'string') throw mismatch(value, '[]uint8')
      return readBase64(value)
    case 'hex':
      if (typeof value !== 'string') throw mismatch(value, '[]uint8')
      return readHex(value)
    case 'evidence':
      return readEvidence(value)
  }
}

function mismatch(value: unknown, wanted: string): ArgumentError {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return new ArgumentError(`json: cannot unmarshal ${found} into Go value of type ${wanted}`)
}

function readInteger(value: unknown, lowest: bigint): bigint {
  if (typeof value !== 'string') {
    throw new ArgumentError(`invalid 64-bit integer encoding ${JSON.stringify(JSON.stringify(value))}, expected string`)
  }
  if (/^-?(0|[1-9]\d{0,18})$/.test(value)) {
    const integer = BigInt(value)
    if (integer >= lowest && integer <= INT64_MAX) return integer
  }
  if (/^-?\d/.test(value)) {
    throw new ArgumentError(`json: cannot unmarshal number ${shorten(value)} into Go value of type int64`)
  }
  throw new ArgumentError(
    value === ''
      ? 'unexpected end of JSON input'
      : `invalid character '${[...value][0]!}' looking for beginning of value`,
  )
}

/** Padded, as Go asks for it. */
function readBase64(text: string): Uint8Array {
  const bad = /[^A-Za-z0-9+/]/.exec(text.replace(/={0,2}$/, ''))
  if (bad !== null) throw new ArgumentError(`illegal base64 data at input byte ${bad.index}`)
  if (text.length % 4 !== 0)
    throw new ArgumentError(`illegal base64 data at input byte ${text.length - (text.length % 4)}`)
  return new Uint8Array(Buffer.from(text, 'base64'))
}

function readHex(digits: string): Uint8Array {
  const bad = /[^0-9a-fA-F]/.exec(digits)
  if (bad !== null) throw new ArgumentError(`encoding/hex: invalid byte: ${JSON.stringify(bad[0])}`)
  if (digits.length % 2 !== 0) throw new ArgumentError('encoding/hex: odd length hex string')
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Unknown names are not looked at. @throws ArgumentError */
export function readUriArguments<Kinds extends ArgumentKinds>(
  kinds: Kinds,
  query: URLSearchParams,
): ArgumentsOf<Kinds> {
  const values = Object.entries(kinds).map(([name, kind]) => [name, readUri(kind, query.get(name) ?? '')])
  return Object.fromEntries(values) as ArgumentsOf<Kinds>
}

const GO_NAMES: Readonly<Partial<Record<ArgumentKind, string>>> = {
  integer: 'int64',
  'optional integer': 'int64',
  count: 'uint',
  flag: 'bool',
  evidence: 'interface',
}

function readUri(kind: ArgumentKind, text: string): ArgumentValues[ArgumentKind] {
  if (text === '') return DEFAULTS[kind]
  const isInteger = kind === 'integer' || kind === 'optional integer' || kind === 'count'
  if (isInteger && /^-?\d+$/.test(text)) return readJson(kind, text)
  if (/^0x/i.test(text)) {
    const wanted = GO_NAMES[kind]
    if (wanted !== undefined) throw new ArgumentError(`got a hex string arg, but expected '${wanted}'`)
    const bytes = readHex(text.slice(2))
    return kind === 'text' ? (decodeUtf8(bytes) ?? '') : bytes
  }
  if ((kind === 'bytes' || kind === 'hex') && text.startsWith('"') && text.endsWith('"')) {
    return encodeUtf8(readJson('text', parseJson(text)) as string)
  }
  if (isInteger && !text.startsWith('"')) {
    throw new ArgumentError(`invalid 64-bit integer encoding ${JSON.stringify(shorten(text))}, expected string`)
  }
  return readJson(kind, parseJson(text))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ArgumentError(`${shorten(text)} is not JSON; text stands in double quotes`)
  }
}
