/** Going back with others who do not answer as they should. That real processes go back together: `test/e2e/processes.test.ts`. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Devnet } from '../../../../devnet/node/devnet.ts'
import { invalid } from '../../../../devnet/rpc/convert.ts'
import { rewindTogether } from '../../../../devnet/rpc/dev/together.ts'
import type { Method } from '../../../../devnet/rpc/router.ts'
import { type RunningServer, startServer } from '../../../../devnet/rpc/server.ts'
import { hasOwnBundle, openTestDevnet } from '../../node/chain-fixture.ts'

let devnet: Devnet
const servers: RunningServer[] = []

beforeEach(async () => {
  devnet = openTestDevnet({ consensus: 'bft' })
  await devnet.chain.mine(3)
})
afterEach(async () => {
  await devnet.close()
  for (const server of servers.splice(0)) await server.close()
})

/** Somebody who is asked for what a validator is, and keeps the questions. */
async function peer(answers: Readonly<Record<string, Method>> = {}): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const names = ['troupe_hold', 'troupe_goBack', 'troupe_goOn']
  const methods = new Map<string, Method>(
    names.map((name) => [
      name,
      (params, caller) => {
        asked.push(params.length === 0 ? name : `${name} ${params.join()}`)
        return answers[name]?.(params, caller) ?? true
      },
    ]),
  )
  const options = { host: '127.0.0.1', port: 0, isStrict: true, describe: () => ({}) }
  const server = await startServer({ ...options, routes: { '/': { methods, powers: new Set() } } })
  servers.push(server)
  return { url: server.url, asked }
}

const refuse: Method = () => {
  throw invalid('not now')
}

function peersOf(urls: readonly string[]) {
  const renewed: string[] = []
  return { renewed, urls: () => urls, renew: (url: string) => void renewed.push(url) }
}

describe.skipIf(!hasOwnBundle)('going back together', () => {
  test('asks all to hold, then to go back, then to go on', async () => {
    const peers = [await peer(), await peer(), await peer()]
    await rewindTogether(devnet.bft!, peersOf(peers.map(({ url }) => url)), 1)
    for (const { asked } of peers) expect(asked).toEqual(['troupe_hold', 'troupe_goBack 1', 'troupe_goOn'])
    expect(devnet.chain.application.head.height).toBe(1)
    expect(await devnet.chain.mine(1)).toBe(2)
  })

  test('is refused while one of them does not run, and changes nothing', async () => {
    const one = await peer()
    const going = rewindTogether(devnet.bft!, peersOf([one.url]), 1)
    await expect(going).rejects.toMatchObject({ code: 'ELSEWHERE' })
    expect(one.asked).toEqual([])
    expect(await devnet.chain.mine(1)).toBe(4)
    await expect(rewindTogether(devnet.bft!, peersOf([]), 9)).rejects.toThrow('there is no block 9')
  })

  test('is given up when one of them cannot hold: all go on where they were', async () => {
    const [good, bad, other] = [await peer(), await peer({ troupe_hold: refuse }), await peer()]
    const peers = peersOf([good.url, bad.url, other.url])
    await expect(rewindTogether(devnet.bft!, peers, 1)).rejects.toThrow('not now')
    expect(good.asked).toEqual(['troupe_hold', 'troupe_goOn'])
    expect(peers.renewed).toEqual([])
    expect(await devnet.chain.mine(1)).toBe(4)
  })

  test('begins anew who cannot go back', async () => {
    const [good, bad, other] = [await peer(), await peer({ troupe_goBack: refuse }), await peer()]
    const peers = peersOf([good.url, bad.url, other.url])
    await rewindTogether(devnet.bft!, peers, 2)
    expect(peers.renewed).toEqual([bad.url])
    expect(await devnet.chain.mine(1)).toBe(3)
  })

  test('happens once at a time', async () => {
    const peers = [await peer(), await peer(), await peer()]
    const urls = peersOf(peers.map(({ url }) => url))
    const [first, second] = await Promise.allSettled([2, 1].map((height) => rewindTogether(devnet.bft!, urls, height)))
    expect(first!.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'HELD' } })
    expect(await devnet.chain.mine(1)).toBe(3)
    expect(peers[0]!.asked).toEqual(['troupe_hold', 'troupe_goBack 2', 'troupe_goOn'])
  })

  test('takes nothing from anybody while it lasts', async () => {
    const bft = devnet.bft!
    await bft.hold()
    await expect(bft.mine(1)).rejects.toMatchObject({ code: 'HELD' })
    await expect(bft.apply([])).rejects.toMatchObject({ code: 'HELD' })
    await expect(bft.hold()).rejects.toMatchObject({ code: 'HELD' })
    bft.goOn()
    expect(await devnet.chain.mine(1)).toBe(4)
  })
})
