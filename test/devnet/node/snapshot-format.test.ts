import { describe, expect, test } from 'vitest'
import {
  CHUNK_SIZE,
  CHUNK_SIZE_MAX,
  ChunkWriter,
  decodeRecords,
  describeSnapshot,
  encodeRecords,
  ItemTooLarge,
  METADATA_SIZE_MAX,
  readItems,
  readSnapshot,
  type Snapshot,
} from '../../../devnet/node/snapshot-format.ts'
import { concatBytes, equalBytes } from '../../../devnet/primitives/bytes.ts'

const view = { height: 7, chunkHashes: ['a'.repeat(32), 'b'.repeat(32)], blocks: 5, bytes: 1234 }

describe('a snapshot', () => {
  test('says what it said', () => {
    expect(readSnapshot(describeSnapshot(view))).toEqual(view)
    expect(describeSnapshot(view)).toEqual(describeSnapshot(view))
  })

  test('with a hundred thousand chunks fits a message of CometBFT', () => {
    const chunkHashes = Array.from({ length: 100_000 }, (_, i) => String(i).padStart(32, '0'))
    const snapshot = describeSnapshot({ ...view, chunkHashes })
    expect(snapshot.metadata.length).toBeLessThan(METADATA_SIZE_MAX)
    expect(readSnapshot(snapshot)).toMatchObject({ chunkHashes })
  })

  const good = describeSnapshot(view)
  const wrong: readonly [string, Snapshot, string][] = [
    ['another format', { ...good, format: 2 }, 'FORMAT'],
    ['another height', { ...good, height: 8n }, 'HASH'],
    ['another number of chunks', { ...good, chunks: 3 }, 'HASH'],
    ['another hash', { ...good, hash: 'c'.repeat(32) }, 'HASH'],
    ['metadata that were changed', { ...good, metadata: good.metadata.slice(0, -1) }, 'HASH'],
    ['no chunk', { ...good, chunks: 0 }, 'MALFORMED'],
    ['height 0', describeSnapshot({ ...view, height: 0 }), 'MALFORMED'],
    ['a height beyond what is counted', describeSnapshot({ ...view, height: 2 ** 40 }), 'MALFORMED'],
    ['metadata beyond all limits', { ...good, metadata: new Uint8Array(METADATA_SIZE_MAX + 1) }, 'TOO_LARGE'],
    ['a hash of another size', describeSnapshot({ ...view, chunkHashes: ['a', 'b'.repeat(32)] }), 'MALFORMED'],
    ['more bytes than chunks hold', describeSnapshot({ ...view, bytes: 2 * CHUNK_SIZE_MAX + 1 }), 'TOO_LARGE'],
  ]
  test.each(wrong)('with %s is refused', (_, snapshot, fault) => {
    expect(readSnapshot(snapshot)).toBe(fault)
  })
})

describe('chunks', () => {
  test('give back their items, and end before they are too large', () => {
    const items = [400_000, 400_000, 400_000, 0, 2_000_000, 1].map((size, i) => new Uint8Array(size).fill(i))
    const writer = new ChunkWriter()
    const chunks = items.flatMap((item) => writer.add(item) ?? [])
    chunks.push(writer.finish())
    expect(chunks.map((chunk) => [...readItems(chunk)].map((item) => item!.length))).toEqual([
      [400_000, 400_000],
      [400_000, 0],
      [2_000_000],
      [1],
    ])
    expect(chunks[0]!.length).toBeLessThanOrEqual(CHUNK_SIZE)
    const read = chunks.flatMap((chunk) => [...readItems(chunk)] as Uint8Array[])
    expect(equalBytes(concatBytes(...read), concatBytes(...items))).toBe(true)
  })

  test('hold no item beyond what may be sent', () => {
    expect(() => new ChunkWriter().add(new Uint8Array(CHUNK_SIZE_MAX))).toThrow(ItemTooLarge)
  })

  const cut: readonly [string, readonly number[]][] = [
    ['nothing', []],
    ['half a length', [0, 0, 0]],
    ['a length alone', [0, 0, 0, 1]],
    ['a length beyond the end', [255, 255, 255, 255, 1]],
    ['half an item behind a whole one', [0, 0, 0, 1, 9, 0, 0, 0, 2, 9]],
  ]
  test.each(cut)('of %s say where they are cut off', (_, bytes) => {
    expect([...readItems(Uint8Array.from(bytes))].at(-1)).toBeUndefined()
  })
})

test('records come back, and damaged ones are nothing', () => {
  const records = { headers: [new Uint8Array(3), new Uint8Array(0)], settings: new Uint8Array(2), installed: ['x'] }
  const bytes = encodeRecords(records)
  expect(decodeRecords(bytes)).toEqual(records)
  for (let size = 0; size < bytes.length; size++) expect(() => decodeRecords(bytes.slice(0, size))).not.toThrow()
  expect(decodeRecords(Uint8Array.of(0x0a, 0x7f))).toBeUndefined()
})
