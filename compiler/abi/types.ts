/**
 * The type grammar of the ABI: `T := prim | Name | T? | [T] | hamt<T,T> | amt<T> | lazy<T>`. A field is `name: T`.
 * A HAMT whose bit width is not 5, or an AMT whose bit width is not 3, says so last: `hamt<u64,bytes,8>`.
 */

export const PRIMITIVES = [
  'bool',
  'u8',
  'u16',
  'u32',
  'u64',
  'i8',
  'i16',
  'i32',
  'i64',
  'actorid',
  'string',
  'bytes',
  'bytes32',
  'address',
  'amount',
  'u256',
  'cid',
] as const

export type Primitive = (typeof PRIMITIVES)[number]

export type AbiType =
  | { readonly kind: 'primitive'; readonly name: Primitive }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'nullable'; readonly of: AbiType }
  | { readonly kind: 'list'; readonly of: AbiType }
  | { readonly kind: 'hamt'; readonly key: AbiType; readonly value: AbiType; readonly bitWidth: number }
  | { readonly kind: 'amt'; readonly of: AbiType; readonly bitWidth: number }
  | { readonly kind: 'lazy'; readonly of: AbiType }

export interface AbiField {
  readonly name: string
  readonly type: AbiType
}

export const HAMT_BIT_WIDTH = 5
export const AMT_BIT_WIDTH = 3

/** A text is not in the grammar. `offset` counts characters. */
export class AbiTypeError extends Error {
  override readonly name = 'AbiTypeError'
  readonly offset: number
  constructor(text: string, offset: number, expected: string) {
    super(`expected ${expected} at ${offset} of ${JSON.stringify(text)}`)
    this.offset = offset
  }
}

const primitives: ReadonlySet<string> = new Set(PRIMITIVES)
const TOKEN = /\s*([A-Za-z_$][\w$]*|\d+|[[\]<>?,])/y

/** Parses one type. */
export function parseType(text: string): AbiType {
  let at = 0

  function peek(): string {
    TOKEN.lastIndex = at
    return TOKEN.exec(text)?.[1] ?? ''
  }
  function take(): string {
    const token = peek()
    if (!token) throw new AbiTypeError(text, at, 'a type')
    at = TOKEN.lastIndex
    return token
  }
  function expect(token: string): void {
    if (peek() !== token) throw new AbiTypeError(text, at, `"${token}"`)
    take()
  }
  function parseBitWidth(usual: number): number {
    if (peek() !== ',') return usual
    take()
    const width = Number(take())
    if (!Number.isInteger(width)) throw new AbiTypeError(text, at, 'a bit width')
    return width
  }
  function parseBase(): AbiType {
    const token = take()
    if (token === '[') {
      const of = parse()
      expect(']')
      return { kind: 'list', of }
    }
    if ((token === 'hamt' || token === 'amt' || token === 'lazy') && peek() === '<') {
      take()
      const first = parse()
      if (token === 'hamt') expect(',')
      const type: AbiType =
        token === 'hamt'
          ? { kind: 'hamt', key: first, value: parse(), bitWidth: parseBitWidth(HAMT_BIT_WIDTH) }
          : token === 'amt'
            ? { kind: 'amt', of: first, bitWidth: parseBitWidth(AMT_BIT_WIDTH) }
            : { kind: 'lazy', of: first }
      expect('>')
      return type
    }
    if (primitives.has(token)) return { kind: 'primitive', name: token as Primitive }
    if (!/^[A-Za-z_$]/.test(token)) throw new AbiTypeError(text, at - token.length, 'a type')
    return { kind: 'name', name: token }
  }
  function parse(): AbiType {
    let type = parseBase()
    while (peek() === '?') {
      take()
      type = { kind: 'nullable', of: type }
    }
    return type
  }

  const type = parse()
  if (text.slice(at).trim()) throw new AbiTypeError(text, at, 'the end')
  return type
}

/** Parses `name: T`. */
export function parseField(text: string): AbiField {
  const colon = text.indexOf(':')
  if (colon < 1) throw new AbiTypeError(text, 0, '"name: type"')
  return { name: text.slice(0, colon).trim(), type: parseType(text.slice(colon + 1)) }
}

/** The text of a type; `parseType` reads it back. */
export function formatType(type: AbiType): string {
  switch (type.kind) {
    case 'primitive':
    case 'name':
      return type.name
    case 'nullable':
      return `${formatType(type.of)}?`
    case 'list':
      return `[${formatType(type.of)}]`
    case 'hamt': {
      const width = type.bitWidth === HAMT_BIT_WIDTH ? '' : `,${type.bitWidth}`
      return `hamt<${formatType(type.key)},${formatType(type.value)}${width}>`
    }
    case 'amt':
      return `amt<${formatType(type.of)}${type.bitWidth === AMT_BIT_WIDTH ? '' : `,${type.bitWidth}`}>`
    case 'lazy':
      return `lazy<${formatType(type.of)}>`
  }
}

/** The names of tuples and enums that a type mentions. */
export function namesIn(type: AbiType): string[] {
  switch (type.kind) {
    case 'primitive':
      return []
    case 'name':
      return [type.name]
    case 'hamt':
      return [...namesIn(type.key), ...namesIn(type.value)]
    default:
      return namesIn(type.of)
  }
}
