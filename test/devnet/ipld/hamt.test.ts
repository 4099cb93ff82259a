import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MemoryBlockstore, MissingBlockError } from '../../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid, RAW } from '../../../devnet/ipld/cid.ts'
import { type CborInput, decodeCbor, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { Hamt } from '../../../devnet/ipld/hamt.ts'
import { fromHex, toBinary, toHex } from '../../../devnet/primitives/bytes.ts'
import { writeVarint } from '../../../devnet/primitives/varint.ts'

/** A byte string, as the reference's tests have keys and values. */
const bytesOf = (value: string | number) => new TextEncoder().encode(String(value))
const keyOf = (value: string | number) => toBinary(bytesOf(value))
const item = (value: string | number) => encodeCbor(bytesOf(value))

// Roots that ref-fvm's own tests expect (`ipld/hamt/tests/hamt_tests.rs`).
const EMPTY = 'bafy2bzaceamp42wmmgr2g2ymg46euououzfyck7szknvfacqscohrvaikwfay'
const FIRST_200 = 'bafy2bzaceczhz54xmmz3xqnbmvxfbaty3qprr6dq7xh5vzwqbirlsnbd36z7a'
const FIRST_400 = 'bafy2bzacecxcp736xkl2mcyjlors3tug6vdlbispbzxvb75xlrhthiw2xwxvw'

describe('roots are those of the reference', () => {
  test('for decimal keys up to 200, 400, and back', () => {
    const store = new MemoryBlockstore()
    let hamt = Hamt.empty(store)
    expect(formatCid(hamt.flush())).toBe(EMPTY)
    expect(toHex(store.get(hamt.flush())!)).toBe('824080')
    for (let i = 0; i < 200; i++) hamt.set(keyOf(i), item(i))
    expect(formatCid(hamt.flush())).toBe(FIRST_200)
    for (let i = 200; i < 400; i++) hamt.set(keyOf(i), item(i))
    expect(formatCid(hamt.flush())).toBe(FIRST_400)
    hamt = Hamt.load(store, hamt.flush())
    for (let i = 200; i < 400; i++) expect(hamt.delete(keyOf(i))).toBe(true)
    expect(formatCid(hamt.flush())).toBe(FIRST_200)
    for (let i = 0; i < 200; i++) expect(hamt.get(keyOf(i))).toEqual(item(i))
    expect([...hamt.entries()]).toHaveLength(200)
    for (let i = 0; i < 200; i++) hamt.delete(keyOf(i))
    expect(formatCid(hamt.flush())).toBe(EMPTY)
    expect(hamt.isEmpty()).toBe(true)
  })

  test('for a bucket of three and of two', () => {
    const store = new MemoryBlockstore()
    const hamt = Hamt.empty(store, 8)
    for (const [key, value] of [
      ['foo', 'cat dog bear'],
      ['bar', 'cat dog'],
      ['baz', 'cat'],
    ] as const) {
      hamt.set(keyOf(key), item(value))
    }
    expect(formatCid(hamt.flush())).toBe('bafy2bzacebql36crv4odvxzstx2ubaczmawy2tlljxezvorcsoqeyyojxkrom')
    hamt.delete(keyOf('foo'))
    expect(formatCid(hamt.flush())).toBe('bafy2bzaced7up7wkm7cirieh5bs4iyula5inrprihmjzozmku3ywvekzzmlyi')
  })

  test('for one bit per level', () => {
    const hamt = Hamt.empty(new MemoryBlockstore(), 1)
    for (let i = 0; i < 30; i++) hamt.set(keyOf(i), item('filler'))
    expect(formatCid(hamt.flush())).toBe('bafy2bzacebjilcrsqa4uyxuh36gllup4rlgnvwgeywdm5yqq2ks4jrsj756qq')
    hamt.set(keyOf('favorite-animal'), item('bright green bear'))
    expect(formatCid(hamt.flush())).toBe('bafy2bzacea7biyabzk7v7le2rrlec5tesjbdnymh5sk4lfprxibg4rtudwtku')
  })

  test('when a child folds back into a bucket, in order of keys', () => {
    const store = new MemoryBlockstore()
    const key = (i: number) => toBinary(writeVarint(i))
    let hamt = Hamt.empty(store)
    for (let i = 100; i < 195; i++) hamt.set(key(i), encodeCbor(42))
    const root = hamt.flush()
    expect(formatCid(root)).toBe('bafy2bzacebqox3gtng4ytexyacr6zmaliyins3llnhbnfbcrqmhzuhmuuawqk')
    hamt = Hamt.load(store, root)
    hamt.delete(key(104))
    hamt.delete(key(108))
    expect(formatCid(hamt.flush())).toBe('bafy2bzacedlyeuub3mo4aweqs7zyxrbldsq2u4a2taswubudgupglu2j4eru6')
  })
})

type Step =
  | { readonly kind: 'set'; readonly key: number; readonly value: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'reload' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key: fc.nat(120), value: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reload' as const }) },
)

test('whatever happened, it equals a map of the same content, root included', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), fc.constantFrom(1, 2, 3, 5, 8), (steps, bitWidth) => {
      const store = new MemoryBlockstore()
      const model = new Map<string, Uint8Array>()
      let hamt = Hamt.empty(store, bitWidth)
      for (const each of steps) {
        if (each.kind === 'reload') hamt = Hamt.load(store, hamt.flush(), bitWidth)
        else if (each.kind === 'delete') expect(hamt.delete(keyOf(each.key))).toBe(model.delete(keyOf(each.key)))
        else {
          hamt.set(keyOf(each.key), item(each.value))
          model.set(keyOf(each.key), item(each.value))
        }
      }
      for (let key = 0; key <= 120; key++) expect(hamt.get(keyOf(key))).toEqual(model.get(keyOf(key)))
      expect(new Map(hamt.entries())).toEqual(model)
      const fresh = Hamt.empty(new MemoryBlockstore(), bitWidth)
      for (const [key, value] of [...model].sort()) fresh.set(key, value)
      expect(hamt.flush()).toBe(fresh.flush())
    }),
    { numRuns: 40 },
  )
})

test('only changed nodes are written', () => {
  const store = new MemoryBlockstore()
  const first = Hamt.empty(store)
  for (let i = 0; i < 400; i++) first.set(keyOf(i), item(i))
  const root = first.flush()
  const hamt = Hamt.load(store, root)
  const before = store.blocks.size
  hamt.set(keyOf(7), item(7))
  expect(hamt.flush()).toBe(root)
  hamt.delete(keyOf('absent'))
  expect(hamt.flush()).toBe(root)
  expect(store.blocks.size).toBe(before)
  hamt.set(keyOf(7), item('seven'))
  hamt.flush()
  expect(store.blocks.size - before).toBeLessThanOrEqual(3)
})

test('a node is fetched when it is needed, and a missing one is named', () => {
  const store = new MemoryBlockstore()
  const first = Hamt.empty(store)
  for (let i = 0; i < 400; i++) first.set(keyOf(i), item(i))
  const root = first.flush()
  const only = new MemoryBlockstore()
  only.put(root, store.get(root)!)
  const hamt = Hamt.load(only, root)
  expect(() => hamt.get(keyOf(1))).toThrow(MissingBlockError)
  expect(() => Hamt.load(new MemoryBlockstore(), root)).toThrow(
    expect.objectContaining({ code: 'BLOCK_MISSING', cid: root }),
  )
})

describe('refuses', () => {
  const bucket = (...keys: string[]) => keys.map((key) => [bytesOf(key), 1])
  const load = (node: CborInput) => {
    const store = new MemoryBlockstore()
    return Hamt.load(store, put(store, node))
  }
  const bits = (hex: string) => fromHex(hex)

  test.each<[string, CborInput, string]>([
    ['fewer pointers than bits', [bits('03'), [bucket('a')]], 'POINTER_COUNT'],
    ['more pointers than bits', [bits('01'), [bucket('a'), bucket('b')]], 'POINTER_COUNT'],
    ['a bit beyond the width', [bits('0100000000'), [bucket('a')]], 'POINTER_COUNT'],
    ['an empty bucket', [bits('01'), [[]]], 'BUCKET_SIZE'],
    ['a bucket of four', [bits('01'), [bucket('a', 'b', 'c', 'd')]], 'BUCKET_SIZE'],
    ['unsorted keys', [bits('01'), [bucket('b', 'a')]], 'KEY_ORDER'],
    ['a key twice', [bits('01'), [bucket('a', 'a')]], 'KEY_ORDER'],
    ['a child that is not DAG-CBOR', [bits('01'), [{ link: cidOf(RAW, Uint8Array.of(1)) }]], 'LINK_CODEC'],
    ['what is no node', [bits('01')], 'UNEXPECTED_TYPE'],
    ['the old form of pointers', [bits('01'), [new Map([['1', [[bytesOf('a'), 1]]]])]], 'UNEXPECTED_TYPE'],
  ])('%s', (_, node, code) => expect(() => load(node)).toThrow(expect.objectContaining({ code })))

  test('an empty node below the root', () => {
    const store = new MemoryBlockstore()
    const empty = put(store, [bits(''), []])
    expect(Hamt.load(store, empty).isEmpty()).toBe(true)
    const hamt = Hamt.load(store, put(store, [bits('ffffffff'), Array.from({ length: 32 }, () => ({ link: empty }))]))
    expect(() => hamt.get('a')).toThrow(expect.objectContaining({ code: 'EMPTY_NODE' }))
  })

  test('a width it does not have', () => {
    for (const bitWidth of [0, 9, 2.5]) {
      expect(() => Hamt.empty(new MemoryBlockstore(), bitWidth)).toThrow(expect.objectContaining({ code: 'BIT_WIDTH' }))
    }
  })

  test('to go deeper than the hash has bits', () => {
    const store = new MemoryBlockstore()
    const everyBit = (child: Cid) => [bits('ffffffff'), Array.from({ length: 32 }, () => ({ link: child }))]
    let root = put(store, [bits('01'), [bucket('x')]])
    for (let level = 0; level < 60; level++) root = put(store, everyBit(root))
    expect(() => Hamt.load(store, root).get('a')).toThrow(expect.objectContaining({ code: 'DEPTH' }))
  })

  test('to walk over a few nodes that link to one another more often than there is time for', () => {
    const store = new MemoryBlockstore()
    let root = put(store, [bits('01'), [bucket('x')]])
    for (let level = 0; level < 20; level++) {
      root = put(store, [bits('ffffffff'), Array.from({ length: 32 }, () => ({ link: root }))])
    }
    expect(() => [...Hamt.load(store, root).entries()]).toThrow(expect.objectContaining({ code: 'KEY_PLACE' }))
  })

  test('to walk over a node that is below itself', () => {
    const store = new MemoryBlockstore()
    const cid = cidOf(DAG_CBOR, Uint8Array.of(0))
    store.put(cid, encodeCbor([bits('01'), [{ link: cid }]]))
    expect(() => [...Hamt.load(store, cid).entries()]).toThrow(expect.objectContaining({ code: 'DEPTH' }))
  })
})

test('values are kept as they were encoded', () => {
  const store = new MemoryBlockstore()
  const hamt = Hamt.empty(store)
  const value = encodeCbor([1, new Map([['k', 'v']])])
  hamt.set('\0\x01', value)
  const again = Hamt.load(store, hamt.flush())
  expect(again.get('\0\x01')).toEqual(value)
  expect(decodeCbor(again.get('\0\x01')!)).toEqual([1n, new Map([['k', 'v']])])
  expect(again.has('\0')).toBe(false)
})

function put(store: MemoryBlockstore, node: CborInput): Cid {
  const bytes = encodeCbor(node)
  const cid = cidOf(DAG_CBOR, bytes)
  store.put(cid, bytes)
  return cid
}
