// Amounts of tokens: attoFIL, of any size and sign. 1 FIL = 10^18 attoFIL.
// On the wire: a byte string, empty for zero, else a sign byte (0 plus, 1 minus) and the magnitude, big-endian.

import type { Brand } from '../primitives/brand.ts'
import { EMPTY_BYTES, fromHex, toHex } from '../primitives/bytes.ts'

export type TokenAmount = Brand<bigint, 'TokenAmount'>

export const ZERO_TOKENS = 0n as TokenAmount
export const ATTO_PER_FIL = 1_000_000_000_000_000_000n

const DECIMALS = 18
/** The longest amount on the wire, sign byte included. */
export const TOKEN_SIZE_MAX = 128
const U64_MAX = 0xffff_ffff_ffff_ffffn

export type TokenFault =
  | 'SIGN' // a first byte other than 0 and 1
  | 'SIZE' // longer than the wire allows
  | 'SYNTAX' // not a decimal number
  | 'PRECISION' // more than eighteen decimals

/** The bytes or the text are no amount. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code: TokenFault
  constructor(code: TokenFault, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
  }
}

export function encodeToken(amount: bigint): Uint8Array {
  if (amount === 0n) return EMPTY_BYTES
  const magnitude = amount < 0n ? -amount : amount
  if (magnitude <= U64_MAX) return encodeShort(amount < 0n, magnitude)
  const digits = magnitude.toString(16)
  const bytes = fromHex(`${amount < 0n ? '01' : '00'}${digits.length % 2 === 0 ? '' : '0'}${digits}`)
  if (bytes.length > TOKEN_SIZE_MAX) throw new TokenError('SIZE', `${bytes.length} bytes`)
  return bytes
}

/** How many bytes `encodeToken` answers with. */
export function tokenSize(amount: bigint): number {
  const magnitude = Math.abs(Number(amount))
  if (magnitude === 0) return 0
  // Above that a number is rounded, perhaps up to one more byte.
  if (magnitude > Number.MAX_SAFE_INTEGER) return encodeToken(amount).length
  const high = Math.floor(magnitude / 2 ** 32)
  return 1 + (high === 0 ? sizeOf32(magnitude) : 4 + sizeOf32(high))
}

/** Bytes of an integer between 1 and 2^32 − 1. */
function sizeOf32(value: number): number {
  return (39 - Math.clz32(value)) >> 3
}

function encodeShort(negative: boolean, magnitude: bigint): Uint8Array {
  const high = Number(magnitude >> 32n)
  const low = Number(magnitude & 0xffff_ffffn)
  const size = high === 0 ? sizeOf32(low) : 4 + sizeOf32(high)
  const bytes = new Uint8Array(1 + size)
  bytes[0] = negative ? 1 : 0
  for (let i = 0; i < size; i++) bytes[size - i] = i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))
  return bytes
}

/** Leading zeros of a magnitude are accepted, as the reference accepts them, and never written. */
export function decodeToken(bytes: Uint8Array): TokenAmount {
  if (bytes.length === 0) return ZERO_TOKENS
  if (bytes.length > TOKEN_SIZE_MAX) throw new TokenError('SIZE', `${bytes.length} bytes`)
  const sign = bytes[0]!
  if (sign > 1) throw new TokenError('SIGN', `sign byte ${sign}`)
  const magnitude = bytes.length === 1 ? 0n : BigInt(`0x${toHex(bytes.subarray(1))}`)
  return (sign === 1 ? -magnitude : magnitude) as TokenAmount
}

/** `'1.5'` → 1.5 × 10^18. A unit may follow: FIL, or attoFIL for whole numbers. */
export function parseFil(text: string): TokenAmount {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?(?: ?(fil|attofil))?$/i.exec(text.trim())
  if (match === null) throw new TokenError('SYNTAX', `"${text}" is not an amount`)
  const [, minus, whole, fraction = '', unit = 'fil'] = match
  const decimals = unit.toLowerCase() === 'fil' ? DECIMALS : 0
  if (fraction.length > decimals) throw new TokenError('PRECISION', `"${text}" has more than ${decimals} decimals`)
  const magnitude = BigInt(whole + fraction.padEnd(decimals, '0'))
  return (minus === '-' ? -magnitude : magnitude) as TokenAmount
}

/** `1500000000000000000n` → `'1.5'`: every decimal, no trailing zero. */
export function formatFil(amount: bigint): string {
  const magnitude = amount < 0n ? -amount : amount
  const fraction = (magnitude % ATTO_PER_FIL).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  return `${amount < 0n ? '-' : ''}${magnitude / ATTO_PER_FIL}${fraction === '' ? '' : `.${fraction}`}`
}
