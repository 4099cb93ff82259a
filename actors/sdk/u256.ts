// Numbers of 256 bits, unsigned. Operators leave with 20 where the result does not fit.

import * as cbor from './cbor'
import { ExitCode, fault } from './abort'
import { TokenAmount } from './token'
import { WIDE_SIZE, addWide, compareWide, divWide, isZeroWide, mulWide, shlWide, shrWide, subWide } from './wide'

const REST: usize = memory.data(32)

function overflow(): void {
  fault(ExitCode.IllegalState, 'number overflows')
}

@final
export class U256 {
  /** Limbs, lowest first. */
  constructor(public a: u64 = 0, public b: u64 = 0, public c: u64 = 0, public d: u64 = 0) {}

  static get zero(): U256 {
    return new U256()
  }

  static from(value: u64): U256 {
    return new U256(value)
  }

  static fromAmount(amount: TokenAmount): U256 {
    return new U256(amount.lo, amount.hi)
  }

  /** The same number of attoFIL; leaves with 20 at 2^128 and beyond. */
  static toAmount(value: U256): TokenAmount {
    if (value.c | value.d) overflow()
    return new TokenAmount(value.a, value.b)
  }

  /** The same number; leaves with 20 at 2^64 and beyond. */
  static toU64(value: U256): u64 {
    if (value.b | value.c | value.d) overflow()
    return value.a
  }

  @operator('+')
  plus(other: U256): U256 {
    const out = new U256()
    if (addWide(changetype<usize>(out), changetype<usize>(this), changetype<usize>(other))) overflow()
    return out
  }

  @operator('-')
  minus(other: U256): U256 {
    const out = new U256()
    if (subWide(changetype<usize>(out), changetype<usize>(this), changetype<usize>(other))) overflow()
    return out
  }

  @operator('*')
  times(other: U256): U256 {
    const out = new U256()
    if (mulWide(changetype<usize>(out), changetype<usize>(this), changetype<usize>(other))) overflow()
    return out
  }

  @operator('/')
  dividedBy(other: U256): U256 {
    if (isZeroWide(changetype<usize>(other))) fault(ExitCode.IllegalState, 'division by zero')
    const out = new U256()
    divWide(changetype<usize>(out), REST, changetype<usize>(this), changetype<usize>(other))
    return out
  }

  @operator('%')
  modulo(other: U256): U256 {
    if (isZeroWide(changetype<usize>(other))) fault(ExitCode.IllegalState, 'division by zero')
    const out = new U256()
    divWide(REST, changetype<usize>(out), changetype<usize>(this), changetype<usize>(other))
    return out
  }

  @operator('<<')
  shiftedLeft(count: u32): U256 {
    const out = new U256()
    if (count < 256) shlWide(changetype<usize>(out), changetype<usize>(this), count)
    return out
  }

  @operator('>>')
  shiftedRight(count: u32): U256 {
    const out = new U256()
    if (count < 256) shrWide(changetype<usize>(out), changetype<usize>(this), count)
    return out
  }

  @operator('==')
  equals(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) == 0
  }

  @operator('!=')
  differs(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) != 0
  }

  @operator('<')
  less(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) < 0
  }

  @operator('>')
  greater(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) > 0
  }

  @operator('<=')
  atMost(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) <= 0
  }

  @operator('>=')
  atLeast(other: U256): bool {
    return compareWide(changetype<usize>(this), changetype<usize>(other)) >= 0
  }

  /** As amounts: empty for zero, else a zero sign byte and the magnitude, big-endian without leading zeros. */
  __encode(): void {
    const at = __alloc(40)
    store<u64>(at, bswap(this.d), 8)
    store<u64>(at, bswap(this.c), 16)
    store<u64>(at, bswap(this.b), 24)
    store<u64>(at, bswap(this.a), 32)
    let start: usize = at + 8
    while (start < at + 40 && !load<u8>(start)) start++
    const size = <u32>(at + 40 - start)
    store<u8>(start - 1, 0)
    if (size) cbor.writeBytes(start - 1, size + 1)
    else cbor.writeHead(2, 0)
  }

  __decode(): void {
    const at = cbor.readBytes()
    const length = cbor.lastLength
    if (length > 33 || (length && load<u8>(at))) fault(ExitCode.Serialization, 'number is negative or too large')
    memory.fill(changetype<usize>(this), 0, WIDE_SIZE)
    for (let i: u32 = 1; i < length; i++) {
      store<u8>(changetype<usize>(this) + (length - 1 - i), load<u8>(at + i))
    }
  }
}

/** a · b / c, rounded down, with 256 bits between; leaves with 20 when c is zero or the result does not fit. */
export function mulDiv(a: TokenAmount, b: TokenAmount, c: TokenAmount): TokenAmount {
  return U256.toAmount((U256.fromAmount(a) * U256.fromAmount(b)) / U256.fromAmount(c))
}
