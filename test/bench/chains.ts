/** Many chains of four voting validators in one process: what they cost when nothing happens, and how they share when something does. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModuleCache } from '../../devnet/engine/module-cache.ts'
import { type Devnet, openDevnet } from '../../devnet/node/devnet.ts'
import { openFolderHome } from '../../devnet/node/node-home.ts'
import { encodeTransaction } from '../../devnet/node/transaction.ts'
import { signAll } from './chain.ts'
import { garbageCollector, quantile, report, timeOfAsync } from './report.ts'

const COUNTS = [1, 4, 16, 64]
const VALIDATORS = 4
const IDLE_MS = 20_000
/** In each chain, one after the other. */
const MESSAGES = 40

/** Each number of chains in a process of its own, so that the memory is theirs. */
export async function benchChains(): Promise<void> {
  for (const count of COUNTS) {
    const { status } = spawnSync(process.execPath, [process.argv[1]!, `chains-${count}`], {
      stdio: 'inherit',
    })
    if (status !== 0) throw new Error(`the bench of ${count} chains ended with ${status}`)
  }
}

/** One line of figures for so many chains. */
export const CHAIN_FIGURES: Readonly<Record<string, () => Promise<void>>> = Object.fromEntries(
  COUNTS.map((count) => [`chains-${count}`, () => benchSome(count)]),
)

async function benchSome(count: number): Promise<void> {
  const modules = new ModuleCache()
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const open = async (index: number): Promise<Devnet> => {
    const chainId = BigInt(1000 + index)
    const homes = (validator: number) => openFolderHome(join(folder, String(chainId)), validator)
    const devnet = openDevnet({ consensus: 'bft', validators: VALIDATORS, chainId, homes, accounts: 1, modules })
    await devnet.chain.mine(3)
    return devnet
  }
  // The first chain of a process loads what all share.
  await (await open(1000)).close()
  const before = residentMb()
  const keptBefore = await keptMb()
  const devnets: Devnet[] = []
  for (let index = 0; index < count; index++) devnets.push(await open(index))
  report(`${count} chains of ${VALIDATORS} validators: memory of each`, 'MB', [(residentMb() - before) / count])

  const cpu = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const { user, system } = process.cpuUsage(cpu)
  report(`${count} chains of ${VALIDATORS} validators: idle`, '% of a core', [(user + system) / IDLE_MS / 10])

  const times: number[] = []
  const ms = await timeOfAsync(async () => {
    await Promise.all(devnets.map((devnet) => sendOneByOne(devnet, times)))
  })
  report(`${count} chains of ${VALIDATORS} validators, all busy: finality p50`, 'ms', [quantile(times, 0.5)])
  report(`${count} chains of ${VALIDATORS} validators, all busy: finality p99`, 'ms', [quantile(times, 0.99)])
  report(`${count} chains of ${VALIDATORS} validators, all busy: blocks`, 'blocks/s', [(times.length / ms) * 1000])

  await closeAll(devnets)
  const left = (await keptMb()) - keptBefore
  report(`${count} chains of ${VALIDATORS} validators: objects left when all are closed`, 'MB', [left])
  rmSync(folder, { recursive: true })
}

/** Apart, so that no variable of the caller's holds on to them. */
async function closeAll(devnets: Devnet[]): Promise<void> {
  for (let devnet = devnets.pop(); devnet !== undefined; devnet = devnets.pop()) await devnet.close()
}

async function sendOneByOne({ chain, chainId, accounts }: Devnet, times: number[]): Promise<void> {
  for (const transaction of signAll(accounts, 0, MESSAGES, chainId)) {
    const tx = encodeTransaction(transaction)
    times.push(await timeOfAsync(async () => void (await chain.waitFor(chain.submit(tx)))))
  }
}

function residentMb(): number {
  const collect = garbageCollector()
  for (let i = 0; i < 3; i++) collect()
  return process.memoryUsage().rss / 1e6
}

/** Objects and buffers that something still holds. */
async function keptMb(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 500))
  const collect = garbageCollector()
  for (let i = 0; i < 3; i++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1e6
}
