import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Amt, amtRoot } from '../../../devnet/ipld/amt.ts'
import { MemoryBlockstore, MissingBlockError } from '../../../devnet/ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid, RAW } from '../../../devnet/ipld/cid.ts'
import { type CborInput, CborWriter, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { fromHex } from '../../../devnet/primitives/bytes.ts'

const item = (text: string) => encodeCbor(new TextEncoder().encode(text))
const INDEX_MAX = (1n << 64n) - 2n

// Roots that ref-fvm's own tests expect (`ipld/amt/tests/amt_tests.rs`), bit width 3.
describe('roots are those of the reference', () => {
  test.each<[string, readonly (readonly [number | bigint, string])[], string]>([
    ['one value', [[2, 'foo']], 'bafy2bzacedv5uu5za6oqtnozjvju5lhbgaybayzhw4txiojw7hd47ktgbv5wc'],
    [
      'three, two levels deep',
      [
        [2, 'foo'],
        [11, 'bar'],
        [79, 'baz'],
      ],
      'bafy2bzacecughjbclx3lbqwibrwc6pe7nttlc3qewedsrayghsvh5j5lpofiq',
    ],
    [
      'the highest indices',
      [
        [INDEX_MAX, 'what is up'],
        [INDEX_MAX - 1n, 'what is up'],
      ],
      'bafy2bzacecl3zuubhdvkojg6uhbu4mebaehx554q6algfjitqiivvnrqprkxo',
    ],
    ['one at 24', [[24, 'dog']], 'bafy2bzacebnnxpurpb3zqqr22i7ch4uruz6hgykn3ryzoo4hh3ox2m2kufsvg'],
    [
      'five thousand',
      Array.from({ length: 5000 }, (_, i) => [i, 'foo foo bar'] as const),
      'bafy2bzacecfquuqzqzlox25aynodzw2qhxijdzfvno6tibyes3kb6nd3f7uxa',
    ],
    [
      'every third of ten thousand',
      Array.from({ length: 3333 }, (_, i) => [3 * i + 2, 'value'] as const),
      'bafy2bzaceanqxtbsuyhqgxubiq6vshtbhktmzp2if4g6kxzttxmzkdxmtipcm',
    ],
  ])('%s', (_, values, root) => {
    const amt = Amt.empty(new MemoryBlockstore(), 3)
    for (const [index, value] of values) amt.set(index, item(value))
    expect(formatCid(amt.flush())).toBe(root)
    expect(amt.count).toBe(BigInt(values.length))
  })

  test('after deletions have lowered the tree', () => {
    const store = new MemoryBlockstore()
    const amt = Amt.empty(store, 3)
    amt.set(0, item('cat'))
    amt.set(27, item('cat'))
    expect(amt.delete(27)).toBe(true)
    expect(amt.delete(27)).toBe(false)
    expect(formatCid(amt.flush())).toBe('bafy2bzacecmxrjeri2ojuy3riae2mpbnztx2hqggqgkcrxao2nwpga77j2vqe')
    amt.delete(0)
    amt.set(1, item('thing'))
    amt.set(37, item('other'))
    const again = Amt.load(store, amt.flush(), 3)
    again.delete(37)
    expect(formatCid(again.flush())).toBe('bafy2bzacebmkyah6kppbszluix3g332hntzx6wfdcqcr5hjdsaxri5jhgrdmo')
  })
})

type Step =
  | { readonly kind: 'set'; readonly index: number; readonly value: string }
  | { readonly kind: 'delete'; readonly index: number }
  | { readonly kind: 'reload' }

const index = fc.oneof(fc.nat(70), fc.nat(5000))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), index, value: fc.constantFrom('a', 'b') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), index }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reload' as const }) },
)

test('whatever happened, it equals an array of the same content, root included', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.constantFrom(1, 2, 3, 5, 8), (steps, bitWidth) => {
      const store = new MemoryBlockstore()
      const model = new Map<bigint, Uint8Array>()
      let amt = Amt.empty(store, bitWidth)
      for (const each of steps) {
        if (each.kind === 'reload') amt = Amt.load(store, amt.flush(), bitWidth)
        else if (each.kind === 'delete') expect(amt.delete(each.index)).toBe(model.delete(BigInt(each.index)))
        else {
          amt.set(each.index, item(each.value))
          model.set(BigInt(each.index), item(each.value))
        }
      }
      const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
      expect([...amt.entries()]).toEqual(sorted)
      for (const [at, value] of sorted) expect(amt.get(at)).toEqual(value)
      const fresh = Amt.empty(new MemoryBlockstore(), bitWidth)
      for (const [at, value] of sorted.reverse()) fresh.set(at, value)
      expect(amt.flush()).toBe(fresh.flush())
      expect(amt.count).toBe(BigInt(model.size))
    }),
    { numRuns: 60 },
  )
})

test('absent indices are absent, near and far', () => {
  const amt = Amt.empty(new MemoryBlockstore(), 5)
  amt.set(3, item('x'))
  for (const at of [0, 4, 32, 1000, INDEX_MAX]) expect(amt.get(at)).toBeUndefined()
})

test.each([-1, 0.5, 2 ** 53, -1n, INDEX_MAX + 1n])('%s is no index', (at) => {
  const amt = Amt.empty(new MemoryBlockstore(), 5)
  expect(() => amt.set(at, item('x'))).toThrow(expect.objectContaining({ code: 'INDEX' }))
  expect(() => amt.get(at)).toThrow(expect.objectContaining({ code: 'INDEX' }))
})

describe('refuses', () => {
  const store = new MemoryBlockstore()
  const child = put(store, [fromHex('01'), [], [1]])
  const empty = put(store, [fromHex('00'), [], []])
  const raw = cidOf(RAW, Uint8Array.of(1))

  test.each<[string, CborInput, string]>([
    ['another width', [4, 0, 0, [fromHex('0000'), [], []]], 'BIT_WIDTH'],
    ['a height that 64 bits do not need', [3, 22, 1, [fromHex('01'), [{ link: child }], []]], 'HEIGHT'],
    ['a count without values', [3, 0, 1, [fromHex('00'), [], []]], 'COUNT'],
    ['values without a count', [3, 0, 0, [fromHex('01'), [], [1]]], 'COUNT'],
    ['a bitmap of another size', [3, 0, 1, [fromHex('0100'), [], [1]]], 'NODE'],
    ['fewer values than bits', [3, 0, 2, [fromHex('03'), [], [1]]], 'NODE'],
    ['links in a leaf', [3, 0, 1, [fromHex('01'), [{ link: child }], []]], 'NODE'],
    ['values above the leaves', [3, 1, 1, [fromHex('01'), [], [1]]], 'NODE'],
    ['a child that is not DAG-CBOR', [3, 1, 1, [fromHex('01'), [{ link: raw }], []]], 'LINK_CODEC'],
    ['the old form of roots', [0, 0, [fromHex('00'), [], []]], 'UNEXPECTED_TYPE'],
  ])('%s', (_, root, code) => {
    expect(() => Amt.load(store, put(store, root), 3)).toThrow(expect.objectContaining({ code }))
  })

  test('an empty node below the root, once it is reached', () => {
    const amt = Amt.load(store, put(store, [3, 1, 1, [fromHex('01'), [{ link: empty }], []]]))
    expect(() => amt.get(0)).toThrow(expect.objectContaining({ code: 'NODE' }))
  })

  test('a root that is not there', () => {
    expect(() => Amt.load(new MemoryBlockstore(), raw)).toThrow(MissingBlockError)
  })
})

function put(store: MemoryBlockstore, node: CborInput): Cid {
  const bytes = encodeCbor(node)
  const cid = cidOf(DAG_CBOR, bytes)
  store.put(cid, bytes)
  return cid
}

test('the root of an array without gaps is what setting each value gives', () => {
  for (const count of [0, 1, 31, 32, 33, 1023, 1024, 1025, 2000]) {
    const amt = Amt.empty(new MemoryBlockstore(), 5)
    const values = Array.from({ length: count }, (_, i) => new CborWriter().uint(i).finish())
    for (const [index, value] of values.entries()) amt.set(index, value)
    expect(amtRoot(5, values)).toBe(amt.flush())
  }
})
