import { request } from 'node:http'
import { Message } from 'iso-filecoin/message'
import { RPC } from 'iso-filecoin/rpc'
import * as Wallet from 'iso-filecoin/wallet'
import { accountFromMnemonic } from 'iso-filecoin/wallet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { DEFAULT_MNEMONIC } from '../../../devnet/node/accounts.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { Client } from '../../../devnet/rpc/client.ts'
import { serveDevnet } from '../../../devnet/rpc/serve.ts'
import { PortBusy, type RunningServer } from '../../../devnet/rpc/server.ts'
import { openTestDevnet } from '../node/chain-fixture.ts'

let devnet: Devnet
let server: RunningServer
let client: Client

beforeAll(async () => {
  devnet = openTestDevnet()
  server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  client = new Client(`${server.url}/rpc/v1`)
})

afterAll(async () => {
  await server.close()
  await devnet.close()
})

describe('a Lotus client', () => {
  const account = accountFromMnemonic(DEFAULT_MNEMONIC, 'SECP256K1', "m/44'/60'/0'/0/0", '', 'testnet')
  const rpc = () => new RPC({ api: `${server.url}/rpc/v1`, network: 'testnet' })

  test('derives the address that the devnet funds', () => {
    expect(account.address.toString()).toBe('t1nqjokbjze2a2nx36kz6oq54wns4w5jcwhzuzy2i')
  })

  test('sends a signed transfer from estimate to receipt', async () => {
    const to = 't1ufwmkte5zlr7okxak6hhmfhufyoxtzs4sooptri'
    const before = await rpc().balance(to)
    const message = await new Message({ from: account.address.toString(), to, value: '1000000000000000000' }).prepare(
      rpc(),
    )
    const signature = Wallet.signMessage(account.privateKey!, 'SECP256K1', message)
    const pushed = await rpc().pushMessage({ msg: message, signature })
    expect(pushed.error).toBeUndefined()
    const found = await rpc().waitMsg({ cid: pushed.result! })
    expect(found.error).toBeUndefined()
    expect((found.result as unknown as { Receipt: { ExitCode: number } }).Receipt.ExitCode).toBe(0)
    const after = await rpc().balance(to)
    expect(BigInt(after.result!) - BigInt(before.result!)).toBe(10n ** 18n)
  })

  test('reads the chain', async () => {
    const head = await rpc().chainHead()
    expect(head.result!.Height).toBe(devnet.chain.application.head.height)
    expect((await rpc().version()).result!.Version).toMatch(/^troupe/)
    expect((await rpc().nonce(account.address.toString())).result).toBe(1)
  })

  test('looks up ids and keys', async () => {
    const id = await client.request<string>('Filecoin.StateLookupID', [account.address.toString(), null])
    expect(id).toMatch(/^t0\d+$/)
    expect(await client.request('Filecoin.StateAccountKey', [id, null])).toBe(account.address.toString())
  })

  test('reads objects and actors', async () => {
    const actor = await client.request<{ Head: { '/': string }; Nonce: number }>('Filecoin.StateGetActor', [
      't01',
      null,
    ])
    expect(await client.request('Filecoin.ChainHasObj', [actor.Head])).toBe(true)
    const state = await client.request<{ State: unknown[] }>('Filecoin.StateReadState', ['t01', null])
    expect(state.State).toHaveLength(3)
    expect(state.State[2]).toBe('/r31337')
  })

  test('is told of new tipsets', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/rpc/v1`)
    const values = await new Promise<{ Type: string; Val: { Height: number } }[]>((resolve, reject) => {
      const seen: { Type: string; Val: { Height: number } }[] = []
      socket.on('error', reject)
      socket.on('open', () =>
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'Filecoin.ChainNotify', params: [] })),
      )
      socket.on('message', (data) => {
        const message = JSON.parse(data.toString())
        if (message.method !== 'xrpc.ch.val') return
        seen.push(...message.params[1])
        if (seen.length === 1) void devnet.chain.mine(1)
        if (seen.length === 2) resolve(seen)
      })
    })
    socket.terminate()
    expect(values.map(({ Type }) => Type)).toEqual(['current', 'apply'])
    expect(values[1]!.Val.Height).toBe(values[0]!.Val.Height + 1)
  })
})

describe('the first Ethereum methods', () => {
  test('answer what a wallet asks first', async () => {
    expect(await client.request('eth_chainId')).toBe('0x7a69')
    expect(await client.request('net_version')).toBe('31337')
    expect(await client.request('web3_clientVersion')).toMatch(/^troupe\//)
    expect(Number(await client.request('eth_blockNumber'))).toBe(devnet.chain.application.head.height)
    const balance = await client.request<string>('eth_getBalance', [
      '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
      'latest',
    ])
    expect(BigInt(balance)).toBe(10_000n * 10n ** 18n)
    expect(
      await client.request('eth_getTransactionCount', ['0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', 'latest']),
    ).toBe('0x0')
  })

  test('lists validators, and changes their powers', async () => {
    const [only] = (await client.request('troupe_validators')) as [{ readonly key: string }]
    expect(only).toMatchObject({ type: 'secp256k1', power: '1' })
    await client.request('troupe_setValidators', [[{ key: only.key, power: 9 }]])
    expect(await client.request('troupe_validators')).toEqual([{ ...only, power: '9' }])
    await expect(client.request('troupe_setValidators', [[{ key: only.key, power: 0 }]])).rejects.toThrow('empty-set')
    await expect(client.request('troupe_setValidators', [[{ key: '0x02', power: 1 }]])).rejects.toThrow('malformed')
  })

  test('snapshots and reverts as other devnets do', async () => {
    const id = await client.request('evm_snapshot')
    await client.request('anvil_setBalance', ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x5'])
    expect(await client.request('eth_getBalance', ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', 'latest'])).toBe('0x5')
    expect(await client.request('evm_revert', [id])).toBe(true)
    expect(await client.request('eth_getBalance', ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', 'latest'])).not.toBe(
      '0x5',
    )
  })
})

/** One HTTP request with any headers; the answer's status and body. */
function send(options: {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  path?: string
}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: server.port,
        path: options.path ?? '/',
        method: options.method ?? 'POST',
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        let body = ''
        response.on('data', (chunk) => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body }))
      },
    )
    sent.on('error', reject)
    sent.end(options.body)
  })
}

describe('hostile callers', () => {
  const mine = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'troupe_mine', params: [] })

  const bodies: readonly [string, string, number][] = [
    ['no JSON', '{', -32700],
    ['a number', '5', -32600],
    ['an empty batch', '[]', -32600],
    ['no method', '{"jsonrpc":"2.0","id":1}', -32600],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32601],
    [
      'a batch beyond the limit',
      JSON.stringify(Array.from({ length: 201 }, () => ({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }))),
      -32005,
    ],
    [
      'params nested too deeply',
      `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":${'['.repeat(100)}${']'.repeat(100)}}`,
      -32602,
    ],
    ['a bad address', '{"jsonrpc":"2.0","id":1,"method":"Filecoin.StateGetActor","params":["nobody",null]}', -32602],
    ['a bad CID', '{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainReadObj","params":[{"/":"x"}]}', -32602],
  ]

  test.each(bodies)('are told what is wrong with %s', async (_, body, code) => {
    const { status, body: text } = await send({ body })
    expect(status).toBe(200)
    expect(JSON.parse(text).error.code).toBe(code)
  })

  test('cannot send more than ten megabytes', async () => {
    const { status } = await send({ body: Buffer.alloc((10 << 20) + 1, 32) })
    expect(status).toBe(413)
  })

  test('a web page of another origin may read, but not use the powers', async () => {
    const read = await send({
      headers: { origin: 'https://evil.example' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }),
    })
    expect(JSON.parse(read.body).result).toBe('0x7a69')
    const height = devnet.chain.application.head.height
    const { body } = await send({ headers: { origin: 'https://evil.example' }, body: mine })
    expect(JSON.parse(body).error.code).toBe(-32001)
    expect(devnet.chain.application.head.height).toBe(height)
  })

  test('a name that resolves here but is not ours is not served', async () => {
    const { status } = await send({ headers: { host: 'evil.example' }, body: mine })
    expect(status).toBe(403)
  })

  test('the devnet stands ten thousand parallel requests', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        send({
          body: JSON.stringify(
            Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_blockNumber' })),
          ),
        }),
      ),
    )
    expect(answers.every(({ status, body }) => status === 200 && JSON.parse(body).length === 100)).toBe(true)
  })
})

describe('the port', () => {
  test('is left when it is busy and strictness is asked for', async () => {
    await expect(serveDevnet(devnet, { host: '127.0.0.1', port: server.port, isStrict: true })).rejects.toThrow(
      PortBusy,
    )
  })

  test('is the next free one otherwise', async () => {
    const other = await serveDevnet(devnet, { host: '127.0.0.1', port: server.port, isStrict: false })
    expect(other.port).toBeGreaterThan(server.port)
    await other.close()
  })
})
