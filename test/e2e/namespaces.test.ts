/**
 * A network over four hosts as `docs/networks.md` has it: `troupe node --new-network`, `--join`, an address each, cables that are pulled.
 * The hosts are network namespaces (`namespace-hosts.ts`).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PrivateKey, publicKeyOf } from '../../devnet/consensus/key.ts'
import { formatKeyFile } from '../../devnet/consensus/key-file.ts'
import { toHex } from '../../devnet/primitives/bytes.ts'
import { cometBinary } from '../devnet/node/abci/comet-binary.ts'
import { CliProcess, hasBuild, makeFolder } from './cli-process.ts'
import { NamespaceHosts, whyNoHosts, whyNoShaping } from './namespace-hosts.ts'
import { NodeNetwork } from './node-network.ts'

const isDeep = process.env['TROUPE_DEEP'] === '1'
const MINUTES = 60_000
const RUN = String(process.pid)
const MESH_PORT = 26_700

const reason = hasBuild ? whyNoHosts(RUN) : 'run npm run build'
const noShaping = reason ?? whyNoShaping(RUN)
const because = (why: string | null): string => (why === null ? '' : ` (skipped: ${why})`)

let hosts: NamespaceHosts
let network: NodeNetwork

describe.skipIf(reason !== null)(`four hosts${because(reason)}`, { timeout: 5 * MINUTES }, () => {
  beforeEach(async () => {
    hosts = NamespaceHosts.make(4, RUN)
    network = await NodeNetwork.plan({
      hosts: [0, 1, 2, 3].map((index) => `${hosts.address(index)}:${MESH_PORT}`),
      through: (index) => hosts.through(index),
      post: (index, url, body) => hosts.ask(index, url, body),
    })
  })
  afterEach(async () => {
    try {
      await network?.close()
    } finally {
      hosts?.close()
    }
  })

  const mine = (index: number, count: number) => network.ask<number>(index, 'troupe_mine', count)
  const heights = (indexes: readonly number[]) => Promise.all(indexes.map((index) => network.height(index)))
  const expectOneChain = async (height: number) => {
    await Promise.all(network.indexes.map((index) => network.reach(index, height)))
    expect(new Set(await network.answersOf(height))).toEqual(new Set([1]))
  }
  const peersOf = async (index: number) =>
    Number((await network.askComet<{ n_peers: string }>(index, 'net_info', {})).n_peers)
  const knows = (index: number, count: number) =>
    network.until(
      () => peersOf(index),
      (peers) => peers === count,
    )

  test('agree, go on without the one whose cable is pulled, and take it back', async () => {
    await network.startAll()
    const sent = await network.ask<{ exitCode: number }>(0, 'troupe_send', { from: 'alice', to: 'bob', value: 1 })
    expect(sent.exitCode).toBe(0)
    await mine(1, 3)
    await expectOneChain(4)
    hosts.unplug(3)
    await mine(0, 3)
    // Nobody tells the others that it is gone: they find out.
    await knows(0, 2)
    await knows(3, 0)
    expect(await heights([3])).toEqual([4])
    hosts.plug(3)
    await network.reach(3, 7)
    await mine(3, 1)
    await expectOneChain(8)
    expect(network.doubleVotes()).toEqual([])
  })

  test('hear nobody who is not what the genesis says, and obey no other host unless told twice', async () => {
    const powers = { host: ['--host', hosts.address(0)], both: ['--host', hosts.address(1), '--allow-remote-powers'] }
    const own = join(network.folder.path, 'net', 'v3')
    const file = readFileSync(join(own, 'network.json'), 'utf8')
    const key = readFileSync(join(own, 'key.json'), 'utf8')
    await Promise.all([network.start(0, powers.host), network.start(1, powers.both), network.start(2)])
    await knows(0, 2)

    // Another validator's key: it says so itself.
    copyFileSync(join(network.folder.path, 'net', 'v2', 'key.json'), join(own, 'key.json'))
    const refused = network.spawn(3)
    expect(await refused.ended).toBe(3)
    expect(refused.lines.at(-1)).toMatchObject({ ok: false, error: { code: 'TRP-7109' } })
    // A genesis in which another key is v3's: the others do not let it in.
    const false_: PrivateKey = { kind: 'secp256k1', secret: new Uint8Array(32).fill(3) }
    writeFileSync(join(own, 'key.json'), formatKeyFile(false_))
    const forged = JSON.parse(file)
    forged.genesis.validators[3].publicKey = toHex(publicKeyOf(false_).value)
    writeFileSync(join(own, 'network.json'), JSON.stringify(forged))
    await network.start(3)
    await mine(1, 2)
    expect(await heights([3])).toEqual([0])
    expect(await Promise.all([0, 1, 2, 3].map(peersOf))).toEqual([2, 2, 2, 0])
    await network.kill(3)
    // The right one is welcome.
    writeFileSync(join(own, 'network.json'), file)
    writeFileSync(join(own, 'key.json'), key)
    rmSync(network.stateFolder(3), { recursive: true })
    await network.start(3)
    await network.reach(3, 2)

    const call = (method: string, ...params: readonly unknown[]) =>
      JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const from = async (index: number, to: number, body: string) =>
      JSON.parse(await hosts.ask(index, network.url(to), body)) as { result?: unknown; error?: { message: string } }
    expect(await from(3, 0, call('troupe_block', 2))).toMatchObject({ result: { height: 2 } })
    for (const index of [3, 0]) {
      expect((await from(index, 0, call('troupe_mine', 1))).error?.message).toMatch(/power/)
    }
    expect(await from(3, 1, call('troupe_mine', 1))).toMatchObject({ result: 3 })
    // On its own loopback alone, nobody else reaches it at all.
    const port = new URL(network.url(2)).port
    await expect(hosts.ask(3, `http://${hosts.address(2)}:${port}`, call('troupe_mine', 1))).rejects.toThrow(
      /ECONNREFUSED/,
    )
  })

  describe.skipIf(!isDeep)('for as long as it takes', () => {
    test('E5: halves wait for each other', async () => {
      await network.startAll()
      await mine(0, 2)
      await expectOneChain(2)
      for (const index of [2, 3]) hosts.carry(index, 'right')
      await Promise.all([knows(0, 1), knows(1, 1), knows(2, 1), knows(3, 1)])
      const mining = Promise.all([mine(0, 1), mine(2, 1)])
      // Both halves have voted, and wait for votes that do not come.
      for (const index of network.indexes) {
        await network.until(
          () => network.ask<{ step: string }[]>(index, 'troupe_consensus'),
          ([{ step } = { step: '' }]) => step === 'prevote',
        )
      }
      expect(await heights(network.indexes)).toEqual([2, 2, 2, 2])
      for (const index of [2, 3]) hosts.carry(index, 'left')
      await mining
      await mine(1, 2)
      await expectOneChain(await network.height(1))
      expect(network.doubleVotes()).toEqual([])
    })

    test.skipIf(noShaping !== null)(`E6: slow links that lose packets${because(noShaping)}`, async () => {
      for (const index of network.indexes) hosts.shape(index, { delayMs: 100, jitterMs: 50, lossPercent: 5 })
      await network.startAll()
      await mine(0, 10)
      await expectOneChain(10)
    })
  })
})

/** As the end of `docs/networks.md` has it, with files that `cometbft testnet` writes. */
const noComet = reason ?? (cometBinary === undefined ? 'there is no CometBFT: set COMETBFT_BIN' : null)
describe.skipIf(noComet !== null || !isDeep)(
  `four hosts with the real CometBFT${because(noComet)}`,
  { timeout: 5 * MINUTES },
  () => {
    let folder: ReturnType<typeof makeFolder>
    const apps: CliProcess[] = []
    const nodes: ChildProcess[] = []

    afterEach(async () => {
      try {
        await Promise.all([...apps.splice(0).map((app) => app.kill('SIGKILL')), ...nodes.splice(0).map(endNow)])
      } finally {
        hosts?.close()
        folder?.dispose()
      }
    })

    const ask = async <T>(
      index: number,
      method: string,
      params: Readonly<Record<string, unknown>> = {},
    ): Promise<T> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      return JSON.parse(await hosts.ask(index, 'http://127.0.0.1:26657', body)).result as T
    }
    const heightOf = async (index: number): Promise<number> => {
      const status = await ask<Status>(index, 'status').catch(() => undefined)
      return Number(status?.sync_info.latest_block_height ?? -1)
    }
    const reach = async (indexes: readonly number[], height: number): Promise<void> => {
      await Promise.all(
        indexes.map(async (index) => {
          while ((await heightOf(index)) < height);
        }),
      )
    }

    test('agree, go on without the one whose cable is pulled, and take it back', async () => {
      hosts = NamespaceHosts.make(4, RUN)
      folder = makeFolder({})
      const net = join(folder.path, 'net')
      const words = ['testnet', '--v', '4', '--o', net, '--starting-ip-address', hosts.address(0)]
      expect(spawnSync(cometBinary!, words, { encoding: 'utf8' }).stderr).toBe('')
      for (const index of [0, 1, 2, 3]) {
        const genesis = join(net, `node${index}`, 'config', 'genesis.json')
        const document = JSON.parse(readFileSync(genesis, 'utf8'))
        writeFileSync(genesis, JSON.stringify({ ...document, chain_id: '31337' }))
        const app = ['node', '--abci', 'tcp://127.0.0.1:26658', '--comet-rpc', 'http://127.0.0.1:26657', '--no-persist']
        apps.push(
          new CliProcess([...app, '--port', '0', '--json'], { cwd: folder.path, through: hosts.through(index) }),
        )
        const [program, ...rest] = [...hosts.through(index), cometBinary!, 'start', '--home', join(net, `node${index}`)]
        nodes.push(spawn(program!, rest, { stdio: 'ignore' }))
      }
      await reach([0, 1, 2, 3], 3)
      hosts.unplug(3)
      const before = await heightOf(3)
      await reach([0, 1, 2], before + 3)
      expect(await heightOf(3)).toBeLessThan(before + 2)
      hosts.plug(3)
      await reach([3], before + 3)
      for (const height of [2, before + 3].map(String)) {
        const headers = await Promise.all([0, 1, 2, 3].map((index) => ask(index, 'header', { height })))
        expect(new Set(headers.map((header) => JSON.stringify(header))).size).toBe(1)
      }
    })
  },
)

interface Status {
  readonly sync_info: { readonly latest_block_height: string }
}

function endNow(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  return ended
}
