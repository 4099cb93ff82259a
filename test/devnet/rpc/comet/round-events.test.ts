/** What subscribers hear of rounds: played by hand, and of networks that vote. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Devnet } from '../../../../devnet/node/devnet.ts'
import { isRoundEventKind, roundEventsOf } from '../../../../devnet/rpc/comet/round-events.ts'
import { Subscriptions } from '../../../../devnet/rpc/comet/subscriptions.ts'
import { RoundBench } from '../../consensus/round-bench.ts'
import { hasOwnBundle, openTestDevnet } from '../../node/chain-fixture.ts'
import { ManualClock } from '../../node/manual-clock.ts'

const FOUR = [10n, 10n, 10n, 10n]

interface Told {
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: the data of an event
  readonly value: any
}

function told(bench: RoundBench): readonly Told[] {
  return bench.passages.flatMap(roundEventsOf).map((event) => {
    const { data, events } = JSON.parse(`{${event.text()}}`)
    expect(events).toEqual({ 'tm.event': [event.kind] })
    return { kind: event.kind, value: data.value }
  })
}

/** `NewRoundStep` is the step alone; of the others what tells them apart. */
function line({ kind, value }: Told): string {
  if (kind === 'NewRoundStep') return value.step.replace('RoundStep', '')
  if (kind === 'Vote') return `Vote ${value.Vote.type} ${value.Vote.block_id.hash === '' ? 'nil' : 'block'}`
  return `${kind}@${value.step.replace('RoundStep', '')}`
}

const linesOf = (bench: RoundBench): readonly string[] => told(bench).map(line)

function bench(): RoundBench {
  return new RoundBench(FOUR, 3).begin()
}

describe('a round that is played', () => {
  test('ends with a block: every step of it in its order', () => {
    const rounds = bench()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0, 1], v).echo().precommit(0, [0, 1], v)
    expect(linesOf(rounds)).toEqual([
      'NewRound@NewRound',
      'Propose',
      'CompleteProposal@Propose',
      'Prevote',
      'Vote 1 block',
      'Vote 1 block',
      'Vote 1 block',
      'ValidBlock@Prevote',
      'Polka@Prevote',
      'Lock@Prevote',
      'Precommit',
      'Vote 2 block',
      'Vote 2 block',
      'Vote 2 block',
      'Commit',
    ])
    expect(told(rounds)[0]!.value).toEqual({
      height: '1',
      round: 0,
      step: 'RoundStepNewRound',
      proposer: { address: expect.stringMatching(/^[0-9A-F]{40}$/), index: rounds.proposerOf(0) },
    })
  })

  test('ends without one, and the next locks again what this one locked', () => {
    const rounds = bench()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0, 1], v).echo()
    // Locked, but the others precommit nil.
    rounds.precommit(0, [0, 1], null).timeout('precommit', 0)
    rounds.proposal(1, v, 0).echo().prevote(1, [0, 1], v)
    expect(linesOf(rounds).slice(11)).toEqual([
      'Vote 2 block',
      'Vote 2 nil',
      'Vote 2 nil',
      'Precommit',
      'TimeoutWait@Precommit',
      'NewRound@NewRound',
      'Propose',
      'CompleteProposal@Propose',
      'Prevote',
      'Vote 1 block',
      'Vote 1 block',
      'Vote 1 block',
      'ValidBlock@Prevote',
      'Polka@Prevote',
      'Relock@Prevote',
      'Precommit',
    ])
  })

  test('has timeouts: nobody proposes, and prevotes are split', () => {
    const rounds = bench().timeout('propose', 0).echo()
    const v = rounds.block('v')
    rounds.prevote(0, [0], null).prevote(0, [1], v).timeout('prevote', 0)
    expect(linesOf(rounds).slice(2)).toEqual([
      'TimeoutPropose@Propose',
      'Prevote',
      'Vote 1 nil',
      'Vote 1 nil',
      'Vote 1 block',
      'PrevoteWait',
      'TimeoutWait@PrevoteWait',
      'Precommit',
    ])
  })

  test('has a polka for nil', () => {
    const rounds = bench().timeout('propose', 0).echo().prevote(0, [0, 1], null)
    expect(linesOf(rounds).slice(-3)).toEqual(['Vote 1 nil', 'Polka@Prevote', 'Precommit'])
  })

  test('has a polka that comes late: the block is valid, and not locked', () => {
    const rounds = bench()
    const v = rounds.block('v')
    rounds.offer(0, v).echo().prevote(0, [0], v).prevote(0, [1], null).timeout('prevote', 0).echo()
    rounds.prevote(0, [2], v)
    expect(linesOf(rounds).slice(-2)).toEqual(['Vote 1 block', 'ValidBlock@Precommit'])
  })

  test('is skipped, and what was known of the next counts there', () => {
    const rounds = bench()
    const v = rounds.block('v')
    rounds.proposal(1, v).body(v).prevote(1, [0, 1], v)
    expect(linesOf(rounds).slice(2, 8)).toEqual([
      'Vote 1 block',
      'Vote 1 block',
      'NewRound@NewRound',
      'Propose',
      'CompleteProposal@Propose',
      'Prevote',
    ])
    expect(
      told(rounds)
        .slice(4)
        .every(({ value }) => value.round === 1),
    ).toBe(true)
  })

  test('tells of no vote twice, and of none that contradicts another', () => {
    const rounds = bench()
    const v = rounds.block('v')
    const vote = rounds.makeVote(1, 0, 0, v)
    rounds.put({ kind: 'vote', vote }).put({ kind: 'vote', vote })
    rounds.put({ kind: 'vote', vote: rounds.makeVote(1, 0, 0, null) })
    expect(linesOf(rounds).filter((one) => one.startsWith('Vote'))).toEqual(['Vote 1 block'])
  })
})

describe.skipIf(!hasOwnBundle)('a network that votes', () => {
  let devnet: Devnet
  let clock: ManualClock
  afterEach(() => devnet.close())

  function open(consensus: 'bft' | 'instant') {
    clock = new ManualClock(1_900_000_000_000)
    devnet = openTestDevnet({ consensus, clock })
    const subscriptions = new Subscriptions(devnet.chain.consensus!)
    devnet.chain.consensus!.onFinalized((finalized) => subscriptions.publish(finalized))
    return subscriptions
  }

  function listen(subscriptions: Subscriptions, query: string) {
    const heard: Told[] = []
    const client = {
      send(text: string) {
        const { data, events } = JSON.parse(text).result
        heard.push({ kind: events['tm.event'][0], value: data.value })
      },
    }
    subscriptions.add(client, 1, query)
    return { heard, client }
  }

  test('tells of a block and of the rounds before and after it, in order', async () => {
    const { heard } = listen(open('bft'), 'tm.event EXISTS')
    await devnet.chain.mine(2)
    await clock.run(1000)
    const block = ['NewBlock', 'NewBlockHeader', 'NewBlockEvents']
    const named = heard
      .filter(({ kind }) => kind !== 'Vote')
      .map((one) => (isRoundEventKind(one.kind) ? line(one) : one.kind))
    const round = [
      'NewRound@NewRound',
      'Propose',
      'CompleteProposal@Propose',
      'Prevote',
      'ValidBlock@Prevote',
      'Polka@Prevote',
      'Lock@Prevote',
      'Precommit',
      'Commit',
    ]
    expect(named).toEqual([...round, ...block, 'NewHeight', ...round, ...block, 'NewHeight'])
    // All votes of the first block, those that came after it too.
    const votes = heard
      .filter(({ kind, value }) => kind === 'Vote' && value.Vote.height === '1')
      .map(({ value }) => value.Vote)
    expect(
      votes
        .filter(({ type }) => type === 2)
        .map(({ validator_index }) => validator_index)
        .sort(),
    ).toEqual([0, 1, 2, 3])
  })

  test('tells of timeouts where it is cut', async () => {
    const subscriptions = open('bft')
    const timeouts = listen(subscriptions, "tm.event='TimeoutPropose'").heard
    const rounds = listen(subscriptions, "tm.event='NewRound'").heard
    // Only three hear each other: where the fourth proposes, nobody does.
    devnet.bft!.faults.add({ kind: 'partition', groups: [['v0', 'v1', 'v2'], ['v3']] })
    const mining = devnet.chain.mine(4)
    await clock.run(20_000)
    await mining
    expect(timeouts.length).toBeGreaterThan(0)
    expect(timeouts[0]!.value).toEqual({ height: expect.any(String), round: 0, step: 'RoundStepPropose' })
    expect(rounds.some(({ value }) => value.round === 1)).toBe(true)
  })

  test('is not listened to unless somebody wants its rounds', () => {
    let listeners = 0
    const source = {
      onPassage: () => {
        listeners++
        return () => {
          listeners--
        }
      },
    }
    devnet = openTestDevnet()
    const subscriptions = new Subscriptions(source)
    const [one, other] = [{ send: () => {} }, { send: () => {} }]
    for (const query of ["tm.event='NewBlock'", 'tx.height = 5', "tm.event='Vote' AND tx.height=1"]) {
      subscriptions.add(one, query, query)
      expect(listeners).toBe(0)
    }
    subscriptions.add(one, 1, "tm.event='Vote'")
    subscriptions.add(other, 1, 'tm.event EXISTS')
    expect(listeners).toBe(1)
    subscriptions.remove(one, "tm.event='Vote'")
    expect(listeners).toBe(1)
    subscriptions.forget(other)
    expect(listeners).toBe(0)
    subscriptions.add(one, 1, "tm.event='Lock'")
    subscriptions.removeAll(one)
    expect(listeners).toBe(0)
  })

  test('has no rounds where one process signs for all', async () => {
    const { heard } = listen(open('instant'), 'tm.event EXISTS')
    await devnet.chain.mine(1)
    expect(heard.map(({ kind }) => kind)).toEqual(['NewBlock', 'NewBlockHeader', 'NewBlockEvents'])
  })
})
