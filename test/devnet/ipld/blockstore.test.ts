import { describe, expect, test } from 'vitest'
import { type Blockstore, BufferedBlockstore, MemoryBlockstore } from '../../../devnet/ipld/blockstore.ts'
import { cidOf, RAW } from '../../../devnet/ipld/cid.ts'

const bytes = Uint8Array.of(1, 2, 3)
const cid = cidOf(RAW, bytes)
const other = cidOf(RAW, Uint8Array.of(4))

const stores: readonly (readonly [string, () => Blockstore])[] = [
  ['memory', () => new MemoryBlockstore()],
  ['buffered', () => new BufferedBlockstore(new MemoryBlockstore())],
]

describe.each(stores)('%s', (_, create) => {
  test('has what was put, and nothing else', () => {
    const store = create()
    expect(store.has(cid)).toBe(false)
    expect(store.get(cid)).toBeUndefined()
    store.put(cid, bytes)
    store.put(cid, bytes)
    expect(store.has(cid)).toBe(true)
    expect(store.get(cid)).toEqual(bytes)
    expect(store.has(other)).toBe(false)
  })
})

test('a buffer reads its base and never writes to it', () => {
  const base = new MemoryBlockstore()
  base.put(cid, bytes)
  const buffered = new BufferedBlockstore(base)
  expect(buffered.get(cid)).toEqual(bytes)
  expect(buffered.has(cid)).toBe(true)
  buffered.put(other, Uint8Array.of(4))
  expect(base.has(other)).toBe(false)
  expect([...buffered.buffered.keys()]).toEqual([other])
})
