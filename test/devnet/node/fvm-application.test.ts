import { afterEach, describe, expect, test } from 'vitest'
import { ChainHalted } from '../../../devnet/node/chain.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from './chain-fixture.ts'

/** A disk that fills up when told to. */
class FullStore extends MemoryChainStore {
  isFull = false

  override async commit(): Promise<void> {
    if (this.isFull) throw new Error('no room')
  }
}

let devnet: Devnet
let store: FullStore

function open(): void {
  store = new FullStore()
  devnet = openTestDevnet({ store })
}

afterEach(() => devnet.close())

describe.skipIf(!hasOwnBundle)('a chain that cannot write a block', () => {
  test('stops, and says so to whoever waits for it', async () => {
    open()
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    store.isFull = true
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet, { sequence: 1n })))
    await expect(devnet.chain.waitFor(cid)).rejects.toThrow(ChainHalted)
    expect(() => devnet.chain.submit(signed(devnet, transfer(devnet, { sequence: 2n })))).toThrow(ChainHalted)
    await expect(devnet.chain.mine(1)).rejects.toThrow(ChainHalted)
  })

  test('says so to who asks in between', async () => {
    open()
    store.isFull = true
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet)))
    await new Promise((resolve) => setImmediate(resolve))
    await expect(devnet.chain.waitFor(cid)).rejects.toThrow(ChainHalted)
  })

  test('shows the last block that is durable, and none above it', async () => {
    open()
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    const { head } = devnet.chain.application
    store.isFull = true
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet, { sequence: 1n })))
    await expect(devnet.chain.waitFor(cid)).rejects.toThrow(ChainHalted)
    const { application } = devnet.chain
    expect(application.head).toEqual(head)
    expect(application.locate(cid)).toBeUndefined()
    expect(application.block(head.height + 1)).toBeUndefined()
    expect(application.header(head.height + 1)).toBeUndefined()
    expect(application.senderOf(devnet.accounts[0]!.address)!.sequence).toBe(1n)
  })

  test('mines no further', async () => {
    open()
    await devnet.chain.mine(2)
    store.isFull = true
    await expect(devnet.chain.mine(5)).rejects.toThrow(ChainHalted)
    expect(devnet.chain.application.head.height).toBe(2)
  })

  test('refuses powers', async () => {
    open()
    store.isFull = true
    const power = { power: 'set-balance', address: devnet.accounts[1]!.address, balance: 5n as TokenAmount } as const
    await expect(devnet.chain.apply([power])).rejects.toThrow(ChainHalted)
  })
})

test.skipIf(!hasOwnBundle)('inclusion is paid for the message signed as on Filecoin, or bare as in IPC', async () => {
  const gasUsed = async (profile: 'ipc' | 'filecoin') => {
    devnet = openTestDevnet({ profile })
    const { result } = await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    if (profile === 'ipc') devnet.close()
    return result.gasUsed
  }
  // A list of two, a string of 65 bytes and its type.
  const signatureBytes = 69n
  const bare = await gasUsed('ipc')
  expect((await gasUsed('filecoin')) - bare).toBe(1300n * signatureBytes)
})
