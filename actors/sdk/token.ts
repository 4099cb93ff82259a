// Amounts of token in attoFIL, 128 bits unsigned. Below zero exits 19, beyond 2^128 exits 20.

import * as cbor from './cbor'
import { ExitCode, fault } from './abort'

@final
export class TokenAmount {
  constructor(public lo: u64 = 0, public hi: u64 = 0) {}

  static get zero(): TokenAmount {
    return new TokenAmount()
  }

  /** `value` attoFIL. */
  static from(value: u64): TokenAmount {
    return new TokenAmount(value)
  }

  /** The decimal number of attoFIL in `text`. */
  static atto(text: string): TokenAmount {
    return parseDecimals(text, 0)
  }

  @operator('+')
  plus(other: TokenAmount): TokenAmount {
    const lo = this.lo + other.lo
    const carry = u64(lo < other.lo)
    const high = this.hi + other.hi
    const hi = high + carry
    if (high < other.hi || hi < carry) fault(ExitCode.IllegalState, 'amount overflows')
    return new TokenAmount(lo, hi)
  }

  @operator('-')
  minus(other: TokenAmount): TokenAmount {
    if (this < other) fault(ExitCode.InsufficientFunds, 'amount below zero')
    return new TokenAmount(this.lo - other.lo, this.hi - other.hi - u64(this.lo < other.lo))
  }

  @operator('*')
  times(other: TokenAmount): TokenAmount {
    // At most one factor may reach beyond 64 bits, and then only as far as the product fits.
    if (this.hi != 0 && other.hi != 0) fault(ExitCode.IllegalState, 'amount overflows')
    const high = this.hi ? this.hi : other.hi
    const low = this.hi ? other.lo : this.lo
    const cross = multiplyHigh(this.lo, other.lo)
    if (multiplyHigh(high, low)) fault(ExitCode.IllegalState, 'amount overflows')
    const hi = high * low + cross
    if (hi < cross) fault(ExitCode.IllegalState, 'amount overflows')
    return new TokenAmount(this.lo * other.lo, hi)
  }

  @operator('==')
  equals(other: TokenAmount): bool {
    return ((this.lo ^ other.lo) | (this.hi ^ other.hi)) == 0
  }

  @operator('!=')
  differs(other: TokenAmount): bool {
    return !this.equals(other)
  }

  @operator('<')
  less(other: TokenAmount): bool {
    return this.hi == other.hi ? this.lo < other.lo : this.hi < other.hi
  }

  @operator('>')
  greater(other: TokenAmount): bool {
    return other.less(this)
  }

  @operator('<=')
  atMost(other: TokenAmount): bool {
    return !other.less(this)
  }

  @operator('>=')
  atLeast(other: TokenAmount): bool {
    return !this.less(other)
  }

  /** Empty for zero, else a zero sign byte and the magnitude, big-endian without leading zeros. */
  __encode(): void {
    const size = this.hi ? 16 - (<u32>clz(this.hi) >> 3) : 8 - (<u32>clz(this.lo) >> 3)
    if (!size) {
      cbor.writeHead(2, 0)
      return
    }
    const at = __alloc(24)
    store<u64>(at, bswap(this.hi), 8)
    store<u64>(at, bswap(this.lo), 16)
    store<u8>(at + 23 - size, 0)
    cbor.writeBytes(at + 23 - size, size + 1)
  }

  __decode(): void {
    const at = cbor.readBytes()
    const length = cbor.lastLength
    let lo: u64 = 0
    let hi: u64 = 0
    if (length) {
      if (length > 17 || load<u8>(at)) fault(ExitCode.Serialization, 'amount is negative or too large')
      for (let i: u32 = 1; i < length; i++) {
        hi = (hi << 8) | (lo >> 56)
        lo = (lo << 8) | load<u8>(at + i)
      }
    }
    this.lo = lo
    this.hi = hi
  }
}

/** The high 64 bits of a product. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const low = aLow * bLow
  const left = aHigh * bLow + (low >> 32)
  const right = aLow * bHigh + (left & 0xffffffff)
  return aHigh * bHigh + (left >> 32) + (right >> 32)
}

/** The decimal number `text`, with up to `places` digits behind a point, times 10^places. */
export function parseDecimals(text: string, places: i32): TokenAmount {
  let value = new TokenAmount()
  const ten = new TokenAmount(10)
  let left = -1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code == 46 && left < 0 && places > 0) {
      left = places
      continue
    }
    if (code < 48 || code > 57 || left == 0) fault(ExitCode.IllegalArgument, 'not an amount')
    value = value * ten + new TokenAmount(code - 48)
    if (left > 0) left--
  }
  if (left < 0) left = places
  for (; left > 0; left--) value = value * ten
  return value
}

/** `text` FIL, such as '1.5'. A literal costs nothing at run time: the compiler computes it. */
export function fil(text: string): TokenAmount {
  return parseDecimals(text, 18)
}
