import { afterEach, describe, expect, test } from 'vitest'
import type { FinalizeBlockRequest } from '../../../devnet/consensus/application.ts'
import { publicKeyOf } from '../../../devnet/consensus/key.ts'
import { ChainHalted } from '../../../devnet/node/chain.ts'
import type { Devnet } from '../../../devnet/node/devnet.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { encodeTransaction, type Power } from '../../../devnet/node/transaction.ts'
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
    expect(application.history.locate(cid)).toBeUndefined()
    expect(application.history.block(head.height + 1)).toBeUndefined()
    expect(application.history.header(head.height + 1)).toBeUndefined()
    expect(application.door.senderOf(devnet.accounts[0]!.address)!.sequence).toBe(1n)
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

/** Block 1 of the devnet, with these transactions. */
function blockOf(txs: readonly Uint8Array[], hash = 'h'.repeat(32)): FinalizeBlockRequest {
  return {
    txs,
    hash,
    height: 1n,
    time: BigInt(devnet.chain.application.head.timeMs + 1) * 1_000_000n,
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    nextValidatorsHash: '',
    proposerAddress: '',
  }
}

const powersOf = (...powers: readonly Power[]) => encodeTransaction({ kind: 'power', nonce: 1n, powers })

describe.skipIf(!hasOwnBundle)('a block that runs before it is decided', () => {
  test('answers what it would have answered then, and leaves nothing behind when another is decided', async () => {
    open()
    const { application } = devnet.chain
    const [one, other] = [1n, 2n].map((value) =>
      blockOf([signed(devnet, transfer(devnet, { value: value as TokenAmount }))], String(value).repeat(32)),
    ) as [FinalizeBlockRequest, FinalizeBlockRequest]
    const cold = application.finalizeBlock(one)
    const blocks = store.blocks.size
    application.executeAhead(one)
    application.executeAhead(other)
    expect(store.blocks.size).toBe(blocks)
    expect(application.finalizeBlock(one)).toEqual(cold)
    const warm = application.finalizeBlock(other)
    expect(warm.appHash).not.toBe(cold.appHash)
    await application.commit()
    expect(application.info().lastBlockAppHash).toBe(warm.appHash)
    expect(application.door.senderOf(devnet.accounts[1]!.address)!.balance % 10n).toBe(2n)
  })

  test('is refused when it does not follow the head', () => {
    open()
    const request = { ...blockOf([]), height: 3n }
    expect(() => devnet.chain.application.executeAhead(request)).toThrowError(
      expect.objectContaining({ code: 'WRONG_HEIGHT' }),
    )
  })
})

describe.skipIf(!hasOwnBundle)('consensus', () => {
  const pubKey = publicKeyOf({ kind: 'secp256k1', secret: new Uint8Array(32).fill(7) })

  test('hears of validators and parameters that a block changes, also after a restart', async () => {
    open()
    const params = {
      block: { maxBytes: 3_000_000n, maxGas: -1n },
      evidence: null,
      validator: null,
      version: null,
      abci: null,
    }
    const validators = [{ pubKey, power: 7n }]
    const change = powersOf({ power: 'set-validators', validators }, { power: 'set-params', params })
    const answer = devnet.chain.application.finalizeBlock(blockOf([change]))
    expect(answer.validatorUpdates).toEqual(validators)
    expect(answer.consensusParamUpdates).toEqual(params)
    await devnet.chain.application.commit()
    const again = openTestDevnet({ store })
    const { settings } = again.chain.application
    expect([...settings.validators.values()]).toContainEqual({ pubKey, power: 7n })
    expect(settings.params.block).toEqual(params.block)
  })

  test('hears nothing of a change that was refused', () => {
    open()
    const change = powersOf({ power: 'set-validators', validators: [{ pubKey, power: 0n }] })
    const answer = devnet.chain.application.finalizeBlock(blockOf([change]))
    expect(answer.txResults[0]!.code).toBe(16)
    expect(answer.validatorUpdates).toEqual([])
  })

  test('is told of misbehaviour in the events of the block', () => {
    open()
    const validator = { address: 'v'.repeat(20), power: 3n }
    const misbehavior = [{ type: 1, validator, height: 9n, time: 0n, totalVotingPower: 12n }]
    const { events } = devnet.chain.application.finalizeBlock({ ...blockOf([]), misbehavior })
    expect(events).toMatchObject([
      { type: 'misbehavior', attributes: expect.arrayContaining([{ key: 'height', value: '9', index: true }]) },
    ])
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
