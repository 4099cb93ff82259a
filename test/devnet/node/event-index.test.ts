import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { txHash } from '../../../devnet/consensus/hash.ts'
import type { Block } from '../../../devnet/consensus/wire.ts'
import { BlockStore } from '../../../devnet/node/block-store.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import type { ChainStore } from '../../../devnet/node/ports.ts'
import { openStore } from '../../../devnet/node/store.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import { addBlock, openChain, type TestChain } from './consensus-fixture.ts'
import { KvApplication } from './kv-application.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const open = (store: ChainStore = new MemoryChainStore()): TestChain =>
  openChain(new KvApplication(), { store, durability: 'together' })

/** All that the index has written. */
const keysOf = (store: ChainStore): readonly string[] => [...store.recordKeys('X', 'Y')].filter((key) => key !== 'Xs')

/** What was answered again, with other codes or an event. */
function answer(chain: TestChain, block: Block, code: number, value?: string): void {
  const response = chain.blocks.response(block.header.height)!
  const attributes = value === undefined ? [] : [{ key: 'k', value, index: true }]
  const txResults = response.txResults.map((result) => ({ ...result, code, events: [{ type: 'e', attributes }] }))
  chain.blocks.putResponse(block, { ...response, txResults })
}

const HASH = txHash(encodeUtf8('a=1'))

describe('the index of events', () => {
  test('has nothing of a block in which nothing happened', async () => {
    const chain = open()
    await addBlock(chain)
    await addBlock(chain)
    expect(keysOf(chain.store)).toEqual([])
  })

  test('keeps an earlier success when a later inclusion fails, and takes a later success', async () => {
    const chain = open()
    const blocks: Block[] = []
    for (const code of [7, 0, 8, 0, 9]) {
      const { block } = await addBlock(chain, ['b=1', 'a=1'])
      answer(chain, block, code)
      blocks.push(block)
    }
    const { events } = chain.blocks
    const at = (highest: bigint) => events!.txAt(HASH, highest)?.height
    expect([0n, 1n, 2n, 3n, 4n, 5n].map(at)).toEqual([undefined, 1n, 2n, 2n, 4n, 4n])
    expect(events!.txAt(HASH, 5n)).toEqual({ height: 4n, index: 1 })
    // The same once more changes nothing.
    answer(chain, blocks[4]!, 9)
    expect(at(5n)).toBe(4n)
  })

  test('goes back with the chain, and leaves nothing behind', async () => {
    const chain = open()
    const first = await addBlock(chain, ['a=1'])
    answer(chain, first.block, 0, 'x'.repeat(500))
    const keys = keysOf(chain.store)
    expect(keys).toHaveLength(2)
    for (const txs of [['a=1', 'c=1'], [], ['a=1']]) {
      const { block } = await addBlock(chain, txs)
      answer(chain, block, 0, 'y')
    }
    expect(chain.blocks.events!.txAt(HASH, 4n)?.height).toBe(4n)
    expect(keysOf(chain.store).length).toBeGreaterThan(keys.length)
    chain.blocks.rewind(1n)
    expect(keysOf(chain.store)).toEqual(keys)
    expect(chain.blocks.events!.txAt(HASH, 4n)).toEqual({ height: 1n, index: 0 })
    chain.blocks.rewind(0n)
    expect(keysOf(chain.store)).toEqual([])
  })

  test('goes with the blocks that are pruned', async () => {
    const chain = open()
    for (let i = 0; i < 4; i++) await addBlock(chain, [`a=${i}`])
    chain.blocks.prune(3n)
    expect(keysOf(chain.store)).toHaveLength(2)
    expect(chain.blocks.events!.txAt(txHash(encodeUtf8('a=0')), 9n)).toBeUndefined()
    expect(chain.blocks.events!.txAt(txHash(encodeUtf8('a=3')), 9n)?.height).toBe(4n)
  })

  test('is durable with its block, and read after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-index-'))
    folders.push(folder)
    const store = openStore(folder)
    const chain = open(store)
    await addBlock(chain, ['a=1'])
    await chain.store.commit()
    // What is put after the last commit is gone.
    await addBlock(chain, ['b=1'])
    const { block } = await addBlock(chain, ['c=1'])
    answer(chain, block, 0, 'late')
    await store.close()
    const again = openStore(folder)
    const blocks = new BlockStore(again)
    expect(blocks.events!.isComplete).toBe(true)
    expect(blocks.events!.txAt(HASH, 9n)).toEqual({ height: 1n, index: 0 })
    await again.close()
  })

  test('is made of the blocks when they came without it', async () => {
    const chain = open()
    await addBlock(chain, ['a=1'])
    const complete = keysOf(chain.store)
    const plain = open()
    const without = openChain(new KvApplication(), { store: plain.store, durability: 'together' })
    expect(without.blocks.events!.isComplete).toBe(true)
    const silent = new BlockStore(plain.store, 'not indexed')
    const { block, bytes, blockId, commit } = await addBlock(open(), ['a=1'])
    silent.putBlock({ block, bytes, blockId, commit })
    silent.putResponse(block, chain.blocks.response(1n)!)
    expect(silent.events).toBeNull()
    expect(keysOf(plain.store)).toEqual([])
    const indexed = new BlockStore(plain.store)
    expect(keysOf(plain.store)).toEqual(complete)
    expect(indexed.events!.txAt(HASH, 1n)).toEqual({ height: 1n, index: 0 })
  })

  test('skips what nobody can ask for', async () => {
    const chain = open()
    const { block } = await addBlock(chain, ['a=1'])
    const before = keysOf(chain.store).length
    const response = chain.blocks.response(1n)!
    const attributes = [
      { key: '', value: '1', index: true },
      { key: 'with space', value: '1', index: true },
      { key: 'zero\0', value: '1', index: true },
      { key: 'k'.repeat(600), value: '1', index: true },
      { key: 'plain', value: '1', index: false },
    ]
    const reserved = { type: 'tx', attributes: [{ key: 'height', value: '9', index: true }] }
    const events = [
      { type: 'e', attributes },
      { type: '', attributes: [{ key: 'k', value: '1', index: true }] },
      reserved,
    ]
    chain.blocks.putResponse(block, { ...response, txResults: [{ ...response.txResults[0]!, events }] })
    expect(keysOf(chain.store)).toHaveLength(before)
  })
})
