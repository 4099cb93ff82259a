/** A client over a real socket; time is the test's. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { openSession, SESSION_LIMITS } from '../../../../devnet/rpc/comet/session.ts'
import { SUBSCRIPTION_LIMITS, Subscriptions } from '../../../../devnet/rpc/comet/subscriptions.ts'
import { addBlock, openChain, type TestChain } from '../../node/consensus-fixture.ts'
import { KvApplication } from '../../node/kv-application.ts'
import { ManualClock } from '../../node/manual-clock.ts'
import { quietNode } from './quiet-node.ts'

let server: WebSocketServer
let clock: ManualClock
let subscriptions: Subscriptions
let chain: TestChain
let serverSide: WebSocket
let client: WebSocket
let heard: string[]

beforeEach(async () => {
  clock = new ManualClock(1_900_000_000_000)
  subscriptions = new Subscriptions()
  chain = openChain(new KvApplication())
  chain.executor.onCommit((finalized) => subscriptions.publish(finalized))
  await addBlock(chain, ['a=1'])
  const node = quietNode(chain)
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    serverSide = socket
    openSession(socket, { node, subscriptions, clock })
  })
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  heard = []
  client.on('message', (data) => heard.push(String(data)))
  await once(client, 'open')
})

afterEach(() => {
  client.terminate()
  for (const socket of server.clients) socket.terminate()
  server.close()
})

/** The answer to a request; answers come in the order of requests. */
async function ask(request: unknown): Promise<unknown> {
  client.send(typeof request === 'string' ? request : JSON.stringify(request))
  const before = heard.length
  while (heard.length === before) await once(client, 'message')
  return JSON.parse(heard[before]!)
}

const call = (method: string, params: unknown = {}, id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params })

describe('a session', () => {
  test('answers requests, and events by the id of their subscription', async () => {
    expect(await ask(call('health'))).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    const query = "tm.event='NewBlockHeader'"
    expect(await ask(call('subscribe', { query }, 'mine'))).toEqual({ jsonrpc: '2.0', id: 'mine', result: {} })
    const next = once(client, 'message')
    await addBlock(chain)
    expect(JSON.parse(String((await next)[0]))).toMatchObject({ id: 'mine', result: { query } })
    expect(await ask(call('unsubscribe', [query], 3))).toEqual({ jsonrpc: '2.0', id: 3, result: {} })
    expect(await ask(call('unsubscribe_all', {}, 4))).toMatchObject({ id: 4, error: { code: -32603 } })
    await addBlock(chain)
    expect(await ask(call('block', { height: '1' }, 5))).toMatchObject({ id: 5 })
  })

  test.each([
    ['no JSON', '{', { error: { code: -32700 } }],
    ['a batch', '[]', { error: { code: -32700 } }],
    ['an unknown method', call('nope'), { id: 1, error: { code: -32601 } }],
    ['a power', call('troupe_mine'), { id: 1, error: { code: -32601 } }],
    ['params of another form', call('subscribe', 5), { id: 1, error: { code: -32602 } }],
    ['no query', call('subscribe'), { id: 1, error: { code: -32603 } }],
    ['a query that is none', call('subscribe', { query: 'x' }), { id: 1, error: { code: -32603 } }],
    ['a deep value', call('health', JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`)), { error: { code: -32700 } }],
  ])('refuses %s and goes on', async (_, request, expected) => {
    expect(await ask(request)).toMatchObject(expected)
    expect(await ask(call('health'))).toMatchObject({ result: {} })
  })

  test('does not answer what has no id', async () => {
    client.send(JSON.stringify({ jsonrpc: '2.0', method: 'health' }))
    expect(await ask(call('health', {}, 2))).toMatchObject({ id: 2 })
    expect(heard).toHaveLength(1)
  })

  test('asks whether the client is there, and lets it go when it is silent', async () => {
    const pinged = once(client, 'ping')
    await clock.run(SESSION_LIMITS.pingMs)
    await pinged
    // The client has answered; now it no longer does.
    expect(await ask(call('health'))).toMatchObject({ result: {} })
    client.pause()
    const closed = once(serverSide, 'close')
    await clock.run(SESSION_LIMITS.silenceMs + 1)
    await closed
    expect(subscriptions.clientCount).toBe(0)
  })

  test('forgets the subscriptions of a client that left', async () => {
    await ask(call('subscribe', { query: 'tm.event EXISTS' }))
    expect(subscriptions.clientCount).toBe(1)
    const closed = once(serverSide, 'close')
    client.terminate()
    await closed
    expect(subscriptions.clientCount).toBe(0)
  })

  test('lets a client go that does not take its events', async () => {
    await ask(call('subscribe', { query: "tm.event='NewBlock'" }))
    // As if the system took nothing.
    serverSide.send = ((_: string, taken?: () => void) => void taken) as typeof serverSide.send
    const closed = once(client, 'close')
    for (let i = 0; i <= SUBSCRIPTION_LIMITS.buffer; i++) await addBlock(chain)
    expect((await closed)[0]).toBe(1013)
    expect(subscriptions.clientCount).toBe(0)
  })

  test('lets a client go that says too much at once', async () => {
    const closed = once(client, 'close')
    client.send('x'.repeat(1_000_001))
    expect((await closed)[0]).toBe(1009)
  })

  test('answers many requests one after the other', async () => {
    const count = 300
    for (let id = 1; id <= count; id++) client.send(JSON.stringify(call('block', { height: '1' }, id)))
    while (heard.length < count) await once(client, 'message')
    expect(heard.map((text) => JSON.parse(text).id)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
  })
})
