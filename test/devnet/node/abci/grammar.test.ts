import { describe, expect, test } from 'vitest'
import type { RequestOf } from '../../../../devnet/consensus/application.ts'
import { publicKeyOf } from '../../../../devnet/consensus/key.ts'
import { DEFAULT_PARAMS } from '../../../../devnet/consensus/params.ts'
import { GrammarChecker, GrammarError } from '../../../../devnet/node/abci/grammar.ts'
import { encodeUtf8 } from '../../../../devnet/primitives/utf8.ts'
import { addBlock, KEYS, openChain, powerTx } from '../consensus-fixture.ts'
import { EMPTY_DISK, KvApplication } from '../kv-application.ts'

const info = { version: '', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' }
const initChain: RequestOf<'initChain'> = {
  time: 0n,
  chainId: '7',
  consensusParams: DEFAULT_PARAMS,
  validators: [],
  appStateBytes: new Uint8Array(0),
  initialHeight: 3n,
}
const commitInfo = { round: 0, votes: [] }
const rest = { misbehavior: [], time: 0n, nextValidatorsHash: '', proposerAddress: '', txs: [] }
const block = (height: bigint) => ({ ...rest, hash: 'h', height, decidedLastCommit: commitInfo })
const proposal = (height: bigint) => ({ ...rest, hash: 'h', height, proposedLastCommit: commitInfo })

const open = (height = 0n) => new GrammarChecker(new KvApplication({ ...EMPTY_DISK, height }))

function begun(): GrammarChecker {
  const checker = open()
  checker.info(info)
  checker.initChain(initChain)
  return checker
}

describe('a node may', () => {
  test('begin a chain, judge proposals, decide blocks', async () => {
    const checker = begun()
    checker.processProposal(proposal(3n))
    checker.processProposal(proposal(3n))
    checker.finalizeBlock(block(3n))
    checker.info(info)
    await checker.commit()
    checker.info(info)
    checker.finalizeBlock(block(4n))
    await checker.commit()
  })

  test('replay from where the application is', async () => {
    const checker = open(8n)
    checker.info(info)
    checker.finalizeBlock(block(9n))
    await checker.commit()
  })

  test('drive a whole chain through it', async () => {
    const chain = openChain(new GrammarChecker(new KvApplication()))
    for (const txs of [['a=1'], [powerTx(4, 3)], [], ['b']]) await addBlock(chain, txs)
    expect(chain.state.lastHeight).toBe(4n)
  })
})

describe('a node may not', () => {
  const wrong: readonly [string, () => unknown][] = [
    ['decide before it asked for the height', () => open().finalizeBlock(block(1n))],
    [
      'decide before the chain began',
      () => [open()].map((checker) => [checker.info(info), checker.finalizeBlock(block(1n))]),
    ],
    [
      'begin a chain that has blocks',
      () => [open(4n)].map((checker) => [checker.info(info), checker.initChain(initChain)]),
    ],
    ['begin twice', () => begun().initChain(initChain)],
    ['leave out a height', () => begun().finalizeBlock(block(4n))],
    ['begin before the initial height', () => begun().finalizeBlock(block(1n))],
    ['propose another height', () => begun().processProposal(proposal(4n))],
    [
      'decide twice without a commit',
      () => [begun()].map((checker) => [checker.finalizeBlock(block(3n)), checker.finalizeBlock(block(3n))]),
    ],
    [
      'judge between decision and commit',
      () => [begun()].map((checker) => [checker.finalizeBlock(block(3n)), checker.processProposal(proposal(4n))]),
    ],
  ]

  test.each(wrong)('%s', (_, act) => {
    expect(act).toThrowError(expect.objectContaining({ name: GrammarError.name, code: 'REQUEST' }))
  })

  test('commit nothing, or commit twice', async () => {
    const checker = begun()
    await expect(checker.commit()).rejects.toMatchObject({ code: 'REQUEST' })
    checker.finalizeBlock(block(3n))
    await checker.commit()
    await expect(checker.commit()).rejects.toMatchObject({ code: 'REQUEST' })
  })
})

const snapshot = { height: 9n, format: 1, chunks: 3, hash: 'h', metadata: new Uint8Array(0) }
const offer = { snapshot, appHash: 'after 9' }
const chunk = (index: number) => ({ index, chunk: new Uint8Array(1), sender: 'p' })

/** Answers offers and chunks as a test wants, and is where the snapshot was when the last is there. */
class Restoring extends KvApplication {
  readonly answers: number[]
  offered = 1
  height = 0n

  constructor(answers: number[]) {
    super()
    this.answers = answers
  }

  override info() {
    return { ...super.info(), lastBlockHeight: this.height, lastBlockAppHash: this.height === 0n ? '' : 'after 9' }
  }

  override async offerSnapshot() {
    return { result: this.offered }
  }

  override async applySnapshotChunk() {
    const result = this.answers.shift() ?? 1
    if (result === 1 && this.answers.length === 0) this.height = 9n
    return { result, refetchChunks: [], rejectSenders: [] }
  }
}

describe('state sync', () => {
  const [ACCEPTED, RETRY, RETRY_SNAPSHOT, REJECTED] = [1, 3, 4, 5]

  test.each(['before the chain begins', 'after InitChain'])(
    '%s: offers, chunks in order, and a look at the height',
    async (when) => {
      const application = new Restoring([ACCEPTED, RETRY, ACCEPTED, ACCEPTED])
      const checker = new GrammarChecker(application)
      if (when === 'after InitChain') {
        checker.info(info)
        checker.initChain(initChain)
      }
      application.offered = 3
      await checker.offerSnapshot(offer)
      application.offered = 1
      await checker.offerSnapshot(offer)
      for (const index of [0, 1, 1, 2]) await checker.applySnapshotChunk(chunk(index))
      checker.info(info)
      checker.finalizeBlock(block(10n))
      await checker.commit()
    },
  )

  test('an attempt that fails makes place for another', async () => {
    const checker = new GrammarChecker(
      new Restoring([ACCEPTED, REJECTED, ACCEPTED, RETRY_SNAPSHOT, ACCEPTED, ACCEPTED, ACCEPTED]),
    )
    for (const tries of [2, 2, 3]) {
      await checker.offerSnapshot(offer)
      for (let index = 0; index < tries; index++) await checker.applySnapshotChunk(chunk(index))
    }
    checker.info(info)
    checker.finalizeBlock(block(10n))
  })

  const broken: readonly [string, (checker: GrammarChecker) => unknown][] = [
    ['a chunk of a snapshot that was not offered', (checker) => checker.applySnapshotChunk(chunk(0))],
    ['a chunk too early', (checker) => checker.offerSnapshot(offer).then(() => checker.applySnapshotChunk(chunk(1)))],
    ['a chunk too many', (checker) => checker.offerSnapshot(offer).then(() => checker.applySnapshotChunk(chunk(3)))],
    [
      'a block before anybody looked at the height',
      async (checker) => {
        await checker.offerSnapshot(offer)
        for (const index of [0, 1, 2]) await checker.applySnapshotChunk(chunk(index))
        checker.finalizeBlock(block(10n))
      },
    ],
    [
      'a block of another height',
      async (checker) => {
        await checker.offerSnapshot(offer)
        for (const index of [0, 1, 2]) await checker.applySnapshotChunk(chunk(index))
        checker.info(info)
        checker.finalizeBlock(block(11n))
      },
    ],
    [
      'an offer to a chain with blocks',
      async (checker) => {
        checker.info(info)
        checker.initChain(initChain)
        checker.finalizeBlock(block(3n))
        await checker.commit()
        await checker.offerSnapshot(offer)
      },
    ],
    [
      'an offer to an application that is further',
      async () => {
        const checker = open(8n)
        checker.info(info)
        await checker.offerSnapshot(offer)
      },
    ],
  ]

  test.each(broken)('is not %s', async (_, act) => {
    const checker = new GrammarChecker(new Restoring([ACCEPTED, ACCEPTED, ACCEPTED]))
    await expect((async () => act(checker))()).rejects.toMatchObject({ name: GrammarError.name, code: 'REQUEST' })
  })

  test('ends where the snapshot was, or the application is wrong', async () => {
    const application = new Restoring([ACCEPTED, ACCEPTED, ACCEPTED])
    const checker = new GrammarChecker(application)
    await checker.offerSnapshot(offer)
    for (const index of [0, 1, 2]) await checker.applySnapshotChunk(chunk(index))
    application.height = 8n
    expect(() => checker.info(info)).toThrowError(expect.objectContaining({ code: 'ANSWER' }))
  })

  test('results have a meaning', async () => {
    const application = new Restoring([0])
    const checker = new GrammarChecker(application)
    application.offered = 6
    await expect(checker.offerSnapshot(offer)).rejects.toMatchObject({ code: 'ANSWER' })
    application.offered = 1
    await checker.offerSnapshot(offer)
    await expect(checker.applySnapshotChunk(chunk(0))).rejects.toMatchObject({ code: 'ANSWER' })
  })
})

describe('an application may not', () => {
  test('answer with too few results', () => {
    class Short extends KvApplication {
      override finalizeBlock(request: RequestOf<'finalizeBlock'>) {
        return { ...super.finalizeBlock(request), txResults: [] }
      }
    }
    const checker = new GrammarChecker(new Short())
    checker.info(info)
    checker.initChain(initChain)
    const request = { ...block(3n), txs: [encodeUtf8('a=1')] }
    expect(() => checker.finalizeBlock(request)).toThrowError(expect.objectContaining({ code: 'ANSWER' }))
  })

  test('name a validator twice', () => {
    class Twice extends KvApplication {
      override initChain(request: RequestOf<'initChain'>) {
        const update = { pubKey: publicKeyOf(KEYS[0]!), power: 1n }
        return { ...super.initChain(request), validators: [update, update] }
      }
    }
    const checker = new GrammarChecker(new Twice())
    checker.info(info)
    expect(() => checker.initChain(initChain)).toThrowError(expect.objectContaining({ code: 'ANSWER' }))
  })

  test('leave a status open', () => {
    class Unsure extends KvApplication {
      override processProposal() {
        return { status: 0 }
      }
    }
    const checker = new GrammarChecker(new Unsure())
    checker.info(info)
    checker.initChain(initChain)
    expect(() => checker.processProposal(proposal(3n))).toThrowError(expect.objectContaining({ code: 'ANSWER' }))
  })

  test('forget what it committed', async () => {
    const application = new KvApplication()
    const checker = new GrammarChecker(application)
    checker.info(info)
    checker.initChain(initChain)
    checker.finalizeBlock(block(3n))
    await checker.commit()
    application.disk = EMPTY_DISK
    expect(() => checker.info(info)).toThrowError(expect.objectContaining({ code: 'ANSWER' }))
  })
})
