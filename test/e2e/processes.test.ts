/**
 * Four validators as processes, killed, cut off and damaged: E1–E3, E5 and E10 of spec consensus §8.5 each time; the others with
 * `TROUPE_DEEP=1`.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeJournalRecord, readJournal } from '../../devnet/consensus/journal.ts'
import { fromHex, toHex } from '../../devnet/primitives/bytes.ts'
import { CliProcess, hasBuild, makeFolder, request } from './cli-process.ts'
import { type BlockView, NodeNetwork } from './node-network.ts'

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
    await everywhere(1)
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
      truncateSync(network.journal(3), Math.max(0, network.journalSize(3) - cut))
      await mine(0, 2)
      await network.start(3)
      await network.reach(3, await network.height(0))
      await mine(3, 1)
    }
    await expectOneChain(await network.height(0))
    expect(network.doubleVotes()).toEqual([])
    await network.kill(3)
    const bytes = readFileSync(network.journal(3))
    const middle = network.journalSize(3) >> 1
    bytes[middle]! ^= 0x40
    writeFileSync(network.journal(3), bytes)
    const refused = network.spawn(3)
    expect(await refused.ended).not.toBe(0)
    expect(JSON.stringify(refused.lines)).toContain('TRP-8216')
    bytes[middle]! ^= 0x40
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

describe.skipIf(!hasBuild)('validators in processes of their own that are recorded', { timeout: 5 * MINUTES }, () => {
  const opened: { close(): Promise<void> | void }[] = []
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  })

  async function replay(cwd: string, path: string) {
    const process = new CliProcess(['replay', path, '--json'], { cwd })
    const exit = await process.ended
    return { exit, ...(process.lines.at(-1) as { data?: ReplayData; error?: { code: string; line: number } }) }
  }

  /** Says in the recording of `name` that it prevoted something else at `height`. Answers the round. */
  function tamper(file: string, name: string, height: bigint): number {
    const lines = readFileSync(file, 'utf8').split('\n')
    for (const [at, line] of lines.entries()) {
      const { record } = JSON.parse(line || '{}') as { record?: string }
      const [read] = record === undefined ? [] : readJournal(fromHex(record)).records
      if (read?.kind !== 'vote' || !read.value.isOwn || read.value.vote.height !== height) continue
      const { vote } = read.value
      const lie = { ...vote, blockId: { ...vote.blockId, hash: 'x'.repeat(32) } }
      const told = toHex(encodeJournalRecord({ kind: 'vote', value: { vote: lie, isOwn: true } }))
      lines[at] = JSON.stringify({ v: name, t: 0, record: told })
      writeFileSync(file, lines.join('\n'))
      return vote.round
    }
    throw new Error(`${name} did not vote at ${height}`)
  }

  test('by themselves, over a kill and a restart: each file runs again as it was, and one that is changed is named', async () => {
    network = await NodeNetwork.plan({ words: (index) => ['--record', join('recorded', `v${index}.log`)] })
    opened.push(network)
    const folder = join(network.folder.path, 'recorded')
    await network.startAll()
    const mine = (index: number, count: number) => network.ask<number>(index, 'troupe_mine', count)
    await mine(0, 5)
    await network.kill(2)
    // As if it had been killed while it wrote.
    appendFileSync(join(folder, 'v2.log'), '{"v":"v2","t":1')
    await mine(0, 5)
    await network.start(2)
    await network.reach(2, 10)
    await mine(2, 3)
    for (const index of network.indexes) {
      await network.reach(index, 13)
      await network.kill(index, 'SIGTERM')
    }
    const all = await replay(network.folder.path, 'recorded')
    expect(all).toMatchObject({ exit: 0, data: { replicas: 4, difference: null } })
    expect(all.data!.heights).toBeGreaterThanOrEqual(13)
    const one = await replay(network.folder.path, join('recorded', 'v2.log'))
    expect(one).toMatchObject({ exit: 0, data: { replicas: 1, difference: null } })
    // It was away for the others' heights.
    expect(one.data!.records).toBeLessThan(all.data!.records / 4)

    const round = tamper(join(folder, 'v1.log'), 'v1', 12n)
    const sooner = tamper(join(folder, 'v3.log'), 'v3', 3n)
    const changed = await replay(network.folder.path, 'recorded')
    expect(changed).toMatchObject({
      exit: 1,
      data: { file: 'v3.log', difference: { replica: 'v3', height: '3', round: sooner, effect: 'vote' } },
    })
    expect(await replay(network.folder.path, join('recorded', 'v1.log'))).toMatchObject({
      exit: 1,
      data: { file: 'v1.log', difference: { replica: 'v1', height: '12', round } },
    })
    appendFileSync(join(folder, 'v0.log'), 'none\n')
    expect(await replay(network.folder.path, 'recorded')).toMatchObject({ exit: 6, error: { code: 'TRP-7306' } })
    expect(await replay(network.folder.path, 'net')).toMatchObject({ exit: 2, error: { code: 'TRP-7303' } })
  })

  test('by the process that started them', async () => {
    const folder = makeFolder({})
    opened.push({ close: () => folder.dispose() })
    const words = ['node', '--processes', '--no-persist', '--record', 'recorded', '--port', '0', '--json']
    const node = new CliProcess(words, { cwd: folder.path })
    opened.push({ close: async () => void (await node.kill()) })
    const { url } = await node.ready()
    await request(url, 'troupe_mine', 4)
    expect(await node.kill()).toBe(0)
    expect(readdirSync(join(folder.path, 'recorded')).sort()).toEqual(['v0.log', 'v1.log', 'v2.log', 'v3.log'])
    expect(await replay(folder.path, 'recorded')).toMatchObject({
      exit: 0,
      data: { replicas: 4, difference: null },
    })
    writeFileSync(join(folder.path, 'taken'), '')
    const refused = new CliProcess(words.with(words.indexOf('recorded'), 'taken'), { cwd: folder.path })
    expect(await refused.ended).toBe(3)
    expect(refused.lines.at(-1)).toMatchObject({ error: { code: 'TRP-7304' } })
  })
})

describe.skipIf(!hasBuild)('validators in processes of one devnet', { timeout: 5 * MINUTES }, () => {
  test('go back to a snapshot together, again and again, also when one of them is killed', async () => {
    const folder = makeFolder({})
    const words = ['node', '--processes', '--state', 'state', '--record', 'recorded', '--port', '0', '--json']
    const node = new CliProcess(words, { cwd: folder.path })
    try {
      const { url } = await node.ready()
      const ask = <T>(method: string, ...params: unknown[]) => request<T>(url, method, ...params)
      const block = async (height: number | 'latest') => (await ask<BlockView | null>('troupe_block', height))!
      const balance = () => ask<unknown>('troupe_balance', 'bob')
      const send = (value: string) => ask<{ exitCode: number }>('troupe_send', { from: 'alice', to: 'bob', value })
      await send('1')
      const [kept, before] = [await block('latest'), await balance()]
      for (let again = 0; again < 3; again++) {
        const id = await ask<string>('evm_snapshot')
        await send('5')
        await ask('troupe_mine', 2)
        const given = await block(kept.height + 2)
        expect(await balance()).not.toEqual(before)
        if (again === 2) for (const child of childrenOf(node.pid).slice(0, 1)) process.kill(child, 'SIGKILL')
        // A validator that is not there cannot go back: then the question is asked again.
        while (!(await ask<boolean>('evm_revert', id).catch(() => false)));
        expect(await block('latest')).toEqual(kept)
        expect(await balance()).toEqual(before)
        // Three of the four decide each block, so that it takes others that went back as well.
        await ask('troupe_mine', 3)
        expect((await block(kept.height + 2)).hash).not.toBe(given.hash)
        expect((await block(kept.height)).hash).toBe(kept.hash)
        await ask('troupe_rewind', kept.height)
      }
      await ask('troupe_mine', 2)
      const [view] = await ask<readonly { peers: number }[]>('troupe_consensus')
      expect(view!.peers).toBeGreaterThanOrEqual(2)
      expect(await node.kill()).toBe(0)
      const replay = new CliProcess(['replay', 'recorded', '--json'], { cwd: folder.path })
      expect(await replay.ended).toBe(0)
      expect(replay.lines.at(-1)).toMatchObject({ data: { replicas: 4, difference: null } })
    } finally {
      await node.kill('SIGKILL')
      folder.dispose()
    }
  })
})

/** The processes that a process has started, where the system says so. */
function childrenOf(pid: number): readonly number[] {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return []
  const lists = readdirSync(tasks).map((task) => readFileSync(join(tasks, task, 'children'), 'utf8'))
  return lists.flatMap((list) => list.split(' ').filter((word) => word !== '')).map(Number)
}

interface ReplayData {
  readonly replicas: number
  readonly records: number
  readonly heights: number
  readonly file?: string
  readonly difference: Readonly<Record<string, unknown>> | null
}
