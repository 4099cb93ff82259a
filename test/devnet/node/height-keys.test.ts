import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { heightKey } from '../../../devnet/node/height-keys.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { openStore } from '../../../devnet/node/store.ts'
import { openTestDevnet } from './chain-fixture.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

test('keys have the order of heights, then that in which records are put', () => {
  const heights = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const keys = heights.flatMap((height) =>
    (['block', 'extended', 'response', 'executed'] as const).map((record) => heightKey(record, height)),
  )
  expect(keys).toEqual([...new Set(keys)].sort())
  expect(heightKey('block', 7)).toBe(heightKey('block', 7n))
})

test('nothing of a chain lies behind them', async () => {
  const store = new MemoryChainStore()
  const devnet = openTestDevnet({ store })
  await devnet.chain.mine(3)
  const keys = [...store.recordKeys('', '\xff')]
  const first = keys.indexOf(heightKey('executed', 0))
  expect(first).toBeGreaterThan(0)
  expect(keys.slice(first).map((key) => key.slice(0, 9))).toEqual(
    [0, 1, 1, 1, 2, 2, 2, 3, 3, 3].map((height) => heightKey('block', height).slice(0, 9)),
  )
  await devnet.close()
})

test('so an empty block takes hardly more of the disk than its bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-heights-'))
  folders.push(folder)
  const store = openStore(folder, { durability: 'relaxed' })
  const devnet = openTestDevnet({ store })
  await devnet.chain.mine(100)
  const before = store.sizeBytes()
  await devnet.chain.mine(300)
  const each = (store.sizeBytes() - before) / 300
  const bytes = ['block', 'response', 'executed'] as const
  const kept = bytes.reduce((sum, record) => sum + store.getRecord(heightKey(record, 400))!.length, 0)
  expect(kept).toBeGreaterThan(500)
  // Keys, the index by hash, and what is left of pages that the next record does not fit into.
  expect(each).toBeLessThan(kept * 1.5)
  await devnet.close()
})
