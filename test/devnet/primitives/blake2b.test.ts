import { createHash } from 'node:crypto'
import { blake2b as noble } from '@noble/hashes/blake2.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashBlake2b, hashBlake2bBinary } from '../../../devnet/primitives/blake2b.ts'
import { toBinary, toHex } from '../../../devnet/primitives/bytes.ts'

// RFC 7693, appendix A.
test('"abc" as in the RFC', () => {
  expect(toHex(hashBlake2b(new TextEncoder().encode('abc'), 64))).toBe(
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
      '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  )
})

test('agrees with OpenSSL at every length around the block size', () => {
  for (let size = 0; size < 400; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + size)
    const expected = createHash('blake2b512').update(bytes).digest('hex')
    expect(toHex(hashBlake2b(bytes, 64))).toBe(expected)
  }
})

test('agrees with another implementation for every digest size', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 64 }), (bytes, size) => {
      const digest = hashBlake2b(bytes, size)
      expect(digest).toEqual(noble(bytes, { dkLen: size }))
      expect(hashBlake2bBinary(bytes, size)).toBe(toBinary(digest))
    }),
  )
})

test('a digest is the caller’s own', () => {
  const first = hashBlake2b(Uint8Array.of(1), 32)
  const copy = first.slice()
  hashBlake2b(Uint8Array.of(2), 32)
  expect(first).toEqual(copy)
})

test.each([0, 65, 1.5, -1])('refuses a digest of %s bytes', (size) => {
  expect(() => hashBlake2b(new Uint8Array(), size)).toThrow(RangeError)
})
