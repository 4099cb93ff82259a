import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ChainState } from '../../../devnet/consensus/chain-state.ts'
import { ABSENT_SIG, verifyExtendedCommit, withoutExtensions } from '../../../devnet/consensus/commit.ts'
import { DEFAULT_PARAMS } from '../../../devnet/consensus/params.ts'
import { FLAG_COMMIT } from '../../../devnet/consensus/wire.ts'
import { identifyBlock } from '../../../devnet/node/block-executor.ts'
import { BlockStore, consensusStateBytes, FULL_INTERVAL } from '../../../devnet/node/block-store.ts'
import { openStore } from '../../../devnet/node/store.ts'
import {
  addBlock,
  bootstrapFrom,
  CrashStore,
  decideBlock,
  genesisOf,
  openChain,
  powerTx,
  type TestChain,
  takeBlock,
} from './consensus-fixture.ts'
import { KvApplication } from './kv-application.ts'

const ABSENT = { ...ABSENT_SIG, extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) }
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Heights 1 to 230: a validator joins at 5, leaves at 140; powers change at 95 and 120. */
async function grow(chain: TestChain, heights = 230): Promise<Map<bigint, ChainState>> {
  const changes: Readonly<Record<number, readonly string[]>> = {
    5: [powerTx(4, 1_000)],
    95: [powerTx(0, 3)],
    120: [powerTx(1, 77), powerTx(2, 1)],
    140: [powerTx(4, 0)],
  }
  const states = new Map<bigint, ChainState>([[0n, chain.state]])
  for (let height = 1; height <= heights; height++) {
    await addBlock(chain, changes[height] ?? [`height=${height}`])
    states.set(BigInt(height), chain.state)
  }
  return states
}

describe('the block store', () => {
  test('finds validators with their priorities, and every earlier state', async () => {
    const chain = openChain(new KvApplication())
    const states = await grow(chain)
    const { blocks } = chain
    for (const [height, state] of states) {
      expect(blocks.validators(height + 1n)).toEqual(state.validators)
      expect(blocks.validators(height + 2n)).toEqual(state.nextValidators)
      expect(blocks.params(height + 1n)).toEqual(state.params)
      expect(blocks.stateAfter(height)).toEqual(state)
    }
    expect(blocks.stateAfter(231n)).toBeUndefined()
  })

  test.each([4, 96, 139])('may begin at block %i, and knows from then on what the others know', async (begun) => {
    const application = new KvApplication()
    const chain = openChain(application)
    await grow(chain, begun)
    const late = await bootstrapFrom(chain, new KvApplication(application.disk))
    expect([late.blocks.base, late.blocks.height, late.blocks.published]).toEqual(Array(3).fill(BigInt(begun)))
    for (let height = begun + 1; height <= 230; height++) {
      const txs = { 95: [powerTx(0, 3)], 120: [powerTx(1, 77), powerTx(2, 1)], 140: [powerTx(3, 5)] }[height]
      await takeBlock(late, await addBlock(chain, txs ?? [`height=${height}`]))
    }
    for (let at = BigInt(begun); at <= 230n; at++) {
      for (const height of [at, at + 1n, at + 2n]) {
        expect(late.blocks.validators(height)).toEqual(chain.blocks.validators(height))
      }
      expect(late.blocks.params(at + 1n)).toEqual(chain.blocks.params(at + 1n))
      const [own, other] = [late.blocks.stateAfter(at)!, chain.blocks.stateAfter(at)!]
      expect(consensusStateBytes(own)).toEqual(consensusStateBytes(other))
      expect(late.blocks.extendedCommit(at)).toEqual(chain.blocks.extendedCommit(at))
    }
    expect(late.blocks.stateAfter(BigInt(begun) - 1n)?.lastHeight ?? null).toBeNull()
    expect(() => late.blocks.bootstrap(late.state, {} as never)).toThrow()
  })

  test('reads after a restart what was written before it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-blocks-'))
    folders.push(folder)
    const store = openStore(folder)
    const chain = openChain(new KvApplication(), { store })
    const decided = await addBlock(chain, ['a=1', 'b'])
    await addBlock(chain)
    const response = chain.blocks.response(1n)!
    expect(response.txResults.map(({ code }) => code)).toEqual([0, 1])
    await store.close()

    const again = openStore(folder)
    const blocks = new BlockStore(again)
    expect(blocks).toMatchObject({ base: 1n, height: 2n, state: chain.state })
    expect(blocks.block(1n)).toEqual(decided.block)
    expect(blocks.blockBytes(1n)).toEqual(decided.bytes)
    expect(blocks.heightOf(decided.blockId.hash)).toBe(1n)
    expect(blocks.meta(1n)).toMatchObject({ blockId: decided.blockId, numTxs: 2n })
    expect(blocks.response(1n)).toEqual(response)
    expect(blocks.commit(1n)).toEqual(blocks.canonicalCommit(1n))
    expect(blocks.canonicalCommit(2n)).toBeUndefined()
    expect(blocks.signedHeader(2n)).toMatchObject({ commit: { height: 2n } })
    expect(blocks.block(3n)).toBeUndefined()
    expect(blocks.block(0n)).toBeUndefined()
    await again.close()
  })

  test('keeps extensions where they are enabled', async () => {
    const params = { ...DEFAULT_PARAMS, abci: { voteExtensionsEnableHeight: 2n } }
    const chain = openChain(new KvApplication(), { genesis: genesisOf({ params }) })
    for (let height = 1; height <= 3; height++) await addBlock(chain)
    const commit = chain.blocks.extendedCommit(3n)!
    const target = { chainId: '7', height: 3n, blockId: chain.blocks.meta(3n)!.blockId }
    expect(verifyExtendedCommit(chain.state.lastValidators, target, commit)).toBeNull()
    expect(commit.extendedSignatures[0]!.extension.length).toBeGreaterThan(0)
    expect(chain.blocks.extendedCommit(1n)!.extendedSignatures[0]!.extension.length).toBe(0)
  })

  test('has the commit that it saw at the tip, and below what the next block carries', async () => {
    const chain = openChain(new KvApplication())
    for (let height = 1; height <= 3; height++) await addBlock(chain)
    const { blocks } = chain
    const decided = decideBlock(chain)
    // What this node saw last has one precommit more than the next block says.
    const [first, ...others] = decided.commit.extendedSignatures
    const carried = { ...decided.commit, extendedSignatures: [{ ...first!, ...ABSENT }, ...others] }
    blocks.putBlock(decided)
    expect(blocks.commit(4n)?.signatures[0]).toMatchObject({ blockIdFlag: FLAG_COMMIT })
    expect(blocks.canonicalCommit(4n)).toBeUndefined()
    const block = { ...decided.block, header: { ...decided.block.header, height: 5n, lastBlockId: decided.blockId } }
    const next = identifyBlock({ ...block, lastCommit: withoutExtensions(carried) })
    blocks.putBlock({ ...next, commit: { ...decided.commit, height: 5n, blockId: next.blockId } })
    expect(blocks.commit(4n)).toEqual(withoutExtensions(carried))
    expect(blocks.canonicalCommit(4n)).toEqual(withoutExtensions(carried))
    expect([3n, 4n, 5n, 6n].map((height) => blocks.commit(height)?.height)).toEqual([3n, 4n, 5n, undefined])
    expect([4n, 5n].map((height) => blocks.meta(height)?.blockId)).toEqual([decided.blockId, next.blockId])
    blocks.rewind(3n)
    expect(blocks.commit(3n)).toEqual(decided.block.lastCommit)
    expect(blocks.meta(3n)?.blockId).toEqual(decided.block.header.lastBlockId)
    expect(blocks.heightOf(decided.blockId.hash)).toBeUndefined()
    blocks.rewind(0n)
    expect([0n, 1n].map((height) => blocks.commit(height))).toEqual([undefined, undefined])
  })

  test('counts the transactions of a block', async () => {
    const chain = openChain(new KvApplication())
    await addBlock(chain, ['a=1', 'b=2', 'c=3'])
    await addBlock(chain)
    expect([1n, 2n, 3n].map((height) => chain.blocks.txCount(height))).toEqual([3, 0, 0])
    expect(chain.blocks.meta(1n)).toMatchObject({ numTxs: 3n, blockSize: BigInt(chain.blocks.blockBytes(1n)!.length) })
  })

  test.each([2n, 99n, 101n, 200n])('forgets the blocks below %s and nothing that others need', async (retain) => {
    const chain = openChain(new KvApplication())
    const states = await grow(chain)
    chain.blocks.prune(retain)
    expect(chain.blocks.base).toBe(retain)
    for (const read of ['block', 'meta', 'commit', 'extendedCommit', 'response', 'validators'] as const) {
      expect(chain.blocks[read](retain - 1n)).toBeUndefined()
    }
    for (let height = retain; height < 230n; height++) {
      expect(chain.blocks.validators(height + 1n)).toEqual(states.get(height)!.validators)
      expect(chain.blocks.params(height + 1n)).toEqual(states.get(height)!.params)
      expect(chain.blocks.block(height)).toBeDefined()
    }
  })

  test('pruned block by block, keeps no more records than a window of them', async () => {
    const store = new CrashStore()
    const chain = openChain(new KvApplication(), { store })
    for (let height = 1n; height <= 5n * FULL_INTERVAL; height++) {
      await addBlock(chain, [`height=${height}`])
      chain.blocks.prune(height - 9n)
    }
    await store.commit()
    // Of each of ten heights the block, its hash, the answer, where its transaction is; of the chain range, commit, the states now and at
    // first, and that its index is complete; of validators and parameters two full records.
    const kept = 10 * 4 + 5 + 2 * 2
    expect(store.keys.length).toBeLessThanOrEqual(kept)
  })

  test.each([0n, 5n, 99n, 139n])('goes back to height %s, and forward again', async (height) => {
    const chain = openChain(new KvApplication())
    const states = await grow(chain)
    const application = new KvApplication()
    const other = openChain(application)
    await grow(other, Number(height))
    expect(chain.blocks.rewind(height)).toEqual(states.get(height))
    expect(chain.blocks).toMatchObject({ height, state: states.get(height) })
    expect(chain.blocks.block(height + 1n)).toBeUndefined()
    const onward = { ...chain, application, state: chain.blocks.state! }
    const executor = openChain(application, { store: chain.store }).executor
    const decided = await addBlock({ ...onward, executor, blocks: executor.blocks }, ['other=branch'])
    expect(decided.block).toEqual((await addBlock(other, ['other=branch'])).block)
  })
})
