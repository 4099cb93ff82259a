/** Worlds whose validators vote: the same seed gives the same chain, and faults do what they say. */
import { describe, expect, test } from 'vitest'
import { type BftWorld, openBftWorld } from '../../../devnet/testing/bft-world.ts'
import { hasOwnBundle } from '../node/chain-fixture.ts'
import { runProject } from './project.ts'

const reason = hasOwnBundle ? '' : ' (skipped: no dist/actors.car, run npm run build)'

describe.skipIf(!hasOwnBundle)(`a world that votes${reason}`, () => {
  /** Some transfers, a loss of messages, a fault that ends, and time. */
  async function live(seed: number): Promise<BftWorld> {
    const net = await openBftWorld({ consensus: 'bft', validators: 4, seed })
    await net.send('alice', 'bob', 5n)
    net.faults.loss(0.2)
    await net.send('bob', 'carol', 3n)
    await net.mine(3)
    net.faults.clear()
    net.faults.stop(3)
    await net.warp(3600)
    await net.send('carol', 'alice', 1n)
    net.faults.clear()
    await net.roll(2)
    return net
  }

  test('has the same block hashes and the same application hashes for the same seed, and others for another', async () => {
    const hashes = async (seed: number) => {
      const net = await live(seed)
      const { epoch } = await net.status()
      await net.pass(5000)
      const heights = Array.from({ length: Number(epoch) }, (_, i) => i + 1)
      const answer = { blocks: heights.map((h) => net.blockHash(h)), apps: heights.map((h) => net.appHashes(h)) }
      await net.close()
      return answer
    }
    const first = await hashes(7)
    expect(await hashes(7)).toEqual(first)
    expect(first.blocks.length).toBeGreaterThanOrEqual(8)
    for (const apps of first.apps) {
      expect(apps).toHaveLength(4)
      expect(new Set(apps).size).toBe(1)
      expect(apps[0]).toMatch(/^[0-9a-f]{64}$/)
    }
    expect((await hashes(8)).blocks).not.toEqual(first.blocks)
  })

  test('makes no block while it is parted in halves, and goes on when it is whole', async () => {
    const net = await openBftWorld({ consensus: 'bft', seed: 3, patienceSeconds: 20 })
    await net.mine()
    const { epoch } = await net.status()
    net.faults.partition([
      [0, 1],
      [2, 3],
    ])
    await expect(net.mine()).rejects.toMatchObject({ code: 'TRP-7607' })
    expect((await net.status()).epoch).toBe(epoch)
    net.faults.clear()
    await net.mine()
    expect((await net.status()).epoch).toBeGreaterThan(epoch)
    await net.pass(2000)
    expect(new Set(net.appHashes(Number(epoch) + 1)).size).toBe(1)
    await net.close()
  })

  test('goes on with three of four, and back to a snapshot', async () => {
    const net = await openBftWorld({ consensus: 'bft' })
    const before = await net.balance('bob')
    const snapshot = await net.snapshot()
    net.faults.stop('v2')
    await net.send('alice', 'bob', 9n)
    expect(await net.balance('bob')).toBe(before + 9n)
    net.faults.clear()
    await net.revert(snapshot)
    expect(await net.balance('bob')).toBe(before)
    await net.send('alice', 'bob', 2n)
    expect(await net.balance('bob')).toBe(before + 2n)
    await net.close()
  })

  test('shows who signs twice', async () => {
    const net = await openBftWorld({ consensus: 'bft' })
    const [fault] = [net.faults.byzantine(1)]
    await net.mine(5)
    expect(net.faults.list()).toEqual([{ id: fault, fault: { kind: 'byzantine', nodes: ['v1'] } }])
    net.faults.clear(fault)
    expect(net.faults.list()).toEqual([])
    expect(net.validators().map(({ isHalted }) => isHalted)).toEqual([false, false, false, false])
    expect(() => net.faults.stop('v9')).toThrow('v9')
    expect(() => net.faults.clear(99)).toThrow('99')
    await net.close()
  })

  test('is tested with handles and matchers, like any world', async () => {
    const { output, status } = await runProject('voting/*.test.ts')
    expect(output).toContain('Tests  3 passed')
    expect(status).toBe(0)
  })

  test('takes no odd number of validators', async () => {
    await expect(openBftWorld({ consensus: 'bft', validators: 0 })).rejects.toThrow(RangeError)
    await expect(openBftWorld({ consensus: 'bft', validators: 1.5 })).rejects.toThrow(RangeError)
  })
})
