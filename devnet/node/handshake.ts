/**
 * What a node does before it joins: asks the application how far it is, begins the chain if nobody has, and brings
 * application, blocks and state of consensus to one height. Each may lie behind after a crash, because they become durable
 * one after the other.
 *
 * @source CometBFT v0.38.25 `consensus/replay.go`; spec consensus §4.6
 */

import type { Application } from '../consensus/application.ts'
import { finalizeBlockRequest, initChainRequest } from '../consensus/block-building.ts'
import { type ChainState, createChainState, type Genesis } from '../consensus/chain-state.ts'
import { type Fault, isFault } from '../consensus/fault.ts'
import { BLOCK_PROTOCOL } from '../consensus/header.ts'
import { changeOf, createValidatorSet } from '../consensus/validator-set.ts'
import { EMPTY_BYTES, fromBinary, toHex } from '../primitives/bytes.ts'
import type { BlockExecutor } from './block-executor.ts'
import type { BlockStore, DecidedBlock } from './block-store.ts'

/** Heights: 0 before the first block. */
export interface Heights {
  readonly application: bigint
  readonly base: bigint
  readonly blocks: bigint
  readonly state: bigint
  readonly initial: bigint
}

/** What brings all three to the height of the blocks. */
export interface ReplayPlan {
  /** Blocks [from, to] are executed by the application alone. None when `to` is below `from`. */
  readonly from: bigint
  readonly to: bigint
  /**
   * The last block: nothing is left to do, or it is applied as when it was decided, or the application has it already and
   * the answer that was stored is applied.
   */
  readonly last: 'nothing' | 'apply' | 'apply-stored-answer'
}

export type HandshakeFault =
  | { readonly code: 'APP_HEIGHT_NEGATIVE'; readonly heights: Heights }
  | { readonly code: 'APP_AHEAD'; readonly heights: Heights }
  | { readonly code: 'APP_BEHIND_PRUNED'; readonly heights: Heights }
  | { readonly code: 'BLOCKS_BEHIND_STATE'; readonly heights: Heights }
  | { readonly code: 'STATE_BEHIND'; readonly heights: Heights }
  /** Both in hex, at this height. */
  | { readonly code: 'APP_HASH'; readonly height: bigint; readonly expected: string; readonly found: string }
  | { readonly code: 'GENESIS_REFUSED'; readonly fault: Fault }
  | { readonly code: 'BLOCK_MISSING'; readonly height: bigint }

/** Application, blocks and state do not belong together. Nothing was changed that a restart would not change again. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError'
  readonly fault: HandshakeFault
  constructor(fault: HandshakeFault) {
    super(`${fault.code}: ${explain(fault)}`)
    this.fault = fault
  }

  get code(): HandshakeFault['code'] {
    return this.fault.code
  }
}

function explain(fault: HandshakeFault): string {
  switch (fault.code) {
    case 'APP_HASH':
      return `after block ${fault.height} the chain has the application hash ${fault.expected}, the application ${fault.found}; it is another application, another version, or not deterministic`
    case 'GENESIS_REFUSED':
      return `the genesis, with the application's answer to it, is no beginning of a chain (${fault.fault.code})`
    case 'BLOCK_MISSING':
      return `block ${fault.height} or its results are missing; restore the state folder from a copy, or start with an empty one`
    default: {
      const { application, base, blocks, state } = fault.heights
      return `the application is at height ${application}, blocks are kept from ${base} to ${blocks}, the state of consensus is at ${state}; restore the one that differs from a copy, or start with empty folders`
    }
  }
}

/** @throws HandshakeError when no replay brings them together */
export function planReplay(heights: Heights): ReplayPlan {
  const { application, base, blocks, state, initial } = heights
  const nothing = { from: 1n, to: 0n } as const
  if (application < 0n) throw new HandshakeError({ code: 'APP_HEIGHT_NEGATIVE', heights })
  if (blocks === 0n) return { ...nothing, last: 'nothing' }
  const isPruned = application === 0n ? initial < base : application < base - 1n
  if (isPruned) throw new HandshakeError({ code: 'APP_BEHIND_PRUNED', heights })
  if (application > blocks) throw new HandshakeError({ code: 'APP_AHEAD', heights })
  if (blocks < state) throw new HandshakeError({ code: 'BLOCKS_BEHIND_STATE', heights })
  if (blocks > state + 1n) throw new HandshakeError({ code: 'STATE_BEHIND', heights })
  const from = application === 0n ? initial : application + 1n
  if (blocks === state) return { from, to: blocks, last: 'nothing' }
  if (application === blocks) return { ...nothing, last: 'apply-stored-answer' }
  return { from, to: blocks - 1n, last: 'apply' }
}

/** As far as it goes without waiting for anybody's disk. */
export interface Introduction {
  readonly state: ChainState
  readonly plan: ReplayPlan
  /** Of the application, as it says. */
  readonly appHash: string
}

/**
 * Asks the application where it is, and begins the chain when it has no block. What is put into the store is durable with its
 * next commit.
 *
 * @throws HandshakeError
 */
export function introduce(genesis: Genesis, application: Application, blocks: BlockStore): Introduction {
  const info = application.info({
    version: '0.38.25',
    blockVersion: BLOCK_PROTOCOL,
    p2pVersion: 8n,
    abciVersion: '2.0.0',
  })
  const height = info.lastBlockHeight
  let { state } = blocks
  let appHash = info.lastBlockAppHash
  if (height < 0n) planReplay({ application: height, base: 0n, blocks: 0n, state: 0n, initial: genesis.initialHeight })
  if (height === 0n) {
    const answer = application.initChain(initChainRequest(genesis, genesisValidators(genesis), EMPTY_BYTES))
    appHash = answer.appHash
    if (state === undefined || state.lastHeight === 0n) {
      const begun = createChainState(
        genesis,
        { ...answer, appHash: appHash === '' ? genesis.appHash : appHash },
        info.appVersion,
      )
      if (isFault(begun)) throw new HandshakeError({ code: 'GENESIS_REFUSED', fault: begun })
      blocks.putGenesis(begun)
      state = begun
    }
  }
  const heights = {
    application: height,
    base: blocks.base,
    blocks: blocks.height,
    state: state?.lastHeight ?? 0n,
    initial: genesis.initialHeight,
  }
  const plan = planReplay(heights)
  if (state === undefined) throw new HandshakeError({ code: 'APP_AHEAD', heights })
  if (plan.to < plan.from && plan.last === 'nothing') checkAppHash(state.lastHeight, state.appHash, appHash)
  return { state, plan, appHash }
}

/** In the order that consensus has, which is the application's to see. */
function genesisValidators({ validators }: Genesis) {
  const changes = validators.flatMap(({ pubKey, power }) => (pubKey === null ? [] : [changeOf(pubKey, power)]))
  const set = createValidatorSet(changes)
  if (isFault(set)) throw new HandshakeError({ code: 'GENESIS_REFUSED', fault: set })
  return set
}

/** The whole handshake: the state that the node goes on from. @throws HandshakeError, ExecutionError */
export async function shakeHands(
  genesis: Genesis,
  application: Application,
  executor: BlockExecutor,
): Promise<ChainState> {
  const { blocks } = executor
  const { state, plan, appHash: before } = introduce(genesis, application, blocks)
  let appHash = before
  for (let height = plan.from; height <= plan.to; height++) {
    const { block } = readDecided(blocks, height)
    // The header names the application's hash after the block before: has the application become another?
    if (appHash !== '') checkAppHash(height - 1n, block.header.appHash, appHash)
    const lastValidators = blocks.validators(height - 1n) ?? state.lastValidators
    appHash = application.finalizeBlock(finalizeBlockRequest({ lastValidators }, block)).appHash
    await application.commit()
  }
  if (plan.last === 'nothing') {
    checkAppHash(state.lastHeight, state.appHash, appHash)
    return state
  }
  const decided = readDecided(blocks, blocks.height)
  if (plan.last === 'apply') {
    const finalized = executor.finalize(state, decided)
    await executor.commit(finalized)
    return finalized.state
  }
  const response = blocks.response(blocks.height)
  if (response === undefined) throw new HandshakeError({ code: 'BLOCK_MISSING', height: blocks.height })
  const finalized = executor.finalizeWith(state, decided, response)
  checkAppHash(blocks.height, finalized.state.appHash, appHash)
  await executor.commitState(finalized)
  return finalized.state
}

function readDecided(blocks: BlockStore, height: bigint): DecidedBlock {
  const [block, bytes, meta, commit] = [
    blocks.block(height),
    blocks.blockBytes(height),
    blocks.meta(height),
    blocks.extendedCommit(height),
  ]
  if (block === undefined || bytes === undefined || meta === undefined || commit === undefined) {
    throw new HandshakeError({ code: 'BLOCK_MISSING', height })
  }
  return { block, bytes, blockId: meta.blockId, commit }
}

function checkAppHash(height: bigint, expected: string, found: string): void {
  if (expected !== found)
    throw new HandshakeError({ code: 'APP_HASH', height, expected: hex(expected), found: hex(found) })
}

function hex(binary: string): string {
  return toHex(fromBinary(binary))
}
