import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cid, cidOf, DAG_CBOR, makeCid, SHA2_256 } from '../../../devnet/ipld/cid.ts'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { toBinary } from '../../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'
import { chunksOf, openEmpty, restore, snapshotOf } from './snapshot-fixture.ts'

let devnet: Devnet

const leaf = (n: number) => new CborWriter().array(1).uint(n).finish()
const over = (...cids: Cid[]) =>
  cids.reduce((writer, cid) => writer.link(cid), new CborWriter().array(cids.length)).finish()
const named = (block: Uint8Array) => cidOf(DAG_CBOR, block)

describe.skipIf(!hasOwnBundle)('a state that a power sets', () => {
  let actor: ActorId

  beforeEach(() => {
    devnet = openTestDevnet()
    const { state } = devnet.chain.application.queryMachine().context
    actor = state.resolve(devnet.accounts[0]!.address)!
  })
  afterEach(() => devnet.close())

  const set = async (root: Cid, ...blocks: Uint8Array[]): Promise<number> => {
    const { result } = await devnet.chain.apply([{ power: 'set-state', actor, root, blocks }])
    return result.exitCode
  }

  test('is made of the blocks that come with it, and of those that are there', async () => {
    const [a, b] = [leaf(1), leaf(2)]
    const top = over(named(a), named(b))
    expect(await set(named(top), top, a, b)).toBe(0)
    // The leaves are in the state now.
    const next = over(named(b), named(a), named(b))
    expect(await set(named(next), next)).toBe(0)
    expect(await set(named(a))).toBe(0)
  })

  test('is refused when a block is missing, or of an earlier state, which not every node has', async () => {
    const [a, b] = [leaf(1), leaf(2)]
    const top = over(named(a), named(b))
    expect(await set(named(top), a, b)).toBe(16)
    expect(await set(named(top), top, a)).toBe(16)
    expect(await set(named(top), top, a, b)).toBe(0)
    expect(await set(named(a), a)).toBe(0)
    expect(devnet.chain.application.store.has(named(top))).toBe(true)
    expect(await set(named(top))).toBe(16)
    const { application } = devnet.chain
    const snapshot = await snapshotOf(application)
    const late = openEmpty()
    await restore(late, {
      snapshot,
      chunks: chunksOf(application, snapshot),
      appHash: toBinary(application.head.appHash),
    })
    expect(late.store.has(named(top))).toBe(false)
  })

  test('is refused when it links to what no state may hold, and the chain goes on', async () => {
    const foreign = over(makeCid(DAG_CBOR, SHA2_256, new Uint8Array(32)))
    expect(await set(named(foreign), foreign)).toBe(16)
    const garbage = Uint8Array.of(0x82, 1)
    expect(await set(named(garbage), garbage)).toBe(16)
    expect(await set(named(leaf(3)), leaf(3))).toBe(0)
  })
})
