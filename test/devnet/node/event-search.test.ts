import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WireExecTxResult } from '../../../devnet/consensus/wire-abci.ts'
import { BlockStore } from '../../../devnet/node/block-store.ts'
import { type Condition, parseQuery } from '../../../devnet/node/event-query.ts'
import { SEARCH_READS_MAX, SearchError, searchBlocks, searchTxs } from '../../../devnet/node/event-search.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { toHex } from '../../../devnet/primitives/bytes.ts'
import { sha256 } from '../../../devnet/primitives/hash.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import { addBlock, openChain, type TestChain } from './consensus-fixture.ts'
import { KvApplication } from './kv-application.ts'

type Event = WireExecTxResult['events'][number]
/** `type`, then `key=value`, indexed, or `key~value`, not. */
type EventText = readonly [string, ...string[]]

function eventOf([type, ...attributes]: EventText): Event {
  return {
    type,
    attributes: attributes.map((text) => {
      const at = text.search(/[=~]/)
      return { key: text.slice(0, at), value: text.slice(at + 1), index: text[at] === '=' }
    }),
  }
}

/** A chain whose transactions, and blocks, have these events. */
interface Happened {
  readonly block: readonly EventText[]
  readonly txs: readonly (readonly EventText[])[]
}

async function chainOf(heights: readonly Happened[]): Promise<TestChain> {
  const chain = openChain(new KvApplication(), { store: new MemoryChainStore() })
  for (const [i, { block: own, txs }] of heights.entries()) {
    const { block } = await addBlock(
      chain,
      txs.map((_, index) => `key${i}.${index}=1`),
    )
    tell(chain, block, own, txs)
  }
  return chain
}

function tell(
  chain: TestChain,
  block: Parameters<BlockStore['putResponse']>[0],
  own: Happened['block'],
  txs: Happened['txs'],
) {
  const response = chain.blocks.response(block.header.height)!
  chain.blocks.putResponse(block, {
    ...response,
    events: own.map(eventOf),
    txResults: response.txResults.map((result, index) => ({ ...result, events: (txs[index] ?? []).map(eventOf) })),
  })
}

const placesOf = async (chain: TestChain, query: string): Promise<readonly string[]> =>
  (await searchTxs(chain.blocks, parseQuery(query))).map(({ height, index }) => `${height}.${index}`)

const transferOf = (from: string, to: string, amount: string): EventText => [
  'transfer',
  `from=${from}`,
  `to=${to}`,
  `amount=${amount}`,
  'memo~secret',
]

describe('a search', () => {
  const LONG = 'v'.repeat(450)
  const opened = chainOf([
    { block: [['epoch', 'number=1']], txs: [[transferOf('a', 'b', '5')], [transferOf('b', 'a', '50')]] },
    { block: [], txs: [] },
    { block: [['epoch', 'number=2', 'kind=long']], txs: [[transferOf('a', 'c', '7'), transferOf('c', 'b', '9')]] },
    { block: [['epoch', 'number=3', 'kind=short']], txs: [[], [['note', `text=${LONG}`, 'text=-4', 'text=3.5']]] },
  ])

  test.each([
    ["transfer.from='a'", '1.0 3.0'],
    ["transfer.from='a' AND transfer.to='b'", '1.0'],
    // Both are there at 3.0, but in two events.
    ["transfer.from='c' AND transfer.to='c'", ''],
    ['transfer.amount=5', '1.0'],
    ['transfer.amount>=7', '1.1 3.0'],
    ['transfer.amount > 5 AND transfer.amount < 9', '3.0'],
    ["transfer.amount > 5 AND transfer.from='a' AND tx.height > 1", '3.0'],
    ["transfer.memo='secret'", ''],
    ['transfer.memo EXISTS', ''],
    ['transfer.from EXISTS', '1.0 1.1 3.0'],
    ["transfer.to CONTAINS 'b'", '1.0 3.0'],
    [`note.text='${LONG}'`, '4.1'],
    [`note.text='${LONG}v'`, ''],
    [`note.text CONTAINS '${LONG}'`, '4.1'],
    ["note.text CONTAINS 'vw'", ''],
    // A bound is about the whole value.
    ['note.text < 4', '4.1'],
    ['note.text > 4', ''],
    ['tx.height=1', '1.0 1.1'],
    ["tx.height='1'", '1.0 1.1'],
    ['tx.height>1 AND tx.height<=4', '3.0 4.0 4.1'],
    ['tx.height=1 AND tx.height=3', ''],
    ['tx.height=0', ''],
    ['tx.height=18446744073709551616', ''],
    ['tx.height EXISTS', '1.0 1.1 3.0 4.0 4.1'],
    ["tx.height CONTAINS '3'", '3.0'],
    ['tx.height > DATE 2020-01-01', ''],
    [`tx.hash='${toHex(sha256(encodeUtf8('key2.0=1')))}'`, '3.0'],
    [`tx.hash='${toHex(sha256(encodeUtf8('key2.0=1'))).toUpperCase()}' AND tx.height=1`, '3.0'],
    ["tx.hash='00'", ''],
    ["epoch.number='1'", ''],
  ])('for transactions with %s finds %s', async (query, expected) => {
    expect((await placesOf(await opened, query)).join(' ')).toBe(expected)
  })

  test.each([
    ['epoch.number >= 2', [3n, 4n]],
    ["epoch.number >= 2 AND epoch.kind = 'long'", [3n]],
    ['epoch.kind EXISTS AND block.height < 4', [3n]],
    ['block.height > 1', [2n, 3n, 4n]],
    ['block.height = 9', []],
    ["transfer.from='a'", []],
  ])('for blocks with %s finds %s', async (query, expected) => {
    expect(await searchBlocks((await opened).blocks, parseQuery(query))).toEqual(expected)
  })

  test('finds nothing above what is published', async () => {
    const chain = await chainOf([{ block: [], txs: [[transferOf('a', 'b', '1')]] }])
    chain.blocks.publish(0n)
    expect(await placesOf(chain, "transfer.from='a'")).toEqual([])
    expect(await placesOf(chain, 'tx.height=1')).toEqual([])
  })

  test('for a hash that is none is refused', async () => {
    await expect(placesOf(await opened, "tx.hash='x'")).rejects.toThrowError(
      expect.objectContaining({ code: 'BAD_HASH' }),
    )
  })

  test('of a node without an index is refused', async () => {
    const chain = await opened
    const blocks = new BlockStore(chain.store, 'not indexed')
    await expect(searchTxs(blocks, parseQuery('a EXISTS'))).rejects.toThrowError(
      expect.objectContaining({ code: 'NOT_INDEXED' }),
    )
  })

  test('that would read too much is refused, and lets others have their turn', async () => {
    const chain = await chainOf([{ block: [], txs: [[]] }])
    const block = chain.blocks.block(1n)!
    const many = Array.from({ length: SEARCH_READS_MAX + 1 }, (_, i): EventText => ['e', `k=${i}`])
    tell(chain, block, [], [many])
    let turns = 0
    let isOver = false
    const takeTurn = (): void => {
      turns++
      if (!isOver) setImmediate(takeTurn)
    }
    takeTurn()
    await expect(placesOf(chain, 'e.k EXISTS')).rejects.toThrowError(SearchError)
    isOver = true
    expect(turns).toBeGreaterThan(20)
    expect(await placesOf(chain, "e.k = '77777' AND tx.height = 1")).toEqual(['1.0'])
  })

  test('finds what a naive reader of all events finds', { timeout: 60_000 }, async () => {
    const key = fc.constantFrom('k', 'l.m', 'n')
    const value = fc.constantFrom('0', '1', '2', '10', '1.5', 'x1', '', 'ab', '-1')
    const attribute = fc.tuple(key, fc.constantFrom('=', '=', '~'), value).map((parts) => parts.join(''))
    const event = fc
      .tuple(fc.constantFrom('a', 'b', ''), fc.array(attribute, { maxLength: 3 }))
      .map(([type, attributes]): EventText => [type, ...attributes])
    const events = fc.array(event, { maxLength: 3 })
    const happened = fc.record({ block: events, txs: fc.array(events, { maxLength: 3 }) })
    const tag = fc.constantFrom('a.k', 'a.l.m', 'b.k', 'b.n', 'HEIGHT')
    const condition = fc.oneof(
      fc
        .tuple(tag, fc.constantFrom('=', '<', '<=', '>', '>='), fc.constantFrom('0', '1', '2', '3', '1.5'))
        .map((c) => c.join(' ')),
      fc.tuple(tag, fc.constantFrom('=', 'CONTAINS'), value).map(([t, o, v]) => `${t} ${o} '${v}'`),
      tag.map((t) => `${t} EXISTS`),
    )
    const query = fc.array(condition, { minLength: 1, maxLength: 3 }).map((list) => list.join(' AND '))
    await fc.assert(
      fc.asyncProperty(
        fc.array(happened, { minLength: 1, maxLength: 4 }),
        fc.array(query, { minLength: 5, maxLength: 10 }),
        async (heights, queries) => {
          const chain = await chainOf(heights)
          for (const text of queries) {
            const ofTxs = text.replaceAll('HEIGHT', 'tx.height')
            expect([ofTxs, await placesOf(chain, ofTxs)]).toEqual([ofTxs, naiveTxs(heights, ofTxs)])
            const ofBlocks = text.replaceAll('HEIGHT', 'block.height')
            const found = await searchBlocks(chain.blocks, parseQuery(ofBlocks))
            expect([ofBlocks, found]).toEqual([ofBlocks, naiveBlocks(heights, ofBlocks)])
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

function naiveTxs(heights: readonly Happened[], query: string): readonly string[] {
  return heights.flatMap(({ txs }, i) =>
    txs.flatMap((events, index) => (naive(events, i + 1, query, 'tx.height') ? `${i + 1}.${index}` : [])),
  )
}

function naiveBlocks(heights: readonly Happened[], query: string): readonly bigint[] {
  return heights.flatMap(({ block }, i) => (naive(block, i + 1, query, 'block.height') ? BigInt(i + 1) : []))
}

/** Some event has all that is asked of events; several bounds on a key are about one value. */
function naive(events: readonly EventText[], height: number, query: string, heightTag: string): boolean {
  const { conditions } = parseQuery(query)
  const others = conditions.filter(({ tag }) => tag !== heightTag)
  const isThere = conditions.every((one) => one.tag !== heightTag || holds(one, String(height)))
  if (!isThere || others.length === 0) return isThere
  return events.map(eventOf).some(({ type, attributes }) =>
    others.every(({ tag, operator }) => {
      const bounds = others.filter((one) => one.tag === tag && isBound(one) && operator !== '=')
      const same = isBound({ operator } as Condition)
        ? bounds
        : others.filter((one) => one.tag === tag && one.operator === operator)
      const values = attributes.filter(({ key, index }) => type !== '' && index && `${type}.${key}` === tag)
      const own = isBound({ operator } as Condition)
        ? values.some(({ value }) => same.every((one) => holds(one, value)))
        : same.every((one) => values.some(({ value }) => holds(one, value)))
      return own
    }),
  )
}

function isBound({ operator }: Condition): boolean {
  return operator.startsWith('<') || operator.startsWith('>')
}

function holds({ operator, operand }: Condition, value: string): boolean {
  if (operand === null) return true
  if (operator === '=') return value === operand.text
  if (operator === 'CONTAINS') return value.includes(operand.text)
  if (!/^-?\d+(\.\d+)?$/.test(value)) return false
  const [a, b] = [Number(value), Number(operand.text)]
  return { '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[operator as '<']
}
