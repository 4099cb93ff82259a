import { describe, expect, test } from 'vitest'
import type { Finalized } from '../../../../devnet/node/block-executor.ts'
import { SUBSCRIPTION_LIMITS, Subscriptions } from '../../../../devnet/rpc/comet/subscriptions.ts'
import { addBlock, openChain, powerTx } from '../../node/consensus-fixture.ts'
import { KvApplication } from '../../node/kv-application.ts'

/** Blocks as they were published. */
async function publish(blocks: readonly (readonly string[])[]): Promise<readonly Finalized[]> {
  const chain = openChain(new KvApplication())
  const published: Finalized[] = []
  chain.executor.onCommit((finalized) => published.push(finalized))
  for (const txs of blocks) await addBlock(chain, txs)
  return published
}

class Client {
  readonly texts: string[] = []
  send(text: string): void {
    this.texts.push(text)
  }
  get kinds(): readonly string[] {
    return this.texts.map((text) => JSON.parse(text).result.data.type.split('/').at(-1))
  }
}

describe('subscriptions', () => {
  test('hear of a block in the order of its parts', async () => {
    const subscriptions = new Subscriptions()
    const client = new Client()
    subscriptions.add(client, 'all', 'tm.event EXISTS')
    for (const one of await publish([['a=1', powerTx(0, 99), 'b=2'], []])) subscriptions.publish(one)
    const empty = ['NewBlock', 'NewBlockHeader', 'NewBlockEvents']
    expect(client.kinds).toEqual([...empty, 'Tx', 'Tx', 'Tx', 'ValidatorSetUpdates', ...empty])
    const [first] = client.texts.map((text) => JSON.parse(text))
    expect(first).toMatchObject({ jsonrpc: '2.0', id: 'all', result: { query: 'tm.event EXISTS' } })
  })

  test('hear only what they asked for, each with its own id', async () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [new Client(), new Client()]
    subscriptions.add(one, 1, "tm.event='Tx' AND tx.height=2")
    subscriptions.add(other, 'x', "tm.event='NewBlock'")
    subscriptions.add(other, 7, "tm.event='Vote'")
    for (const block of await publish([['a=1'], ['b=1', 'c=1'], ['d=1']])) subscriptions.publish(block)
    expect(one.texts.map((text) => JSON.parse(text).result.events['tx.height'])).toEqual([['2'], ['2']])
    expect(other.texts.map((text) => JSON.parse(text).id)).toEqual(['x', 'x', 'x'])
    subscriptions.remove(one, "tm.event = 'Tx'  AND tx.height = 2")
    subscriptions.removeAll(other)
    expect(subscriptions.clientCount).toBe(0)
    for (const block of await publish([['b=1'], ['b=2']])) subscriptions.publish(block)
    expect(one.texts).toHaveLength(2)
  })

  test('are limited, and refused with a reason', () => {
    const subscriptions = new Subscriptions()
    const client = new Client()
    const { clients, perClient } = SUBSCRIPTION_LIMITS
    for (let i = 0; i < perClient; i++) subscriptions.add(client, i, `tx.height = ${i}`)
    expect(() => subscriptions.add(client, 9, 'tx.height = 9')).toThrow('max_subscriptions_per_client 5 reached')
    subscriptions.remove(client, 'tx.height = 0')
    expect(() => subscriptions.add(client, 9, 'tx.height=1')).toThrow('already subscribed')
    expect(() => subscriptions.remove(client, 'tx.height = 0')).toThrow('subscription not found')
    expect(() => subscriptions.add(client, 9, 'tx.height')).toThrow('failed to parse query: offset 9: EOF')
    for (let i = 1; i < clients; i++) subscriptions.add(new Client(), 1, 'tx.height = 1')
    expect(() => subscriptions.add(new Client(), 1, 'tx.height = 1')).toThrow('max_subscription_clients 100 reached')
    subscriptions.forget(client)
    subscriptions.add(new Client(), 1, 'tx.height = 1')
    expect(subscriptions.clientCount).toBe(clients)
  })

  test('cost nothing where nobody listens', async () => {
    const [block] = await publish([['a=1']])
    const silent = new Proxy(block!, {
      get() {
        throw new Error('nobody asked')
      },
    })
    new Subscriptions().publish(silent)
  })
})
