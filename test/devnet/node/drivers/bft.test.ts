import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { verifyCommit } from '../../../../devnet/consensus/commit.ts'
import { publicKeyOf } from '../../../../devnet/consensus/key.ts'
import { DEFAULT_MNEMONIC } from '../../../../devnet/node/accounts.ts'
import type { Devnet, DevnetOptions } from '../../../../devnet/node/devnet.ts'
import { openFolderHome } from '../../../../devnet/node/node-home.ts'
import { encodeTransaction } from '../../../../devnet/node/transaction.ts'
import { deriveValidatorKeys } from '../../../../devnet/node/validator-keys.ts'
import { hasOwnBundle, openTestDevnet, signed, transfer } from '../chain-fixture.ts'
import { ManualClock } from '../manual-clock.ts'

const START_MS = 1_900_000_000_000

let devnet: Devnet
let clock: ManualClock

function open(options: DevnetOptions = {}): Devnet {
  clock = new ManualClock(START_MS)
  devnet = openTestDevnet({ consensus: 'bft', clock, ...options })
  return devnet
}

/** Blocks as the validator has them, by height. */
function tipOf(index: number): bigint {
  return devnet.bft!.validators[index]!.blocks.height
}

async function mine(count: number): Promise<void> {
  const mining = devnet.chain.mine(count)
  await clock.run(100 * count)
  await mining
}

describe.skipIf(!hasOwnBundle)('four validators in one process', () => {
  afterEach(() => devnet.close())

  test('decide blocks with good commits and equal results', async () => {
    open()
    await mine(5)
    const { validators } = devnet.bft!
    for (let height = 1n; height <= 5n; height++) {
      const hashes = validators.map(({ blocks }) => blocks.meta(height)?.blockId.hash)
      expect(new Set(hashes).size).toBe(1)
      for (const { blocks } of validators) {
        const { header, blockId } = blocks.meta(height)!
        const target = { chainId: header.chainId, height, blockId }
        expect(verifyCommit(blocks.validators(height)!, target, blocks.commit(height)!)).toBeNull()
      }
    }
    expect(new Set(validators.map(({ application }) => application.head.stateRoot)).size).toBe(1)
  })

  test('go on when one cannot execute a block ahead; it stops when it cannot execute what was decided', async () => {
    open()
    const [, odd] = devnet.bft!.validators
    odd!.application.executeAhead = () => {
      throw new Error('too early')
    }
    await mine(3)
    expect(devnet.bft!.validators.map(({ blocks }) => blocks.height)).toEqual([3n, 3n, 3n, 3n])
    odd!.application.finalizeBlock = () => {
      throw new Error('too late')
    }
    await mine(2)
    expect(devnet.bft!.validators.map(({ blocks }) => blocks.height)).toEqual([5n, 3n, 5n, 5n])
  })

  test('take turns proposing', async () => {
    open()
    await mine(4)
    const { blocks } = devnet.bft!.validators[0]!
    const proposers = [1n, 2n, 3n, 4n].map((height) => blocks.meta(height)!.header.proposerAddress)
    expect(new Set(proposers).size).toBe(4)
  })

  test('put a message of a client into a block at once, and none without a reason', async () => {
    open()
    const cid = devnet.chain.submit(signed(devnet, transfer(devnet)))
    const waiting = devnet.chain.waitFor(cid)
    await clock.run(100)
    expect((await waiting).result.exitCode).toBe(0)
    await clock.run(60_000)
    expect(devnet.chain.application.head.height).toBe(1)
  })

  test.each([0, 1, 2, 3])(
    'hear of what they missed while cut off, whoever proposes (after %i blocks)',
    async (blocks) => {
      open()
      if (blocks > 0) await mine(blocks)
      devnet.bft!.faults.add({ kind: 'partition', groups: [['v0'], ['v1', 'v2', 'v3']] })
      const cid = devnet.chain.submit(signed(devnet, transfer(devnet)))
      const waiting = devnet.chain.waitFor(cid)
      await clock.run(2000)
      devnet.bft!.faults.clear()
      await clock.run(10_000)
      expect((await waiting).result.exitCode).toBe(0)
    },
  )

  test('make blocks at an interval', async () => {
    open({ policy: { kind: 'interval', intervalMs: 1000 } })
    await clock.run(5500)
    expect(devnet.chain.application.head.height).toBe(5)
  })

  test('go on without one of them, and it catches up', async () => {
    open()
    devnet.bft!.faults.add({ kind: 'stop', nodes: ['v3'] })
    const mining = devnet.chain.mine(6)
    await clock.run(20_000)
    await mining
    expect(tipOf(3)).toBe(0n)
    devnet.bft!.faults.clear()
    await clock.run(10_000)
    expect(tipOf(3)).toBe(6n)
  })

  test('decide nothing when half of them do not hear the other half, and go on when they do', async () => {
    open()
    await mine(1)
    devnet.bft!.faults.add({
      kind: 'partition',
      groups: [
        ['v0', 'v1'],
        ['v2', 'v3'],
      ],
    })
    const mining = devnet.chain.mine(1)
    await clock.run(30_000)
    expect([0, 1, 2, 3].map(tipOf)).toEqual([1n, 1n, 1n, 1n])
    devnet.bft!.faults.clear()
    await clock.run(10_000)
    await mining
    expect(devnet.chain.application.head.height).toBe(2)
  })

  test('decide over slow links that lose messages', async () => {
    open()
    devnet.bft!.faults.add({ kind: 'latency', ms: 20, jitterMs: 10, nodes: [] })
    devnet.bft!.faults.add({ kind: 'loss', share: 0.1, nodes: [] })
    const mining = devnet.chain.mine(10)
    await clock.run(120_000)
    expect(await mining).toBe(10)
  })

  test('record who signs twice, and tell the application once', async () => {
    open()
    devnet.bft!.faults.add({ kind: 'byzantine', nodes: ['v2'] })
    const mining = devnet.chain.mine(6)
    await clock.run(20_000)
    await mining
    const { blocks, application } = devnet.bft!.validators[0]!
    const guilty = devnet.bft!.validators[2]!.address
    const pieces = []
    for (let height = 1n; height <= blocks.height; height++) {
      for (const piece of blocks.block(height)!.evidence.evidence) {
        expect(piece?.kind).toBe('duplicateVoteEvidence')
        if (piece?.kind === 'duplicateVoteEvidence') expect(piece.value.voteA?.validatorAddress).toBe(guilty)
        pieces.push(piece)
        expect(blocks.response(height)!.events).not.toEqual([])
      }
    }
    expect(pieces.length).toBeGreaterThan(0)
    expect(application.head.height).toBeGreaterThanOrEqual(6)
  })

  test('let a validator go and come back two heights later', async () => {
    open()
    const key = deriveValidatorKeys(DEFAULT_MNEMONIC, devnet.chainId, 4)[3]!
    const change = async (power: bigint): Promise<number> => {
      const done = devnet.chain.apply([{ power: 'set-validators', validators: [{ pubKey: publicKeyOf(key), power }] }])
      await clock.run(1000)
      return (await done).height
    }
    const left = BigInt(await change(0n))
    await mine(3)
    const { blocks } = devnet.bft!.validators[0]!
    expect(blocks.validators(left + 1n)!.validators).toHaveLength(4)
    expect(blocks.validators(left + 2n)!.validators).toHaveLength(3)
    const back = BigInt(await change(2n))
    await mine(3)
    expect(blocks.validators(back + 2n)!.totalVotingPower).toBe(5n)
    expect(tipOf(3)).toBe(blocks.height)
  })

  test('go back to an earlier block together', async () => {
    open()
    await mine(5)
    const { stateRoot } = devnet.chain.application.history.header(2)!
    await devnet.chain.rewind(2)
    expect(devnet.bft!.validators.map(({ application }) => application.head.stateRoot)).toEqual(
      Array(4).fill(stateRoot),
    )
    await mine(2)
    expect([0, 1, 2, 3].map(tipOf)).toEqual([4n, 4n, 4n, 4n])
  })

  test('follow the clock that is moved', async () => {
    open()
    devnet.chain.warp({ byMs: 86_400_000 })
    await mine(1)
    expect(devnet.chain.application.head.timeMs).toBeGreaterThanOrEqual(START_MS + 86_400_000)
    const toMs = devnet.chain.application.head.timeMs + 123_456
    devnet.chain.warp({ toMs })
    await mine(1)
    expect(devnet.chain.application.head.timeMs).toBe(toMs)
    expect(() => devnet.chain.warp({ toMs: 1 })).toThrow(RangeError)
  })

  test('refuse the same messages at the door as any chain', () => {
    open()
    expect(() => devnet.chain.submit(encodeTransaction({ kind: 'power', nonce: 1n, powers: [] }))).toThrow()
    expect(() => devnet.chain.submit(new Uint8Array([1, 2, 3]))).toThrow()
  })
})

test.skipIf(!hasOwnBundle)('a chain with seven validators, and one with one', async () => {
  for (const validators of [1, 7]) {
    open({ validators })
    await mine(3)
    expect(devnet.bft!.validators.map(({ blocks }) => blocks.height)).toEqual(Array(validators).fill(3n))
    await devnet.close()
  }
})

test.skipIf(!hasOwnBundle)('validators on disk go on where they were, whatever of them is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bft-'))
  try {
    const homes = (index: number) => openFolderHome(folder, index)
    const openReal = () => openTestDevnet({ consensus: 'bft', homes })
    let real = openReal()
    await real.chain.mine(4)
    const root = real.chain.application.head.stateRoot
    await real.close()
    // One of them loses all it had.
    rmSync(join(folder, 'validators', '2'), { recursive: true })
    real = openReal()
    expect(real.chain.application.head).toMatchObject({ height: 4, stateRoot: root })
    await real.chain.mine(3)
    const [first, , lost] = real.bft!.validators
    await new Promise<void>((resolve) => {
      const look = (): void => (lost!.blocks.height >= 7n ? resolve() : void setImmediate(look))
      look()
    })
    expect(lost!.blocks.meta(4n)).toEqual(first!.blocks.meta(4n))
    await real.close()
    // What was begun by votes may be continued by one process, and the other way round.
    const instant = openTestDevnet({ homes })
    await instant.chain.mine(2)
    expect(instant.chain.application.head.height).toBe(9)
    await instant.close()
    real = openReal()
    expect(await real.chain.mine(1)).toBe(10)
    await real.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
