/**
 * Four validators as processes, killed, cut off and damaged: E1–E3, E5 and E10 of spec consensus §8.5 each time; the others with
 * `TROUPE_DEEP=1`.
 */
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hasBuild } from './cli-process.ts'
import { NodeNetwork } from './node-network.ts'

const isDeep = process.env['TROUPE_DEEP'] === '1'
const MINUTES = 60_000

let network: NodeNetwork

describe.skipIf(!hasBuild)('four validators in processes of their own', { timeout: 5 * MINUTES }, () => {
  beforeEach(async () => {
    network = await NodeNetwork.plan()
    for (const index of network.indexes) network.configure(index, { snapshots: { interval: 20 } })
    await network.startAll()
  })
  afterEach(() => network.close())

  const everywhere = (height: number) => Promise.all(network.indexes.map((index) => network.reach(index, height)))
  const expectOneChain = async (height: number) => {
    await everywhere(height)
    expect(new Set(await network.answersOf(height))).toEqual(new Set([1]))
  }
  const send = (index: number, value: number) =>
    network.ask<{ exitCode: number }>(index, 'troupe_send', { from: 'alice', to: 'bob', value })
  const mine = (index: number, count: number) => network.ask<number>(index, 'troupe_mine', count)

  test('E1: messages and a hundred blocks are the same everywhere', async () => {
    for (let i = 1; i <= 20; i++) expect((await send(0, i)).exitCode).toBe(0)
    await mine(0, 100)
    await expectOneChain(100)
  })

  test('E2: killed one after the other, each comes back, and signs nothing twice', async () => {
    await mine(0, 2)
    for (const victim of [3, 1, 2, 0]) {
      const other = (victim + 1) % 4
      await network.kill(victim)
      const before = await network.height(other)
      await mine(other, 3)
      await network.start(victim)
      await network.reach(victim, before + 3)
      await mine(victim, 1)
    }
    await expectOneChain(await network.height(0))
    expect(network.doubleVotes()).toEqual([])
  })

  test('E3: killed all at once, twice, they go on where they were', async () => {
    await mine(0, 3)
    for (let again = 0; again < 2; again++) {
      const before = await network.height(0)
      const mining = mine(0, 50).catch(() => 0)
      await network.reach(1, before + 2)
      await Promise.all(network.indexes.map((index) => network.kill(index)))
      await mining
      await network.startAll()
      expect(await network.height(0)).toBeGreaterThanOrEqual(before)
      await mine(1, 2)
      await expectOneChain(before + 3)
    }
    expect(network.doubleVotes()).toEqual([])
  })

  test('E5: three of four go on without the fourth; halves wait for each other', async () => {
    await mine(0, 1)
    await network.ask(0, 'troupe_addFault', { kind: 'partition', groups: [['v0', 'v1', 'v2'], ['v3']] })
    for (const index of [1, 2, 3]) {
      await network.ask(index, 'troupe_addFault', { kind: 'partition', groups: [['v0', 'v1', 'v2'], ['v3']] })
    }
    await mine(0, 3)
    expect(await network.height(3)).toBe(1)
    for (const index of network.indexes) {
      await network.ask(index, 'troupe_clearFaults', null)
      const groups = [
        ['v0', 'v1'],
        ['v2', 'v3'],
      ]
      await network.ask(index, 'troupe_addFault', { kind: 'partition', groups })
    }
    const before = await network.height(0)
    const mining = mine(0, 1)
    // Its rounds begin and end without a block.
    await network.until(
      () => network.ask<{ round: number }[]>(0, 'troupe_consensus'),
      ([{ round } = { round: 0 }]) => round >= 0,
    )
    await network.until(
      () => network.ask<{ step: string }[]>(0, 'troupe_consensus'),
      ([{ step } = { step: '' }]) => step === 'prevote',
    )
    expect(await Promise.all([0, 1].map((index) => network.height(index)))).toEqual([before, before])
    for (const index of network.indexes) await network.ask(index, 'troupe_clearFaults', null)
    await mining
    await expectOneChain(before + 1)
  })

  /** It lost its disk, and finds the way back by a state of the others. */
  const restart = async (height: number): Promise<number> => {
    await network.kill(3)
    network.loseDisk(3)
    network.configure(3, { stateSync: { enable: true } })
    const began = performance.now()
    await network.start(3)
    await network.reach(3, height)
    return performance.now() - began
  }

  test('E9: who lost its disk takes a state from the others, and votes', async () => {
    await mine(0, 45)
    await everywhere(45)
    await restart(45)
    expect(await network.base(3)).toBe(40)
    // Three of four must vote, so the one that came back must.
    await network.kill(1)
    await mine(0, 5)
    await Promise.all([0, 2, 3].map((index) => network.reach(index, 50)))
    expect(new Set(await network.answersOf(50, 40))).toEqual(new Set([1]))
    const { signed_header: signed } = await network.askComet<{
      signed_header: { commit: { signatures: { block_id_flag: number }[] } }
    }>(0, 'commit', { height: '50' })
    expect(signed.commit.signatures.filter(({ block_id_flag: flag }) => flag === 2)).toHaveLength(3)
    await network.start(1)
    // What it signed before it lost its journal is in those of the others.
    expect(network.doubleVotes()).toEqual([])
  })

  test('E10: a journal without its end is mended; one that is damaged in the middle is refused', async () => {
    await mine(0, 3)
    for (const cut of [1, 20, 200]) {
      await network.kill(3)
      truncateSync(network.journal(3), Math.max(0, statSync(network.journal(3)).size - cut))
      await mine(0, 2)
      await network.start(3)
      await network.reach(3, await network.height(0))
      await mine(3, 1)
    }
    await expectOneChain(await network.height(0))
    expect(network.doubleVotes()).toEqual([])
    await network.kill(3)
    const bytes = readFileSync(network.journal(3))
    bytes[bytes.length >> 1]! ^= 0x40
    writeFileSync(network.journal(3), bytes)
    const refused = network.spawn(3)
    expect(await refused.ended).not.toBe(0)
    expect(JSON.stringify(refused.lines)).toContain('TRP-8216')
    bytes[bytes.length >> 1]! ^= 0x40
    writeFileSync(network.journal(3), bytes)
    await network.start(3)
  })

  describe.skipIf(!isDeep)('for as long as it takes', () => {
    test('E4: stopped for a while and woken, it catches up', async () => {
      await mine(0, 1)
      network.process(2).signal('SIGSTOP')
      await mine(0, 20)
      network.process(2).signal('SIGCONT')
      await expectOneChain(21)
    })

    test('E6: slow links that lose messages', async () => {
      for (const index of network.indexes) {
        await network.ask(index, 'troupe_addFault', { kind: 'latency', ms: 100, jitterMs: 50, nodes: [] })
        await network.ask(index, 'troupe_addFault', { kind: 'loss', share: 0.05, nodes: [] })
      }
      await mine(0, 20)
      await expectOneChain(20)
    })

    test('E7: who signs twice is shown in a block', async () => {
      for (const index of network.indexes) {
        await network.ask(index, 'troupe_addFault', { kind: 'byzantine', nodes: ['v3'] })
      }
      const isShown = async (): Promise<boolean> => {
        const height = await mine(0, 1)
        const { block } = await network.askComet<{ block: { evidence: { evidence: unknown[] } } }>(0, 'block', {
          height: String(height),
        })
        return block.evidence.evidence.length > 0
      }
      await network.until(isShown, (seen) => seen)
    })

    test('E9: who comes late fetches a thousand blocks, or the state after them', async () => {
      await network.kill(3)
      await mine(0, 1000)
      await network.start(3)
      const began = performance.now()
      await network.reach(3, 1000)
      process.stdout.write(`late joiner: 1,000 blocks in ${Math.round(performance.now() - began)} ms\n`)
      await expectOneChain(1000)
      await mine(0, 1)
      await everywhere(1001)
      const restoredMs = await restart(1001)
      process.stdout.write(`late joiner: the state of block ${await network.base(3)} in ${Math.round(restoredMs)} ms\n`)
      expect(await network.base(3)).toBe(1000)
      expect(new Set(await network.answersOf(1001, 1000))).toEqual(new Set([1]))
    })

    test('E11: restarted in turn, without a block missing', async () => {
      for (const index of network.indexes) {
        await network.kill(index, 'SIGTERM')
        await mine((index + 1) % 4, 2)
        await network.start(index)
      }
      await expectOneChain(await network.height(0))
    })
  })
})
