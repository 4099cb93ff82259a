import { describe, expect, test } from 'vitest'
import type { FinalizeBlockRequest, FinalizeBlockResponse, RequestOf } from '../../../devnet/consensus/application.ts'
import { ABSENT_SIG } from '../../../devnet/consensus/commit.ts'
import { duplicateVoteEvidence } from '../../../devnet/consensus/evidence.ts'
import { blockIdOf, commitHash } from '../../../devnet/consensus/hash.ts'
import { addressOf, publicKeyOf, signMessage } from '../../../devnet/consensus/key.ts'
import { DEFAULT_PARAMS } from '../../../devnet/consensus/params.ts'
import { voteSignBytes } from '../../../devnet/consensus/sign-bytes.ts'
import { type Commit, type Evidence, PREVOTE, type Vote } from '../../../devnet/consensus/wire.ts'
import { ExecutionError, identifyBlock } from '../../../devnet/node/block-executor.ts'
import { shakeHands } from '../../../devnet/node/handshake.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import {
  addBlock,
  bootstrapFrom,
  CrashStore,
  decideBlock,
  genesisOf,
  KEYS,
  openChain,
  powerTx,
  takeBlock,
} from './consensus-fixture.ts'
import { KvApplication } from './kv-application.ts'

describe('a proposal', () => {
  test('has what the application makes of what waits', () => {
    class Picky extends KvApplication {
      override prepareProposal({ txs }: RequestOf<'prepareProposal'>) {
        return { txs: [encodeUtf8('first=1'), ...txs.slice(1)] }
      }
    }
    const { block } = decideBlock(openChain(new Picky()), ['dropped=1', 'kept=1'])
    expect(block.data.txs).toEqual(['first=1', 'kept=1'].map(encodeUtf8))
  })

  test('is not made of more bytes than a block has room for, tags and lengths counted', () => {
    class Greedy extends KvApplication {
      override prepareProposal({ maxTxBytes }: RequestOf<'prepareProposal'>) {
        const size = Number(maxTxBytes) - 3
        return { txs: [new Uint8Array(size)] }
      }
    }
    const params = {
      ...DEFAULT_PARAMS,
      block: { maxBytes: 10_000n, maxGas: -1n },
      evidence: { ...DEFAULT_PARAMS.evidence, maxBytes: 0n },
    }
    // A length of two bytes and a tag of one are what is left.
    expect(decideBlock(openChain(new Greedy(), { genesis: genesisOf({ params }) })).block.data.txs).toHaveLength(1)
    const small = { ...params, block: { maxBytes: 1_400n, maxGas: -1n } }
    class TooGreedy extends KvApplication {
      override prepareProposal({ maxTxBytes }: RequestOf<'prepareProposal'>) {
        return { txs: [new Uint8Array(Number(maxTxBytes) - 1)] }
      }
    }
    expect(() => decideBlock(openChain(new TooGreedy(), { genesis: genesisOf({ params: small }) }))).toThrowError(
      expect.objectContaining({ name: ExecutionError.name, code: 'BAD_ANSWER' }),
    )
  })

  test('asks for transactions by bytes and gas, without a limit of bytes when there is none', () => {
    const asked: bigint[][] = []
    for (const maxBytes of [100_000n, -1n]) {
      const params = {
        ...DEFAULT_PARAMS,
        block: { maxBytes, maxGas: 5n },
        evidence: { ...DEFAULT_PARAMS.evidence, maxBytes: 1_000n },
      }
      const { executor, state, blocks } = openChain(new KvApplication(), { genesis: genesisOf({ params }) })
      expect(blocks.height).toBe(0n)
      executor.propose(state, {
        time: state.lastTime,
        lastCommit: { height: 0n, round: 0, blockId: state.lastBlockId, extendedSignatures: [] },
        evidence: [],
        proposer: state.validators.proposer!.address,
        reap: (bytes, gas) => {
          asked.push([bytes, gas])
          return []
        },
      })
    }
    // 100,000 less the block's frame 11, the header 626, four votes 94 + 4 · 111
    expect(asked).toEqual([
      [98_825n, 5n],
      [-1n, 5n],
    ])
  })
})

describe('a block that is executed ahead', () => {
  /** Fails whenever it is asked to execute `first`, ahead or not, until it is repaired. */
  class Breaking extends KvApplication {
    isBroken = true
    executeAhead(request: FinalizeBlockRequest): void {
      this.finalizeBlock(request)
    }
    override finalizeBlock(request: FinalizeBlockRequest): FinalizeBlockResponse {
      if (this.isBroken && request.txs.some((tx) => Buffer.from(tx).toString('utf8') === 'first=1'))
        throw new Error('broken')
      return super.finalizeBlock(request)
    }
  }

  test('and fails is forgotten: another block may be decided', async () => {
    const chain = openChain(new Breaking())
    const [first, other] = [decideBlock(chain, ['first=1']), decideBlock(chain, ['other=1'])]
    chain.executor.executeAhead(chain.state, first)
    await chain.executor.commit(chain.executor.finalize(chain.state, other))
    expect(chain.blocks.height).toBe(1n)
  })

  test('and fails is executed again when it is decided; only then it is fatal', async () => {
    const application = new Breaking()
    const chain = openChain(application)
    const first = decideBlock(chain, ['first=1'])
    chain.executor.executeAhead(chain.state, first)
    expect(() => chain.executor.finalize(chain.state, first)).toThrowError('broken')
    application.isBroken = false
    await chain.executor.commit(chain.executor.finalize(chain.state, first))
    expect(chain.blocks.height).toBe(1n)
  })
})

describe('a verdict', () => {
  test('is the application’s, asked once for each block', async () => {
    const application = new KvApplication()
    const chain = openChain(application)
    const good = decideBlock(chain, ['a=1'])
    expect(chain.executor.judge(chain.state, good)).toEqual({ isAccepted: true })
    expect(chain.executor.judge(chain.state, good)).toEqual({ isAccepted: true })
    expect(chain.executor.judge(chain.state, decideBlock(chain, ['reject']))).toEqual({
      isAccepted: false,
      fault: null,
    })
    expect(application.calls.filter((call) => call === 'processProposal')).toHaveLength(2)
  })

  test('is not passed from a block to another body under the same header', () => {
    const chain = openChain(new KvApplication())
    const good = decideBlock(chain, ['a=1'])
    expect(chain.executor.judge(chain.state, good)).toEqual({ isAccepted: true })
    const block = { ...good.block, data: { txs: [encodeUtf8('a=2')] } }
    const forged = { block, blockId: blockIdOf(block)! }
    expect(forged.blockId.hash).toBe(good.blockId.hash)
    expect(chain.executor.judge(chain.state, forged)).toMatchObject({ fault: { code: 'wrong-DataHash' } })
  })

  test.each([
    [
      'a signature of its own',
      'wrong-signature',
      (commit: Commit) => {
        const [first, ...others] = commit.signatures
        return { ...commit, signatures: [{ ...first!, signature: others[0]!.signature }, ...others] }
      },
    ],
    ['another round over the same signatures', 'wrong-signature', (commit: Commit) => ({ ...commit, round: 1 })],
    [
      'a block of its own',
      'wrong-block-id',
      (commit: Commit) => {
        return { ...commit, blockId: { ...commit.blockId, hash: 'x'.repeat(32) } }
      },
    ],
    [
      'fewer than two thirds',
      'not-enough-power',
      (commit: Commit) => {
        return { ...commit, signatures: commit.signatures.map((sig, i) => (i < 2 ? ABSENT_SIG : sig)) }
      },
    ],
  ] as const)('refuses a last commit with %s, although the one that decided is known', async (_, code, change) => {
    const chain = openChain(new KvApplication())
    await addBlock(chain)
    const { block } = decideBlock(chain)
    expect(chain.executor.check(chain.state, identifyBlock(block))).toBeNull()
    const lastCommit = change(block.lastCommit!)
    const header = { ...block.header, lastCommitHash: commitHash(lastCommit) }
    expect(chain.executor.check(chain.state, identifyBlock({ ...block, header, lastCommit }))).toMatchObject({ code })
  })

  test('refuses a status that says nothing', () => {
    class Unsure extends KvApplication {
      override processProposal() {
        return { status: 0 }
      }
    }
    const chain = openChain(new Unsure())
    expect(() => chain.executor.judge(chain.state, decideBlock(chain))).toThrowError(
      expect.objectContaining({ code: 'BAD_ANSWER' }),
    )
  })
})

describe('execution', () => {
  test('stops at a decided block that does not follow', async () => {
    const chain = openChain(new KvApplication())
    const decided = decideBlock(chain)
    await addBlock(chain)
    expect(() => chain.executor.finalize(chain.state, decided)).toThrowError(
      expect.objectContaining({ code: 'INVALID_BLOCK' }),
    )
  })

  const answers: readonly [string, (answer: FinalizeBlockResponse) => FinalizeBlockResponse][] = [
    ['fewer results than transactions', (answer) => ({ ...answer, txResults: [] })],
    [
      'validators that leave and are not there',
      (answer) => ({ ...answer, validatorUpdates: [{ pubKey: publicKeyOf(KEYS[5]!), power: 0n }] }),
    ],
    [
      'one validator twice',
      (answer) => ({
        ...answer,
        validatorUpdates: [1n, 2n].map((power) => ({ pubKey: publicKeyOf(KEYS[5]!), power })),
      }),
    ],
  ]

  test.each(answers)('stops at an answer with %s', (_, change) => {
    class Wrong extends KvApplication {
      override finalizeBlock(request: RequestOf<'finalizeBlock'>) {
        return change(super.finalizeBlock(request))
      }
    }
    const chain = openChain(new Wrong())
    expect(() => chain.executor.finalize(chain.state, decideBlock(chain, ['a=1']))).toThrowError(
      expect.objectContaining({ code: 'BAD_ANSWER' }),
    )
  })

  test('new validators sign from the block after the next on', async () => {
    const chain = openChain(new KvApplication())
    const sizes: number[] = []
    for (const txs of [[powerTx(4, 50)], [], [], []]) {
      const { commit } = await addBlock(chain, txs)
      sizes.push(commit.extendedSignatures.length)
    }
    expect(sizes).toEqual([4, 4, 5, 5])
  })

  test('tells listeners of each block once it is durable, in order', async () => {
    const chain = openChain(new KvApplication())
    const heard: bigint[] = []
    const stop = chain.executor.onCommit(({ decided }) => heard.push(decided.block.header.height))
    await addBlock(chain)
    await addBlock(chain)
    stop()
    await addBlock(chain)
    expect(heard).toEqual([1n, 2n])
  })

  test('shows nothing of a block that could not be written with the application’s state', async () => {
    const store = new CrashStore()
    class SharedDisk extends KvApplication {
      override async commit() {
        await store.commit()
        return super.commit()
      }
    }
    const chain = openChain(new SharedDisk(), { store, durability: 'together' })
    await addBlock(chain)
    const { state } = chain
    store.commitsLeft = 0
    await expect(addBlock(chain, ['a=1'])).rejects.toThrow('the machine died')
    expect(chain.blocks).toMatchObject({ height: 1n, state })
    expect(chain.blocks.block(2n)).toBeUndefined()
    store.commitsLeft = 9
    await addBlock(chain, ['a=2'])
    expect(chain.blocks.height).toBe(2n)
  })
})

describe('evidence', () => {
  /** Validator 0 voted for two blocks at height 1. */
  function misdeed(chain: ReturnType<typeof openChain>): Evidence {
    const validators = chain.blocks.validators(1n)!
    const validatorAddress = addressOf(publicKeyOf(KEYS[0]!))
    const vote = (byte: string): Vote => {
      const unsigned = {
        type: PREVOTE,
        height: 1n,
        round: 0,
        blockId: { hash: byte.repeat(32), partSetHeader: { total: 1, hash: byte.repeat(32) } },
        timestamp: chain.genesis.time,
        validatorAddress,
        validatorIndex: validators.validators.findIndex(({ address }) => address === validatorAddress),
        extension: new Uint8Array(0),
        extensionSignature: new Uint8Array(0),
      }
      return { ...unsigned, signature: signMessage(KEYS[0]!, voteSignBytes('7', { ...unsigned })) }
    }
    return duplicateVoteEvidence([vote('a'), vote('b')], chain.blocks.meta(1n)!.header.time, validators)!
  }

  test('is told to the application, and is not taken twice, also after a restart', async () => {
    const told: number[] = []
    class Listening extends KvApplication {
      override finalizeBlock(request: RequestOf<'finalizeBlock'>) {
        told.push(request.misbehavior.length)
        return super.finalizeBlock(request)
      }
    }
    const application = new Listening()
    const chain = openChain(application)
    await addBlock(chain)
    const evidence = misdeed(chain)
    await addBlock(chain, [], [evidence])
    const again = openChain(application, { store: chain.store })
    expect(again.executor.judge(again.state, decideBlock(again, [], [evidence]))).toMatchObject({
      fault: { code: 'already-committed' },
    })
    expect(told).toEqual([0, 1])
  })

  test('of a height below the first block that is kept gets no vote, and is taken when it is decided', async () => {
    const application = new KvApplication()
    const chain = openChain(application)
    await addBlock(chain)
    const evidence = misdeed(chain)
    await addBlock(chain)
    const late = await bootstrapFrom(chain, new KvApplication(application.disk))
    const decided = await addBlock(chain, [], [evidence])
    expect(late.executor.judge(late.state, decided)).toEqual({ isAccepted: false, fault: null })
    await takeBlock(late, decided)
    expect(late.state.appHash).toBe(chain.state.appHash)
  })

  test('that is not true makes a block invalid', async () => {
    const chain = openChain(new KvApplication())
    await addBlock(chain)
    const { value } = misdeed(chain) as Extract<Evidence, { kind: 'duplicateVoteEvidence' }>
    const forged: Evidence = {
      kind: 'duplicateVoteEvidence',
      value: { ...value, voteB: { ...value.voteB!, signature: value.voteA!.signature } },
    }
    expect(chain.executor.judge(chain.state, decideBlock(chain, [], [forged]))).toMatchObject({
      fault: { code: 'wrong-signature' },
    })
  })
})

describe('a crash', () => {
  const SCRIPT = [['a=1'], [powerTx(4, 50), 'b=2'], ['c=3'], ['bad', 'd=4']]

  async function whole() {
    const application = new KvApplication()
    const chain = openChain(application)
    for (const txs of SCRIPT) await addBlock(chain, txs)
    return { state: chain.state, disk: application.disk }
  }

  /** Two commits of the store a block, and one of the application between them. */
  const points = Array.from({ length: SCRIPT.length * 3 }, (_, i) => i)

  test.each(points)('at write %i of four blocks changes nothing of what comes of them', async (point) => {
    class Mortal extends KvApplication {
      commitsLeft = Math.floor((point + 1) / 3)

      override async commit() {
        if (this.commitsLeft-- <= 0) throw new Error('the machine died')
        return super.commit()
      }
    }
    const store = new CrashStore()
    // Point 0: before the first block is saved; 1: before the application commits; 2: before the state is saved; …
    store.commitsLeft = Math.floor(point / 3) * 2 + (point % 3 === 0 ? 0 : 1)
    const mortal = new Mortal()
    const chain = openChain(mortal, { store })
    const live = async () => {
      for (const txs of SCRIPT) await addBlock(chain, txs)
    }
    await expect(live()).rejects.toThrow('the machine died')

    const application = new KvApplication(mortal.disk)
    const found = store.survivor()
    const before = openChain(new KvApplication(), { store: found.survivor() }).blocks
    const heights = [before.height, before.state!.lastHeight, mortal.disk.height].map(Number)
    const done = Math.floor(point / 3)
    expect(heights).toEqual(
      [
        [done, done, done],
        [done + 1, done, done],
        [done + 1, done, done + 1],
      ][point % 3],
    )

    const again = openChain(application, { store: found })
    again.state = await shakeHands(genesisOf(), application, again.executor)
    expect(application.calls.filter((call) => call === 'initChain').length).toBeLessThanOrEqual(2)
    for (const txs of SCRIPT.slice(Number(again.state.lastHeight))) await addBlock(again, txs)
    expect({ state: again.state, disk: application.disk }).toEqual(await whole())
  })
})
