import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Application, RequestOf } from '../../../../devnet/consensus/application.ts'
import { DEFAULT_PARAMS } from '../../../../devnet/consensus/params.ts'
import { encode } from '../../../../devnet/consensus/schema.ts'
import {
  ABCI_REQUEST,
  type AbciRequest,
  encodeFrame,
  FINALIZE_BLOCK_REQUEST,
} from '../../../../devnet/consensus/wire-abci.ts'
import { GrammarChecker } from '../../../../devnet/node/abci/grammar.ts'
import { type AbciEndpoint, type AbciServer, serveAbci } from '../../../../devnet/node/abci/server.ts'
import { concatBytes } from '../../../../devnet/primitives/bytes.ts'
import { encodeUtf8 } from '../../../../devnet/primitives/utf8.ts'
import { addBlock, genesisOf, KEYS, openChain, powerTx } from '../consensus-fixture.ts'
import { KvApplication } from '../kv-application.ts'
import { AbciClient, AbciException } from './abci-client.ts'
import { FakeComet, type FakeCometDisk } from './fake-comet.ts'

const LOOPBACK: AbciEndpoint = { host: '127.0.0.1', port: 0 }
const folder = mkdtempSync(join(tmpdir(), 'troupe-abci-'))
const open: { close(): unknown }[] = []
const failures: unknown[] = []

async function serve(application: Application, endpoint: AbciEndpoint = LOOPBACK): Promise<AbciServer> {
  const server = await serveAbci(application, endpoint, { onFailure: (error) => failures.push(error) })
  open.push(server)
  return server
}

async function connect(server: AbciServer): Promise<AbciClient> {
  const client = await AbciClient.connect(server.address)
  open.push(client)
  return client
}

async function startComet(server: AbciServer, disk?: FakeCometDisk, genesis = genesisOf()): Promise<FakeComet> {
  const comet = await FakeComet.start(server.address, genesis, KEYS, disk)
  open.push({ close: () => comet.stop() })
  return comet
}

const frame = (request: AbciRequest): Uint8Array => encodeFrame(ABCI_REQUEST, request)

afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close()
  failures.length = 0
})

describe('through the socket', () => {
  test.each([
    ['TCP', LOOPBACK],
    ['a unix socket', { path: join(folder, 'app.sock') }],
  ])('a node begins a chain, decides blocks and restarts, over %s', async (_, endpoint) => {
    const application = new KvApplication()
    const server = await serve(new GrammarChecker(application), endpoint)
    const comet = await startComet(server)
    expect(server.connections).toBe(4)
    expect(await comet.submit(encodeUtf8('a=1'))).toBe(0)
    expect(await comet.submit(encodeUtf8('no pair'))).toBe(1)
    await comet.submit(encodeUtf8(powerTx(4, 50)))
    const { response } = await comet.decide({ rounds: 3 })
    expect(response.txResults.map(({ code }) => code)).toEqual([0, 0])
    expect(response.validatorUpdates).toHaveLength(1)
    for (let height = 2; height <= 5; height++) await comet.decide()
    expect(comet.state.validators.validators).toHaveLength(5)
    const asked = { data: encodeUtf8('a'), path: '', height: 0n, prove: false }
    expect((await comet.query.call('query', asked)).value).toEqual(encodeUtf8('1'))
    comet.stop()

    const again = await serve(new GrammarChecker(new KvApplication(application.disk)))
    const restarted = await startComet(again, comet.disk)
    await restarted.decide()
    expect(restarted.state.lastHeight).toBe(6n)
  })

  test.each([0, 1, 3, 5])('an application at height %i of five is brought up to date', async (height) => {
    const application = new KvApplication()
    const disks = [application.disk]
    const comet = await startComet(await serve(application))
    for (let at = 1; at <= 5; at++) {
      await comet.submit(encodeUtf8(`key${at}=${at}`))
      await comet.decide()
      disks.push(application.disk)
    }
    const behind = new KvApplication(disks[height])
    const restarted = await startComet(await serve(new GrammarChecker(behind)), comet.disk)
    expect(behind.disk).toEqual(application.disk)
    expect(restarted.state).toEqual(comet.state)
  })

  test('a node with vote extensions and many initial blocks behind it', async () => {
    const params = { ...DEFAULT_PARAMS, abci: { voteExtensionsEnableHeight: 1_001n } }
    const genesis = genesisOf({ initialHeight: 1_000n, params })
    const comet = await startComet(await serve(new GrammarChecker(new KvApplication())), undefined, genesis)
    for (let i = 0; i < 3; i++) await comet.decide()
    expect(comet.state.lastHeight).toBe(1_002n)
    expect(comet.disk.blocks[2]!.commit.extendedSignatures[0]!.extension).toEqual(encodeUtf8('height 1002'))
  })

  test('gives what the executor gives for the same blocks', async () => {
    const direct = openChain(new KvApplication())
    const comet = await startComet(await serve(new KvApplication()))
    for (const tx of ['a=1', powerTx(4, 9), 'b=2']) {
      await comet.submit(encodeUtf8(tx))
      const [{ block }] = [await comet.decide(), await addBlock(direct, [tx])]
      expect(block).toEqual(direct.blocks.block(block.header.height))
    }
    expect(comet.state).toEqual(direct.state)
  })
})

describe('a connection', () => {
  test('answers frames that come together and in pieces, in their order', async () => {
    const client = await connect(await serve(new KvApplication()))
    const frames = ['one', 'two', 'three'].map((message) => frame({ kind: 'echo', value: { message } }))
    const answers = frames.map(() => client.expect('echo'))
    const bytes = concatBytes(...frames)
    client.socket.write(bytes.subarray(0, bytes.length - 4))
    expect([await answers[0], await answers[1]]).toEqual([{ message: 'one' }, { message: 'two' }])
    for (const byte of bytes.subarray(bytes.length - 4)) client.socket.write(Uint8Array.of(byte))
    expect(await answers[2]).toEqual({ message: 'three' })
  })

  test('answers CheckTx without a Flush', async () => {
    const client = await connect(await serve(new KvApplication()))
    const checks = Array.from({ length: 2_000 }, (_, i) =>
      client.send('checkTx', { tx: encodeUtf8(i % 2 === 0 ? `k=${i}` : 'bad'), type: 0 }),
    )
    const codes = (await Promise.all(checks)).map(({ code }) => code)
    expect(codes).toEqual(checks.map((_, i) => i % 2))
  })

  test('carries any method: roles do not come with the order', async () => {
    const server = await serve(new GrammarChecker(new KvApplication()))
    const clients = [await connect(server), await connect(server), await connect(server), await connect(server)]
    const [a, b, c, d] = clients as [AbciClient, AbciClient, AbciClient, AbciClient]
    const version = { version: '', blockVersion: 11n, p2pVersion: 8n, abciVersion: '' }
    expect((await d.call('info', version)).lastBlockHeight).toBe(0n)
    expect((await c.call('checkTx', { tx: encodeUtf8('a=1'), type: 0 })).code).toBe(0)
    expect((await b.call('listSnapshots', {})).snapshots).toEqual([])
    expect(await a.call('echo', { message: 'hi' })).toEqual({ message: 'hi' })
  })

  test('takes a block of 20 MiB', async () => {
    const application = new KvApplication()
    const comet = await startComet(await serve(application))
    const tx = concatBytes(encodeUtf8('big='), new Uint8Array(20 << 20).fill(120))
    expect(await comet.submit(tx)).toBe(0)
    const { block } = await comet.decide()
    expect(encode(FINALIZE_BLOCK_REQUEST, comet.disk.blocks[0]!.request).length).toBeGreaterThan(20 << 20)
    expect(block.data.txs[0]).toHaveLength(tx.length)
    expect(application.disk.values.get('big')).toHaveLength(20 << 20)
  })

  test('is not read while its answers are not', async () => {
    class Loud extends KvApplication {
      asked = 0

      override query(request: RequestOf<'query'>) {
        this.asked++
        return { ...super.query(request), value: new Uint8Array(1 << 20) }
      }
    }
    const application = new Loud()
    const client = await connect(await serve(application))
    client.socket.pause()
    const asked = { data: new Uint8Array(1 << 12), path: '', height: 0n, prove: false }
    const answers = Array.from({ length: 500 }, () => client.send('query', asked))
    const other = await connect(await serve(application))
    await other.call('echo', { message: 'somebody else is served' })
    for (let still = -1; still !== application.asked; ) {
      still = application.asked
      for (let i = 0; i < 50; i++) await other.call('echo', { message: 'x' })
    }
    expect(application.asked).toBeLessThan(200)
    client.socket.resume()
    expect((await Promise.all(answers)).length).toBe(500)
  })

  test('may end in the middle of a frame or of an answer; the others go on', async () => {
    const server = await serve(new KvApplication())
    const [a, b] = [await connect(server), await connect(server)]
    a.socket.write(frame({ kind: 'echo', value: { message: 'x'.repeat(1000) } }).subarray(0, 500))
    const asked = a.send('checkTx', { tx: encodeUtf8('a=1'), type: 0 }).catch((error: Error) => error.message)
    a.close()
    expect(await asked).toBe('the connection ended')
    expect(await b.call('echo', { message: 'still here' })).toEqual({ message: 'still here' })
    expect(failures).toEqual([])
  })

  test.each([
    ['no message', Uint8Array.of(3, 0xff, 0xff, 0xff)],
    ['a reserved method', Uint8Array.of(2, 0x22, 0)],
    ['nothing asked', Uint8Array.of(0)],
    ['a frame beyond the limit', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)],
  ])('ends with an exception at %s', async (_, bytes) => {
    const server = await serve(new KvApplication())
    const client = await connect(server)
    const answer = client.expect('echo')
    client.socket.write(bytes)
    await expect(answer).rejects.toBeInstanceOf(AbciException)
    expect(failures).toEqual([])
    expect(await (await connect(server)).call('echo', { message: 'ok' })).toEqual({ message: 'ok' })
  })
})

describe('an application that throws', () => {
  test('is an exception for the node, and the end of this process', async () => {
    class Broken extends KvApplication {
      override finalizeBlock(): never {
        throw new Error('the disk is gone')
      }
    }
    const comet = await startComet(await serve(new Broken()))
    await expect(comet.decide()).rejects.toThrow('the disk is gone')
    await vi.waitFor(() => expect(failures).toHaveLength(1))
    expect(failures).toEqual([expect.objectContaining({ message: 'the disk is gone' })])
  })

  test('in its commit is no better', async () => {
    class Broken extends KvApplication {
      override async commit(): Promise<never> {
        throw new Error('no room')
      }
    }
    const comet = await startComet(await serve(new Broken()))
    await expect(comet.decide()).rejects.toThrow('no room')
    await vi.waitFor(() => expect(failures).toHaveLength(1))
  })
})

describe('the mempool', () => {
  test('waits for a commit that is under way, questions do not', async () => {
    let finish: (() => void) | undefined
    class Slow extends KvApplication {
      override async commit() {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return super.commit()
      }
    }
    const application = new Slow()
    const server = await serve(new GrammarChecker(application))
    const comet = await startComet(server)
    const asking = await connect(server)
    const order: string[] = []
    const decided = comet.decide().then(() => order.push('decided'))
    while (finish === undefined) await asking.call('echo', { message: '' })
    const check = asking.send('checkTx', { tx: encodeUtf8('a=1'), type: 0 }).then(() => order.push('checked'))
    const other = await connect(server)
    const asked = { data: encodeUtf8('a'), path: '', height: 0n, prove: false }
    await other.call('query', asked)
    order.push('answered')
    finish()
    await Promise.all([decided, check])
    expect(order[0]).toBe('answered')
  })
})

describe('a unix socket', () => {
  test('that a dead process left is replaced, one that is served is not, another file never', async () => {
    const path = join(folder, 'other.sock')
    const first = await serve(new KvApplication(), { path })
    await expect(serve(new KvApplication(), { path })).rejects.toThrow('EADDRINUSE')
    expect(await (await connect(first)).call('echo', { message: 'mine' })).toEqual({ message: 'mine' })
    const file = join(folder, 'file')
    writeFileSync(file, 'precious')
    await expect(serve(new KvApplication(), { path: file })).rejects.toThrow('EADDRINUSE')
    expect(existsSync(file)).toBe(true)
    rmSync(file)
  })
})
