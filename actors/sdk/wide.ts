// Arithmetic on 256 bits: four 64-bit limbs, lowest first, at raw addresses. Nothing is allocated. `out` may be an operand.

import { multiplyHigh } from './token'

export const WIDE_SIZE: usize = 32

/** out = a + b mod 2^256; the carry out of the top is the answer. */
export function addWide(out: usize, a: usize, b: usize): bool {
  let carry: u64 = 0
  for (let i: usize = 0; i < WIDE_SIZE; i += 8) {
    const left = load<u64>(a + i)
    const sum = left + load<u64>(b + i)
    const total = sum + carry
    carry = u64(sum < left) | u64(total < sum)
    store<u64>(out + i, total)
  }
  return carry != 0
}

/** out = a − b mod 2^256; whether b was larger. */
export function subWide(out: usize, a: usize, b: usize): bool {
  let borrow: u64 = 0
  for (let i: usize = 0; i < WIDE_SIZE; i += 8) {
    const left = load<u64>(a + i)
    const right = load<u64>(b + i)
    const difference = left - right
    const total = difference - borrow
    borrow = u64(left < right) | u64(difference < borrow)
    store<u64>(out + i, total)
  }
  return borrow != 0
}

/** −1, 0 or 1. */
export function compareWide(a: usize, b: usize): i32 {
  for (let i: i32 = 24; i >= 0; i -= 8) {
    const left = load<u64>(a + i)
    const right = load<u64>(b + i)
    if (left != right) return left < right ? -1 : 1
  }
  return 0
}

export function isZeroWide(a: usize): bool {
  return (load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16) | load<u64>(a, 24)) == 0
}

const PRODUCT: usize = memory.data(64)

/** out = a · b mod 2^256; whether the product is larger. */
export function mulWide(out: usize, a: usize, b: usize): bool {
  memory.fill(PRODUCT, 0, 64)
  for (let i: usize = 0; i < WIDE_SIZE; i += 8) {
    const factor = load<u64>(a + i)
    if (!factor) continue
    let carry: u64 = 0
    for (let j: usize = 0; j < WIDE_SIZE; j += 8) {
      const other = load<u64>(b + j)
      const at = PRODUCT + i + j
      const low = factor * other
      const sum = low + load<u64>(at)
      const total = sum + carry
      carry = multiplyHigh(factor, other) + u64(sum < low) + u64(total < sum)
      store<u64>(at, total)
    }
    store<u64>(PRODUCT + i + WIDE_SIZE, carry)
  }
  memory.copy(out, PRODUCT, WIDE_SIZE)
  return !isZeroWide(PRODUCT + WIDE_SIZE)
}

/** out = a << count, count below 256. */
export function shlWide(out: usize, a: usize, count: u32): void {
  const words = <i32>(count >> 6)
  const bits = <u64>(count & 63)
  for (let i = 3; i >= 0; i--) {
    const from = i - words
    const high = from >= 0 ? load<u64>(a + (<usize>from << 3)) : 0
    const low = from >= 1 ? load<u64>(a + (<usize>(from - 1) << 3)) : 0
    store<u64>(out + (<usize>i << 3), bits ? (high << bits) | (low >> (64 - bits)) : high)
  }
}

/** out = a >> count, count below 256. */
export function shrWide(out: usize, a: usize, count: u32): void {
  const words = <i32>(count >> 6)
  const bits = <u64>(count & 63)
  for (let i = 0; i < 4; i++) {
    const from = i + words
    const low = from < 4 ? load<u64>(a + (<usize>from << 3)) : 0
    const high = from < 3 ? load<u64>(a + (<usize>(from + 1) << 3)) : 0
    store<u64>(out + (<usize>i << 3), bits ? (low >> bits) | (high << (64 - bits)) : low)
  }
}

const DIVIDEND: usize = memory.data(40)
const DIVISOR: usize = memory.data(32)
const QUOTIENT: usize = memory.data(32)

@inline
function limb(base: usize, index: i32): u64 {
  return load<u32>(base + (<usize>index << 2))
}

@inline
function setLimb(base: usize, index: i32, value: u64): void {
  store<u32>(base + (<usize>index << 2), <u32>value)
}

/** How many 32-bit limbs of eight are in use. */
function limbsOf(a: usize): i32 {
  let count = 8
  while (count > 0 && !limb(a, count - 1)) count--
  return count
}

/**
 * quotient = a / b, remainder = a mod b; both zero when b is. Knuth's algorithm D on 32-bit limbs, for which a quotient
 * digit is estimated from 64 bits by 32.
 */
export function divWide(quotient: usize, remainder: usize, a: usize, b: usize): void {
  const size = limbsOf(b)
  const total = limbsOf(a)
  memory.fill(QUOTIENT, 0, WIDE_SIZE)
  if (!size) {
    memory.fill(quotient, 0, WIDE_SIZE)
    memory.fill(remainder, 0, WIDE_SIZE)
    return
  }
  if (total < size) {
    memory.copy(remainder, a, WIDE_SIZE)
    memory.fill(quotient, 0, WIDE_SIZE)
    return
  }
  if (size == 1) {
    const divisor = limb(b, 0)
    let rest: u64 = 0
    for (let i = total - 1; i >= 0; i--) {
      const part = (rest << 32) | limb(a, i)
      setLimb(QUOTIENT, i, part / divisor)
      rest = part % divisor
    }
    memory.fill(remainder, 0, WIDE_SIZE)
    store<u64>(remainder, rest)
    memory.copy(quotient, QUOTIENT, WIDE_SIZE)
    return
  }
  // Normalised so that the divisor's top limb has its high bit set.
  const shift = clz<u32>(<u32>limb(b, size - 1))
  setLimb(DIVIDEND, total, shift ? limb(a, total - 1) >> (32 - shift) : 0)
  for (let i = total - 1; i >= 0; i--) {
    const below = i && shift ? limb(a, i - 1) >> (32 - shift) : 0
    setLimb(DIVIDEND, i, (limb(a, i) << shift) | below)
  }
  for (let i = size - 1; i >= 0; i--) {
    const below = i && shift ? limb(b, i - 1) >> (32 - shift) : 0
    setLimb(DIVISOR, i, (limb(b, i) << shift) | below)
  }
  for (let j = total - size; j >= 0; j--) setLimb(QUOTIENT, j, digitAt(j, size))
  memory.fill(remainder, 0, WIDE_SIZE)
  for (let i = 0; i < size; i++) {
    const above = shift ? limb(DIVIDEND, i + 1) << (32 - shift) : 0
    setLimb(remainder, i, (limb(DIVIDEND, i) >> shift) | above)
  }
  memory.copy(quotient, QUOTIENT, WIDE_SIZE)
}

/** The quotient's digit `j`: estimated, multiplied, subtracted, and one less when that went below zero. */
function digitAt(j: i32, size: i32): u64 {
  const top = limb(DIVISOR, size - 1)
  const second = limb(DIVISOR, size - 2)
  const head = (limb(DIVIDEND, j + size) << 32) | limb(DIVIDEND, j + size - 1)
  let digit = head / top
  let rest = head % top
  while (digit >> 32 || digit * second > ((rest << 32) | limb(DIVIDEND, j + size - 2))) {
    digit--
    rest += top
    if (rest >> 32) break
  }
  let carry: u64 = 0
  let borrow: u64 = 0
  for (let i = 0; i < size; i++) {
    const product = digit * limb(DIVISOR, i) + carry
    carry = product >> 32
    const difference = limb(DIVIDEND, i + j) - (product & 0xffffffff) - borrow
    setLimb(DIVIDEND, i + j, difference)
    borrow = difference >> 63
  }
  const last = limb(DIVIDEND, j + size) - carry - borrow
  setLimb(DIVIDEND, j + size, last)
  if (last >> 63 == 0) return digit
  let back: u64 = 0
  for (let i = 0; i < size; i++) {
    const sum = limb(DIVIDEND, i + j) + limb(DIVISOR, i) + back
    setLimb(DIVIDEND, i + j, sum)
    back = sum >> 32
  }
  setLimb(DIVIDEND, j + size, limb(DIVIDEND, j + size) + back)
  return digit - 1
}
