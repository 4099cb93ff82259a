/**
 * A node as an application sees it, without the network: four connections, a handshake, and blocks that it decides alone.
 * Its headers, commits and requests are genuine.
 */
import {
  ACCEPT,
  CHECK_NEW,
  CHECK_RECHECK,
  type FinalizeBlockRequest,
  type FinalizeBlockResponse,
} from '../../../../devnet/consensus/application.ts'
import {
  extendVoteRequest,
  finalizeBlockRequest,
  initChainRequest,
  makeBlock,
  prepareProposalRequest,
  processProposalRequest,
  txBytesMax,
  withTxs,
} from '../../../../devnet/consensus/block-building.ts'
import {
  applyBlock,
  type ChainState,
  createChainState,
  type Genesis,
} from '../../../../devnet/consensus/chain-state.ts'
import { EMPTY_COMMIT, medianTime, withoutExtensions } from '../../../../devnet/consensus/commit.ts'
import { isFault } from '../../../../devnet/consensus/fault.ts'
import type { PrivateKey } from '../../../../devnet/consensus/key.ts'
import { hasExtensions } from '../../../../devnet/consensus/params.ts'
import {
  changeOf,
  createValidatorSet,
  proposerOf,
  type ValidatorSet,
} from '../../../../devnet/consensus/validator-set.ts'
import type { Block, Evidence, ExtendedCommit } from '../../../../devnet/consensus/wire.ts'
import { identifyBlock } from '../../../../devnet/node/block-executor.ts'
import { withEmptyExtensions } from '../../../../devnet/node/block-store.ts'
import { Crew } from '../../../../devnet/node/crew.ts'
import { planReplay } from '../../../../devnet/node/handshake.ts'
import { sha256Binary } from '../../../../devnet/primitives/hash.ts'
import { AbciClient } from './abci-client.ts'

const NO_BYTES = new Uint8Array(0)

export interface MadeBlock {
  readonly block: Block
  readonly request: FinalizeBlockRequest
  readonly response: FinalizeBlockResponse
  readonly commit: ExtendedCommit
  /** Before the block. */
  readonly lastValidators: ValidatorSet
}

/** What it would have on disk. */
export class FakeCometDisk {
  state: ChainState | undefined
  readonly blocks: MadeBlock[] = []
}

export class FakeComet {
  readonly query: AbciClient
  readonly snapshot: AbciClient
  readonly mempool: AbciClient
  readonly consensus: AbciClient
  readonly disk: FakeCometDisk
  readonly #genesis: Genesis
  readonly #crew: Crew
  #waiting: Uint8Array[] = []

  private constructor(
    connections: readonly [AbciClient, AbciClient, AbciClient, AbciClient],
    genesis: Genesis,
    keys: readonly PrivateKey[],
    disk: FakeCometDisk,
  ) {
    ;[this.query, this.snapshot, this.mempool, this.consensus] = connections
    this.#genesis = genesis
    this.#crew = new Crew(keys)
    this.disk = disk
  }

  static async start(
    address: string,
    genesis: Genesis,
    keys: readonly PrivateKey[],
    disk = new FakeCometDisk(),
  ): Promise<FakeComet> {
    const connect = () => AbciClient.connect(address)
    const comet = new FakeComet(
      [await connect(), await connect(), await connect(), await connect()],
      genesis,
      keys,
      disk,
    )
    await comet.#shakeHands()
    return comet
  }

  get state(): ChainState {
    return this.disk.state!
  }

  /** The handshake of §4.6; state and blocks of this disk are always at one height. */
  async #shakeHands(): Promise<void> {
    const { disk, consensus } = this
    await this.query.call('echo', { message: 'hello' })
    const version = { version: '0.38.25', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' }
    const info = await this.query.call('info', version)
    let appHash = info.lastBlockAppHash
    if (info.lastBlockHeight === 0n) {
      const changes = this.#genesis.validators.map(({ pubKey, power }) => changeOf(pubKey!, power))
      const set = createValidatorSet(changes) as ValidatorSet
      const answer = await consensus.call('initChain', initChainRequest(this.#genesis, set, NO_BYTES))
      appHash = answer.appHash
      const begun = createChainState(this.#genesis, answer, info.appVersion)
      if (isFault(begun)) throw new Error(begun.code)
      disk.state ??= begun
    }
    const height = this.state.lastHeight
    const plan = planReplay({
      application: info.lastBlockHeight,
      base: height === 0n ? 0n : this.#genesis.initialHeight,
      blocks: height,
      state: height,
      initial: this.#genesis.initialHeight,
    })
    for (let at = plan.from; at <= plan.to; at++) {
      const { block, lastValidators } = disk.blocks[Number(at - this.#genesis.initialHeight)]!
      if (block.header.appHash !== appHash) throw new Error(`another application hash before block ${at}`)
      const answer = await consensus.call('finalizeBlock', finalizeBlockRequest({ lastValidators }, block))
      appHash = answer.appHash
      await consensus.call('commit', {})
    }
    if (appHash !== this.state.appHash) throw new Error('the application has another hash')
  }

  /** A transaction at the door, over the mempool's connection. */
  async submit(tx: Uint8Array): Promise<number> {
    const { code } = await this.mempool.send('checkTx', { tx, type: CHECK_NEW })
    if (code === 0) this.#waiting.push(tx)
    return code
  }

  /** Decides a block with what waits. The application may be asked to judge it in some rounds more. */
  async decide(
    options: { readonly evidence?: readonly Evidence[]; readonly rounds?: number } = {},
  ): Promise<MadeBlock> {
    const { state, consensus, disk } = this
    const { evidence = [], rounds = 1 } = options
    const lastCommit = disk.blocks.at(-1)?.commit ?? withEmptyExtensions(EMPTY_COMMIT)
    const isFirst = state.lastHeight === 0n
    const time = isFirst ? state.lastTime : (medianTime(withoutExtensions(lastCommit), state.lastValidators) as bigint)
    const proposer = proposerOf(state.validators)!.address
    const empty = makeBlock(state, { time, txs: [], lastCommit: withoutExtensions(lastCommit), evidence, proposer })
    const maxTxBytes = txBytesMax(state, evidence)!
    const draft = { ...empty, data: { txs: this.#waiting } }
    let block = empty
    for (let round = 0; round < rounds; round++) {
      const prepare = prepareProposalRequest(state, draft, { lastCommit, maxTxBytes })
      const { txs } = await consensus.call('prepareProposal', prepare)
      block = withTxs(empty, txs)
      const { status } = await consensus.call('processProposal', processProposalRequest(state, block))
      if (status !== ACCEPT) throw new Error('the application rejects what it prepared')
    }
    const candidate = identifyBlock(block)
    let extension: Uint8Array = NO_BYTES
    if (hasExtensions(state.params, block.header.height)) {
      const answer = await consensus.call('extendVote', extendVoteRequest(state, block))
      extension = answer.voteExtension
    }
    const commit = this.#crew.sign(state, candidate, () => extension)
    for (const { validatorAddress } of extension.length === 0 ? [] : commit.extendedSignatures) {
      const { hash, height } = { hash: candidate.blockId.hash, height: block.header.height }
      const asked = { hash, validatorAddress, height, voteExtension: extension }
      const { status } = await consensus.call('verifyVoteExtension', asked)
      if (status !== ACCEPT) throw new Error('the application refuses its own extension')
    }
    const request = finalizeBlockRequest(state, block)
    const response = await consensus.call('finalizeBlock', request)
    const next = applyBlock(state, block.header, candidate.blockId, response)
    if (isFault(next)) throw new Error(next.code)
    await this.mempool.call('flush', {})
    await consensus.call('commit', {})
    const made = { block, request, response, commit, lastValidators: state.lastValidators }
    disk.blocks.push(made)
    disk.state = next
    await this.#recheck(new Set(block.data.txs.map(sha256Binary)))
    return made
  }

  async #recheck(included: ReadonlySet<string>): Promise<void> {
    const left = this.#waiting.filter((tx) => !included.has(sha256Binary(tx)))
    const checks = left.map((tx) => this.mempool.send('checkTx', { tx, type: CHECK_RECHECK }))
    const answers = await Promise.all(checks)
    this.#waiting = left.filter((_, i) => answers[i]!.code === 0)
  }

  stop(): void {
    for (const client of [this.query, this.snapshot, this.mempool, this.consensus]) client.close()
  }
}
