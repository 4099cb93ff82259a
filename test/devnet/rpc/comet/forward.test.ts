/**
 * Questions that go to a real CometBFT. What passes on is tested with a node of ours on the other side; with CometBFT itself, both
 * are asked the same, and must answer in one shape.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { CometReport } from '../../../../devnet/conformance/comet-report.ts'
import { openCometDevnet } from '../../../../devnet/node/comet-devnet.ts'
import type { Devnet } from '../../../../devnet/node/devnet.ts'
import { openStore } from '../../../../devnet/node/store.ts'
import { toHex } from '../../../../devnet/primitives/bytes.ts'
import { sha256 } from '../../../../devnet/primitives/hash.ts'
import type { Json } from '../../../../devnet/rpc/comet/block-json.ts'
import { forwardComet } from '../../../../devnet/rpc/comet/forward.ts'
import { COMET_METHODS } from '../../../../devnet/rpc/comet/methods.ts'
import { compareShape } from '../../../../devnet/rpc/comet/recorded.ts'
import { serveDevnet } from '../../../../devnet/rpc/serve.ts'
import { type RunningServer, startServer } from '../../../../devnet/rpc/server.ts'
import { cometBinary } from '../../node/abci/comet-binary.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../../node/chain-fixture.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function serve(devnet: Devnet): Promise<RunningServer> {
  closing.push(() => devnet.close())
  const server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  closing.push(() => server.close())
  return server
}

async function forwardTo(url: string): Promise<string> {
  const options = { host: '127.0.0.1', port: 0, isStrict: true, routes: {}, describe: () => ({}) }
  const server = await startServer({ ...options, mounts: { '/comet': forwardComet(url) } })
  closing.push(() => server.close())
  return `${server.url}/comet`
}

async function ask(url: string, body: string): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
}

describe.skipIf(!hasOwnBundle)('what is forwarded', () => {
  test('comes back as it was: by POST, by URI, errors, and what may be kept', async () => {
    const devnet = openTestDevnet()
    const direct = `${(await serve(devnet)).url}/comet`
    await devnet.chain.mine(2)
    const through = await forwardTo(direct)
    const both = async (send: (url: string) => Promise<Response>) => {
      const answers = [await send(direct), await send(through)]
      const [one, other] = await Promise.all(
        answers.map(async (answer) => ({
          status: answer.status,
          type: answer.headers.get('content-type'),
          cache: answer.headers.get('cache-control'),
          text: await answer.text(),
        })),
      )
      expect(other).toEqual(one)
      return other!
    }
    const call = (method: string, params: unknown = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    expect((await both((url) => ask(url, call('block', { height: '1' })))).cache).toBe('public, max-age=86400')
    expect((await both((url) => ask(url, '{'))).status).toBe(500)
    expect((await both((url) => fetch(`${url}/block?height=2`))).status).toBe(200)
    expect((await both((url) => fetch(`${url}/tx_search?query="tx.height=2"`))).text).toContain('"total_count":"0"')
    expect((await both((url) => fetch(`${url}/block?height=9`))).status).toBe(500)
    expect((await both((url) => fetch(`${url}/nope`))).status).toBe(404)
    expect((await both((url) => ask(url, ' '.repeat(1_000_001)))).status).toBe(400)
  })

  test('carries subscriptions', async () => {
    const devnet = openTestDevnet()
    const through = await forwardTo(`${(await serve(devnet)).url}/comet`)
    const client = new WebSocket(`${through.replace('http', 'ws')}/websocket`)
    await once(client, 'open')
    client.send(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'subscribe', params: ["tm.event='NewBlock'"] }))
    expect(JSON.parse(String((await once(client, 'message'))[0]))).toEqual({ jsonrpc: '2.0', id: 7, result: {} })
    const event = once(client, 'message')
    await devnet.chain.mine(1)
    expect(JSON.parse(String((await event)[0]))).toMatchObject({ id: 7, result: { query: "tm.event='NewBlock'" } })
    client.terminate()
  })

  test('names the node that does not answer', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const through = await forwardTo(`http://127.0.0.1:${port}`)
    const answer = await ask(through, '{}')
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain(`127.0.0.1:${port} does not answer`)
    const client = new WebSocket(`${through.replace('http', 'ws')}/websocket`)
    await once(client, 'close')
    taken.close()
  })
})

/** Questions about a chain with one transfer at `height`, by method. */
function questions(height: number, tx: Uint8Array, blockHash: string): readonly (readonly [string, Json])[] {
  const at = { height: String(height) }
  const hash = Buffer.from(sha256(tx)).toString('base64')
  const sent = Buffer.from(tx).toString('base64')
  return [
    ['health', {}],
    ['status', {}],
    ['net_info', {}],
    ['genesis', {}],
    ['genesis_chunked', { chunk: '0' }],
    ['blockchain', { minHeight: '1', maxHeight: '2' }],
    ['block', at],
    ['block_by_hash', { hash: Buffer.from(blockHash, 'hex').toString('base64') }],
    ['block_results', at],
    ['commit', at],
    ['header', at],
    ['header_by_hash', { hash: blockHash }],
    ['validators', at],
    ['consensus_params', at],
    ['consensus_state', {}],
    ['dump_consensus_state', {}],
    ['tx', { hash, prove: true }],
    ['tx_search', { query: `tx.height = ${height}`, prove: true }],
    ['tx_search', { query: "message.from EXISTS AND message.to CONTAINS 't'" }],
    ['block_search', { query: `block.height = ${height}` }],
    ['unconfirmed_txs', {}],
    ['num_unconfirmed_txs', {}],
    ['check_tx', { tx: sent }],
    ['broadcast_tx_sync', { tx: 'AAAA' }],
    ['broadcast_tx_async', { tx: 'AQID' }],
    ['broadcast_tx_commit', { tx: 'AAAB' }],
    ['abci_info', {}],
    ['abci_query', { path: '/store', data: '00' }],
    ['broadcast_evidence', {}],
    // What is refused is refused alike.
    ['block', { height: '0' }],
    ['block', { height: 5 }],
    ['tx', { hash: '' }],
    ['tx_search', { query: 'x' }],
    ['validators', { height: '1', page: '7' }],
  ]
}

/** All that a block without trouble makes known, except changes of validators. */
const EVENTS = [
  'NewRound',
  'NewRoundStep',
  'CompleteProposal',
  'Vote',
  'ValidBlock',
  'Polka',
  'Lock',
  'NewBlock',
  'NewBlockHeader',
  'NewBlockEvents',
  'Tx',
]

/** Hears all events, and keeps the first message of each kind; of transactions, that of `tx`. */
async function listenTo(url: string, tx: Uint8Array) {
  const hash = toHex(sha256(tx)).toUpperCase()
  const client = new WebSocket(`${url.replace('http', 'ws')}/websocket`)
  closing.push(async () => client.terminate())
  const first = new Map<string, Json>()
  let wake = (): void => {}
  client.on('message', (data) => {
    const message = JSON.parse(String(data))
    const kind = message.result?.events?.['tm.event'][0]
    const isOther = kind === 'Tx' && message.result.events['tx.hash'][0] !== hash
    if (kind !== undefined && !isOther && !first.has(kind)) first.set(kind, message)
    wake()
  })
  await once(client, 'open')
  client.send(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'subscribe', params: ['tm.event EXISTS'] }))
  expect(JSON.parse(String((await once(client, 'message'))[0]))).toEqual({ jsonrpc: '2.0', id: 7, result: {} })
  return {
    first,
    async until(kinds: readonly string[]): Promise<void> {
      while (!kinds.every((kind) => first.has(kind))) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

async function answerOf(url: string, method: string, params: Json): Promise<Json> {
  const answer = await ask(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  return (await answer.json()) as Json
}

describe.skipIf(cometBinary === undefined || !hasOwnBundle)('beside the real CometBFT', { timeout: 120_000 }, () => {
  test('every method of ours answers in the shape that it has there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-shapes-'))
    closing.push(async () => rmSync(folder, { recursive: true }))
    const comet = await openCometDevnet({
      store: openStore(join(folder, 'main')),
      folder,
      binary: cometBinary!,
      validators: 4,
    })
    const theirs = `${(await serve(comet)).url}/comet`
    const own = openTestDevnet({ consensus: 'bft' })
    const ours = `${(await serve(own)).url}/comet`
    await own.chain.mine(1)
    await comet.chain.mine(1)
    const asked: Json[][] = []
    const heard: Map<string, Json>[] = []
    const tx = signed(own, transfer(own))
    for (const [url, devnet] of [
      [theirs, comet],
      [ours, own],
    ] as const) {
      const sent = Buffer.from(tx).toString('base64')
      const listening = await listenTo(url, tx)
      heard.push(listening.first)
      // biome-ignore lint/suspicious/noExplicitAny: an answer of CometBFT's RPC
      const committed: any = await answerOf(url, 'broadcast_tx_commit', { tx: sent })
      expect(committed.result.tx_result.code).toBe(0)
      const height = Number(committed.result.height)
      expect(committed.result.hash).toBe(toHex(sha256(tx)).toUpperCase())
      // The commit of a height is canonical once the next block is there.
      await devnet.chain.mine(1)
      // biome-ignore lint/suspicious/noExplicitAny: an answer of CometBFT's RPC
      const block: any = await answerOf(url, 'block', { height: String(height) })
      const answers: Json[] = [committed]
      for (const [method, params] of questions(height, tx, block.result.block_id.hash)) {
        answers.push(await answerOf(url, method, params))
      }
      asked.push(answers)
      await listening.until(EVENTS)
    }
    const names = ['broadcast_tx_commit', ...questions(1, tx, '').map(([method]) => method)]
    expect(new Set(names)).toEqual(new Set(COMET_METHODS.keys()))
    const report = new CometReport('shapes')
    for (const [i, name] of names.entries())
      report.run(name, (check) => compareShape(check, '', asked[0]![i], asked[1]![i]))
    for (const kind of EVENTS) {
      report.run(`event ${kind}`, (check) => {
        const [there, here] = heard.map((first) => first.get(kind))
        compareShape(check, '', there, here)
      })
    }
    const differences = report.results.flatMap(({ name, differences: list }) =>
      list.map((one) => `${name} ${one.field}: ${one.expected} there, ${one.actual} here`),
    )
    expect(differences).toEqual([])
  })
})
