/** Networks of four validators: in this process, in a process each, and the real CometBFT beside them in one run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findComet } from '../../devnet/node/abci/comet-node.ts'
import type { BlockPolicy } from '../../devnet/node/chain.ts'
import { openCometDevnet } from '../../devnet/node/comet-devnet.ts'
import { type Devnet, openDevnet } from '../../devnet/node/devnet.ts'
import { openFolderHome } from '../../devnet/node/node-home.ts'
import { openProcessDevnet } from '../../devnet/node/process-devnet.ts'
import { readSnapshot, type SnapshotView } from '../../devnet/node/snapshot-format.ts'
import { openStore } from '../../devnet/node/store.ts'
import { DEFAULT_STATE_SYNC } from '../../devnet/node/sync-settings.ts'
import { encodeTransaction } from '../../devnet/node/transaction.ts'
import { signAll, submitAll } from './chain.ts'
import { quantile, report, timeOfAsync } from './report.ts'

const VALIDATORS = 4
const ACCOUNTS = 100
const COMMAND = [resolve('dist/devnet/cli/main.js')]
const HEIGHTS = 1000
const COMPARED_HEIGHTS = 300
/** Before intervals count: V8 has compiled what is hot by then. Genuine nodes go through as many. */
const WARM_UP_HEIGHTS = 300
const SINGLES = 100
const MINUTE_MS = 60_000
const MESSAGES = 10_000
const POLL_MS = 10

type Open = (folder: string, policy: BlockPolicy) => Devnet | Promise<Devnet>

const inOneProcess: Open = (folder, policy) =>
  openDevnet({ consensus: 'bft', homes: (i) => openFolderHome(folder, i), accounts: ACCOUNTS, policy })

const inFourProcesses: Open = (folder, policy) =>
  openProcessDevnet(
    {
      validators: VALIDATORS,
      homes: () => openFolderHome(join(folder, 'first'), 0, { thread: 'this thread' }),
      accounts: ACCOUNTS,
      policy,
    },
    { folder, command: COMMAND, onExit: () => {} },
  )

function underComet(binary: string): Open {
  return (folder, policy) =>
    openCometDevnet({
      binary,
      folder,
      validators: VALIDATORS,
      store: openStore(join(folder, 'first')),
      openStore,
      accounts: ACCOUNTS,
      policy,
    })
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Four processes on loopback, each with its own disk. */
export async function benchProcesses(): Promise<void> {
  await inFolder(async (folder) => {
    const devnet = await inFourProcesses(folder, { kind: 'auto' })
    try {
      await devnet.chain.mine(WARM_UP_HEIGHTS)
      const times: number[] = []
      for (let i = 0; i < HEIGHTS; i++) times.push(await timeOfAsync(async () => void (await devnet.chain.mine(1))))
      report('bft, empty block, 4 validators in four processes, p50', 'ms', [quantile(times, 0.5)])
      report('bft, empty block, 4 validators in four processes, p99', 'ms', [quantile(times, 0.99)])
      const singles = await sendSingles(devnet)
      report('bft, one signed message to its durable block, four processes, p50', 'ms', [quantile(singles, 0.5)])
    } finally {
      await devnet.close()
    }
  })
}

export async function benchJoiner(): Promise<void> {
  await benchAway()
  await benchFirstSync()
}

/** A validator that was away for a thousand blocks, on disk like the others. */
async function benchAway(): Promise<void> {
  await inFolder(async (folder) => {
    const devnet = await inOneProcess(folder, { kind: 'auto' })
    try {
      const bft = devnet.bft!
      const late = bft.validators.at(-1)!
      bft.faults.add({ kind: 'stop', nodes: [late.name] })
      await devnet.chain.mine(HEIGHTS)
      const away = HEIGHTS - Number(late.blocks.height)
      bft.faults.clear()
      const ms = await timeOfAsync(async () => {
        while (late.blocks.height < BigInt(HEIGHTS)) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      })
      report(`bft, a validator fetches and executes the ${away} blocks it missed`, 'ms', [ms])
    } finally {
      await devnet.close()
    }
  })
}

/** A validator that comes with nothing to a chain of a thousand blocks: by all of them, and by the state after them. */
async function benchFirstSync(): Promise<void> {
  await inFolder(async (folder) => {
    const open = (isEnabled: boolean): Devnet =>
      openDevnet({
        consensus: 'bft',
        homes: (i) => openFolderHome(folder, i),
        accounts: ACCOUNTS,
        stateSync: { ...DEFAULT_STATE_SYNC, isEnabled },
      })
    const grown = open(false)
    await submitAll(grown, signAll(grown.accounts, 0).map(encodeTransaction))
    await grown.chain.mine(HEIGHTS + 1 - grown.chain.application.head.height)
    const [snapshot] = await settledSnapshots(grown)
    const { bytes } = readSnapshot(snapshot!) as SnapshotView
    await grown.close()
    for (const [way, isEnabled] of [
      ['fetches and executes all of 1,001 blocks', false],
      ['takes the state after block 1,000, and one block', true],
    ] as const) {
      rmSync(join(folder, 'validators', '3'), { recursive: true })
      const devnet = open(isEnabled)
      try {
        const late = devnet.bft!.validators.at(-1)!
        const ms = await timeOfAsync(async () => {
          while (late.executor.blocks.published < BigInt(HEIGHTS + 1)) {
            await new Promise((resolve) => setTimeout(resolve, POLL_MS))
          }
        })
        if (isEnabled !== late.blocks.base > 1n) throw new Error(`its first block is ${late.blocks.base}`)
        report(`bft, a validator with nothing ${way}`, 'ms', [ms])
      } finally {
        await devnet.close()
      }
    }
    report('bft, snapshot of that state, 200 accounts', 'bytes', [bytes])
  })
}

async function settledSnapshots({ chain }: Devnet) {
  await chain.application.snapshots.settled
  return chain.application.listSnapshots().snapshots
}

/** Signed transfers for a minute. */
export async function benchMinute(): Promise<void> {
  await inFolder(async (folder) => {
    const devnet = await inOneProcess(folder, { kind: 'auto' })
    try {
      let sent = 0
      let busyMs = 0
      for (let round = 0; busyMs < MINUTE_MS; round++) {
        // Signing is the clients' work, not the network's.
        const txs = signAll(devnet.accounts, round, MESSAGES).map(encodeTransaction)
        busyMs += await timeOfAsync(() => submitAll(devnet, txs))
        sent += txs.length
      }
      report('bft, signed messages sustained for a minute, 4 validators, 100 senders', 'messages/s', [
        (sent / busyMs) * 1000,
      ])
    } finally {
      await devnet.close()
    }
  })
}

async function sendSingles(devnet: Devnet): Promise<number[]> {
  const times: number[] = []
  for (const transaction of signAll(devnet.accounts.slice(0, 1), 0, SINGLES)) {
    const tx = encodeTransaction(transaction)
    times.push(await timeOfAsync(async () => void (await devnet.chain.waitFor(devnet.chain.submit(tx)))))
  }
  return times
}

interface Pace {
  /** From nothing to the first durable block. */
  readonly firstBlockMs: number
  readonly intervalMs: number
  readonly commitMs: number
}

async function paceOf(
  open: Open,
  blocks: (devnet: Devnet) => Promise<number>,
  blocksPolicy: BlockPolicy,
): Promise<Pace> {
  const intervalMs = await inFolder(async (folder) => {
    const devnet = await open(folder, blocksPolicy)
    try {
      return await blocks(devnet)
    } finally {
      await devnet.close()
    }
  })
  return inFolder(async (folder) => {
    const began = performance.now()
    const devnet = await open(folder, { kind: 'auto' })
    try {
      if (devnet.chain.application.head.height === 0) await devnet.chain.mine(1)
      const firstBlockMs = performance.now() - began
      const commitMs = quantile(await sendSingles(devnet), 0.5)
      return { firstBlockMs, intervalMs, commitMs }
    } finally {
      await devnet.close()
    }
  })
}

/** Blocks as fast as they come, one asked for after the other. */
async function minedInterval({ chain }: Devnet): Promise<number> {
  await chain.mine(WARM_UP_HEIGHTS)
  return (await timeOfAsync(async () => void (await chain.mine(COMPARED_HEIGHTS)))) / COMPARED_HEIGHTS
}

/** Blocks as fast as they come by themselves. */
async function ownInterval({ chain }: Devnet): Promise<number> {
  await reach(chain, chain.application.head.height + WARM_UP_HEIGHTS)
  const ms = await timeOfAsync(() => reach(chain, chain.application.head.height + COMPARED_HEIGHTS))
  return ms / COMPARED_HEIGHTS
}

function reach(chain: Devnet['chain'], height: number): Promise<void> {
  return new Promise((done) => {
    const stop = chain.onBlock((block) => {
      if (block.header.height < height) return
      stop()
      done()
    })
  })
}

/** With the settings for loopback of spec consensus §9.3. */
export async function benchComet(): Promise<void> {
  const binary = findComet(process.env)
  const comet = await paceOf(underComet(binary), ownInterval, { kind: 'interval', intervalMs: 1 })
  const networks = [
    ['in one process', await paceOf(inOneProcess, minedInterval, { kind: 'auto' })],
    ['in four processes', await paceOf(inFourProcesses, minedInterval, { kind: 'auto' })],
  ] as const
  for (const [what, of] of [
    ['block interval', ({ intervalMs }: Pace) => intervalMs],
    ['one message from broadcast to commit, p50', ({ commitMs }: Pace) => commitMs],
    ['first block', ({ firstBlockMs }: Pace) => firstBlockMs],
  ] as const) {
    report(`CometBFT, 4 nodes, ${what}`, 'ms', [of(comet)])
    for (const [where, pace] of networks) {
      report(`bft, 4 validators ${where}, ${what}`, 'ms', [of(pace)])
      report(`bft, 4 validators ${where}, ${what}, against CometBFT`, 'times as fast', [of(comet) / of(pace)])
    }
  }
}
