/** Four validators that vote, on disk with full durability: empty blocks, one message, many messages. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devnet, openDevnet } from '../../devnet/node/devnet.ts'
import { openFolderHome } from '../../devnet/node/node-home.ts'
import { encodeTransaction } from '../../devnet/node/transaction.ts'
import { signAll, submitAll } from './chain.ts'
import { quantile, report, timeOfAsync } from './report.ts'

const HEIGHTS = 1000
const SINGLES = 300

async function onDisk(run: (devnet: Devnet) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const devnet = openDevnet({ consensus: 'bft', homes: (index) => openFolderHome(folder, index), accounts: 100 })
  try {
    await devnet.chain.mine(50)
    await run(devnet)
  } finally {
    await devnet.close()
    rmSync(folder, { recursive: true })
  }
}

export async function benchBft(): Promise<void> {
  await onDisk(async (devnet) => {
    const times: number[] = []
    for (let i = 0; i < HEIGHTS; i++) times.push(await timeOfAsync(async () => void (await devnet.chain.mine(1))))
    report('bft, empty block, 4 validators in one process, p50', 'ms', [quantile(times, 0.5)])
    report('bft, empty block, 4 validators in one process, p99', 'ms', [quantile(times, 0.99)])
  })
  await onDisk(async (devnet) => {
    const txs = signAll(devnet.accounts.slice(0, 1), 0, SINGLES).map(encodeTransaction)
    const times: number[] = []
    for (const tx of txs) {
      times.push(await timeOfAsync(async () => void (await devnet.chain.waitFor(devnet.chain.submit(tx)))))
    }
    report('bft, one signed message to its durable block, idle chain, p50', 'ms', [quantile(times, 0.5)])
    report('bft, one signed message to its durable block, idle chain, p99', 'ms', [quantile(times, 0.99)])
  })
  await onDisk(async (devnet) => {
    const rates: number[] = []
    for (let round = 0; round < 3; round++) {
      const txs = signAll(devnet.accounts, round).map(encodeTransaction)
      const ms = await timeOfAsync(() => submitAll(devnet, txs))
      rates.push((txs.length / ms) * 1000)
    }
    report('bft, signed messages, 4 validators, 100 senders', 'messages/s', rates)
  })
}
