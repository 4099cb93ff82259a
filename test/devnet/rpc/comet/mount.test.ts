/** /comet on the one port: who may come, and what stands beside it. */
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Devnet } from '../../../../devnet/node/devnet.ts'
import { serveDevnet } from '../../../../devnet/rpc/serve.ts'
import type { RunningServer } from '../../../../devnet/rpc/server.ts'
import { openTestDevnet } from '../../node/chain-fixture.ts'

let devnet: Devnet
let server: RunningServer

beforeAll(async () => {
  devnet = openTestDevnet()
  server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  await devnet.chain.mine(1)
})

afterAll(async () => {
  await server.close()
  await devnet.close()
})

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** `fetch` does not let a caller choose its Host. */
function ask(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  body = '',
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, { method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

describe('the mount', () => {
  test('answers pages of any origin, and no foreign host name', async () => {
    const page = await ask('/comet/health', { origin: 'https://example.org' })
    expect(page).toMatchObject({ status: 200, body: '{"jsonrpc":"2.0","id":-1,"result":{}}' })
    expect(page.headers['access-control-allow-origin']).toBe('*')
    expect((await ask('/comet/health', { host: 'example.org' })).status).toBe(403)
    expect((await ask('/comet', { origin: 'https://example.org' }, 'OPTIONS')).status).toBe(204)
  })

  test('has no powers and no Ethereum, and they have no CometBFT', async () => {
    const call = (method: string) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] })
    for (const method of ['troupe_mine', 'evm_mine', 'eth_chainId', 'constructor', '__proto__', 'toString']) {
      expect(JSON.parse((await ask('/comet', {}, 'POST', call(method))).body).error.code).toBe(-32601)
    }
    expect(JSON.parse((await ask('/', {}, 'POST', call('status'))).body).error.code).toBe(-32601)
    expect((await ask('/comets')).status).toBe(404)
    expect(JSON.parse((await ask('/')).body).rpc.cometbft).toBe('/comet')
  })

  test('lists its methods for who comes with a browser', async () => {
    const listed = await ask('/comet/')
    expect(listed.headers['content-type']).toBe('text/html')
    expect(listed.body).toContain('<a href="tx_search?query=_&amp;prove=_')
    expect((await ask('/comet')).body).toBe(listed.body)
  })

  test.each(['/comet/nope', '/comet/websocket', '/comet/__proto__', '/comet/block/'])(
    'GET %s is no failure of ours',
    async (path) => {
      expect((await ask(path)).status).toBeLessThan(500)
    },
  )

  test('opens WebSockets at their path alone, and not for foreign host names', async () => {
    const open = async (path: string, headers = {}): Promise<'open' | 'refused'> => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers })
      const result = await Promise.race([
        once(socket, 'open').then(() => 'open' as const),
        once(socket, 'error').then(() => 'refused' as const),
      ]).catch(() => 'refused' as const)
      socket.on('error', () => {})
      socket.terminate()
      return result
    }
    expect(await open('/comet/websocket')).toBe('open')
    expect(await open('/comet/websocket', { host: 'example.org' })).toBe('refused')
    expect(await open('/comet')).toBe('refused')
    expect(await open('/comet/block')).toBe('refused')
    expect(await open('/')).toBe('open')
  })

  test('keeps what does not change, and nothing that may', async () => {
    await devnet.chain.mine(2)
    const cacheOf = async (path: string) => (await ask(path)).headers['cache-control'] ?? 'none'
    const lasting = 'public, max-age=86400'
    expect(await cacheOf('/comet/block?height=1')).toBe(lasting)
    expect(await cacheOf('/comet/genesis')).toBe(lasting)
    for (const path of [
      'block',
      'block?height=3',
      'block?height=99',
      'commit?height=3',
      'blockchain',
      'status',
      'abci_info',
    ]) {
      expect(await cacheOf(`/comet/${path}`)).toBe('none')
    }
  })
})
