/** What the index of events costs: the same blocks written with and without it, in processor time; and what a search takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finalized } from '../../devnet/node/block-executor.ts'
import { BlockStore } from '../../devnet/node/block-store.ts'
import { openDevnet } from '../../devnet/node/devnet.ts'
import { parseQuery } from '../../devnet/node/event-query.ts'
import { searchTxs } from '../../devnet/node/event-search.ts'
import { openStore } from '../../devnet/node/store.ts'
import { encodeTransaction } from '../../devnet/node/transaction.ts'
import { formatAddress } from '../../devnet/state/address.ts'
import { signAll, submitAll } from './chain.ts'
import { report, timeOfAsync } from './report.ts'

const EMPTY_BLOCKS = 1000
const RUNS = 5

export async function benchIndex(): Promise<void> {
  const devnet = openDevnet({ accounts: 100 })
  const finalized: Finalized[] = []
  devnet.chain.consensus!.onFinalized((one) => finalized.push(one))
  await devnet.chain.mine(EMPTY_BLOCKS)
  const empty = finalized.splice(0)
  const txs = signAll(devnet.accounts, 0).map(encodeTransaction)
  await submitAll(devnet, txs)
  const full = finalized.splice(0)
  const costs = { empty: [] as number[], full: [] as number[] }
  for (let run = 0; run < RUNS; run++) {
    const [without, plain] = await write('not indexed', empty, full)
    const [withIndex, indexed] = await write('indexed', empty, full)
    costs.empty.push(((withIndex - without) / empty.length) * 1000)
    costs.full.push(((indexed - plain) / txs.length) * 1000)
  }
  report('index of events, processor time for an empty block', 'us', costs.empty)
  report('index of events, processor time for a transfer', 'us', costs.full)
  const { blocks, accounts } = { blocks: devnet.chain.blocks!, accounts: devnet.accounts }
  const query = parseQuery(`message.from = '${formatAddress(accounts[7]!.address, 't')}'`)
  const times: number[] = []
  for (let i = 0; i < 50; i++) times.push(await timeOfAsync(() => searchTxs(blocks, query)))
  report('tx_search by sender, 100 of 10,000 transactions', 'ms', times)
  await devnet.close()
}

/** Processor milliseconds for the empty blocks and for the others. */
async function write(index: 'indexed' | 'not indexed', ...groups: readonly (readonly Finalized[])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-index-'))
  const store = openStore(folder, { durability: 'relaxed' })
  const blocks = new BlockStore(store, index)
  const spent: number[] = []
  for (const group of groups) {
    const before = process.cpuUsage()
    for (const { decided, response, state } of group) {
      blocks.putBlock(decided)
      blocks.putResponse(decided.block, response)
      blocks.putState(state)
      await store.commit()
    }
    const { user, system } = process.cpuUsage(before)
    spent.push((user + system) / 1000)
  }
  await store.close()
  rmSync(folder, { recursive: true })
  return spent as [number, number]
}
