/**
 * Whether a block follows from the chain: asked before prevoting for it, and again before it is applied.
 *
 * @source CometBFT v0.38.25 `state/validation.go`
 */

import { checkBlock } from './block.ts'
import { equalBlockIds } from './block-id.ts'
import type { ChainState } from './chain-state.ts'
import { type CommitTarget, medianTime, verifyCommit } from './commit.ts'
import { type Fault, fault } from './fault.ts'
import { commitHash, paramsHash } from './hash.ts'
import { encodedSize } from './schema.ts'
import { findValidator, setHash } from './validator-set.ts'
import { type Block, type Commit, EVIDENCE_LIST, type Header } from './wire.ts'

/**
 * How blocks get their time. `median`: of the last commit's votes. `proposer`: the proposer's clock, later than the block
 * before; whether it is timely is asked where the clock is.
 */
export type TimeRule = 'median' | 'proposer'

/**
 * All but the evidence's truth, which takes the chain's past to judge: `checkEvidenceInBlock`. `verified` is the commit that
 * decided the last block here: its signatures were verified when they came, so they are not verified again.
 */
export function validateBlock(state: ChainState, block: Block, timeRule: TimeRule, verified?: Commit): Fault | null {
  return (
    checkBlock(block) ??
    checkHeaderFollows(state, block.header) ??
    checkLastCommit(state, block, verified) ??
    checkProposer(state, block.header) ??
    checkTime(state, block, timeRule) ??
    checkEvidenceSize(state, block)
  )
}

function checkHeaderFollows(state: ChainState, header: Header): Fault | null {
  const { block, app } = state.version
  const height = state.lastHeight === 0n ? state.initialHeight : state.lastHeight + 1n
  if (header.version.app !== app || header.version.block !== block) return fault('wrong-Version')
  if (header.chainId !== state.chainId) return fault('wrong-ChainID')
  if (header.height !== height) return fault('wrong-Height')
  if (!equalBlockIds(header.lastBlockId, state.lastBlockId)) return fault('wrong-LastBlockID')
  if (header.appHash !== state.appHash) return fault('wrong-AppHash')
  if (header.consensusHash !== paramsHash(state.params.block)) return fault('wrong-ConsensusHash')
  if (header.lastResultsHash !== state.lastResultsHash) return fault('wrong-LastResultsHash')
  if (header.validatorsHash !== setHash(state.validators)) return fault('wrong-ValidatorsHash')
  return header.nextValidatorsHash === setHash(state.nextValidators) ? null : fault('wrong-NextValidatorsHash')
}

function checkLastCommit(state: ChainState, { header, lastCommit }: Block, verified?: Commit): Fault | null {
  if (lastCommit === null) return fault('missing-part')
  if (header.height === state.initialHeight) {
    return lastCommit.signatures.length === 0 ? null : fault('initial-last-commit')
  }
  const target = { chainId: state.chainId, height: header.height - 1n, blockId: state.lastBlockId }
  if (verified !== undefined && isSameCommit(target, header, lastCommit, verified)) return null
  return verifyCommit(state.lastValidators, target, lastCommit)
}

/** The header's hash of the commit covers the signatures alone, and is known to be right. */
function isSameCommit(
  { height, blockId }: CommitTarget,
  { lastCommitHash }: Header,
  commit: Commit,
  verified: Commit,
): boolean {
  return (
    verified.height === height &&
    equalBlockIds(verified.blockId, blockId) &&
    commit.height === height &&
    commit.round === verified.round &&
    equalBlockIds(commit.blockId, blockId) &&
    lastCommitHash === commitHash(verified)
  )
}

/** Any validator may have proposed: the header does not say in which round it was made. */
function checkProposer({ validators }: ChainState, { proposerAddress }: Header): Fault | null {
  return findValidator(validators, proposerAddress) === undefined ? fault('proposer-not-a-validator') : null
}

function checkTime(state: ChainState, { header, lastCommit }: Block, rule: TimeRule): Fault | null {
  if (header.height === state.initialHeight) {
    const isFirst = rule === 'median' ? header.time === state.lastTime : header.time >= state.lastTime
    return isFirst ? null : fault('wrong-time')
  }
  if (header.time <= state.lastTime) return fault('wrong-time')
  if (rule === 'proposer' || lastCommit === null) return null
  const median = medianTime(lastCommit, state.lastValidators)
  if (typeof median !== 'bigint') return median
  return header.time === median ? null : fault('wrong-time')
}

function checkEvidenceSize({ params }: ChainState, { evidence }: Block): Fault | null {
  const size = encodedSize(EVIDENCE_LIST, evidence)
  return BigInt(size) > params.evidence.maxBytes ? fault('evidence-overflow') : null
}
