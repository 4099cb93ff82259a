/** The real CometBFT over our sockets. Runs where `cometbft` is found: COMETBFT_BIN, the PATH, or what `.ci/run` installs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { findDisagreements } from '../../../../devnet/node/abci/agreement.ts'
import { type CometNetwork, startCometNetwork } from '../../../../devnet/node/abci/comet-network.ts'
import { GrammarChecker } from '../../../../devnet/node/abci/grammar.ts'
import { serveAbci } from '../../../../devnet/node/abci/server.ts'
import { encodeUtf8 } from '../../../../devnet/primitives/utf8.ts'
import { genesisOf, KEYS } from '../consensus-fixture.ts'
import { KvApplication } from '../kv-application.ts'
import { cometBinary } from './comet-binary.ts'

let network: CometNetwork | undefined
const folders: string[] = []

afterEach(async () => {
  await network?.stop()
  network = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

describe.skipIf(cometBinary === undefined)('four nodes of CometBFT', () => {
  test('decide with an application each, and agree', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-comet-'))
    folders.push(folder)
    const applications = KEYS.slice(0, 4).map(() => new KvApplication())
    network = await startCometNetwork({
      binary: cometBinary!,
      folder,
      genesis: genesisOf({ time: BigInt(Date.now()) * 1_000_000n }),
      keys: KEYS.slice(0, 4),
      commitTimeoutMs: 20,
      emptyBlocks: true,
      host: async (index) => {
        let fail: (error: unknown) => void = () => {}
        const ended = new Promise((resolve) => {
          fail = resolve
        })
        const checked = new GrammarChecker(applications[index]!)
        const server = await serveAbci(checked, { host: '127.0.0.1', port: 0 }, { onFailure: fail })
        return { address: server.address, ended, stop: () => server.close() }
      },
    })
    const { rpcs } = network
    await network.reach(2n)
    for (let i = 0; i < 20; i++)
      expect(await rpcs[i % 4]!.broadcast(encodeUtf8(`key${i}=${i}`))).toMatchObject({ code: 0 })
    expect(await rpcs[0]!.broadcast(encodeUtf8('no pair'))).toMatchObject({ code: 1 })
    await network.reach(30n)
    expect(await findDisagreements(rpcs, 1n, 30n)).toEqual([])
    for (const { disk } of applications) expect(disk.values.size).toBe(20)
    expect(network.nodes.map(({ starts }) => starts)).toEqual([1, 1, 1, 1])
    const complaints = readFileSync(join(folder, 'node0', 'comet.log'), 'utf8').split('\n')
    // A node that begins later than another is not there yet when it is dialled first.
    expect(complaints.filter((line) => line !== '' && !line.includes('Error dialing peer'))).toEqual([])
  })
})
