import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { decodeToken, encodeToken, formatFil, parseFil } from '../../../devnet/state/token.ts'

test.each([
  [0n, ''],
  [1n, '0001'],
  [-1n, '0101'],
  [255n, '00ff'],
  [256n, '000100'],
  [0xffff_ffffn, '00ffffffff'],
  [0x1_0000_0000n, '000100000000'],
  [10n ** 18n, '000de0b6b3a7640000'],
  [-(10n ** 18n), '010de0b6b3a7640000'],
  [(1n << 64n) - 1n, '00ffffffffffffffff'],
  [1n << 64n, '00010000000000000000'],
  [2n * 10n ** 27n, '0006765c793fa10079d0000000'],
])('%s is %j on the wire', (amount, hex) => {
  expect(toHex(encodeToken(amount))).toBe(hex)
  expect(decodeToken(fromHex(hex))).toBe(amount)
})

const magnitude = (1n << 1016n) - 1n

test('every amount that fits 128 bytes round trips', () => {
  fc.assert(
    fc.property(fc.oneof(fc.bigInt(-magnitude, magnitude), fc.bigInt(-(1n << 70n), 1n << 70n)), (amount) => {
      const bytes = encodeToken(amount)
      expect(decodeToken(bytes)).toBe(amount)
      if (amount !== 0n) expect(bytes[1]).not.toBe(0)
    }),
  )
  expect(encodeToken(magnitude)).toHaveLength(128)
  expect(() => encodeToken(magnitude + 1n)).toThrow(expect.objectContaining({ code: 'SIZE' }))
})

describe('decoding', () => {
  test('takes leading zeros, as the reference does', () => {
    expect(decodeToken(fromHex('00'))).toBe(0n)
    expect(decodeToken(fromHex('01'))).toBe(0n)
    expect(decodeToken(fromHex('00000005'))).toBe(5n)
    expect(decodeToken(fromHex('01000005'))).toBe(-5n)
  })

  test.each([
    ['another sign', '0201', 'SIGN'],
    ['129 bytes', `00${'01'.repeat(128)}`, 'SIZE'],
  ])('refuses %s', (_, hex, code) => {
    expect(() => decodeToken(fromHex(hex))).toThrow(expect.objectContaining({ code }))
  })
})

test.each([
  ['1.5', 1_500_000_000_000_000_000n, '1.5'],
  ['0', 0n, '0'],
  ['10 FIL', 10n ** 19n, '10'],
  ['0.000000000000000001', 1n, '0.000000000000000001'],
  ['-2.25', -2_250_000_000_000_000_000n, '-2.25'],
  ['00.50', 5n * 10n ** 17n, '0.5'],
  ['42 attoFIL', 42n, '0.000000000000000042'],
  [' 7fil ', 7n * 10n ** 18n, '7'],
])('%j is %s attoFIL, and prints as %j', (text, amount, printed) => {
  expect(parseFil(text)).toBe(amount)
  expect(formatFil(amount)).toBe(printed)
})

test('what is printed is read again', () => {
  fc.assert(fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), (amount) => parseFil(formatFil(amount)) === amount))
})

test.each([
  ['', 'SYNTAX'],
  ['.5', 'SYNTAX'],
  ['1.', 'SYNTAX'],
  ['1e18', 'SYNTAX'],
  ['0x10', 'SYNTAX'],
  ['1,5', 'SYNTAX'],
  ['1 ETH', 'SYNTAX'],
  ['0.0000000000000000001', 'PRECISION'],
  ['1.5 attofil', 'PRECISION'],
])('%j is no amount', (text, code) => {
  expect(() => parseFil(text)).toThrow(expect.objectContaining({ code }))
})
