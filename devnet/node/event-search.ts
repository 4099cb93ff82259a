/**
 * Searches for transactions and blocks by their events. All conditions must hold for one event, but for those about hash and
 * height; bounds on one key must hold for one value. How much one search may read is limited, and others get their turn in
 * between.
 *
 * @source CometBFT v0.38.25 `state/txindex/kv/kv.go`, `state/indexer/block/kv/kv.go`; spec consensus §5.4–5.5
 */

import { fromHex, toBinary } from '../primitives/bytes.ts'
import type { BlockStore } from './block-store.ts'
import { type EventIndex, type EventPlace, type IndexKind, placeName, type TxPlace } from './event-index.ts'
import { type Condition, compileIndexedCondition, type EventQuery, isRange } from './event-query.ts'

/** Keys of the index and heights that one search reads, at most. */
export const SEARCH_READS_MAX = 100_000
/** Keys that are read before others get their turn. */
const PAGE_SIZE = 1024

export type SearchFault = 'NOT_INDEXED' | 'SEARCH_TOO_WIDE' | 'BAD_HASH'

/** The search cannot be answered; nothing is wrong with the chain. */
export class SearchError extends Error {
  override readonly name = 'SearchError'
  readonly code: SearchFault
  constructor(code: SearchFault, message: string) {
    super(message)
    this.code = code
  }
}

/** Ascending. @throws SearchError */
export async function searchTxs(blocks: BlockStore, query: EventQuery): Promise<readonly TxPlace[]> {
  const index = indexOf(blocks)
  const byHash = query.conditions.find(({ tag }) => tag === 'tx.hash')
  if (byHash !== undefined) {
    const place = index.txAt(readHash(byHash), blocks.published)
    return place === undefined ? [] : [place]
  }
  const { heights, others } = splitConditions(query, 'tx.height', blocks)
  const budget = new Budget()
  const places =
    others.length === 0
      ? await txsAt(blocks, heights, budget)
      : await searchEvents(index, 'tx', others, heights, budget)
  const shared = await sharedTxs(index, heights, budget)
  const found = new Map<string, TxPlace>()
  for (const { height, index: at } of places) {
    // A transaction is found once: where a search for its hash finds it.
    const hash = shared.get(placeName({ height, index: at }))
    const place = hash === undefined ? { height, index: at } : index.txAt(hash, blocks.published)
    if (place !== undefined) found.set(placeName(place), place)
  }
  return [...found.values()].sort((a, b) => Number(a.height - b.height) || a.index - b.index)
}

async function sharedTxs(index: EventIndex, heights: Heights, budget: Budget): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (let after: string | null = null, isLast = heights.lowest > heights.highest; !isLast; ) {
    const page: ReturnType<EventIndex['readShared']> = index.readShared(
      heights.lowest,
      heights.highest,
      PAGE_SIZE,
      after,
    )
    for (const [name, hash] of page.shared) found.set(name, hash)
    after = page.next
    isLast = after === null
    if (budget.spend(page.shared.length)) await yieldTurn()
  }
  return found
}

/** Heights, ascending. @throws SearchError */
export async function searchBlocks(blocks: BlockStore, query: EventQuery): Promise<readonly bigint[]> {
  const { heights, others } = splitConditions(query, 'block.height', blocks)
  const budget = new Budget()
  if (others.length > 0) {
    const places = await searchEvents(indexOf(blocks), 'block', others, heights, budget)
    return [...new Set(places.map(({ height }) => height))].sort((a, b) => Number(a - b))
  }
  const found: bigint[] = []
  for (let height = heights.lowest; height <= heights.highest; height++) {
    if (budget.spend(1)) await yieldTurn()
    if (heights.includes(height)) found.push(height)
  }
  return found
}

function indexOf({ events }: BlockStore): EventIndex {
  if (events === null) throw new SearchError('NOT_INDEXED', 'transaction indexing is disabled')
  return events
}

function readHash({ operand }: Condition): string {
  try {
    return toBinary(fromHex(operand?.text ?? ''))
  } catch {
    throw new SearchError('BAD_HASH', 'error during searching for a hash in the query: no hex')
  }
}

async function txsAt(blocks: BlockStore, heights: Heights, budget: Budget): Promise<readonly TxPlace[]> {
  const places: TxPlace[] = []
  for (let height = heights.lowest; height <= heights.highest; height++) {
    if (budget.spend(1)) await yieldTurn()
    if (!heights.includes(height)) continue
    const count = blocks.txCount(height)
    if (budget.spend(count)) await yieldTurn()
    for (let index = 0; index < count; index++) places.push({ height, index })
  }
  return places
}

/** The heights that a query is about. */
interface Heights {
  readonly lowest: bigint
  readonly highest: bigint
  includes(height: bigint): boolean
}

function splitConditions(query: EventQuery, heightTag: string, { base, published }: BlockStore) {
  const own = query.conditions.filter(({ tag }) => tag === heightTag)
  const tests = own.map(compileIndexedCondition)
  let [lowest, highest] = [base === 0n ? 1n : base, published]
  for (const { operator, operand } of own) {
    if (operand === null || operator === 'CONTAINS') continue
    // Bounds only narrow what is looked at; the conditions themselves decide.
    const [whole = ''] = /^\d+/.exec(operand.text) ?? []
    if (whole === '' || (operand.kind !== 'number' && operator !== '=')) continue
    const bound = BigInt(whole)
    if (operator !== '<' && operator !== '<=' && bound > lowest) lowest = bound
    if (operator !== '>' && operator !== '>=' && bound < highest) highest = bound
  }
  const includes = (height: bigint) => tests.every((holds) => holds(String(height)))
  return {
    heights: { lowest, highest, includes },
    others: query.conditions.filter(({ tag }) => tag !== heightTag),
  }
}

/** Conditions that one value of a key must meet together. */
interface KeyTest {
  readonly tag: string
  readonly value: string | null
  readonly holds: (value: string) => boolean
}

function testsOf(conditions: readonly Condition[]): readonly KeyTest[] {
  const bounds = new Map<string, Condition[]>()
  const tests: KeyTest[] = []
  for (const condition of conditions) {
    const { tag, operator, operand } = condition
    if (isRange(operator)) bounds.set(tag, [...(bounds.get(tag) ?? []), condition])
    else tests.push({ tag, value: operator === '=' ? operand!.text : null, holds: compileIndexedCondition(condition) })
  }
  for (const [tag, list] of bounds) {
    const holds = list.map(compileIndexedCondition)
    tests.push({ tag, value: null, holds: (value) => holds.every((hold) => hold(value)) })
  }
  // Those that know their value read least.
  return tests.sort((a, b) => Number(a.value === null) - Number(b.value === null))
}

async function searchEvents(
  index: EventIndex,
  kind: IndexKind,
  conditions: readonly Condition[],
  heights: Heights,
  budget: Budget,
): Promise<readonly EventPlace[]> {
  let found: ReadonlyMap<string, EventPlace> | null = null
  for (const test of testsOf(conditions)) {
    const next = new Map<string, EventPlace>()
    const range = { kind, tag: test.tag, value: test.value, lowest: heights.lowest, highest: heights.highest }
    for (let after: string | null = null, isLast = false; !isLast; ) {
      const page = index.readPage(range, PAGE_SIZE, after)
      budget.spend(page.read)
      for (const entry of page.entries) {
        if (!heights.includes(entry.height) || !test.holds(entry.value)) continue
        const places = entry.places()
        budget.spend(places.length)
        for (const place of places) {
          const name = `${place.height} ${place.index} ${place.number}`
          if (found === null || found.has(name)) next.set(name, place)
        }
      }
      after = page.next
      isLast = after === null
      if (!isLast) await yieldTurn()
    }
    found = next
    if (found.size === 0) return []
  }
  return [...(found?.values() ?? [])]
}

class Budget {
  #left = SEARCH_READS_MAX
  #sinceTurn = 0

  /** Whether others should get their turn now. @throws SearchError */
  spend(count: number): boolean {
    this.#left -= count
    if (this.#left < 0) {
      const message = `the search reads more than ${SEARCH_READS_MAX} entries; narrow it, by heights or by a value`
      throw new SearchError('SEARCH_TOO_WIDE', message)
    }
    this.#sinceTurn += count
    if (this.#sinceTurn < PAGE_SIZE) return false
    this.#sinceTurn = 0
    return true
  }
}

function yieldTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
