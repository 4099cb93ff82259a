import { expect, test } from 'vitest'
import { fromBinary, toHex } from '../../../devnet/primitives/bytes.ts'
import * as hash from '../../../devnet/primitives/hash.ts'

const ABC = new TextEncoder().encode('abc')
const EMPTY = new Uint8Array()

test.each<[string, (bytes: Uint8Array) => Uint8Array, Uint8Array, string]>([
  [
    'blake2b-256',
    hash.blake2b256,
    Uint8Array.of(0x80),
    '45b0cfc220ceec5b7c1c62c4d4193d38e4eba48e8815729ce75f9c0ab0e4c1c0',
  ],
  ['blake2b-256', hash.blake2b256, ABC, 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'],
  ['blake2b-160', hash.blake2b160, ABC, '384264f676f39536840523f284921cdc68b6846b'],
  ['blake2b-32', (bytes) => hash.blake2b(bytes, 4), ABC, '63906248'],
  ['sha2-256', hash.sha256, ABC, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['sha2-256', hash.sha256, EMPTY, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['keccak-256', hash.keccak256, ABC, '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ['ripemd-160', hash.ripemd160, ABC, '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
])('%s', (_, digest, input, expected) => {
  expect(toHex(digest(input))).toBe(expected)
})

test('the binary forms are the same digests', () => {
  expect(fromBinary(hash.blake2b256Binary(ABC))).toEqual(hash.blake2b256(ABC))
  expect(fromBinary(hash.sha256Binary(ABC))).toEqual(hash.sha256(ABC))
})
