import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { readVarint, writeVarint } from '../../../devnet/primitives/varint.ts'

const GOLDEN: readonly (readonly [bigint, string])[] = [
  [0n, '00'],
  [1n, '01'],
  [127n, '7f'],
  [128n, '8001'],
  [300n, 'ac02'],
  [0xb220n, 'a0e402'],
  [(1n << 28n) - 1n, 'ffffff7f'],
  [1n << 28n, '8080808001'],
  [(1n << 63n) - 1n, 'ffffffffffffffff7f'],
  [1n << 63n, '80808080808080808001'],
  [(1n << 64n) - 1n, 'ffffffffffffffffff01'],
]

test.each(GOLDEN)('%s is %s', (value, hex) => {
  expect(toHex(writeVarint(value))).toBe(hex)
  expect(readVarint(fromHex(`ff${hex}ff`), 1)).toEqual({ value, next: 1 + hex.length / 2 })
})

test('every value round trips in its shortest form', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), (value) => {
      const bytes = writeVarint(value)
      expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
      expect(readVarint(bytes, 0)).toEqual({ value, next: bytes.length })
    }),
  )
})

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['what is cut off', '80'],
    ['what is cut off, longer', 'ffffffffff'],
    ['a last byte of zero', '8000'],
    ['a last byte of zero, longer', '808080808000'],
    ['eleven bytes', '8080808080808080808001'],
    ['ten bytes that go on', '808080808080808080ff'],
  ])('%s', (_, hex) => expect(readVarint(fromHex(hex), 0)).toBeUndefined())
})

describe('of a tenth byte only bit 0 counts', () => {
  test.each([
    ['81808080808080808002', 1n],
    ['81808080808080808003', 1n | (1n << 63n)],
    ['ffffffffffffffffff7f', (1n << 64n) - 1n],
    ['8080808080808080807e', 0n],
  ])('%s', (hex, value) => expect(readVarint(fromHex(hex), 0)).toEqual({ value, next: 10 }))
})

test.each([-1n, 1n << 64n])('does not write %s', (value) => expect(() => writeVarint(value)).toThrow(RangeError))
