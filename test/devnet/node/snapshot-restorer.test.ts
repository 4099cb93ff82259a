import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ChunkResult, OfferResult } from '../../../devnet/consensus/application.ts'
import { cidOf, DAG_CBOR, RAW } from '../../../devnet/ipld/cid.ts'
import { RESTORED_KEYS } from '../../../devnet/node/chain-records.ts'
import { decodeSettings, encodeSettings } from '../../../devnet/node/consensus-settings.ts'
import type { FvmApplication } from '../../../devnet/node/fvm-application.ts'
import type { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import {
  CHUNK_SIZE_MAX,
  ChunkWriter,
  decodeRecords,
  describeSnapshot,
  encodeRecords,
  readItems,
  readSnapshot,
  type SnapshotRecords,
  type SnapshotView,
} from '../../../devnet/node/snapshot-format.ts'
import { openStore } from '../../../devnet/node/store.ts'
import { concatBytes, toBinary } from '../../../devnet/primitives/bytes.ts'
import { sha256Binary } from '../../../devnet/primitives/hash.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, signed, transfer } from './chain-fixture.ts'
import { chunksOf, type Given, type Made, makeSnapshot, openEmpty, restore, snapshotOf } from './snapshot-fixture.ts'

const { Accept, Abort, Retry, RetrySnapshot, RejectSnapshot } = ChunkResult

let made: Made

beforeAll(async () => {
  if (hasOwnBundle) made = await makeSnapshot(4)
})
afterAll(() => made?.devnet.close())

const itemsOf = (chunks: readonly Uint8Array[]) => chunks.flatMap((chunk) => [...readItems(chunk)] as Uint8Array[])

/** The snapshot with other items, its hashes made to fit: what a liar sends. */
function lie(change: (items: Uint8Array[]) => Uint8Array[], view: Partial<SnapshotView> = {}): Given {
  const writer = new ChunkWriter()
  const chunks: Uint8Array[] = []
  for (const item of change(itemsOf(made.chunks))) {
    const full = writer.add(item)
    if (full !== undefined) chunks.push(full)
  }
  chunks.push(writer.finish())
  const own = readSnapshot(made.snapshot) as SnapshotView
  const snapshot = describeSnapshot({ ...own, ...view, chunkHashes: chunks.map(sha256Binary) })
  return { snapshot, chunks, appHash: made.appHash }
}

const lieOfRecords = (change: (records: SnapshotRecords) => SnapshotRecords, view: Partial<SnapshotView> = {}): Given =>
  lie(([records, ...blocks]) => [encodeRecords(change(decodeRecords(records!)!)), ...blocks], view)

/** As it was before anybody offered anything. */
function expectUntouched(application: FvmApplication, before: number): void {
  expect(application.head.height).toBe(0)
  expect((application.store as MemoryChainStore).blocks.size).toBe(before)
  expect([...application.store.recordKeys(RESTORED_KEYS.start, RESTORED_KEYS.end)]).toEqual([])
}

describe.skipIf(!hasOwnBundle)('a state that is restored', () => {
  test('is the other one, and goes on as it does', async () => {
    const { devnet, application } = made
    const late = openEmpty()
    expect(made.chunks.length).toBeGreaterThan(2)
    const results = await restore(late, made)
    expect(results).toEqual([OfferResult.Accept, ...made.chunks.map(() => Accept)])
    expect(late.info()).toEqual(application.info())
    expect(late.head).toEqual(application.head)
    expect(late.settings).toEqual(application.settings)
    expect(late.history.block(2)).toBeUndefined()
    for (let height = 0; height <= 4; height++)
      expect(late.history.header(height)).toEqual(application.history.header(height))
    const tx = signed(devnet, transfer(devnet, { sequence: 3n, value: 5n as TokenAmount }))
    expect(late.door.check(tx)).toMatchObject({ ok: true })
    const rest = {
      misbehavior: [],
      nextValidatorsHash: '',
      proposerAddress: '',
      decidedLastCommit: { round: 0, votes: [] },
    }
    const block = {
      ...rest,
      height: 5n,
      hash: 'h'.repeat(32),
      time: BigInt(application.head.timeMs + 1) * 1_000_000n,
      txs: [tx],
    }
    const answer = late.finalizeBlock(block)
    await late.commit()
    const straight = made.application
    expect(straight.finalizeBlock(block)).toEqual(answer)
  })

  test('makes the same snapshot again, byte by byte', async () => {
    const late = openEmpty()
    await restore(late, made)
    const snapshot = await snapshotOf(late)
    expect(snapshot).toEqual(made.snapshot)
    for (const [i, chunk] of chunksOf(late, snapshot).entries())
      expect(sha256Binary(chunk)).toBe(sha256Binary(made.chunks[i]!))
  })

  test('has the code that was installed, whether an actor has it or not', async () => {
    const installing = await makeSnapshot(1)
    const { devnet, application } = installing
    const { context } = application.queryMachine()
    const { code } = context.state.getActor(context.state.resolve(devnet.accounts[0]!.address)!)!
    // Other code than any actor has, for a section that says nothing.
    const own = concatBytes(application.store.get(code)!, Uint8Array.of(0, 2, 1, 97))
    await devnet.chain.apply([{ power: 'install', code: own }])
    const snapshot = await snapshotOf(application)
    const late = openEmpty()
    const given = { snapshot, chunks: chunksOf(application, snapshot), appHash: toBinary(application.head.appHash) }
    expect((await restore(late, given)).at(-1)).toBe(Accept)
    expect(late.store.has(cidOf(RAW, own))).toBe(true)
    expect(await snapshotOf(late)).toEqual(snapshot)
    await devnet.close()
  })

  test('may take the place of one that was restored, and of no other', async () => {
    const late = openEmpty()
    await restore(late, made)
    expect((await late.offerSnapshot({ snapshot: made.snapshot, appHash: made.appHash })).result).toBe(
      OfferResult.Accept,
    )
    const full = made.application
    expect((await full.offerSnapshot({ snapshot: made.snapshot, appHash: made.appHash })).result).toBe(
      OfferResult.Abort,
    )
  })
})

describe.skipIf(!hasOwnBundle)('an offer is refused', () => {
  const wrong: readonly [string, () => Partial<Parameters<FvmApplication['offerSnapshot']>[0]>, number][] = [
    ['that is none', () => ({ snapshot: null }), OfferResult.Reject],
    ['of another format', () => ({ snapshot: { ...made.snapshot, format: 9 } }), OfferResult.RejectFormat],
    ['whose hash is not its own', () => ({ snapshot: { ...made.snapshot, height: 5n } }), OfferResult.Reject],
    ['without an application hash to go by', () => ({ appHash: '' }), OfferResult.Reject],
  ]
  test.each(wrong)('%s', async (_, change, result) => {
    const late = openEmpty()
    const offer = { snapshot: made.snapshot, appHash: made.appHash, ...change() }
    expect((await late.offerSnapshot(offer)).result).toBe(result)
    expect((await late.applySnapshotChunk({ index: 0, chunk: made.chunks[0]!, sender: 'p' })).result).toBe(Abort)
  })
})

describe.skipIf(!hasOwnBundle)('a chunk that is not the one', () => {
  const wrong: readonly [string, () => Uint8Array][] = [
    ['truncated', () => made.chunks[1]!.slice(0, -1)],
    ['empty', () => new Uint8Array(0)],
    ['with a bit turned', () => made.chunks[1]!.map((byte, i) => (i === 100 ? byte ^ 1 : byte))],
    ['oversized', () => new Uint8Array(CHUNK_SIZE_MAX + 1)],
    ['another of the same snapshot', () => made.chunks[0]!],
  ]
  test.each(wrong)('(%s) is asked for again, from somebody else', async (_, chunk) => {
    const late = openEmpty()
    await restore(late, { ...made, chunks: made.chunks.slice(0, 1) })
    const answer = await late.applySnapshotChunk({ index: 1, chunk: chunk(), sender: 'liar' })
    expect(answer).toEqual({ result: Retry, refetchChunks: [1], rejectSenders: ['liar'] })
    for (const [index, good] of made.chunks.entries()) {
      // The first is there already.
      expect((await late.applySnapshotChunk({ index, chunk: good, sender: 'p' })).result).toBe(Accept)
    }
    expect(late.head).toEqual(made.application.head)
  })

  test('too early begins the snapshot anew', async () => {
    const late = openEmpty()
    const before = (late.store as MemoryChainStore).blocks.size
    await restore(late, { ...made, chunks: made.chunks.slice(0, 1) })
    expect((await late.applySnapshotChunk({ index: 2, chunk: made.chunks[2]!, sender: 'p' })).result).toBe(
      RetrySnapshot,
    )
    expectUntouched(late, before)
    expect((await restore(late, made)).at(-1)).toBe(Accept)
  })
})

describe.skipIf(!hasOwnBundle)('a snapshot that lies is rejected, and leaves nothing', () => {
  const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
  const header = (change: (headers: readonly Uint8Array[]) => readonly Uint8Array[]) => () =>
    lieOfRecords((records) => ({ ...records, headers: change(records.headers) }))
  const settings = (change: (bytes: Uint8Array) => Uint8Array) => () =>
    lieOfRecords((records) => ({ ...records, settings: change(records.settings) }))
  const installed = (codes: readonly string[]) => () => lieOfRecords((records) => ({ ...records, installed: codes }))
  const lies: readonly [string, () => Given][] = [
    ['another trusted hash', () => ({ ...made, appHash: 'x'.repeat(32) })],
    ['a forged block', () => lie((items) => items.map((item, i) => (i === 9 ? flip(item) : item)))],
    ['a forged root', () => lie((items) => items.map((item, i) => (i === 1 ? flip(item) : item)))],
    ['blocks in another order', () => lie(([first, ...blocks]) => [first!, ...blocks.reverse()])],
    ['a block twice', () => lie((items) => items.toSpliced(5, 0, items[4]!))],
    ['a block less at the end', () => lie((items) => items.slice(0, -1))],
    ['a block less in the middle', () => lie((items) => items.toSpliced(7, 1))],
    ['a block that nothing links to', () => lie((items) => [...items, Uint8Array.of(1, 2, 3)])],
    ['an empty block', () => lie((items) => items.toSpliced(3, 0, new Uint8Array(0)))],
    ['no records', () => lie((items) => items.slice(1))],
    ['garbage for records', () => lie((items) => [Uint8Array.of(0xff, 0xff), ...items.slice(1)])],
    ['another number of blocks', () => lie((items) => items, { blocks: 3 })],
    ['another height', () => lieOfRecords((records) => records, { height: 5 })],
    ['no headers', header(() => [])],
    ['a header less', header((headers) => headers.slice(1))],
    ['a header too many', header((headers) => [headers[0]!, ...headers])],
    ['headers in another order', header((headers) => [headers[1]!, headers[0]!, ...headers.slice(2)])],
    ['a malformed header', header((headers) => [...headers.slice(0, -1), Uint8Array.of(0x83, 1)])],
    [
      'a header with bytes behind',
      header((headers) => [...headers.slice(0, -1), Uint8Array.from([...headers.at(-1)!, 0])]),
    ],
    ['no settings', settings(() => new Uint8Array(0))],
    ['malformed settings', settings(() => Uint8Array.of(0x0a, 0x7f))],
    [
      'a validator without power',
      settings((bytes) => {
        const { params, validators } = decodeSettings(bytes)
        const none = [...validators].map(([address, update]) => [address, { ...update, power: 0n }] as const)
        return encodeSettings({ params, validators: new Map(none) })
      }),
    ],
    ['code that is no CID', installed(['code'])],
    ['code of another kind', installed([cidOf(DAG_CBOR, Uint8Array.of(0x80))])],
    ['code that does not come', installed([cidOf(RAW, Uint8Array.of(7))])],
  ]
  test.each(lies)('%s', async (_, given) => {
    const late = openEmpty()
    const before = (late.store as MemoryChainStore).blocks.size
    const { snapshot, chunks, appHash } = given()
    expect((await late.offerSnapshot({ snapshot, appHash })).result).toBe(OfferResult.Accept)
    const results: number[] = []
    for (const [index, chunk] of chunks.entries()) {
      results.push((await late.applySnapshotChunk({ index, chunk, sender: 'liar' })).result)
      if (results.at(-1) !== Accept) break
    }
    expect(results.at(-1)).toBe(RejectSnapshot)
    expectUntouched(late, before)
    // The truth is taken all the same.
    expect((await restore(late, made)).at(-1)).toBe(Accept)
    expect(late.head).toEqual(made.application.head)
  })
})

describe.skipIf(!hasOwnBundle)('a process that dies while it restores', () => {
  test.each([0, 1, 2])('after %i chunks begins afresh', async (count) => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-restore-'))
    try {
      const store = openStore(folder)
      const dying = openEmpty(store)
      await store.commit()
      await restore(dying, { ...made, chunks: made.chunks.slice(0, count) })
      // Nothing that was not durable is there for the next life.
      await store.close()
      const next = openStore(folder)
      const late = openEmpty(next)
      expect(late.head.height).toBe(0)
      expect([...next.recordKeys(RESTORED_KEYS.start, RESTORED_KEYS.end)]).toEqual([])
      for (const item of itemsOf(made.chunks).slice(1)) {
        const cid = cidOf(DAG_CBOR, item)
        if (item.length > 100_000) expect(next.has(cid)).toBe(false)
      }
      expect((await restore(late, made)).at(-1)).toBe(Accept)
      await late.close()
      const after = openStore(folder)
      expect(openEmpty(after).head).toEqual(made.application.head)
      await after.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

test.skipIf(!hasOwnBundle)('what was put alongside is there when the state is, and not before', async () => {
  const late = openEmpty()
  let puts = 0
  late.restoreWith(() => puts++)
  await restore(late, { ...made, chunks: made.chunks.slice(0, -1) })
  expect(puts).toBe(0)
  await restore(late, made)
  expect(puts).toBe(1)
})
