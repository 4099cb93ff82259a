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
    [
      'restore a snapshot that was not offered',
      () => begun().applySnapshotChunk({ index: 0, chunk: new Uint8Array(0), sender: '' }),
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
