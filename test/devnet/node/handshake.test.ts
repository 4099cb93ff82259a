import { describe, expect, test } from 'vitest'
import type { ChainState } from '../../../devnet/consensus/chain-state.ts'
import { encode } from '../../../devnet/consensus/schema.ts'
import { FINALIZE_BLOCK_RESPONSE } from '../../../devnet/consensus/wire-abci.ts'
import { BlockExecutor } from '../../../devnet/node/block-executor.ts'
import { BlockStore, type DecidedBlock } from '../../../devnet/node/block-store.ts'
import { HandshakeError, planReplay, shakeHands } from '../../../devnet/node/handshake.ts'
import { addBlock, CrashStore, genesisOf, openChain, powerTx } from './consensus-fixture.ts'
import { EMPTY_DISK, KvApplication, type KvDisk } from './kv-application.ts'

const HEIGHTS = [0, 1, 2, 3] as const

/** Three blocks, the second with a change of validators, and all that was known at each height. */
async function record() {
  const application = new KvApplication()
  const chain = openChain(application)
  const states: ChainState[] = [chain.state]
  const disks: KvDisk[] = [EMPTY_DISK]
  const decided: DecidedBlock[] = []
  for (const txs of [['a=1'], [powerTx(4, 50), 'b=2'], ['bad', 'c=3']]) {
    decided.push(await addBlock(chain, txs))
    states.push(chain.state)
    disks.push(application.disk)
  }
  const responses = [1n, 2n, 3n].map((height) => chain.blocks.response(height)!)
  return { states, disks, decided, responses }
}

const recorded = record()

/** Blocks up to `s`, the state after `t`, an application that has committed `a`. */
async function openAt(s: number, t: number, a: number) {
  const { states, disks, decided, responses } = await recorded
  const store = new CrashStore()
  const written = new BlockStore(store)
  if (t > 0 || s > 0) written.putGenesis(states[0]!)
  for (let height = 1; height <= Math.max(s, t); height++) {
    if (height <= s) written.putBlock(decided[height - 1]!)
    if (height <= Math.max(t, a)) written.putResponse(decided[height - 1]!.block, responses[height - 1]!)
    if (height <= t) written.putState(states[height]!)
  }
  await store.commit()
  const application = new KvApplication(disks[a])
  const blocks = new BlockStore(store.survivor())
  const options = { application, blocks, store, timeRule: 'median', durability: 'apart' } as const
  return { application, blocks, executor: new BlockExecutor(options) }
}

/** What CometBFT does: a code where it gives up, else what the application is asked. */
function expected(s: number, t: number, a: number): string | readonly string[] {
  const begin = a === 0 ? ['initChain'] : []
  const blocks = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => [`finalizeBlock ${from + i}`, 'commit']).flat()
  if (s === 0) return a === t ? begin : t > 0 && a > 0 ? 'APP_HASH' : t === 0 ? 'APP_AHEAD' : 'APP_HASH'
  if (a > s) return 'APP_AHEAD'
  if (s < t) return 'BLOCKS_BEHIND_STATE'
  if (s > t + 1) return 'STATE_BEHIND'
  if (s === t) return [...begin, ...blocks(a + 1, s)]
  return a === s ? [] : [...begin, ...blocks(a + 1, s)]
}

describe('the handshake', () => {
  const cases = HEIGHTS.flatMap((s) => HEIGHTS.flatMap((t) => HEIGHTS.map((a) => [s, t, a] as const)))

  test.each(cases)('with blocks to %i, the state at %i and the application at %i', async (s, t, a) => {
    const { states, disks } = await recorded
    const { application, blocks, executor } = await openAt(s, t, a)
    const outcome = expected(s, t, a)
    const shaken = shakeHands(genesisOf(), application, executor)
    if (typeof outcome === 'string') {
      await expect(shaken).rejects.toThrowError(expect.objectContaining({ name: HandshakeError.name, code: outcome }))
      return
    }
    const state = await shaken
    expect(application.calls).toEqual(outcome)
    if (s === 0) return
    expect(state).toEqual(states[s])
    expect(application.disk).toEqual(disks[s])
    expect(blocks.state).toEqual(states[s])
    expect(blocks.response(BigInt(s))).toEqual((await recorded).responses[s - 1])
  })

  test('refuses an application that has become another', async () => {
    const { disks } = await recorded
    const { application, executor } = await openAt(3, 3, 1)
    application.disk = { ...disks[1]!, appHash: 'x'.repeat(32) }
    await expect(shakeHands(genesisOf(), application, executor)).rejects.toThrowError(
      expect.objectContaining({ fault: expect.objectContaining({ code: 'APP_HASH', height: 1n }) }),
    )
  })

  test('refuses an answer that was stored with another hash than the application has', async () => {
    const { application, executor, blocks } = await openAt(3, 2, 3)
    const response = { ...blocks.response(3n)!, appHash: 'y'.repeat(32) }
    expect(encode(FINALIZE_BLOCK_RESPONSE, response).length).toBeGreaterThan(32)
    blocks.putResponse(blocks.block(3n)!, response)
    await expect(shakeHands(genesisOf(), application, executor)).rejects.toThrowError(
      expect.objectContaining({ code: 'APP_HASH' }),
    )
    expect(blocks.state!.lastHeight).toBe(2n)
  })

  test('refuses a genesis without validators', async () => {
    const { application, executor } = await openAt(0, 0, 0)
    await expect(shakeHands(genesisOf({ validators: [] }), application, executor)).rejects.toThrowError(
      expect.objectContaining({ code: 'GENESIS_REFUSED' }),
    )
  })
})

describe('a plan', () => {
  const heights = { application: 0n, base: 1n, blocks: 9n, state: 9n, initial: 1n }

  test.each([
    ['an application below the pruned blocks', { base: 5n, application: 3n }, 'APP_BEHIND_PRUNED'],
    ['a wiped application over pruned blocks', { base: 5n }, 'APP_BEHIND_PRUNED'],
    ['a negative height', { application: -1n }, 'APP_HEIGHT_NEGATIVE'],
  ])('refuses %s', (_, overrides, code) => {
    expect(() => planReplay({ ...heights, ...overrides })).toThrowError(expect.objectContaining({ code }))
  })

  test('begins at the initial height, and where pruning left off', () => {
    expect(planReplay({ ...heights, initial: 4n, base: 4n })).toEqual({ from: 4n, to: 9n, last: 'nothing' })
    expect(planReplay({ ...heights, base: 5n, application: 4n })).toEqual({ from: 5n, to: 9n, last: 'nothing' })
  })
})
