/** The harness over a devnet behind a port: the fixture project's tests, and what is wrong with the address. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileActor } from '../../../compiler/compile.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { serveDevnet } from '../../../devnet/rpc/serve.ts'
import type { RunningServer } from '../../../devnet/rpc/server.ts'
import { openConnection } from '../../../devnet/testing/connection.ts'
import { hasOwnBundle, openTestDevnet } from '../node/chain-fixture.ts'
import { PROJECT, readProjectFile, runProject } from './project.ts'

const reason = hasOwnBundle ? '' : ' (skipped: no dist/actors.car, run npm run build)'

describe.skipIf(!hasOwnBundle)(`a devnet behind a port${reason}`, () => {
  let devnet: Devnet
  let server: RunningServer

  beforeAll(async () => {
    devnet = openTestDevnet()
    server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  })
  afterAll(async () => {
    await server.close()
    await devnet.close()
  })

  test('is tested with the handles and matchers of a world', async () => {
    const compiled = await compileActor({
      entry: 'actors/counter.actor.ts',
      mode: 'release',
      readFile: readProjectFile,
    })
    if (!compiled.ok) throw new Error(`${PROJECT} does not compile`)
    const { abi, wasm } = compiled.artifact
    const net = await openConnection(server.url)
    const body = { name: 'Counter', abi, code: `0x${Buffer.from(wasm).toString('hex')}`, params: '0x8100' }
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'troupe_deploy', params: [body] }),
    })
    expect(await answer.json()).toMatchObject({ result: { exitCode: 0 } })
    const before = devnet.actors.all()

    const { output, status } = await runProject('connected/*.test.ts', { TROUPE_URL: server.url })
    expect(output).toContain('Tests  13 passed')
    expect(status).toBe(0)
    // What tests deployed has no name: the project's own Counter is still the one that the devnet knows.
    expect(devnet.actors.all()).toEqual(before)
    expect((await net.status()).epoch).toBeGreaterThan(10n)
  })

  test('says who is not there', async () => {
    const net = await openConnection(server.url)
    await expect(net.balance('nobody')).rejects.toThrow('nobody')
  })
})

test('nobody at the address: a code and the next step', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await expect(openConnection(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
    code: 'TRP-7604',
    message: expect.stringContaining('troupe dev'),
  })
})

test('something else at the address', async () => {
  const server = createServer((_, response) => response.writeHead(404).end('not here'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await expect(openConnection(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'TRP-7604' })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
