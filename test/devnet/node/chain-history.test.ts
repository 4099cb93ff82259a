import { describe, expect, test } from 'vitest'
import { type Cid, cidOf, RAW } from '../../../devnet/ipld/cid.ts'
import { ChainHistory, type HistoryEntry } from '../../../devnet/node/chain-history.ts'
import type { BlockHeader } from '../../../devnet/node/chain-records.ts'
import { type ConsensusSettings, NO_SETTINGS } from '../../../devnet/node/consensus-settings.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'

const nameOf = (tx: Uint8Array): Cid => cidOf(RAW, tx)

function header(height: number): BlockHeader {
  return {
    height,
    timeMs: 1000 * height,
    hash: new Uint8Array(32).fill(height),
    parentHash: new Uint8Array(32).fill(Math.max(height - 1, 0)),
    stateRoot: cidOf(RAW, Uint8Array.of(height)),
    appHash: new Uint8Array(32),
    baseFee: 100n,
    nextBaseFee: 100n,
    gasUsed: 0n,
    circulatingSupply: 10n ** 27n,
  }
}

/** A block with one transaction, whose bytes are its height. */
function entry(height: number, change: Partial<HistoryEntry> = {}): HistoryEntry {
  const tx = Uint8Array.of(height)
  return {
    record: { header: header(height), txs: [tx], results: [] },
    names: [[nameOf(tx)]],
    settings: null,
    installed: [],
    ...change,
  }
}

function open(store = new MemoryChainStore()): { store: MemoryChainStore; history: ChainHistory } {
  return { store, history: ChainHistory.open(store, () => header(0)) }
}

function grow(history: ChainHistory, ...entries: readonly HistoryEntry[]): void {
  for (const one of entries) {
    history.put(one)
    history.advance(one.record)
  }
}

const SETTINGS: ConsensusSettings = { ...NO_SETTINGS, validators: new Map() }

describe('the history of a chain', () => {
  test('begins with its genesis, and is found again', () => {
    const { store, history } = open()
    expect(history.head).toEqual(header(0))
    grow(history, entry(1), entry(2))
    const again = ChainHistory.open(store, () => {
      throw new Error('there is a genesis')
    })
    expect(again.head).toEqual(header(2))
    expect(again.block(1)).toEqual(entry(1).record)
    expect(again.locate(nameOf(Uint8Array.of(2)))).toEqual({ height: 2, index: 0 })
  })

  test('knows nothing of a block that is put down and not the head yet', () => {
    const { history } = open()
    history.put(entry(1))
    expect(history.head.height).toBe(0)
    expect(history.block(1)).toBeUndefined()
    expect(history.header(1)).toBeUndefined()
    expect(history.locate(nameOf(Uint8Array.of(1)))).toBeUndefined()
  })

  test('takes back all of a block that cannot be kept', () => {
    const code = cidOf(RAW, Uint8Array.of(9))
    const { store, history } = open()
    grow(history, entry(1, { installed: [code] }))
    const before = [...store.recordKeys('', '\u{ffff}')].map((key) => [key, store.getRecord(key)])
    const takeBack = history.put(entry(2, { settings: SETTINGS, installed: [code, cidOf(RAW, Uint8Array.of(8))] }))
    takeBack()
    expect([...store.recordKeys('', '\u{ffff}')].map((key) => [key, store.getRecord(key)])).toEqual(before)
    expect(history.installed()).toEqual([code])
  })

  test('goes back to a block, and forgets what came after it', () => {
    const [early, late] = [1, 2].map((byte) => cidOf(RAW, Uint8Array.of(100 + byte))) as [Cid, Cid]
    const { store, history } = open()
    grow(history, entry(1, { installed: [early] }), entry(2, { settings: SETTINGS, installed: [late] }), entry(3))
    history.rewind(1, (tx) => [nameOf(tx)])
    expect(history.head).toEqual(header(1))
    expect(history.installed()).toEqual([early])
    expect(history.settingsAfter(3)).toBe(NO_SETTINGS)
    for (const height of [2, 3]) expect(history.locate(nameOf(Uint8Array.of(height)))).toBeUndefined()
    expect(ChainHistory.open(store, () => header(0)).head).toEqual(header(1))
    expect(() => history.rewind(2, () => [])).toThrow(RangeError)
  })
})
