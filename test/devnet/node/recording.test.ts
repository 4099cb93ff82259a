/** A network that was recorded, run again as it was, and with one thing changed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NIL_BLOCK_ID } from '../../../devnet/consensus/block-id.ts'
import { encodeJournalRecord, readJournal } from '../../../devnet/consensus/journal.ts'
import { verifyMessage } from '../../../devnet/consensus/key.ts'
import { Replay, type ReplayDifference } from '../../../devnet/consensus/replay.ts'
import { step } from '../../../devnet/consensus/round.ts'
import { PRECOMMIT, PREVOTE } from '../../../devnet/consensus/wire.ts'
import { openFolderHome } from '../../../devnet/node/node-home.ts'
import { RecordingDamaged, readRecording } from '../../../devnet/node/recording.ts'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { hasOwnBundle, openTestDevnet } from './chain-fixture.ts'

const HEIGHTS = 70

describe.skipIf(!hasOwnBundle)('a recording', () => {
  let folder: string
  let text = ''

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-recording-'))
    const recordTo = join(folder, 'network.log')
    const devnet = openTestDevnet({ consensus: 'bft', recordTo })
    // Over a journal's cut, too.
    await devnet.chain.mine(HEIGHTS)
    await devnet.close()
    text = readFileSync(recordTo, 'utf8')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function run(
    recording: string,
    rules = step,
  ): { readonly difference: ReplayDifference | null; readonly replay: Replay } {
    const replay = new Replay(verifyMessage, rules)
    for (const entry of readRecording(recording)) {
      const difference = replay.take(entry)
      if (difference !== null) return { difference, replay }
    }
    return { difference: null, replay }
  }

  /** The line of a replica's own prevote at some height, and what it says. */
  function findOwnVote(lines: readonly string[]) {
    for (const [at, line] of lines.entries()) {
      const { v, record } = JSON.parse(line || '{}') as { v?: string; record?: string }
      const [read] = record === undefined ? [] : readJournal(fromHex(record)).records
      if (v === 'v2' && read?.kind === 'vote' && read.value.isOwn && read.value.vote.type === PREVOTE) {
        if (read.value.vote.height === 5n) return { at, read }
      }
    }
    throw new Error('v2 did not vote')
  }

  test('that is run again shows no difference', () => {
    const { difference, replay } = run(text)
    expect(difference).toBeNull()
    expect(replay.summary.replicas).toBe(4)
    expect(replay.summary.heights).toBeGreaterThanOrEqual(HEIGHTS)
    expect(replay.summary.records).toBeGreaterThan(HEIGHTS * 4 * 8)
  })

  test('that begins in the middle of a height has what the journals had', async () => {
    const homes = (name: string) => (index: number) =>
      openFolderHome(join(folder, name), index, { durability: 'relaxed' })
    const first = openTestDevnet({ consensus: 'bft', homes: homes('chain') })
    await first.chain.mine(3)
    // The next height begins, and nobody hears anybody.
    first.bft!.faults.add({ kind: 'partition', groups: [] })
    for (const validator of first.bft!.validators) validator.wantBlocks(4n)
    expect(first.bft!.validators.some(({ replica }) => replica.rounds.proposals.size > 0)).toBe(true)
    await first.close()
    const recordTo = join(folder, 'later.log')
    const second = openTestDevnet({ consensus: 'bft', homes: homes('chain'), recordTo })
    await second.chain.mine(5)
    await second.close()
    const { difference, replay } = run(readFileSync(recordTo, 'utf8'))
    expect(difference).toBeNull()
    expect(replay.summary.heights).toBeGreaterThanOrEqual(5)
  })

  test('of a network that went back has two histories, and no difference; a fork in either is one', async () => {
    const recordTo = join(folder, 'back.log')
    const devnet = openTestDevnet({ consensus: 'bft', recordTo })
    await devnet.chain.mine(5)
    await devnet.chain.rewind(2)
    await devnet.chain.mine(5)
    await devnet.close()
    const recording = readFileSync(recordTo, 'utf8')
    const { difference, replay } = run(recording)
    expect(difference).toBeNull()
    expect(replay.summary.heights).toBeGreaterThanOrEqual(7)
    const lines = recording.split('\n')
    expect(lines.filter((line) => line.includes('"rewind":2'))).toHaveLength(4)
    // Without the word of one of them, its second history contradicts the first.
    const silent = lines.filter((line) => !line.startsWith('{"v":"v1"') || !line.includes('"rewind"'))
    expect(run(silent.join('\n')).difference).toMatchObject({ replica: 'v1', height: 3n, effect: 'decision' })
  })

  test('with one vote changed names the vote: replica, height, round', () => {
    const lines = text.split('\n')
    const { at, read } = findOwnVote(lines)
    const vote = { ...read.value.vote, blockId: { ...read.value.vote.blockId, hash: 'x'.repeat(32) } }
    const record = encodeJournalRecord({ kind: 'vote', value: { vote, isOwn: true } })
    lines[at] = JSON.stringify({ v: 'v2', t: 0, record: toHex(record) })
    const { difference } = run(lines.join('\n'))
    expect(difference).toMatchObject({ replica: 'v2', height: 5n, round: read.value.vote.round, effect: 'vote' })
  })

  test('shows where a rule has changed since: here nil is precommitted from the sixth height on', () => {
    const { difference } = run(text, (state, input) => {
      const { state: next, effects } = step(state, input)
      const isLate = state.keeper.height >= 6n
      const changed = effects.map((effect) =>
        effect.kind === 'vote' && effect.type === PRECOMMIT && isLate ? { ...effect, blockId: NIL_BLOCK_ID } : effect,
      )
      return { state: next, effects: changed }
    })
    expect(difference).toMatchObject({ height: 6n, round: 0, effect: 'vote', expected: 'a vote for nil' })
  })

  test('from which an input was lost shows what the rules would not have signed', () => {
    const lines = text.split('\n')
    const { at } = findOwnVote(lines)
    // The verdict that the replica had before it voted.
    let lost = at
    for (let i = at; i >= 0; i--) {
      const { v, record } = JSON.parse(lines[i]!) as { v: string; record?: string }
      if (v === 'v2' && record !== undefined && readJournal(fromHex(record)).records[0]?.kind === 'verdict') {
        lost = i
        break
      }
    }
    expect(lost).toBeLessThan(at)
    const { difference } = run(lines.filter((_, i) => i !== lost).join('\n'))
    expect(difference).toMatchObject({ replica: 'v2', height: 5n, effect: 'vote', expected: 'no vote' })
  })

  test.each([
    ['', 1],
    ['{"v":"v0"}\n', 1],
    ['not json\n', 1],
    ['{"v":"v0","record":"00"}\n', 1],
    ['{"v":"v0","record":"zz"}\n', 1],
    ['{"v":"v0","address":"","state":"ff"}\n', 1],
    ['null\n', 1],
  ])('that is none is refused: %j', (bad, line) => {
    expect(() => run(bad)).toThrow(RecordingDamaged)
    expect(() => run(bad)).toThrow(expect.objectContaining({ code: 'TRP-7306', line }))
  })
})
