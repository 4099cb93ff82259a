import { afterEach, describe, expect, test } from 'vitest'
import { type Cid, cidOf, DAG_CBOR, RAW } from '../../../devnet/ipld/cid.ts'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import { CHUNK_KEYS, chunkKey } from '../../../devnet/node/chain-records.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { SnapshotArchive, type SnapshotContents } from '../../../devnet/node/snapshot-archive.ts'
import { CHUNK_SIZE_MAX, readItems, readSnapshot } from '../../../devnet/node/snapshot-format.ts'
import { sha256Binary } from '../../../devnet/primitives/hash.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'

const records = { headers: [new Uint8Array(1)], settings: new Uint8Array(2), installed: [] }

function put(store: MemoryChainStore, codec: number, bytes: Uint8Array): Cid {
  const cid = cidOf(codec, bytes)
  store.put(cid, bytes)
  return cid
}

/** A root with so many leaves of half a megabyte. */
function stateOf(store: MemoryChainStore, leaves: number): Cid {
  const root = new CborWriter().array(leaves)
  for (let i = 0; i < leaves; i++) root.link(put(store, RAW, new Uint8Array(500_000).fill(i)))
  return put(store, DAG_CBOR, root.finish())
}

const contents = (height: number, ...roots: Cid[]): SnapshotContents => ({ height, records, roots })
const open = (store = new MemoryChainStore(), keep = 2) => new SnapshotArchive(store, { interval: 10, keep })
const heights = (archive: SnapshotArchive) => archive.list().map(({ height }) => Number(height))

describe('an archive', () => {
  test('keeps the newest, each with all of its chunks', async () => {
    const store = new MemoryChainStore()
    const archive = open(store)
    const root = stateOf(store, 5)
    for (const height of [10, 20, 30]) {
      archive.begin(contents(height, root))
      await archive.settled
    }
    expect(heights(archive)).toEqual([30, 20])
    const [newest] = archive.list()
    const view = readSnapshot(newest!)
    if (typeof view === 'string') throw new Error(view)
    expect(view).toMatchObject({ height: 30, blocks: 6 })
    const chunks = view.chunkHashes.map((_, index) => archive.chunk(30, 1, index))
    expect(chunks.map(sha256Binary)).toEqual(view.chunkHashes)
    expect(chunks.flatMap((chunk) => [...readItems(chunk)])).toHaveLength(7)
    expect(archive.chunk(30, 2, 0)).toHaveLength(0)
    expect(archive.chunk(30, 1, chunks.length)).toHaveLength(0)
    expect(archive.chunk(10, 1, 0)).toHaveLength(0)
    expect([...store.recordKeys(chunkKey(10, 0), chunkKey(11, 0))]).toEqual([])
  })

  test('is due at multiples of its interval', () => {
    expect([0, 9, 10, 15, 20].filter((height) => open().isDue(height))).toEqual([10, 20])
    expect(new SnapshotArchive(new MemoryChainStore(), { interval: 0, keep: 1 }).isDue(10)).toBe(false)
  })

  test('makes one at a time', async () => {
    const store = new MemoryChainStore()
    const archive = open(store)
    const root = stateOf(store, 5)
    archive.begin(contents(10, root))
    archive.begin(contents(20, root))
    await archive.settled
    expect(heights(archive)).toEqual([10])
  })

  test('leaves nothing of one that cannot be made', async () => {
    const store = new MemoryChainStore()
    const archive = open(store)
    const missing = cidOf(RAW, Uint8Array.of(1))
    const large = put(store, RAW, new Uint8Array(CHUNK_SIZE_MAX))
    for (const root of [missing, large]) {
      archive.begin(contents(10, stateOf(store, 4), root))
      await archive.settled
    }
    expect(heights(archive)).toEqual([])
    expect([...store.recordKeys(CHUNK_KEYS.start, CHUNK_KEYS.end)]).toEqual([])
  })

  test('gives up what is above the height that a chain goes back to', async () => {
    const store = new MemoryChainStore()
    const archive = open(store)
    const root = stateOf(store, 5)
    archive.begin(contents(10, root))
    await archive.settled
    archive.begin(contents(20, root))
    archive.forgetAbove(15)
    await archive.settled
    expect(heights(archive)).toEqual([10])
    archive.forgetAbove(5)
    expect(heights(archive)).toEqual([])
    expect([...store.recordKeys(CHUNK_KEYS.start, CHUNK_KEYS.end)]).toEqual([])
  })

  test('that was stopped half way is cleared by the next', async () => {
    const store = new MemoryChainStore()
    const archive = open(store)
    archive.begin(contents(10, stateOf(store, 5)))
    await archive.stop()
    expect([...store.recordKeys(CHUNK_KEYS.start, CHUNK_KEYS.end)]).not.toEqual([])
    expect(heights(open(store))).toEqual([])
    expect([...store.recordKeys(CHUNK_KEYS.start, CHUNK_KEYS.end)]).toEqual([])
  })
})

describe.skipIf(!hasOwnBundle)('validators of one chain', () => {
  let devnet: Devnet

  afterEach(() => devnet.close())

  test('make the same snapshots at an interval, byte by byte, and forget those that they go back behind', async () => {
    devnet = openTestDevnet({ consensus: 'bft', snapshots: { interval: 4, keep: 3 } })
    await devnet.chain.mine(9)
    const applications = devnet.bft!.validators.map(({ application }) => application)
    const settle = () => Promise.all(applications.map(({ snapshots }) => snapshots.settled))
    await settle()
    const lists = applications.map((application) => application.listSnapshots().snapshots)
    expect(lists[0]!.map(({ height }) => height)).toEqual([8n, 4n])
    for (const list of lists) expect(list).toEqual(lists[0])
    await devnet.chain.rewind(5)
    expect(applications[1]!.listSnapshots().snapshots.map(({ height }) => height)).toEqual([4n])
    await devnet.chain.mine(4)
    await settle()
    expect(applications[0]!.listSnapshots().snapshots.map(({ height }) => height)).toEqual([8n, 4n])
  })
})
