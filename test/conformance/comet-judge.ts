/** Our answers to the questions, in the oracle's words. */

import { readGenesis } from '../../devnet/conformance/comet-genesis.ts'
import type { CometFile } from '../../devnet/conformance/comet-report.ts'
import { decodeBlock } from '../../devnet/consensus/block.ts'
import { validateBlock } from '../../devnet/consensus/block-validation.ts'
import {
  applyBlock,
  type BlockOutcome,
  type ChainState,
  createChainState,
  type GenesisAnswer,
} from '../../devnet/consensus/chain-state.ts'
import {
  checkCommit,
  medianTime,
  verifyCommit,
  verifyCommitLight,
  verifyCommitLightAll,
  verifyCommitTrusting,
} from '../../devnet/consensus/commit.ts'
import { canonicalEvidence, checkEvidence, verifyAttack, verifyDuplicateVote } from '../../devnet/consensus/evidence.ts'
import { type Fault, fault, isFault } from '../../devnet/consensus/fault.ts'
import { blockIdOf, commitHash, evidenceBytes, evidenceHash, headerHash } from '../../devnet/consensus/hash.ts'
import { checkHeader } from '../../devnet/consensus/header.ts'
import { addressOf } from '../../devnet/consensus/key.ts'
import { type CheckedLightBlock, readLightBlock, verifyJump } from '../../devnet/consensus/light-client.ts'
import { partSetHeader } from '../../devnet/consensus/part-set.ts'
import { checkProposal, verifyProposal } from '../../devnet/consensus/proposal.ts'
import { WireError } from '../../devnet/consensus/protobuf.ts'
import { decode, encode, type Message } from '../../devnet/consensus/schema.ts'
import { proposalSignBytes, voteSignBytes } from '../../devnet/consensus/sign-bytes.ts'
import { SECOND, splitTime } from '../../devnet/consensus/time.ts'
import { fromWireValidatorSet, toWireValidatorSet, type ValidatorSet } from '../../devnet/consensus/validator-set.ts'
import { checkVote, verifyVote, verifyVoteAndExtension } from '../../devnet/consensus/vote.ts'
import {
  BLOCK,
  BLOCK_ID,
  type Block,
  COMMIT,
  type Commit,
  EVIDENCE,
  HEADER,
  LIGHT_BLOCK,
  PROPOSAL,
  type PublicKey,
  VALIDATOR_SET,
  VOTE,
} from '../../devnet/consensus/wire.ts'
import { ABCI_RESPONSE, FINALIZE_BLOCK_RESPONSE } from '../../devnet/consensus/wire-abci.ts'
import { fromBinary, fromHex, toHex } from '../../devnet/primitives/bytes.ts'
import type { Question } from './comet-questions.ts'

/** Null in place of a fault: accepted. Facts are what was found before that. */
export interface Judgement {
  readonly fault: Fault | null
  readonly facts: Readonly<Record<string, unknown>>
}

const hex = (binary: string | null): string => toHex(fromBinary(binary ?? ''))

export function judge(question: Question): Judgement {
  const facts: Record<string, unknown> = {}
  try {
    return { fault: JUDGES[question.kind]!(question, facts), facts }
  } catch (error) {
    if (error instanceof WireError) return { fault: fault('malformed'), facts }
    throw error
  }
}

type Judge = (question: Question, facts: Record<string, unknown>) => Fault | null

const JUDGES: Readonly<Record<string, Judge>> = {
  vote(question, facts) {
    const vote = read(question, 'bytes', VOTE, facts)
    const { chainId, publicKey, mode } = question as never as { chainId: string; publicKey: KeyText; mode: string }
    facts['signBytes'] = toHex(voteSignBytes(chainId, vote))
    const verify = mode === 'extended' ? verifyVoteAndExtension : verifyVote
    const pubKey = keyOf(publicKey)
    return checkVote(vote) ?? verify(chainId, vote, { address: addressOf(pubKey), pubKey })
  },
  proposal(question, facts) {
    const proposal = read(question, 'bytes', PROPOSAL, facts)
    const { chainId, publicKey } = question as never as { chainId: string; publicKey: KeyText }
    facts['signBytes'] = toHex(proposalSignBytes(chainId, proposal))
    return checkProposal(proposal) ?? verifyProposal(chainId, proposal, keyOf(publicKey))
  },
  header(question, facts) {
    const header = read(question, 'bytes', HEADER, facts)
    const refused = checkHeader(header)
    if (refused === null) facts['hash'] = hex(headerHash(header))
    return refused
  },
  commit(question, facts) {
    const commit = read(question, 'bytes', COMMIT, facts)
    const refused = checkCommit(commit)
    if (refused !== null) return refused
    facts['hash'] = hex(commitHash(commit))
    const { mode, chainId, height } = question as never as { mode: string; chainId: string; height: string }
    const set = readSet(question, 'validators')
    if (mode === 'trusting') return verifyCommitTrusting({ chainId, set, level: levelOf(question) }, commit)
    const verify = mode === 'light' ? verifyCommitLight : mode === 'lightAll' ? verifyCommitLightAll : verifyCommit
    return verify(set, { chainId, height: BigInt(height), blockId: read(question, 'blockId', BLOCK_ID) }, commit)
  },
  block(question, facts) {
    const bytes = fromHex(question['bytes'] as string)
    facts['canonical'] = isCanonical(BLOCK, bytes)
    const block = decodeBlock(bytes)
    if (isFault(block)) return block
    const { total, hash } = partSetHeader(encode(BLOCK, block))
    facts['hash'] = hex(headerHash(block.header))
    facts['parts'] = { total, hash: hex(hash) }
    if (question['validators'] === '') return null
    const set = readSet(question, 'validators')
    const commit = block.lastCommit!
    const median = medianTime(commit, set)
    if (typeof median !== 'bigint') return median
    const { seconds, nanos } = splitTime(median)
    facts['medianTime'] = { seconds: String(seconds), nanos }
    const { lastBlockId, height } = block.header
    return verifyCommit(
      set,
      { chainId: question['chainId'] as string, height: height - 1n, blockId: lastBlockId },
      commit,
    )
  },
  evidence(question, facts) {
    const decoded = read(question, 'bytes', EVIDENCE, facts)
    if (decoded === null) return fault('unknown-evidence')
    const piece = canonicalEvidence(decoded)
    const refused = checkEvidence(piece)
    if (refused !== null) return refused
    facts['hash'] = hex(evidenceHash(piece))
    facts['leaf'] = toHex(evidenceBytes(piece))
    if (piece.kind === 'duplicateVoteEvidence') {
      if (question['validators'] === undefined) return null
      return verifyDuplicateVote(piece.value, question['chainId'] as string, readSet(question, 'validators'))
    }
    if (question['common'] === undefined) return null
    const [common, trusted] = [readLight(question, 'common'), readLight(question, 'trusted')]
    return verifyAttack(piece.value, {
      common: common.signed,
      commonValidators: common.validators,
      trusted: trusted.signed,
    })
  },
  chain(question, facts) {
    const genesis = readGenesis(question['genesis'] as CometFile)
    const answer = decode(INIT_CHAIN_RESPONSE, fromHex(question['initChain'] as string)) as GenesisAnswer
    const begun = createChainState(genesis, answer, BigInt(question['appVersion'] as string))
    if (isFault(begun)) return begun
    let state = begun
    const blocks: Block[] = []
    for (const [i, text] of (question['blocks'] as readonly string[]).entries()) {
      const block = decodeBlock(fromHex(text))
      if (isFault(block)) {
        facts['block'] = i
        return block
      }
      blocks.push(block)
    }
    for (const [i, block] of blocks.entries()) {
      const response = decode(FINALIZE_BLOCK_RESPONSE, fromHex((question['responses'] as readonly string[])[i]!))
      const next = followBlock(state, block, blocks[i + 1]?.lastCommit ?? null, response)
      if (isFault(next)) {
        facts['block'] = i
        return next
      }
      state = next
    }
    facts['lastHeight'] = String(state.lastHeight)
    facts['appHash'] = hex(state.appHash)
    facts['lastResultsHash'] = hex(state.lastResultsHash)
    facts['validators'] = toHex(encode(VALIDATOR_SET, toWireValidatorSet(state.validators)))
    facts['nextValidators'] = toHex(encode(VALIDATOR_SET, toWireValidatorSet(state.nextValidators)))
    const target = { chainId: state.chainId, height: state.lastHeight, blockId: state.lastBlockId }
    return verifyCommit(state.lastValidators, target, read(question, 'commit', COMMIT))
  },
  lightblock(question, facts) {
    const block = readLightBlock(read(question, 'bytes', LIGHT_BLOCK, facts), question['chainId'] as string)
    if (isFault(block)) return block
    const { signed, validators } = block
    facts['hash'] = hex(headerHash(signed.header))
    const { header, commit } = signed
    if (question['trusted'] === undefined) {
      const target = { chainId: question['chainId'] as string, height: header.height, blockId: commit.blockId }
      return verifyCommitLight(validators, target, commit)
    }
    return verifyJump({
      trusted: readLight(question, 'trusted').signed,
      trustedValidators: readSet(question, 'trustedValidators'),
      untrusted: signed,
      untrustedValidators: validators,
      trustingPeriod: instantOf(question['trustingPeriod']),
      now: instantOf(question['now']),
      maxClockDrift: instantOf(question['maxClockDrift']),
      trustLevel: levelOf(question),
    })
  },
}

const INIT_CHAIN_RESPONSE = ABCI_RESPONSE.fields['initChain']!.inner!

/** As a node that syncs: the block follows, the next block's commit is for it, then it is applied. */
function followBlock(
  state: ChainState,
  block: Block,
  commit: Commit | null,
  outcome: BlockOutcome,
): ChainState | Fault {
  const refused = validateBlock(state, block, 'median')
  if (refused !== null) return refused
  const blockId = blockIdOf(block)!
  // No vote of these chains is evidence: what claims to be is about blocks that nobody has.
  if (block.evidence.evidence.length > 0) return fault('unknown-height')
  const { height } = block.header
  const light =
    commit === null ? null : verifyCommitLight(state.validators, { chainId: state.chainId, height, blockId }, commit)
  return light ?? applyBlock(state, block.header, blockId, outcome)
}

interface KeyText {
  readonly type: PublicKey['kind']
  readonly bytes: string
}

function keyOf({ type, bytes }: KeyText): PublicKey {
  return { kind: type, value: fromHex(bytes) }
}

function levelOf(question: Question) {
  const { numerator, denominator } = question['trustLevel'] as { numerator: string; denominator: string }
  return { numerator: BigInt(numerator), denominator: BigInt(denominator) }
}

function instantOf(value: unknown): bigint {
  const { seconds, nanos } = value as { seconds: string; nanos: number }
  return BigInt(seconds) * SECOND + BigInt(nanos)
}

function read<T>(question: Question, name: string, message: Message<T>, facts?: Record<string, unknown>): T {
  const bytes = fromHex(question[name] as string)
  if (facts !== undefined) facts['canonical'] = isCanonical(message, bytes)
  return decode(message, bytes)
}

function isCanonical<T>(message: Message<T>, bytes: Uint8Array): boolean {
  return toHex(encode(message, decode(message, bytes))) === toHex(bytes)
}

function readSet(question: Question, name: string): ValidatorSet {
  const set = fromWireValidatorSet(read(question, name, VALIDATOR_SET))
  if (isFault(set)) throw new Error(`a question of ours has no set: ${set.code}`)
  return set
}

function readLight(question: Question, name: string): CheckedLightBlock {
  const block = readLightBlock(read(question, name, LIGHT_BLOCK), question['chainId'] as string)
  if (isFault(block)) throw new Error(`a question of ours has no light block: ${block.code}`)
  return block
}
