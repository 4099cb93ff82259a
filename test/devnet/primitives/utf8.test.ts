import { expect, test } from 'vitest'
import { fromHex } from '../../../devnet/primitives/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../../../devnet/primitives/utf8.ts'

test.each(['', 'plain', 'żółć', '日本語', '😀', '\ufeffmark', 'nul\0inside'])('%j round trips', (text) => {
  expect(decodeUtf8(encodeUtf8(text))).toBe(text)
})

test.each([
  ['a lone continuation byte', '80'],
  ['a cut-off sequence', 'e282'],
  ['an overlong slash', 'c0af'],
  ['a surrogate', 'eda080'],
  ['beyond U+10FFFF', 'f4908080'],
])('refuses %s', (_, hex) => expect(decodeUtf8(fromHex(hex))).toBeUndefined())
