import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { BufferedBlockstore, MemoryBlockstore, MissingBlockError } from '../../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, EMPTY_ARRAY_CID, formatCid } from '../../../devnet/ipld/cid.ts'
import { type CborInput, decodeCbor, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { Hamt } from '../../../devnet/ipld/hamt.ts'
import { AssertionError } from '../../../devnet/primitives/assert.ts'
import { fromBinary } from '../../../devnet/primitives/bytes.ts'
import { type Actor, type ActorId, encodeActor, INIT_ACTOR } from '../../../devnet/state/actor.ts'
import { type Address, actorAddress, idAddress } from '../../../devnet/state/address.ts'
import { StateTree } from '../../../devnet/state/state-tree.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import * as any from './arbitraries.ts'

const id = (n: number) => BigInt(n) as ActorId
const actor = (balance: number): Actor => ({
  code: EMPTY_ARRAY_CID,
  state: EMPTY_ARRAY_CID,
  sequence: 0n,
  balance: BigInt(balance) as TokenAmount,
  delegated: null,
})
const addressOf = (n: number) => actorAddress(Uint8Array.of(n))

let store: MemoryBlockstore
beforeEach(() => {
  store = new MemoryBlockstore()
})

function put(value: CborInput): Cid {
  const bytes = encodeCbor(value)
  const cid = cidOf(DAG_CBOR, bytes)
  store.put(cid, bytes)
  return cid
}

/** A tree with an init actor that knows `addressOf(0)` as 100, and goes on at 101. */
function withInit(): StateTree {
  const map = Hamt.empty(store)
  map.set(addressOf(0), encodeCbor(100))
  const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
  tree.setActor(INIT_ACTOR, { ...actor(0), state: put([{ link: map.flush() }, 101, 'net']) })
  return tree
}

describe('the root', () => {
  test('is a version, a map of actors by ID address, and an info object', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    tree.setActor(id(1000), actor(5))
    const root = tree.flush()
    const [version, actors, info] = decodeCbor(store.get(root)!) as [bigint, { link: Cid }, { link: Cid }]
    expect([version, info.link]).toEqual([5n, EMPTY_ARRAY_CID])
    const expected = Hamt.empty(store)
    expected.set(idAddress(1000n), encodeActor(actor(5)))
    expect(actors.link).toBe(expected.flush())
  })

  test('carries the info object through, unread', () => {
    const info = put(['anything'])
    const tree = StateTree.empty(store, info)
    tree.setActor(id(1), actor(1))
    const again = StateTree.load(store, tree.flush())
    again.setActor(id(2), actor(2))
    expect(decodeCbor(store.get(again.flush())!)).toMatchObject([5n, {}, { link: info }])
  })

  test.each<[string, () => Cid, string]>([
    ['missing', () => EMPTY_ARRAY_CID, 'ROOT_MISSING'],
    ['not a tuple of three', () => put([5]), 'ROOT_MALFORMED'],
    ['version 4', () => put([4, { link: EMPTY_ARRAY_CID }, { link: EMPTY_ARRAY_CID }]), 'VERSION'],
    ['without its map', () => put([5, { link: EMPTY_ARRAY_CID }, { link: EMPTY_ARRAY_CID }]), 'BLOCK_MISSING'],
  ])('is refused when it is %s', (_, root, code) => {
    expect(() => StateTree.load(store, root())).toThrow(expect.objectContaining({ code }))
  })
})

describe('actors', () => {
  test('are what was set, before and after a flush', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    expect(tree.getActor(id(7))).toBeUndefined()
    tree.setActor(id(7), actor(1))
    tree.setActor(id(8), actor(2))
    expect(tree.getActor(id(7))).toEqual(actor(1))
    const again = StateTree.load(store, tree.flush())
    expect(again.getActor(id(7))).toEqual(actor(1))
    again.deleteActor(id(7))
    again.deleteActor(id(9))
    expect(again.getActor(id(7))).toBeUndefined()
    const last = StateTree.load(store, again.flush())
    expect(last.getActor(id(7))).toBeUndefined()
    expect(last.getActor(id(8))).toEqual(actor(2))
  })

  test('written as they were leave the root as it was', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    for (let n = 0; n < 50; n++) tree.setActor(id(n), actor(n))
    const root = tree.flush()
    const again = StateTree.load(store, root)
    again.setActor(id(3), actor(99))
    again.setActor(id(3), actor(3))
    again.setActor(id(1000), actor(1))
    again.deleteActor(id(1000))
    expect(again.flush()).toBe(root)
  })

  test('are visited once each, changes included', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    for (let n = 0; n < 10; n++) tree.setActor(id(n), actor(n))
    tree.flush()
    tree.setActor(id(3), actor(33))
    tree.deleteActor(id(4))
    tree.setActor(id(11), actor(11))
    const seen = new Map<ActorId, bigint>()
    tree.forEach((each, { balance }) => {
      expect(seen.has(each)).toBe(false)
      seen.set(each, balance)
    })
    expect(seen.size).toBe(10)
    expect([seen.get(id(3)), seen.get(id(4)), seen.get(id(11))]).toEqual([33n, undefined, 11n])
  })

  test('that are malformed are named', () => {
    const map = Hamt.empty(store)
    map.set(idAddress(5n), encodeCbor([1]))
    const tree = StateTree.load(store, put([5, { link: map.flush() }, { link: EMPTY_ARRAY_CID }]))
    expect(() => tree.getActor(id(5))).toThrow(expect.objectContaining({ code: 'ACTOR_MALFORMED' }))
  })
})

describe('transactions', () => {
  test('nest: the inner one can go while the outer one stays', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    tree.setActor(id(1), actor(1))
    tree.begin()
    tree.setActor(id(1), actor(2))
    tree.begin()
    tree.setActor(id(1), actor(3))
    tree.setActor(id(2), actor(1))
    tree.begin()
    tree.deleteActor(id(1))
    tree.commit()
    expect(tree.getActor(id(1))).toBeUndefined()
    tree.revert()
    expect(tree.getActor(id(1))).toEqual(actor(2))
    expect(tree.getActor(id(2))).toBeUndefined()
    tree.commit()
    expect(tree.getActor(id(1))).toEqual(actor(2))
  })

  test('must be closed before a flush, and opened before they are closed', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    expect(() => tree.commit()).toThrow(AssertionError)
    expect(() => tree.revert()).toThrow(AssertionError)
    tree.begin()
    expect(() => tree.flush()).toThrow(AssertionError)
    tree.revert()
    tree.flush()
  })

  type Step =
    | { readonly kind: 'begin' | 'commit' | 'revert' | 'flush' }
    | { readonly kind: 'set'; readonly id: number; readonly balance: number }
    | { readonly kind: 'delete'; readonly id: number }

  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), id: fc.nat(12), balance: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('begin' as const, 'commit', 'revert', 'flush') }) },
  )

  test('behave as copies of a map would', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const blocks = new MemoryBlockstore()
        const tree = StateTree.empty(blocks, EMPTY_ARRAY_CID)
        let model = new Map<ActorId, Actor>()
        const saved: Map<ActorId, Actor>[] = []
        for (const each of steps) {
          if (each.kind === 'set') {
            tree.setActor(id(each.id), actor(each.balance))
            model.set(id(each.id), actor(each.balance))
          } else if (each.kind === 'delete') {
            tree.deleteActor(id(each.id))
            model.delete(id(each.id))
          } else if (each.kind === 'begin') {
            tree.begin()
            saved.push(new Map(model))
          } else if (each.kind === 'flush') {
            if (saved.length === 0) tree.flush()
          } else if (saved.length > 0) {
            tree[each.kind]()
            const before = saved.pop()!
            if (each.kind === 'revert') model = before
          }
          for (let n = 0; n <= 12; n++) expect(tree.getActor(id(n))).toEqual(model.get(id(n)))
        }
        while (saved.pop()) tree.commit()
        const fresh = StateTree.empty(new MemoryBlockstore(), EMPTY_ARRAY_CID)
        for (const [each, value] of model) fresh.setActor(each, value)
        expect(tree.flush()).toBe(fresh.flush())
      }),
      { numRuns: 50 },
    )
  })
})

describe('addresses', () => {
  test('of ids stand for themselves, whether or not an actor is there', () => {
    expect(StateTree.empty(store, EMPTY_ARRAY_CID).resolve(idAddress(12345n))).toBe(12345n)
  })

  test('are looked up in the init actor', () => {
    const tree = withInit()
    for (let i = 0; i < 2; i++) {
      expect(tree.resolve(addressOf(0))).toBe(100n)
      expect(tree.resolve(addressOf(1))).toBeUndefined()
    }
  })

  test('get the next id when registered, and the init actor its new state', () => {
    const tree = withInit()
    expect(tree.registerAddress(addressOf(1))).toBe(101n)
    expect(tree.registerAddress(addressOf(2))).toBe(102n)
    expect(tree.resolve(addressOf(1))).toBe(101n)
    expect(tree.getActor(id(101))).toBeUndefined()
    const again = StateTree.load(store, tree.flush())
    expect(again.resolve(addressOf(0))).toBe(100n)
    expect(again.resolve(addressOf(2))).toBe(102n)
    const [map, nextId, name] = decodeCbor(store.get(again.getActor(INIT_ACTOR)!.state)!) as [
      { link: Cid },
      bigint,
      string,
    ]
    expect([nextId, name]).toEqual([103n, 'net'])
    expect([...Hamt.load(store, map.link).entries()]).toHaveLength(3)
  })

  test('are forgotten when their transaction is reverted, and their ids given again', () => {
    const tree = withInit()
    tree.begin()
    expect(tree.registerAddress(addressOf(1))).toBe(101n)
    tree.begin()
    expect(tree.registerAddress(addressOf(2))).toBe(102n)
    tree.revert()
    expect(tree.resolve(addressOf(1))).toBe(101n)
    expect(tree.resolve(addressOf(2))).toBeUndefined()
    expect(tree.registerAddress(addressOf(3))).toBe(102n)
    tree.revert()
    for (const n of [1, 2, 3]) expect(tree.resolve(addressOf(n))).toBeUndefined()
    expect(tree.registerAddress(addressOf(4))).toBe(101n)
  })

  test('are seen when the init actor itself writes its state', () => {
    const tree = withInit()
    expect(tree.resolve(addressOf(9))).toBeUndefined()
    const map = Hamt.empty(store)
    map.set(addressOf(9), encodeCbor(500))
    tree.begin()
    tree.setActor(INIT_ACTOR, { ...tree.getActor(INIT_ACTOR)!, state: put([{ link: map.flush() }, 501, 'net']) })
    expect(tree.resolve(addressOf(9))).toBe(500n)
    expect(tree.resolve(addressOf(0))).toBeUndefined()
    tree.revert()
    expect(tree.resolve(addressOf(9))).toBeUndefined()
    expect(tree.resolve(addressOf(0))).toBe(100n)
  })

  test('go into the buffer that the tree was given', () => {
    const root = withInit().flush()
    const buffer = new BufferedBlockstore(store)
    const before = store.blocks.size
    const tree = StateTree.load(buffer, root)
    tree.registerAddress(addressOf(1))
    tree.flush()
    expect(store.blocks.size).toBe(before)
    expect(buffer.buffered.size).toBeGreaterThan(2)
  })

  test.each<[string, (tree: StateTree) => void, string]>([
    ['no init actor', (tree) => tree.deleteActor(INIT_ACTOR), 'INIT_MISSING'],
    ['no state block', (tree) => tree.setActor(INIT_ACTOR, { ...actor(0), state: EMPTY_ARRAY_CID }), 'INIT_MISSING'],
    [
      'a state of another shape',
      (tree) => tree.setActor(INIT_ACTOR, { ...actor(0), state: put([1, 2]) }),
      'INIT_MALFORMED',
    ],
    [
      'an address map that is none',
      (tree) => tree.setActor(INIT_ACTOR, { ...actor(0), state: put([{ link: put([1]) }, 1, 'x']) }),
      'INIT_MALFORMED',
    ],
    [
      'an id that is no integer',
      (tree) => {
        const map = Hamt.empty(store)
        map.set(addressOf(1), encodeCbor('x'))
        tree.setActor(INIT_ACTOR, { ...actor(0), state: put([{ link: map.flush() }, 1, 'x']) })
      },
      'INIT_MALFORMED',
    ],
  ])('with %s end with a code', (_, harm, code) => {
    const tree = withInit()
    harm(tree)
    expect(() => tree.resolve(addressOf(1))).toThrow(expect.objectContaining({ code }))
  })

  test('run out', () => {
    const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
    const map = Hamt.empty(store).flush()
    tree.setActor(INIT_ACTOR, { ...actor(0), state: put([{ link: map }, (1n << 64n) - 1n, 'x']) })
    expect(() => tree.registerAddress(addressOf(1))).toThrow(expect.objectContaining({ code: 'IDS_EXHAUSTED' }))
  })
})

test('every actor survives flush and load', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(any.actorId, any.actor), { maxLength: 30 }), (actors) => {
      const blocks = new MemoryBlockstore()
      const tree = StateTree.empty(blocks, EMPTY_ARRAY_CID)
      for (const [each, value] of actors) tree.setActor(each, value)
      const again = StateTree.load(blocks, tree.flush())
      for (const [each, value] of new Map(actors)) expect(again.getActor(each)).toEqual(value)
    }),
    { numRuns: 30 },
  )
})

test('a damaged tree says which block is missing', () => {
  const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
  for (let n = 0; n < 500; n++) tree.setActor(id(n), actor(n))
  const root = tree.flush()
  const [, actors] = decodeCbor(store.get(root)!) as [bigint, { link: Cid }]
  const damaged = new MemoryBlockstore()
  for (const cid of [root, actors.link]) damaged.put(cid, store.get(cid)!)
  const again = StateTree.load(damaged, root)
  expect(() => again.getActor(id(5))).toThrow(MissingBlockError)
  expect(formatCid(root)).toMatch(/^bafy2bzac/)
  expect(fromBinary(root as string as Address)).toHaveLength(38)
})
