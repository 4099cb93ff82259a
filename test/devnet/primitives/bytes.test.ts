import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareBytes,
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  fromBinary,
  fromHex,
  sliceBinary,
  toBinary,
  toHex,
  writeBinary,
} from '../../../devnet/primitives/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

describe('binary strings', () => {
  test('one char per byte, both ways, for every byte and length', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const text = toBinary(value)
        expect(text).toHaveLength(value.length)
        for (const [i, byte] of value.entries()) expect(text.charCodeAt(i)).toBe(byte)
        expect(fromBinary(text)).toEqual(value)
      }),
    )
  })

  test('sort as their bytes do', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [x, y] = [toBinary(a), toBinary(b)]
        expect(Math.sign(compareBytes(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
        expect(equalBytes(a, b)).toBe(x === y)
      }),
    )
  })

  test('are cut out of bytes and written into them', () => {
    const whole = Uint8Array.from({ length: 60 }, (_, i) => 200 + i)
    expect(sliceBinary(whole, 2, 5)).toBe('\xca\xcb\xcc')
    const target = new Uint8Array(64)
    writeBinary(target, 4, toBinary(whole))
    expect(target.subarray(4)).toEqual(whole)
  })
})

test('equality looks at every byte, short and long', () => {
  for (const size of [1, 24, 25, 100]) {
    const a = new Uint8Array(size).fill(7)
    expect(equalBytes(a, a.slice())).toBe(true)
    expect(equalBytes(a, a.subarray(1))).toBe(false)
    for (const at of [0, size - 1]) expect(equalBytes(a, a.with(at, 8))).toBe(false)
  }
})

test('parts are joined in order', () => {
  expect(concatBytes()).toEqual(EMPTY_BYTES)
  expect(concatBytes(Uint8Array.of(1), EMPTY_BYTES, Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
})

describe('hex', () => {
  test('round trips', () => {
    fc.assert(fc.property(bytes, (value) => equalBytes(fromHex(toHex(value)), value)))
    expect(fromHex('0xDEADbeef')).toEqual(Uint8Array.of(0xde, 0xad, 0xbe, 0xef))
  })

  test.each(['0', 'zz', '0x1', '12 34', '1234x'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError)
  })
})
