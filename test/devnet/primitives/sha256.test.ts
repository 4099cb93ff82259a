import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { toBinary, toHex } from '../../../devnet/primitives/bytes.ts'
import { hashShortSha256, hashShortSha256Binary, SHORT_SIZE_MAX } from '../../../devnet/primitives/sha256.ts'

test('agrees with OpenSSL at every length it takes', () => {
  for (let size = 0; size <= SHORT_SIZE_MAX; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 11 + size)
    const expected = createHash('sha256').update(bytes).digest()
    expect(toHex(hashShortSha256(bytes))).toBe(toHex(expected))
    expect(hashShortSha256Binary(bytes)).toBe(toBinary(expected))
  }
})

test('a digest is the caller’s own', () => {
  const first = hashShortSha256(Uint8Array.of(1))
  const copy = first.slice()
  hashShortSha256(Uint8Array.of(2))
  expect(first).toEqual(copy)
})

test('refuses input that is not short', () => {
  expect(() => hashShortSha256(new Uint8Array(SHORT_SIZE_MAX + 1))).toThrow(RangeError)
})
