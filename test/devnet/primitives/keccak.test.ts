import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect, test } from 'vitest'
import { toHex } from '../../../devnet/primitives/bytes.ts'
import { hashKeccak256 } from '../../../devnet/primitives/keccak.ts'

test.each([
  ['', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
  ['abc', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ['Transfer(address,address,uint256)', 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'],
])('of %j is what Ethereum knows', (text, hash) => {
  expect(toHex(hashKeccak256(new TextEncoder().encode(text)))).toBe(hash)
})

test('agrees with another implementation at every length around the block size', () => {
  for (let size = 0; size < 420; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 13 + size)
    expect(toHex(hashKeccak256(bytes))).toBe(toHex(keccak_256(bytes)))
  }
})
