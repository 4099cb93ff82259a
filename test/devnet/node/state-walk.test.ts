import { describe, expect, test } from 'vitest'
import { MemoryBlockstore } from '../../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, IDENTITY, makeCid, RAW, SHA2_256 } from '../../../devnet/ipld/cid.ts'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import { StateWalk, StateWalkError } from '../../../devnet/node/state-walk.ts'
import { sha256 } from '../../../devnet/primitives/hash.ts'

const store = new MemoryBlockstore()

function put(codec: number, bytes: Uint8Array): Cid {
  const cid = cidOf(codec, bytes)
  store.put(cid, bytes)
  return cid
}

function linking(cids: readonly Cid[]): Uint8Array {
  const writer = new CborWriter().array(cids.length)
  for (const cid of cids) writer.link(cid)
  return writer.finish()
}

function walk(...roots: Cid[]): Cid[] {
  const found: Cid[] = []
  const state = new StateWalk(roots)
  for (let cid = state.next(); cid !== undefined; cid = state.next()) {
    found.push(cid)
    state.enter(store.get(cid)!)
  }
  expect(state.count).toBe(found.length)
  return found
}

const leaf = (n: number) => put(RAW, Uint8Array.of(n))

describe('a walk', () => {
  test('comes to each block once, depth first, links as they stand', () => {
    const [a, b, c] = [leaf(1), leaf(2), leaf(3)]
    const left = put(DAG_CBOR, linking([a!, b!]))
    const right = put(DAG_CBOR, linking([b!, left, c!]))
    const root = put(DAG_CBOR, linking([left, right, a!]))
    expect(walk(root)).toEqual([root, left, a, b, right, c])
    expect(walk(root, right, leaf(9))).toEqual([root, left, a, b, right, c, leaf(9)])
  })

  test('of a diamond of a hundred floors ends', () => {
    let floor = leaf(1)
    for (let i = 0; i < 100; i++) floor = put(DAG_CBOR, linking([floor, floor]))
    expect(walk(floor)).toHaveLength(101)
  })

  test('goes as deep as a state is', () => {
    let chain = leaf(1)
    for (let i = 0; i < 50_000; i++) chain = put(DAG_CBOR, linking([chain]))
    expect(walk(chain)).toHaveLength(50_001)
  })

  test('looks into links that hold their block, and leaves those out that name no block of a state', () => {
    const inner = leaf(5)
    const inline = makeCid(DAG_CBOR, IDENTITY, linking([inner]).slice(0, 64))
    const sealed = makeCid(0xf101, 0x1012, new Uint8Array(32))
    const root = put(DAG_CBOR, linking([inline, sealed]))
    expect(walk(root)).toEqual([root, inner])
  })

  test('refuses what is no state', () => {
    const foreign = put(DAG_CBOR, linking([makeCid(DAG_CBOR, SHA2_256, sha256(new Uint8Array(1)))]))
    expect(() => walk(foreign)).toThrowError(
      expect.objectContaining({ name: StateWalkError.name, code: 'NOT_STORABLE' }),
    )
    const garbage = put(DAG_CBOR, Uint8Array.of(0x82, 1))
    expect(() => walk(garbage)).toThrowError(expect.objectContaining({ code: 'NOT_CBOR' }))
  })
})
