import { afterEach, describe, expect, test } from 'vitest'
import { verifyCommit } from '../../../devnet/consensus/commit.ts'
import { headerHash } from '../../../devnet/consensus/hash.ts'
import { publicKeyOf } from '../../../devnet/consensus/key.ts'
import { GrammarChecker } from '../../../devnet/node/abci/grammar.ts'
import { BlockExecutor } from '../../../devnet/node/block-executor.ts'
import { BlockStore } from '../../../devnet/node/block-store.ts'
import { SubmitError } from '../../../devnet/node/chain.ts'
import { Crew } from '../../../devnet/node/crew.ts'
import { ChainBegun, type Devnet, devnetOf, genesisOf, openBase } from '../../../devnet/node/devnet.ts'
import { InstantChain } from '../../../devnet/node/drivers/instant.ts'
import { introduce } from '../../../devnet/node/handshake.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import { SYSTEM_CLOCK } from '../../../devnet/node/ports.ts'
import { deriveValidatorKeys } from '../../../devnet/node/validator-keys.ts'
import { toBinary } from '../../../devnet/primitives/bytes.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { openTestDevnet, signed, transfer } from './chain-fixture.ts'

let devnet: Devnet

afterEach(() => devnet.close())

const balanceOfBob = () => devnet.chain.application.door.senderOf(devnet.accounts[1]!.address)!.balance

describe('the instant chain', () => {
  test('puts a message into a block at once', async () => {
    devnet = openTestDevnet()
    const before = balanceOfBob()
    const { height, result } = await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    expect(height).toBe(1)
    expect(result.exitCode).toBe(0)
    expect(balanceOfBob() - before).toBe(1n)
  })

  test('holds back a message with a gap until the gap is filled', async () => {
    devnet = openTestDevnet()
    const later = devnet.chain.submit(signed(devnet, transfer(devnet, { sequence: 1n })))
    await devnet.chain.mine(1)
    expect(devnet.chain.application.history.locate(later)).toBeUndefined()
    devnet.chain.submit(signed(devnet, transfer(devnet)))
    expect((await devnet.chain.waitFor(later)).result.exitCode).toBe(0)
  })

  test('replaces a waiting message by one that pays a quarter more, not by less', () => {
    devnet = openTestDevnet({ policy: { kind: 'manual' } })
    devnet.chain.submit(signed(devnet, transfer(devnet, { gasPremium: 100n as TokenAmount })))
    const dearer = (premium: bigint) => signed(devnet, transfer(devnet, { gasPremium: premium as TokenAmount }))
    expect(() => devnet.chain.submit(dearer(110n))).toThrowError(expect.objectContaining({ code: 'UNDERPRICED' }))
    devnet.chain.submit(dearer(126n))
    expect(devnet.chain.mempool.pending().map(({ premium }) => premium)).toEqual([126n])
  })

  const refusals: readonly [string, number | string, (d: Devnet) => Uint8Array][] = [
    ['garbage', 51, () => new Uint8Array([1, 2, 3])],
    ['a used sequence', 2, (d) => signed(d, transfer(d))],
    ['a sequence far ahead', 'SEQUENCE_TOO_FAR', (d) => signed(d, transfer(d, { sequence: 20_000n }))],
    ['a signature of somebody else', 52, (d) => signed(d, transfer(d, { sequence: 1n }), 1)],
    ['a signature for another chain', 52, (d) => signed({ ...d, chainId: 5n }, transfer(d, { sequence: 1n }))],
    ['no gas', 53, (d) => signed(d, transfer(d, { sequence: 1n, gasLimit: 0n }))],
    ['more gas than a block has', 53, (d) => signed(d, transfer(d, { sequence: 1n, gasLimit: 10_000_000_001n }))],
    [
      'a fee cap below the base fee',
      53,
      (d) => signed(d, transfer(d, { sequence: 1n, gasFeeCap: 1n as TokenAmount, gasPremium: 0n as TokenAmount })),
    ],
    [
      'a premium above the fee cap',
      53,
      (d) => signed(d, transfer(d, { sequence: 1n, gasPremium: 1_001n as TokenAmount })),
    ],
    [
      'more gas cost than the sender has',
      6,
      (d) => signed(d, transfer(d, { sequence: 1n, gasFeeCap: (10n ** 21n) as TokenAmount })),
    ],
    [
      'a sender that does not exist',
      1,
      (d) => signed(d, transfer(d, { from: d.accounts[0]!.address.replace(/.$/, 'x') as never })),
    ],
    ['another message version', 53, (d) => signed(d, transfer(d, { sequence: 1n, version: 1n }))],
  ]

  test.each(refusals)('refuses %s at the door', async (_, code, make) => {
    devnet = openTestDevnet()
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    const height = devnet.chain.application.head.height
    expect(() => devnet.chain.submit(make(devnet))).toThrowError(
      expect.objectContaining({ name: SubmitError.name, code }),
    )
    expect(devnet.chain.application.head.height).toBe(height)
  })

  test('time follows the clock, moves forwards on demand, and never back', async () => {
    let now = 1_700_000_000_000
    devnet = openTestDevnet({ clock: { now: () => now, after: () => () => {} } })
    await devnet.chain.mine(1)
    now -= 5_000
    await devnet.chain.mine(1)
    expect(devnet.chain.application.head.timeMs).toBe(1_700_000_000_002)
    devnet.chain.warp({ byMs: 3_600_000 })
    await devnet.chain.mine(1)
    expect(devnet.chain.application.head.timeMs).toBe(1_700_000_000_000 - 5_000 + 3_600_000)
    expect(() => devnet.chain.warp({ toMs: 5 })).toThrow(RangeError)
  })

  test('goes back to a block and forward again on another branch', async () => {
    devnet = openTestDevnet()
    const before = balanceOfBob()
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet)))
    await devnet.chain.waitFor(cid)
    await devnet.chain.rewind(0)
    expect(balanceOfBob()).toBe(before)
    expect(devnet.chain.application.history.locate(cid)).toBeUndefined()
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet, { value: 7n as TokenAmount }))))
    expect(balanceOfBob() - before).toBe(7n)
  })

  test('an opened chain is the chain that was closed', async () => {
    const store = new MemoryChainStore()
    devnet = openTestDevnet({ store })
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    const { head } = devnet.chain.application
    const again = openTestDevnet({ store })
    expect(again.chain.application.head).toEqual(head)
    await again.close()
  })

  test('a power that fails changes nothing, and the ones before it neither', async () => {
    devnet = openTestDevnet()
    const before = balanceOfBob()
    const { result } = await devnet.chain.apply([
      { power: 'set-balance', address: devnet.accounts[1]!.address, balance: 5n as TokenAmount },
      { power: 'install', code: new Uint8Array([0, 97, 115, 109, 9]) },
    ])
    expect(result.exitCode).toBe(16)
    expect(balanceOfBob()).toBe(before)
  })
})

describe('its blocks', () => {
  const heightsOf = () => Array.from({ length: devnet.chain.application.head.height }, (_, i) => BigInt(i + 1))

  test.each([1, 4])('are CometBFT’s, signed by all of %i validators', async (validators) => {
    devnet = openTestDevnet({ validators })
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet))))
    await devnet.chain.mine(4)
    const blocks = devnet.chain.blocks!
    const proposers = new Set<string>()
    for (const height of heightsOf()) {
      const block = blocks.block(height)!
      const { blockId } = blocks.meta(height)!
      const record = devnet.chain.application.history.block(Number(height))!
      expect(headerHash(block.header)).toBe(blockId.hash)
      expect(toBinary(record.header.hash)).toBe(blockId.hash)
      expect(record.txs).toEqual(block.data.txs)
      const commit = blocks.commit(height)!
      expect(commit.signatures).toHaveLength(validators)
      const target = { chainId: '31337', height, blockId }
      expect(verifyCommit(blocks.validators(height)!, target, commit)).toBeNull()
      expect(block.header.appHash).toBe(toBinary(devnet.chain.application.history.header(Number(height) - 1)!.appHash))
      proposers.add(block.header.proposerAddress)
    }
    expect(proposers.size).toBe(validators)
  })

  test('go on after a restart where they were, with the validators of then', async () => {
    const store = new MemoryChainStore()
    devnet = openTestDevnet({ store, validators: 3 })
    await devnet.chain.mine(3)
    const tip = devnet.chain.blocks!.meta(3n)!.blockId
    expect(() => openTestDevnet({ store, validators: 1 })).toThrow(ChainBegun)
    const whole = openTestDevnet({ store })
    await whole.chain.mine(1)
    expect(whole.chain.blocks!.block(4n)!.header.lastBlockId).toEqual(tip)
  })

  test('have new validators from the block after the next on, also when the chain went back', async () => {
    devnet = openTestDevnet()
    const [, second] = deriveValidatorKeys('test test test test test test test test test test test junk', 31337n, 2)
    const pubKey = publicKeyOf(second!)
    const counts = async () => {
      await devnet.chain.apply([{ power: 'set-validators', validators: [{ pubKey, power: 1n }] }])
      // The newcomer's key is not ours: with half of the power the chain has to stop.
      await devnet.chain.mine(2).catch(() => {})
      return heightsOf().map((height) => devnet.chain.blocks!.validators(height)!.validators.length)
    }
    await devnet.chain.mine(1)
    const power = { power: 'set-validators', validators: [{ pubKey, power: 1n }] } as const
    await devnet.chain.apply([power])
    expect(devnet.chain.blocks!.validators(4n)!.validators).toHaveLength(2)
    await devnet.chain.rewind(1)
    expect(devnet.chain.application.settings.validators.size).toBe(1)
    expect(devnet.chain.blocks!.validators(3n)!.validators).toHaveLength(1)
    expect(await counts()).toEqual([1, 1, 1])
    await expect(devnet.chain.mine(1)).rejects.toThrow('two thirds')
  })

  test('begin again on the other branch after going back', async () => {
    devnet = openTestDevnet({ validators: 4 })
    await devnet.chain.mine(5)
    const at3 = devnet.chain.blocks!.meta(3n)!.blockId
    await devnet.chain.rewind(3)
    expect(devnet.chain.blocks!.height).toBe(3n)
    await devnet.chain.mine(1)
    const { header, lastCommit } = devnet.chain.blocks!.block(4n)!
    expect(header.lastBlockId).toEqual(at3)
    const target = { chainId: '31337', height: 3n, blockId: at3 }
    expect(verifyCommit(devnet.chain.blocks!.validators(3n)!, target, lastCommit!)).toBeNull()
  })
})

describe('a message whose sender can no longer pay', () => {
  test('leaves the pool, and whoever waits for it hears why', async () => {
    devnet = openTestDevnet({ policy: { kind: 'manual' } })
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet)))
    const refused = expect(devnet.chain.waitFor(cid)).rejects.toMatchObject({ name: SubmitError.name, code: 6 })
    const { address } = devnet.accounts[0]!
    await devnet.chain.apply([{ power: 'set-balance', address, balance: 5n as TokenAmount }])
    await devnet.chain.mine(1)
    await refused
    expect(devnet.chain.mempool.size).toBe(0)
  })
})

test('the application is asked in the order that a node asks', async () => {
  const store = new MemoryChainStore()
  const { application, keys } = openBase({ validators: 4 }, store)
  const checked = new GrammarChecker(application)
  const blocks = new BlockStore(store)
  const options = { application: checked, store, blocks, timeRule: 'proposer', durability: 'together' } as const
  const executor = new BlockExecutor(options)
  const { state } = introduce(genesisOf(application, keys), checked, blocks)
  const consensus = { executor, crew: new Crew(keys), state }
  const chain = new InstantChain(application, consensus, SYSTEM_CLOCK, { kind: 'auto' })
  devnet = devnetOf(openBase({ validators: 4 }, store), chain)
  await chain.waitFor(chain.submit(signed(devnet, transfer(devnet))))
  await chain.apply([{ power: 'set-balance', address: devnet.accounts[1]!.address, balance: 5n as TokenAmount }])
  expect(await chain.mine(3)).toBe(5)
})
