import { describe, expect, test } from 'vitest'
import { NIL_BLOCK_ID } from '../../../devnet/consensus/block-id.ts'
import { commitHash, txsHash } from '../../../devnet/consensus/hash.ts'
import { encodeJournalRecord, readJournal } from '../../../devnet/consensus/journal.ts'
import { addressOf } from '../../../devnet/consensus/key.ts'
import { FLAG_ABSENT, PRECOMMIT, PREVOTE } from '../../../devnet/consensus/wire.ts'
import { concatBytes } from '../../../devnet/primitives/bytes.ts'
import { type BenchOptions, identify, ReplicaBench } from './replica-bench.ts'
import type { TestBlock } from './round-bench.ts'

/** A replica that waits at its first height, and proposes in the round. */
function proposerIn(round: number, options: BenchOptions = {}): ReplicaBench {
  const self = new ReplicaBench({ ...options, self: null }).start()
  // Who proposes in the next round is known once the one before has begun.
  self.replica.wake()
  return new ReplicaBench({ ...options, self: self.proposerOf(round) })
}

/** One that proposes in neither of the first rounds. */
function follower(options: BenchOptions = {}): ReplicaBench {
  const probe = new ReplicaBench({ ...options, self: null }).start()
  probe.replica.wake()
  const busy = [probe.proposerOf(0), probe.proposerOf(1)]
  return new ReplicaBench({ ...options, self: [0, 1, 2, 3].find((key) => !busy.includes(key))! })
}

describe('a proposer', () => {
  test('makes a block, proposes it, and takes its own word like that of others', () => {
    const bench = proposerIn(0).start()
    bench.replica.wake()
    expect(bench.proposals).toMatchObject([{ height: 1n, round: 0, polRound: -1 }])
    expect(bench.votes).toMatchObject([{ type: PREVOTE, round: 0, blockId: bench.proposals[0]!.blockId }])
    expect(bench.replica.rounds.proposals.get(0)?.proposal).toEqual(bench.proposals[0])
    expect(bench.replica.rounds.keeper.rounds.get(0)?.prevotes.power).toBe(10n)
  })

  test('says in which round the block that it proposes again had its two thirds', () => {
    const bench = proposerIn(1).start()
    bench.replica.wake()
    const v = bench.block('v')
    const { others } = bench
    bench.offer(0, v).prevote(0, others.slice(0, 2), v)
    expect(bench.replica.rounds.locked?.round).toBe(0)
    bench.precommit(0, others, null).timeout('precommit', 0)
    expect(bench.proposals).toMatchObject([{ round: 1, polRound: 0, blockId: v.blockId }])
  })

  test.each([1n, 1000n])('is the one that the set of each height names, from height %d on', (initialHeight) => {
    const bench = new ReplicaBench({ self: null, powers: [1n, 2n, 3n, 4n], initialHeight }).start()
    const proposers: number[] = []
    for (let i = 0; i < 12; i++) {
      bench.replica.wake()
      const { proposer } = bench.replica.chain.validators
      expect(bench.ring.keys.findIndex(({ publicKey }) => addressOf(publicKey) === proposer?.address)).toBe(
        bench.proposerOf(0),
      )
      proposers.push(bench.proposerOf(0))
      bench.decide(bench.block(`block ${i}`))
    }
    // In ten heights each proposes as often as its power says, whatever the order of their addresses.
    const times = [0, 1, 2, 3].map((key) => proposers.slice(0, 10).filter((proposer) => proposer === key).length)
    expect(times).toEqual([1, 2, 3, 4])
  })
})

describe('the last commit', () => {
  test('gains a precommit that comes after the decision', () => {
    const probe = new ReplicaBench({ self: null }).start()
    probe.replica.wake()
    probe.decide(probe.block('v'))
    const second = probe.proposerOf(0)
    const bench = new ReplicaBench({ self: second }).start()
    bench.replica.wake()
    const v = bench.block('v')
    const { others } = bench
    bench.offer(0, v).prevote(0, others, v)
    bench.precommit(0, others.slice(0, 2), v)
    expect(bench.replica.height).toBe(2n)
    expect(bench.requests.at(-1)?.lastCommit.extendedSignatures.filter(isAbsent)).toHaveLength(1)
    bench.hear({ kind: 'vote', value: { vote: bench.makeVote(PRECOMMIT, 0, others[2]!, v, 1n) } })
    // Nobody agrees in round 0; when this replica leads again, its block carries all four.
    for (let round = 0; bench.requests.length < 2 && round < 8; round++) {
      bench.precommit(round, others, null).timeout('precommit', round)
    }
    expect(bench.requests.at(-1)?.lastCommit.extendedSignatures.filter(isAbsent)).toHaveLength(0)
  })
})

describe('a vote that can change nothing any more', () => {
  /** A block that has two thirds of the prevotes, none of them from the last of the others. */
  function withPolka() {
    const bench = follower().start()
    bench.replica.wake()
    const v = bench.block('v')
    const { others } = bench
    bench.offer(0, v).prevote(0, others.slice(0, 2), v)
    const last = others[2]!
    const say = (block: TestBlock | null, peer = String(last)): void => {
      bench.hear({ kind: 'vote', value: { vote: bench.makeVote(PREVOTE, 0, last, block) } }, peer)
    }
    const power = () => bench.replica.rounds.keeper.rounds.get(0)!.prevotes.power
    return { bench, v, last, say, power }
  }

  test('is not verified, nor counted', () => {
    const { bench, v, say, power } = withPolka()
    const { verified } = bench
    say(v)
    expect([bench.verified - verified, power()]).toEqual([0, 30n])
  })

  test('counts like any other when not its validator said it', () => {
    const { bench, v, say, power } = withPolka()
    const { verified } = bench
    say(v, 'peer')
    expect([bench.verified - verified, power()]).toEqual([1, 40n])
  })

  test('counts once when others bring it too', () => {
    const { bench, v, say, power } = withPolka()
    const { verified } = bench
    say(v)
    const records = bench.journal.length
    say(v, 'peer')
    say(v)
    expect([bench.verified - verified, bench.journal.length - records, power()]).toEqual([1, 1, 40n])
  })

  test('counts like any other while somebody watches', () => {
    const { bench, v, say, power } = withPolka()
    bench.isObserved = true
    say(v)
    expect(power()).toBe(40n)
  })

  test.each(['before', 'after'])('is evidence when its validator says another thing %s it', (order) => {
    const { bench, v, last, say } = withPolka()
    const votes = order === 'after' ? [v, null] : [null, v]
    for (const block of votes) say(block)
    bench.precommit(0, bench.others.slice(0, 2), v)
    const pieces = bench.sent.flatMap((message) => (message.kind === 'evidence' ? [message.value.evidence] : []))
    const address = addressOf(bench.ring.keys[last]!.publicKey)
    expect(pieces).toMatchObject([{ value: { voteA: { validatorAddress: address } } }])
  })

  test.each(['height', 'next'])('goes with the next block’s commit, if it is signed: said in its %s', (when) => {
    const probe = new ReplicaBench({ self: null }).start()
    probe.replica.wake()
    probe.decide(probe.block('v'))
    for (const isForged of [false, true]) {
      const bench = new ReplicaBench({ self: probe.proposerOf(0) }).start()
      bench.replica.wake()
      const v = bench.block('v')
      const last = bench.others[2]!
      const vote = bench.makeVote(PRECOMMIT, 0, last, v)
      const said = isForged ? { ...vote, signature: new Uint8Array(64).fill(7) } : vote
      bench.offer(0, v).prevote(0, bench.others, v)
      bench.isApplicationFast = when === 'next'
      bench.precommit(0, bench.others.slice(0, 2), v)
      bench.hear({ kind: 'vote', value: { vote: said } }, String(last))
      bench.finishBlock()
      for (let round = 0; bench.requests.length < 2 && round < 8; round++) {
        bench.precommit(round, bench.others, null).timeout('precommit', round)
      }
      expect(bench.requests.at(-1)?.lastCommit.extendedSignatures.filter(isAbsent)).toHaveLength(isForged ? 1 : 0)
    }
  })
})

function isAbsent({ blockIdFlag }: { readonly blockIdFlag: number }): boolean {
  return blockIdFlag === FLAG_ABSENT
}

describe('a block', () => {
  test('with a last commit that somebody forged is prevoted nil', () => {
    const bench = follower().start()
    bench.replica.wake()
    bench.decide(bench.block('block 1'))
    bench.replica.wake()
    const { block } = bench.block('block 2')
    const signatures = block.lastCommit!.signatures.map((sig) =>
      isAbsent(sig) ? sig : { ...sig, signature: new Uint8Array(64).fill(7) },
    )
    const lastCommit = { ...block.lastCommit!, signatures }
    const forged = { ...block, lastCommit, header: { ...block.header, lastCommitHash: commitHash(lastCommit) } }
    bench.offer(0, identify(forged))
    expect(bench.votes.filter(({ height }) => height === 2n)).toMatchObject([{ blockId: NIL_BLOCK_ID }])
  })

  test('of more bytes than are allowed is not taken, though its parts are', () => {
    const bench = follower().start()
    bench.replica.wake()
    const { maxBytes } = bench.replica.chain.params.block
    const { block } = bench.block('v')
    const room = Number(maxBytes) - bench.block('v').bytes.length - 100
    const make = (size: number) => {
      const txs = [new Uint8Array(size)]
      return identify({ ...block, data: { txs }, header: { ...block.header, dataHash: txsHash(txs) } })
    }
    const [large, tooLarge] = [make(room), make(room + 200)]
    expect(tooLarge.blockId.partSetHeader.total).toBe(large.blockId.partSetHeader.total)
    expect(bench.offer(0, tooLarge).votes).toEqual([])
    expect(bench.replica.rounds.proposals.size).toBe(1)
    const other = follower().start()
    other.replica.wake()
    expect(other.offer(0, large).votes).toMatchObject([{ type: PREVOTE, blockId: large.blockId }])
  })
})

describe('a proposal', () => {
  test('signed by another than the round’s proposer is not looked at', () => {
    const bench = follower().start()
    bench.replica.wake()
    const v = bench.block('v')
    const wrong = bench.others.find((key) => key !== bench.proposerOf(0))!
    bench.offer(0, v, -1, wrong)
    expect(bench.replica.rounds.proposals.size).toBe(0)
    expect(bench.offer(0, v).votes).toMatchObject([{ type: PREVOTE, blockId: v.blockId }])
  })
})

describe('the journal', () => {
  test('has what was signed before it leaves', () => {
    const bench = proposerIn(0)
    bench.isDiskFast = false
    bench.start()
    bench.replica.wake()
    expect(bench.proposals).toEqual([])
    expect(bench.votes).toEqual([])
    const records = readJournal(concatBytes(...bench.journal)).records
    expect(records.filter(({ kind }) => kind === 'proposal' || kind === 'vote')).toHaveLength(2)
    bench.flush()
    expect(bench.proposals).toHaveLength(1)
    expect(bench.votes).toHaveLength(1)
  })

  const STEPS = [
    ['before the proposal', () => undefined],
    ['after the proposal', (bench) => bench.offer(0, bench.block('v'))],
    ['after the polka', (bench) => lockOn(bench)],
    ['after the prevotes ran out of time', (bench) => bench.timeout('propose', 0).timeout('prevote', 0)],
    ['in the next round', (bench) => lockOn(bench).precommit(0, bench.others, null).timeout('precommit', 0)],
  ] as readonly (readonly [string, (bench: ReplicaBench) => unknown])[]

  test.each(STEPS)('brings the rounds back %s, and nothing else is signed', (_, reach) => {
    const bench = follower().start()
    bench.replica.wake()
    reach(bench)
    const { rounds } = bench.replica
    const votes = [...bench.votes]
    bench.restart()
    const again = bench.replica.rounds
    for (const name of ['round', 'step', 'locked', 'valid', 'decided', 'proposals', 'keeper'] as const) {
      expect(again[name], name).toEqual(rounds[name])
    }
    // What peers ask for is sent again as it was.
    for (const vote of bench.votes) expect(votes).toContainEqual(vote)
    expect(bench.alarms).toEqual([])
  })

  test('that is ahead of the chain’s store applies what was decided again, and keeps the replica from signing below', () => {
    const bench = proposerIn(0).start()
    const { chain } = bench
    bench.replica.wake()
    for (let i = 0; i < 3; i++) {
      const round = bench.replica.rounds.round
      const isOwn = bench.proposerOf(round) === bench.self
      const candidate = isOwn ? bench.replica.rounds.candidates.values().next().value : undefined
      const block = candidate ?? bench.block(`block ${i}`)
      if (candidate === undefined) bench.offer(0, block)
      bench.prevote(0, bench.others, block).precommit(0, bench.others, block)
    }
    expect(bench.replica.height).toBe(4n)
    // The same journal, and a store that was put back to the beginning.
    bench.restart(chain)
    expect(bench.replica.height).toBe(2n)
    bench.replica.wake()
    bench.timeout('propose', 0).timeout('prevote', 0)
    expect(bench.proposals).toEqual([])
    expect(bench.votes).toEqual([])
    expect(bench.alarms).not.toEqual([])
  })

  test('remembers who contradicted himself', () => {
    const bench = follower().start()
    bench.replica.wake()
    const v = bench.block('v')
    const [liar] = bench.others
    bench.prevote(0, [liar!], v).prevote(0, [liar!], null)
    bench.restart()
    expect(bench.sent.filter(({ kind }) => kind === 'evidence')).toEqual([])
    bench.offer(0, v).prevote(0, bench.others.slice(1), v).precommit(0, bench.others, v)
    expect(bench.replica.height).toBe(2n)
    const told = bench.sent.flatMap((message) => (message.kind === 'evidence' ? [message.value.evidence] : []))
    expect(told).toMatchObject([{ kind: 'duplicateVoteEvidence' }])
  })

  test('of which the beginning was cut still says what was signed last', () => {
    const bench = follower().start()
    bench.replica.wake()
    const { chain } = bench
    lockOn(bench)
    const signed = readJournal(concatBytes(...bench.journal)).records.findLast((record) => record.kind === 'vote')
    expect(signed?.kind).toBe('vote')
    // The height's records are lost, the last signature is known.
    const last = bench.votes.at(-1)!
    bench.journal = [
      encodeJournalRecord({
        kind: 'signed',
        value: { height: 1n, round: 0, step: 3, signBytes: new Uint8Array(1), signature: last.signature },
      }),
      encodeJournalRecord({ kind: 'height', value: { height: 1n } }),
    ]
    bench.restart(chain)
    bench.replica.wake()
    bench.offer(0, bench.block('w'))
    expect(bench.votes).toEqual([])
  })
})

/** Locked on v in round 0. */
function lockOn(bench: ReplicaBench): ReplicaBench {
  const v = bench.block('v')
  bench.offer(0, v).prevote(0, bench.others.slice(0, 2), v)
  expect(bench.replica.rounds.locked?.round).toBe(0)
  return bench
}

describe('extensions', () => {
  test('go with each precommit for a block, signed', () => {
    const bench = follower({ hasExtensions: true }).start()
    bench.replica.wake()
    const v = bench.block('v')
    bench.offer(0, v).prevote(0, bench.others, v)
    expect(bench.votes.find(({ type }) => type === PRECOMMIT)?.extension).toEqual(bench.extendVote())
    expect(bench.votes.find(({ type }) => type === PREVOTE)?.extension).toHaveLength(0)
    bench.precommit(0, bench.others, v)
    expect(bench.replica.height).toBe(2n)
  })

  test.each([
    ['missing', { extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) }],
    ['signed wrongly', { extensionSignature: new Uint8Array(64) }],
    ['refused by the application', { extension: new Uint8Array(0) }],
  ])('that are %s make the precommit worthless', (_, change) => {
    const bench = follower({ hasExtensions: true }).start()
    bench.replica.wake()
    const v = bench.block('v')
    bench.offer(0, v).prevote(0, bench.others, v)
    const [first] = bench.others
    const vote = { ...bench.makeVote(PRECOMMIT, 0, first!, v), ...change }
    bench.hear({ kind: 'vote', value: { vote } })
    expect(bench.replica.rounds.keeper.rounds.get(0)?.precommits.power).toBe(10n)
  })

  test('do not belong to chains without them', () => {
    const bench = follower().start()
    bench.replica.wake()
    const v = bench.block('v')
    bench.offer(0, v).prevote(0, bench.others, v)
    const vote = { ...bench.makeVote(PRECOMMIT, 0, bench.others[0]!, v), extension: Uint8Array.of(1) }
    bench.hear({ kind: 'vote', value: { vote: { ...vote, extensionSignature: new Uint8Array(64) } } })
    expect(bench.replica.rounds.keeper.rounds.get(0)?.precommits.power).toBe(10n)
  })
})

describe('catching up', () => {
  test('by blocks that others decided, with the commit that proves it; one signature less is not enough', () => {
    const ahead = new ReplicaBench({ self: null }).start()
    ahead.replica.wake()
    for (let i = 0; i < 3; i++) ahead.decide(ahead.block(`block ${i}`))
    const blocks = [1n, 2n, 3n].map((height) => ahead.blockAt(height)!)
    const behind = new ReplicaBench({ self: null }).start()
    const [first] = blocks
    const thin = first!.commit.extendedSignatures.map((sig, i) =>
      i < 2
        ? { ...sig, blockIdFlag: FLAG_ABSENT, validatorAddress: '', timestamp: 0n, signature: new Uint8Array(0) }
        : sig,
    )
    behind.hear({
      kind: 'blocks',
      value: { blocks: [{ ...first!, commit: { ...first!.commit, extendedSignatures: thin } }] },
    })
    expect(behind.replica.height).toBe(1n)
    behind.hear({ kind: 'blocks', value: { blocks } })
    expect(behind.replica.height).toBe(4n)
    expect(behind.chain.lastBlockId).toEqual(ahead.chain.lastBlockId)
  })

  test('is asked for when a peer says that it is ahead', () => {
    const bench = new ReplicaBench({ self: null }).start()
    const status = { height: 5n, round: 0, base: 1n, votes: [], proposal: 0, missing: [] }
    bench.hear({ kind: 'status', value: status })
    expect(bench.sent.filter(({ kind }) => kind === 'blocksRequest')).toMatchObject([{ value: { from: 1n } }])
  })
})

describe('validators that come and go', () => {
  test('one that was removed signs for two more heights, and never again', () => {
    const bench = follower().start()
    bench.replica.wake()
    const { publicKey } = bench.ring.keys[bench.self!]!
    bench.updates = [{ pubKey: publicKey, power: 0n }]
    bench.decide(bench.block('block 1'))
    bench.updates = []
    const heights: bigint[] = []
    for (let i = 2; i < 6; i++) {
      if (bench.proposerOf(0) === bench.self) {
        const own = bench.replica.rounds.candidates.values().next().value!
        bench.prevote(0, bench.others, own).precommit(0, bench.others, own)
      } else bench.decide(bench.block(`block ${i}`))
    }
    for (const { height } of bench.votes) if (!heights.includes(height)) heights.push(height)
    expect(bench.replica.height).toBe(6n)
    expect(heights).toEqual([1n, 2n])
  })

  test('one that joins signs from the second height after the block that says so', () => {
    const bench = new ReplicaBench({ spares: 1, self: 4 }).start()
    bench.replica.wake()
    bench.updates = [{ pubKey: bench.ring.keys[4]!.publicKey, power: 10n }]
    bench.decide(bench.block('block 1'))
    bench.updates = []
    expect(bench.replica.height).toBe(2n)
    bench.decide(bench.block('block 2'))
    expect(bench.votes).toEqual([])
    expect(bench.replica.height).toBe(3n)
    bench.timeout('propose', 0)
    expect(bench.votes.map(({ height }) => height)).toContain(3n)
  })
})
