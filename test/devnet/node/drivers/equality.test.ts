/**
 * One application under three who decide: the same block inputs give the same application hashes, whoever decided them and
 * however they came. Block inputs of each driver are replayed through a fresh application.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Application, FinalizeBlockRequest } from '../../../../devnet/consensus/application.ts'
import { finalizeBlockRequest, initChainRequest } from '../../../../devnet/consensus/block-building.ts'
import { headerHash } from '../../../../devnet/consensus/hash.ts'
import {
  changeOf,
  createValidatorSet,
  NO_VALIDATORS,
  type ValidatorSet,
} from '../../../../devnet/consensus/validator-set.ts'
import { findDisagreements } from '../../../../devnet/node/abci/agreement.ts'
import { startCometNetwork } from '../../../../devnet/node/abci/comet-network.ts'
import type { AppHost } from '../../../../devnet/node/abci/comet-node.ts'
import { GrammarChecker } from '../../../../devnet/node/abci/grammar.ts'
import { serveAbci } from '../../../../devnet/node/abci/server.ts'
import { type DevnetOptions, genesisOf, openBase } from '../../../../devnet/node/devnet.ts'
import { MemoryChainStore } from '../../../../devnet/node/memory-store.ts'
import { encodeTransaction } from '../../../../devnet/node/transaction.ts'
import type { TokenAmount } from '../../../../devnet/state/token.ts'
import { CliProcess, hasBuild } from '../../../e2e/cli-process.ts'
import { cometBinary } from '../abci/comet-binary.ts'
import { FakeComet } from '../abci/fake-comet.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../chain-fixture.ts'

const VALIDATORS = 4
const TRANSFERS = 12
const START_MS = 1_700_000_000_000
const OPTIONS: DevnetOptions = {
  validators: VALIDATORS,
  clock: { now: () => START_MS, after: () => () => {} },
}

const closers: (() => unknown)[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-eq-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

/** What everybody is asked to do: transfers of alice, and one power. */
function script(): Uint8Array[] {
  const devnet = openTestDevnet(OPTIONS)
  closers.push(() => devnet.close())
  const transfers = Array.from({ length: TRANSFERS }, (_, i) =>
    signed(devnet, transfer(devnet, { sequence: BigInt(i), value: BigInt(i + 1) as TokenAmount })),
  )
  const balance = 5n as TokenAmount
  const power = { power: 'set-balance', address: devnet.accounts[2]!.address, balance } as const
  return [...transfers, encodeTransaction({ kind: 'power', nonce: 9n, powers: [power] })]
}

/** A node's first words to a fresh application, then its blocks. The hash after each. */
async function replay(requests: readonly FinalizeBlockRequest[], application = fresh()): Promise<string[]> {
  const hashes: string[] = []
  for (const request of requests) {
    hashes.push(application.finalizeBlock(request).appHash)
    await application.commit()
  }
  return hashes
}

function fresh(): Application {
  const { application, keys } = openBase(OPTIONS, new MemoryChainStore())
  const genesis = genesisOf(application, keys)
  const set = createValidatorSet(genesis.validators.map(({ pubKey, power }) => changeOf(pubKey!, power)))
  const checked = new GrammarChecker(application)
  checked.info({ version: '', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' })
  checked.initChain(initChainRequest(genesis, set as ValidatorSet, new Uint8Array(0)))
  return checked
}

describe.skipIf(!hasOwnBundle)('the application hashes of', () => {
  test('the instant driver are those of a replay, directly and through a socket', async () => {
    const devnet = openTestDevnet(OPTIONS)
    closers.push(() => devnet.close())
    for (const tx of script().slice(0, TRANSFERS)) await devnet.chain.waitFor(devnet.chain.submit(tx))
    const blocks = devnet.chain.blocks!
    const requests: FinalizeBlockRequest[] = []
    const expected: string[] = []
    for (let height = 1n; height <= blocks.height; height++) {
      const lastValidators = height === 1n ? NO_VALIDATORS : blocks.validators(height - 1n)!
      requests.push(finalizeBlockRequest({ lastValidators }, blocks.block(height)!))
      expected.push(blocks.response(height)!.appHash)
    }
    expect(expected).toHaveLength(TRANSFERS)
    expect(await replay(requests)).toEqual(expected)

    const { application, keys } = openBase(OPTIONS, new MemoryChainStore())
    const server = await serveAbci(application, { host: '127.0.0.1', port: 0 }, { onFailure: () => {} })
    closers.push(() => server.close())
    const comet = await FakeComet.start(server.address, genesisOf(application, keys), keys)
    closers.push(() => comet.stop())
    const answers: string[] = []
    for (const request of requests) {
      answers.push((await comet.consensus.call('finalizeBlock', request)).appHash)
      await comet.consensus.call('commit', {})
    }
    expect(answers).toEqual(expected)
  })

  test('a node behind the socket are those of a replay', async () => {
    const { application, keys } = openBase(OPTIONS, new MemoryChainStore())
    const checked = new GrammarChecker(application)
    const server = await serveAbci(checked, { host: '127.0.0.1', port: 0 }, { onFailure: () => {} })
    closers.push(() => server.close())
    const comet = await FakeComet.start(server.address, genesisOf(application, keys), keys)
    closers.push(() => comet.stop())
    const txs = script()
    for (let at = 0; at < txs.length; at += 3) {
      for (const tx of txs.slice(at, at + 3)) expect(await comet.submit(tx)).toBe(0)
      await comet.decide({ rounds: 2 })
    }
    const { blocks } = comet.disk
    expect(blocks.flatMap(({ response }) => response.txResults.map(({ code }) => code))).toEqual(txs.map(() => 0))
    expect(await replay(blocks.map(({ request }) => request))).toEqual(blocks.map(({ response }) => response.appHash))
  })

  test.skipIf(cometBinary === undefined || !hasBuild)(
    'four real nodes are those of a replay over 200 heights, kill -9 of an application and of a node included',
    { timeout: 300_000 },
    async () => {
      const { application, keys } = openBase(OPTIONS, new MemoryChainStore())
      const genesis = genesisOf(application, keys)
      const host = async (index: number): Promise<AppHost> => {
        const address = `unix://${join(folder, `${index}.sock`)}`
        const args = ['node', '--json', '--port', '0', '--abci', address, '--state', join(folder, `state${index}`)]
        const child = new CliProcess(args, { cwd: folder })
        await child.ready()
        return { address, pid: child.pid, ended: child.ended, stop: async () => void (await child.kill('SIGTERM')) }
      }
      const pace = { commitTimeoutMs: 10, emptyBlocks: true }
      const network = await startCometNetwork({ binary: cometBinary!, folder, genesis, keys, host, ...pace })
      closers.push(() => network.stop())
      const { rpcs, nodes } = network
      await network.reach(2n)

      const txs = script()
      const send = async (from: number, to: number, nodeIndexes: readonly number[]) => {
        for (const [i, tx] of txs.slice(from, to).entries()) {
          expect(await rpcs[nodeIndexes[i % nodeIndexes.length]!]!.broadcast(tx)).toMatchObject({ code: 0 })
        }
      }
      // All of one sender: each is in a block before another node is asked for the next.
      await send(0, 4, [0])
      await network.reach(40n)
      process.kill(nodes[1]!.appPid!, 'SIGKILL')
      await send(4, 8, [2])
      await network.reach(90n)
      process.kill(nodes[3]!.pid!, 'SIGKILL')
      await send(8, TRANSFERS, [0])
      await rpcs[0]!.broadcast(txs.at(-1)!)
      await network.reach(201n)

      expect(nodes.map(({ starts }) => starts)).toEqual([1, 2, 1, 2])
      expect(await findDisagreements(rpcs, 1n, 200n)).toEqual([])
      const requests: FinalizeBlockRequest[] = []
      const expected: string[] = []
      for (let height = 1n; height <= 200n; height++) {
        const { header, txs: included } = await rpcs[0]!.block(height)
        requests.push({
          txs: included,
          hash: headerHash(header)!,
          height,
          time: header.time,
          misbehavior: [],
          decidedLastCommit: { round: 0, votes: [] },
          nextValidatorsHash: header.nextValidatorsHash,
          proposerAddress: header.proposerAddress,
        })
        expected.push((await rpcs[0]!.commit(height + 1n)).header.appHash)
      }
      expect(requests.flatMap(({ txs: included }) => included)).toHaveLength(txs.length)
      expect(await replay(requests)).toEqual(expected)
    },
  )
})
