/** A genuine node that takes our application's state, by its own state sync. Runs where `cometbft` is found. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { headerHash } from '../../../../devnet/consensus/hash.ts'
import { findDisagreements } from '../../../../devnet/node/abci/agreement.ts'
import { type CometNetwork, startCometNetwork } from '../../../../devnet/node/abci/comet-network.ts'
import type { AppHost } from '../../../../devnet/node/abci/comet-node.ts'
import { GrammarChecker } from '../../../../devnet/node/abci/grammar.ts'
import { serveAbci } from '../../../../devnet/node/abci/server.ts'
import { genesisOf, openBase } from '../../../../devnet/node/devnet.ts'
import type { FvmApplication } from '../../../../devnet/node/fvm-application.ts'
import { MemoryChainStore } from '../../../../devnet/node/memory-store.ts'
import { encodeTransaction } from '../../../../devnet/node/transaction.ts'
import { deriveValidatorKeys } from '../../../../devnet/node/validator-keys.ts'
import { fromBinary, toHex } from '../../../../devnet/primitives/bytes.ts'
import type { TokenAmount } from '../../../../devnet/state/token.ts'
import { hasOwnBundle } from '../chain-fixture.ts'
import { cometBinary } from './comet-binary.ts'

let network: CometNetwork | undefined
const folders: string[] = []
const failures: unknown[] = []

afterEach(async () => {
  await network?.stop()
  network = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  failures.length = 0
})

const OPTIONS = { validators: 4, snapshots: { interval: 10, keep: 10 } }

async function serve(application: FvmApplication): Promise<AppHost> {
  let fail: (error: unknown) => void = () => {}
  const ended = new Promise((resolve) => {
    fail = resolve
  })
  const onFailure = (error: unknown): void => {
    failures.push(error)
    fail(error)
  }
  const server = await serveAbci(new GrammarChecker(application), { host: '127.0.0.1', port: 0 }, { onFailure })
  return { address: server.address, ended, stop: () => server.close() }
}

/** Asks again each time that a node has answered. */
async function until({ rpcs }: CometNetwork, isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await rpcs[0]!.status()
}

describe.skipIf(cometBinary === undefined || !hasOwnBundle)('a fifth node of CometBFT', () => {
  test('restores our state from the others, and follows', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-comet-'))
    folders.push(folder)
    const bases = Array.from({ length: 5 }, () => openBase(OPTIONS, new MemoryChainStore()))
    const applications = bases.map(({ application }) => application)
    const { keys, accounts } = bases[0]!
    network = await startCometNetwork({
      binary: cometBinary!,
      folder,
      genesis: genesisOf(applications[0]!, keys),
      keys,
      commitTimeoutMs: 20,
      emptyBlocks: true,
      host: (index) => serve(applications[index]!),
    })
    const { rpcs } = network
    await network.reach(2n)
    const balance = 77n as TokenAmount
    const power = { power: 'set-balance', address: accounts[0]!.address, balance } as const
    const tx = encodeTransaction({ kind: 'power', nonce: 1n, powers: [power] })
    expect(await rpcs[0]!.broadcast(tx)).toMatchObject({ code: 0 })
    await network.reach(25n)
    await until(network, () => applications.slice(0, 4).every(({ snapshots }) => snapshots.list().length >= 2))
    const trusted = await rpcs[0]!.commit(5n)
    const stranger = deriveValidatorKeys('test test test test test test test test test test test junk', 9n, 1)[0]!
    const late = applications[4]!
    const { node, rpc } = await network.join({
      key: stranger,
      host: () => serve(late),
      trustHeight: 5n,
      trustHash: toHex(fromBinary(headerHash(trusted.header)!)),
    })
    await until(network, () => late.head.height > 0 || node.starts > 2)
    const first = late.head.height
    expect(node.lastWords).toBe('')
    await until(network, async () => !((await rpc.status().catch(() => undefined))?.isCatchingUp ?? true))
    const { height } = await rpcs[0]!.status()
    await until(network, () => late.head.height >= Number(height))
    const tip = late.head.height
    expect(late.history.header(tip)!.appHash).toEqual(applications[0]!.history.header(tip)!.appHash)
    expect(late.door.senderOf(accounts[0]!.address)?.balance).toBe(balance)
    expect(late.history.block(9)).toBeUndefined()
    expect(late.history.header(tip)).toEqual(applications[0]!.history.header(tip))
    expect(late.settings).toEqual(applications[0]!.settings)
    expect(first).toBeGreaterThanOrEqual(20)
    expect(await findDisagreements([rpcs[0]!, rpc], BigInt(tip - 1), BigInt(tip))).toEqual([])
    expect(node.starts).toBe(1)
    expect(failures).toEqual([])
    expect(readFileSync(join(folder, 'node4', 'comet.log'), 'utf8')).toBe('')
  })
})
