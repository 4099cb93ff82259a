/**
 * The block that a proposer makes, and what the application is asked about blocks.
 *
 * @source CometBFT v0.38.25 `state/state.go` (MakeBlock), `state/execution.go`
 */

import type { FinalizeBlockRequest, RequestOf } from './application.ts'
import type { ChainState, Genesis } from './chain-state.ts'
import { misbehaviorOf } from './evidence.ts'
import { commitHash, evidenceListHash, headerHash, paramsHash, txsHash } from './hash.ts'
import { blockSizeLimit, dataBytesMax } from './params.ts'
import { encodedSize } from './schema.ts'
import type { Time } from './time.ts'
import { setHash, type ValidatorSet } from './validator-set.ts'
import { type Block, type Commit, EVIDENCE_LIST, type Evidence, type ExtendedCommit } from './wire.ts'
import type { CommitInfo, ExtendedCommitInfo, WireValidatorUpdate } from './wire-abci.ts'

export interface BlockContent {
  readonly time: Time
  readonly txs: readonly Uint8Array[]
  readonly lastCommit: Commit
  readonly evidence: readonly Evidence[]
  /** An address. */
  readonly proposer: string
}

/** The next block of the chain with this content. */
export function makeBlock(state: ChainState, { time, txs, lastCommit, evidence, proposer }: BlockContent): Block {
  const header = {
    version: state.version,
    chainId: state.chainId,
    height: state.lastHeight === 0n ? state.initialHeight : state.lastHeight + 1n,
    time,
    lastBlockId: state.lastBlockId,
    lastCommitHash: commitHash(lastCommit),
    dataHash: txsHash(txs),
    validatorsHash: setHash(state.validators),
    nextValidatorsHash: setHash(state.nextValidators),
    consensusHash: paramsHash(state.params.block),
    appHash: state.appHash,
    lastResultsHash: state.lastResultsHash,
    evidenceHash: evidenceListHash(evidence),
    proposerAddress: proposer,
  }
  return { header, data: { txs }, evidence: { evidence }, lastCommit }
}

/** The same block with other transactions. */
export function withTxs(block: Block, txs: readonly Uint8Array[]): Block {
  return { ...block, header: { ...block.header, dataHash: txsHash(txs) }, data: { txs } }
}

/** How many bytes of transactions the next block has room for; undefined when its parameters leave none. */
export function txBytesMax({ params, validators }: ChainState, evidence: readonly Evidence[]): bigint | undefined {
  const evidenceBytes = BigInt(encodedSize(EVIDENCE_LIST, { evidence }))
  return dataBytesMax(blockSizeLimit(params.block.maxBytes), evidenceBytes, validators.validators.length)
}

export function initChainRequest(
  genesis: Genesis,
  validators: ValidatorSet,
  appStateBytes: Uint8Array,
): RequestOf<'initChain'> {
  return {
    time: genesis.time,
    chainId: genesis.chainId,
    consensusParams: genesis.params,
    validators: validators.validators.map(
      ({ pubKey, votingPower }): WireValidatorUpdate => ({ pubKey, power: votingPower }),
    ),
    appStateBytes,
    initialHeight: genesis.initialHeight,
  }
}

/** `draft` is the block before the application has its say; `lastCommit` has extensions if they were enabled. */
export function prepareProposalRequest(
  state: ChainState,
  draft: Block,
  { lastCommit, maxTxBytes }: { readonly lastCommit: ExtendedCommit; readonly maxTxBytes: bigint },
): RequestOf<'prepareProposal'> {
  const { header, data } = draft
  return {
    maxTxBytes,
    txs: data.txs,
    localLastCommit: extendedCommitInfo(state, lastCommit),
    misbehavior: misbehaviorIn(draft),
    height: header.height,
    time: header.time,
    nextValidatorsHash: header.nextValidatorsHash,
    proposerAddress: header.proposerAddress,
  }
}

export function processProposalRequest(state: ChainState, block: Block): RequestOf<'processProposal'> {
  return { ...blockInfo(block), proposedLastCommit: commitInfo(state, block) }
}

/** Needs of the state only the last validators. */
export function finalizeBlockRequest(state: Pick<ChainState, 'lastValidators'>, block: Block): FinalizeBlockRequest {
  return { ...blockInfo(block), decidedLastCommit: commitInfo(state, block) }
}

export function extendVoteRequest(state: ChainState, block: Block): RequestOf<'extendVote'> {
  return { ...blockInfo(block), proposedLastCommit: commitInfo(state, block) }
}

function blockInfo(block: Block) {
  const { header, data } = block
  return {
    txs: data.txs,
    misbehavior: misbehaviorIn(block),
    hash: headerHash(header) ?? '',
    height: header.height,
    time: header.time,
    nextValidatorsHash: header.nextValidatorsHash,
    proposerAddress: header.proposerAddress,
  }
}

function misbehaviorIn({ evidence }: Block) {
  return evidence.evidence.flatMap((piece) => (piece === null ? [] : misbehaviorOf(piece)))
}

/** Who of the last validators signed, and how. */
function commitInfo({ lastValidators }: Pick<ChainState, 'lastValidators'>, { lastCommit }: Block): CommitInfo {
  const { round, signatures } = lastCommit ?? { round: 0, signatures: [] }
  const votes = lastValidators.validators.map(({ address, votingPower }, i) => ({
    validator: { address, power: votingPower },
    blockIdFlag: signatures[i]?.blockIdFlag ?? 0,
  }))
  return { round, votes }
}

function extendedCommitInfo({ lastValidators }: ChainState, commit: ExtendedCommit): ExtendedCommitInfo {
  if (commit.extendedSignatures.length === 0) return { round: 0, votes: [] }
  const votes = lastValidators.validators.map(({ address, votingPower: power }, i) => {
    const { extension, extensionSignature, blockIdFlag } = commit.extendedSignatures[i]!
    const validator = { address, power }
    return { validator, voteExtension: extension, extensionSignature, blockIdFlag }
  })
  return { round: commit.round, votes }
}
