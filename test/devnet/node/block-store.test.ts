import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ChainState } from '../../../devnet/consensus/chain-state.ts'
import { verifyExtendedCommit } from '../../../devnet/consensus/commit.ts'
import { DEFAULT_PARAMS } from '../../../devnet/consensus/params.ts'
import { BlockStore, consensusStateBytes, FULL_SET_INTERVAL } from '../../../devnet/node/block-store.ts'
import { openStore } from '../../../devnet/node/store.ts'
import {
  addBlock,
  bootstrapFrom,
  CrashStore,
  genesisOf,
  openChain,
  powerTx,
  type TestChain,
  takeBlock,
} from './consensus-fixture.ts'
import { KvApplication } from './kv-application.ts'

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
    expect(blocks.seenCommit(1n)).toEqual(blocks.canonicalCommit(1n))
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

  test.each([2n, 99n, 101n, 200n])('forgets the blocks below %s and nothing that others need', async (retain) => {
    const chain = openChain(new KvApplication())
    const states = await grow(chain)
    chain.blocks.prune(retain)
    expect(chain.blocks.base).toBe(retain)
    expect(chain.blocks.block(retain - 1n)).toBeUndefined()
    for (let height = retain; height < 230n; height++) {
      expect(chain.blocks.validators(height + 1n)).toEqual(states.get(height)!.validators)
      expect(chain.blocks.params(height + 1n)).toEqual(states.get(height)!.params)
      expect(chain.blocks.block(height)).toBeDefined()
    }
  })

  test('pruned block by block, keeps no more records than a window of them', async () => {
    const store = new CrashStore()
    const chain = openChain(new KvApplication(), { store })
    for (let height = 1n; height <= 5n * FULL_SET_INTERVAL; height++) {
      await addBlock(chain, [`height=${height}`])
      chain.blocks.prune(height - 9n)
    }
    await store.commit()
    const kept = 10 * 8 + 12
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
