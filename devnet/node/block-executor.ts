/**
 * Between consensus and the application: makes blocks, judges them, executes those that were decided, and keeps what
 * follows from them. Whoever decides blocks holds the state and calls these one after the other.
 *
 * @source CometBFT v0.38.25 `state/execution.go`; spec consensus §2.10, §4.7
 */

import { ACCEPT, type Application, type FinalizeBlockResponse, REJECT } from '../consensus/application.ts'
import {
  finalizeBlockRequest,
  makeBlock,
  prepareProposalRequest,
  processProposalRequest,
  txBytesMax,
  withTxs,
} from '../consensus/block-building.ts'
import { blockIdKey } from '../consensus/block-id.ts'
import { type TimeRule, validateBlock } from '../consensus/block-validation.ts'
import { applyBlock, type ChainState } from '../consensus/chain-state.ts'
import { withoutExtensions } from '../consensus/commit.ts'
import { checkEvidenceInBlock, evidenceHeight } from '../consensus/evidence.ts'
import { type Fault, isFault } from '../consensus/fault.ts'
import { evidenceHash, headerHash } from '../consensus/hash.ts'
import { type VerifyMessage, verifyMessage } from '../consensus/key.ts'
import { partSetHeader } from '../consensus/part-set.ts'
import { encode, encodedSize } from '../consensus/schema.ts'
import type { Time } from '../consensus/time.ts'
import { BLOCK, type Block, DATA, type Evidence, type ExtendedCommit } from '../consensus/wire.ts'
import { assert } from '../primitives/assert.ts'
import { type BlockStore, type DecidedBlock, pastOf } from './block-store.ts'
import type { ChainStore } from './ports.ts'

/**
 * What becomes durable when. `together`: the application keeps its state in the store of the blocks, and its commit writes
 * both in one transaction. `apart`: the application has its own disk; the block and its results are durable before the
 * application commits, the state of consensus after, so that a restart finds the one between them (`handshake.ts`).
 */
export type Durability = 'together' | 'apart'

export interface ExecutorOptions {
  readonly application: Application
  readonly store: ChainStore
  readonly blocks: BlockStore
  readonly timeRule: TimeRule
  readonly durability: Durability
  /** Verifies signatures; by itself as CometBFT does. */
  readonly verify?: VerifyMessage
}

/** What a proposer brings along. */
export interface Draft {
  readonly time: Time
  /** Of the last block; with extensions where they are enabled. */
  readonly lastCommit: ExtendedCommit
  readonly evidence: readonly Evidence[]
  /** An address. */
  readonly proposer: string
  /** Transactions that wait, up to so many bytes in a block and so much gas; −1 is no limit. */
  readonly reap: (bytesMax: bigint, gasMax: bigint) => readonly Uint8Array[]
}

/** A block, and the id that was found to be its own: part-set header and all. */
export type Candidate = Pick<DecidedBlock, 'block' | 'blockId'>

/** Whether a validator should vote for a block. Not accepted without a fault: the application rejects it. */
export type Verdict = { readonly isAccepted: true } | { readonly isAccepted: false; readonly fault: Fault | null }

/** A block that was executed, and what follows from it. Nothing of it is durable yet. */
export interface Finalized {
  readonly before: ChainState
  readonly state: ChainState
  readonly decided: DecidedBlock
  readonly response: FinalizeBlockResponse
}

export type ExecutionFault =
  /** The application answers what it must not: the chain cannot go on. */
  | { readonly code: 'BAD_ANSWER'; readonly method: string; readonly detail: string }
  /** A block was decided that does not follow from the state. */
  | { readonly code: 'INVALID_BLOCK'; readonly height: bigint; readonly fault: Fault }
  /** The parameters leave no room for transactions. */
  | { readonly code: 'NO_ROOM'; readonly height: bigint }

/** Consensus cannot go on: stop signing, and look at the cause. */
export class ExecutionError extends Error {
  override readonly name = 'ExecutionError'
  readonly fault: ExecutionFault
  constructor(fault: ExecutionFault) {
    super(`${fault.code}: ${explain(fault)}`)
    this.fault = fault
  }

  get code(): ExecutionFault['code'] {
    return this.fault.code
  }
}

function explain(fault: ExecutionFault): string {
  switch (fault.code) {
    case 'BAD_ANSWER':
      return `the application answered ${fault.method} with ${fault.detail}; correct the application, then restart`
    case 'INVALID_BLOCK':
      return `block ${fault.height} was decided, but it does not follow (${fault.fault.code}); compare this node's state with the others'`
    case 'NO_ROOM':
      return `the parameters of height ${fault.height} leave a block no room; they need larger max_bytes`
  }
}

export class BlockExecutor {
  readonly blocks: BlockStore
  readonly #application: Application
  readonly #store: ChainStore
  readonly #timeRule: TimeRule
  readonly #durability: Durability
  readonly #verify: VerifyMessage
  readonly #listeners = new Set<(finalized: Finalized) => void>()
  /** By block id, of blocks on top of the state now. A header's hash alone would let a forged body speak for the block. */
  readonly #checked = new Map<string, Fault | null>()
  readonly #verdicts = new Map<string, Verdict>()
  #settled: Promise<void> = Promise.resolve()

  constructor({ application, store, blocks, timeRule, durability, verify }: ExecutorOptions) {
    this.blocks = blocks
    this.#application = application
    this.#store = store
    this.#timeRule = timeRule
    this.#durability = durability
    this.#verify = verify ?? verifyMessage
  }

  /** Makes the next block. @throws ExecutionError */
  propose(state: ChainState, { time, lastCommit, evidence, proposer, reap }: Draft): Block {
    const height = nextHeight(state)
    const maxTxBytes = txBytesMax(state, evidence)
    if (maxTxBytes === undefined) throw new ExecutionError({ code: 'NO_ROOM', height })
    const { maxBytes, maxGas } = state.params.block
    const empty = makeBlock(state, { time, txs: [], lastCommit: withoutExtensions(lastCommit), evidence, proposer })
    const draft = { ...empty, data: { txs: reap(maxBytes === -1n ? -1n : maxTxBytes, maxGas) } }
    const { txs } = this.#application.prepareProposal(prepareProposalRequest(state, draft, { lastCommit, maxTxBytes }))
    const size = BigInt(encodedSize(DATA, { txs }))
    if (size > maxTxBytes) {
      const detail = `${size} bytes of transactions where ${maxTxBytes} are left`
      throw new ExecutionError({ code: 'BAD_ANSWER', method: 'PrepareProposal', detail })
    }
    return withTxs(empty, txs)
  }

  /** Whether the block follows from the state: what a decided block must do. Asked once for each block. */
  check(state: ChainState, { block, blockId }: Candidate): Fault | null {
    const key = blockIdKey(blockId)
    const known = this.#checked.get(key)
    if (known !== undefined) return known
    const { judged } = this.#sortEvidence(block)
    const found = validateBlock(state, block, this.#timeRule, this.#verify) ?? this.checkEvidence(state, judged)
    this.#checked.set(key, found)
    return found
  }

  /** Of what happened below the lowest block that is kept nobody here can judge; where two thirds decided, they have. */
  #sortEvidence({ evidence }: Block): { readonly judged: readonly Evidence[]; readonly older: readonly Evidence[] } {
    const { base } = this.blocks
    const pieces = evidence.evidence.filter((piece): piece is Evidence => piece !== null)
    const isOlder = (piece: Evidence): boolean => evidenceHeight(piece) > 0n && evidenceHeight(piece) < base
    return { judged: pieces.filter((piece) => !isOlder(piece)), older: pieces.filter(isOlder) }
  }

  /** Whether the next block may carry the pieces. */
  checkEvidence(state: ChainState, pieces: readonly Evidence[]): Fault | null {
    if (pieces.length === 0) return null
    const past = pastOf(this.blocks)
    const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence
    return checkEvidenceInBlock(pieces, {
      ...past,
      chainId: state.chainId,
      lastHeight: state.lastHeight,
      lastTime: state.lastTime,
      max: { blocks: maxAgeNumBlocks, time: maxAgeDuration },
      committed: new Set(pieces.map(evidenceHash).filter((hash) => past.isCommittedEvidence(hash))),
      pending: new Set(),
    })
  }

  /** Whether to vote for the block; the application is asked once for each. @throws ExecutionError */
  judge(state: ChainState, candidate: Candidate): Verdict {
    const fault = this.check(state, candidate)
    if (fault !== null) return { isAccepted: false, fault }
    if (this.#sortEvidence(candidate.block).older.length > 0) return { isAccepted: false, fault: null }
    const key = blockIdKey(candidate.blockId)
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const { status } = this.#application.processProposal(processProposalRequest(state, candidate.block))
    if (status !== ACCEPT && status !== REJECT) {
      throw new ExecutionError({ code: 'BAD_ANSWER', method: 'ProcessProposal', detail: `status ${status}` })
    }
    const verdict: Verdict = status === ACCEPT ? { isAccepted: true } : { isAccepted: false, fault: null }
    this.#verdicts.set(key, verdict)
    return verdict
  }

  /**
   * The block is likely to be decided: an application that can executes it now. What fails is forgotten: perhaps another block is
   * decided, and if it is this one, `finalize` executes it again and says what is wrong.
   */
  executeAhead(state: ChainState, { block }: Candidate): void {
    try {
      this.#application.executeAhead?.(finalizeBlockRequest(state, block))
    } catch {
      // Nothing follows from a block that nobody has decided.
    }
  }

  /** Executes a decided block. @throws ExecutionError */
  finalize(state: ChainState, decided: DecidedBlock): Finalized {
    const { block } = decided
    const fault = this.check(state, decided)
    if (fault !== null) throw new ExecutionError({ code: 'INVALID_BLOCK', height: block.header.height, fault })
    return this.finalizeWith(state, decided, this.#application.finalizeBlock(finalizeBlockRequest(state, block)))
  }

  /** What follows from a block when the application has answered this. @throws ExecutionError */
  finalizeWith(before: ChainState, decided: DecidedBlock, response: FinalizeBlockResponse): Finalized {
    const { header, data } = decided.block
    const bad = (detail: string) => new ExecutionError({ code: 'BAD_ANSWER', method: 'FinalizeBlock', detail })
    if (response.txResults.length !== data.txs.length) {
      throw bad(`${response.txResults.length} results for ${data.txs.length} transactions`)
    }
    const state = applyBlock(before, header, decided.blockId, response)
    if (isFault(state)) throw bad(`updates that no chain can follow (${state.code})`)
    return { before, state, decided, response }
  }

  /** Makes the block durable, with all that follows from it, then tells the listeners. */
  commit(finalized: Finalized): Promise<void> {
    const commit = this.#commit(finalized)
    this.#settled = commit.catch(() => {})
    return commit
  }

  /** The last commit has come to its end, good or bad. */
  get settled(): Promise<void> {
    return this.#settled
  }

  async #commit(finalized: Finalized): Promise<void> {
    const { decided, response, state, before } = finalized
    const { height } = decided.block.header
    this.#checked.clear()
    this.#verdicts.clear()
    if (this.blocks.height < height) this.blocks.putBlock(decided)
    this.blocks.putResponse(decided.block, response)
    if (this.#durability === 'together') {
      this.blocks.putState(state)
      const committed = this.#application.commit()
      try {
        this.blocks.prune((await committed).retainHeight)
      } catch (error) {
        // What is not on the disk is not shown to anybody.
        this.blocks.rewind(before.lastHeight)
        throw error
      }
    } else {
      await this.#store.commit()
      const { retainHeight } = await this.#application.commit()
      this.blocks.putState(state)
      this.blocks.prune(retainHeight)
      await this.#store.commit()
    }
    this.#publish(finalized)
  }

  /** The application has committed the block before: only the state of consensus is missing. */
  async commitState(finalized: Finalized): Promise<void> {
    this.blocks.putState(finalized.state)
    await this.#store.commit()
    this.#publish(finalized)
  }

  #publish(finalized: Finalized): void {
    this.blocks.publish(finalized.decided.block.header.height)
    for (const listener of this.#listeners) listener(finalized)
  }

  /** Calls back after each block that has become durable, in order. The answer ends that. */
  onCommit(listener: (finalized: Finalized) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export function nextHeight({ lastHeight, initialHeight }: ChainState): bigint {
  return lastHeight === 0n ? initialHeight : lastHeight + 1n
}

/** A block with its bytes and the id that follows from them. */
export function identifyBlock(block: Block): Omit<DecidedBlock, 'commit'> {
  const bytes = encode(BLOCK, block)
  const hash = headerHash(block.header)
  assert(hash !== null, 'a block that was made has validators and a time')
  return { block, bytes, blockId: { hash, partSetHeader: partSetHeader(bytes) } }
}
