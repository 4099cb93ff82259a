/**
 * `blocks` and `live`: chains that genuine nodes made, replayed block by block. Each block is taken apart and put together
 * again, judged against the state before it, and applied; commits are verified; what the application was asked is made from
 * the state and compared. RPC exchanges and subscriptions are read by
 * `rpc/comet/recorded.ts`.
 */

import { decodeBlock } from '../consensus/block.ts'
import {
  extendVoteRequest,
  finalizeBlockRequest,
  initChainRequest,
  makeBlock,
  prepareProposalRequest,
  processProposalRequest,
  txBytesMax,
} from '../consensus/block-building.ts'
import { validateBlock } from '../consensus/block-validation.ts'
import {
  applyBlock,
  type BlockOutcome,
  type ChainState,
  createChainState,
  type Genesis,
  toWireState,
} from '../consensus/chain-state.ts'
import { medianTime, verifyCommit, verifyExtendedCommit } from '../consensus/commit.ts'
import { checkEvidenceInBlock } from '../consensus/evidence.ts'
import { isFault } from '../consensus/fault.ts'
import { blockIdOf, evidenceHash } from '../consensus/hash.ts'
import { encodeLogRecord, readLog } from '../consensus/log-record.ts'
import { decode, encode, type Message } from '../consensus/schema.ts'
import {
  changeOf,
  createValidatorSet,
  incrementPriorities,
  toWireValidatorSet,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import {
  BLOCK,
  BLOCK_ID,
  BLOCK_META,
  type Block,
  type BlockId,
  COMMIT,
  CONSENSUS_PARAMS,
  type Commit,
  type Evidence,
  EXTENDED_COMMIT,
  type ExtendedCommit,
  STATE,
  VALIDATOR_SET,
} from '../consensus/wire.ts'
import {
  ABCI_REQUEST,
  ABCI_RESPONSE,
  type ExtendedCommitInfo,
  FINALIZE_BLOCK_RESPONSE,
} from '../consensus/wire-abci.ts'
import { fromHex, toBinary, toHex } from '../primitives/bytes.ts'
import { blockOutcomeOf, readGenesis } from './comet-genesis.ts'
import { hexOf } from './comet-hashes.ts'
import type { Check, CometFile, CometReport } from './comet-report.ts'

/** What its node calls itself in the state it stores. */
const SOFTWARE = '0.38.25'
const NO_BYTES = new Uint8Array(0)

/** A chain as far as it has been replayed. */
interface Replay {
  state: ChainState
  readonly times: Map<bigint, bigint>
  readonly validators: Map<bigint, ValidatorSet>
  readonly committed: Set<string>
  lastExtended: ExtendedCommit | undefined
}

export function runBlocks(file: CometFile, report: CometReport): void {
  for (const name of ['plain', 'rich']) replayChain(name, file[name], report)
}

function replayChain(name: string, chain: CometFile, report: CometReport): void {
  const genesis = readGenesis(chain.genesis)
  let replay: Replay | undefined
  report.run(`${name}, start`, (check) => {
    const validators = createValidatorSet(genesis.validators.map(({ pubKey, power }) => changeOf(pubKey!, power)))
    const [info, initChain] = ['info', 'init_chain'].map((method) =>
      chain.start.find((call: CometFile) => call.method === method),
    )
    for (const call of chain.start) compareCall(check, call)
    const asked = { kind: 'initChain', value: initChainRequest(genesis, validators as ValidatorSet, NO_BYTES) } as const
    check.equal('init_chain request', initChain.request, memberHex(ABCI_REQUEST, asked))
    const answer = readMember(ABCI_RESPONSE, 'initChain', initChain.response)
    const { appVersion } = readMember(ABCI_RESPONSE, 'info', info.response)
    replay = startReplay(genesis, answer, appVersion)
  })
  for (const entry of chain.heights) {
    report.run(`${name}, height ${entry.height}`, (check) => {
      if (replay === undefined) return check.equal('start', 'a state', 'none')
      compareHeight(check, entry, replay)
    })
  }
  report.run(`${name}, after`, (check) => {
    const { state } = replay!
    const { after } = chain
    check.equal('appHash', after.appHash, hexOf(state.appHash))
    check.equal('lastResultsHash', after.lastResultsHash, hexOf(state.lastResultsHash))
    check.equal('validators', after.validators, setHex(state.validators))
    check.equal('nextValidators', after.nextValidators, setHex(state.nextValidators))
    check.equal('state', after.state, toHex(encode(STATE, toWireState(state, SOFTWARE))))
  })
}

function startReplay(genesis: Genesis, answer: Parameters<typeof createChainState>[1], appVersion: bigint): Replay {
  const state = createChainState(genesis, answer, appVersion)
  if (isFault(state)) throw new Error(`genesis refused: ${state.code}`)
  return { state, times: new Map(), validators: new Map(), committed: new Set(), lastExtended: undefined }
}

function compareHeight(check: Check, entry: CometFile, replay: Replay): void {
  const { state } = replay
  const block = compareBlock(check, entry.block, replay)
  if (block === undefined) return
  const blockId = blockIdOf(block)!
  const { hash, partSetHeader } = blockId
  check.equal('hash', entry.hash, hexOf(hash))
  check.equal('parts', entry.parts, { total: partSetHeader.total, hash: hexOf(partSetHeader.hash) })
  const elected = entry.round === 0 ? state.validators : incrementPriorities(state.validators, entry.round)
  check.equal('proposer', hexOf(elected.proposer!.address), hexOf(block.header.proposerAddress))
  check.equal('validators', entry.validators, setHex(state.validators))
  check.equal('params', entry.params, toHex(encode(CONSENSUS_PARAMS, state.params)))
  const size = BigInt(fromHex(entry.block).length)
  const meta = { blockId, blockSize: size, header: block.header, numTxs: BigInt(block.data.txs.length) }
  check.equal('meta', entry.meta, toHex(encode(BLOCK_META, meta)))
  for (const name of ['seenCommit', 'commit']) compareCommit(check, name, entry[name], state, blockId)
  for (const call of entry.calls) compareCall(check, call)
  compareRequests(check, entry.calls, replay, block)
  compareExtended(check, entry, replay, blockId)
  const finalized = entry.calls.find((call: CometFile) => call.method === 'finalize_block')
  advance(check, replay, block, blockId, decode(FINALIZE_BLOCK_RESPONSE, fromHex(finalized.response)))
}

/** The block is well formed, follows from the state, and is the one that its content makes. */
function compareBlock(check: Check, hex: string, { state, times, validators, committed }: Replay): Block | undefined {
  const block = decodeBlock(fromHex(hex))
  if (isFault(block)) {
    check.verdict('block', 'ok', block)
    return undefined
  }
  check.equal('block', hex, toHex(encode(BLOCK, block)))
  check.verdict('valid', 'ok', validateBlock(state, block, 'median'))
  const pieces = block.evidence.evidence.filter((piece): piece is Evidence => piece !== null)
  const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence
  const judged = checkEvidenceInBlock(pieces, {
    chainId: state.chainId,
    lastHeight: state.lastHeight,
    lastTime: state.lastTime,
    max: { blocks: maxAgeNumBlocks, time: maxAgeDuration },
    committed,
    pending: new Set(),
    timeAt: (height) => times.get(height),
    signedHeaderAt: () => undefined,
    validatorsAt: (height) => validators.get(height),
  })
  check.verdict('evidence', 'ok', judged)
  const { header, data, lastCommit } = block
  const isFirst = state.lastHeight === 0n
  const time = isFirst ? state.lastTime : (medianTime(lastCommit!, state.lastValidators) as bigint)
  const content = { time, txs: data.txs, lastCommit: lastCommit!, evidence: pieces, proposer: header.proposerAddress }
  check.equal('made again', hex, toHex(encode(BLOCK, makeBlock(state, content))))
  return block
}

function compareCommit(check: Check, name: string, hex: string | undefined, state: ChainState, blockId: BlockId): void {
  if (hex === undefined || hex === '') return
  const commit: Commit = decode(COMMIT, fromHex(hex))
  check.equal(name, hex, toHex(encode(COMMIT, commit)))
  const target = { chainId: state.chainId, height: commit.height, blockId }
  check.verdict(`${name} verifies`, 'ok', verifyCommit(state.validators, target, commit))
}

function compareExtended(check: Check, entry: CometFile, replay: Replay, blockId: BlockId): void {
  replay.lastExtended = undefined
  if (entry.extendedCommit === undefined) return
  const commit = decode(EXTENDED_COMMIT, fromHex(entry.extendedCommit))
  check.equal('extendedCommit', entry.extendedCommit, toHex(encode(EXTENDED_COMMIT, commit)))
  const target = { chainId: replay.state.chainId, height: commit.height, blockId }
  check.verdict('extendedCommit verifies', 'ok', verifyExtendedCommit(replay.state.validators, target, commit))
  replay.lastExtended = commit
}

/** What we would ask the application about this block. */
function compareRequests(check: Check, calls: CometFile, { state, lastExtended }: Replay, block: Block): void {
  for (const { method, request } of calls) {
    if (method === 'finalize_block') {
      const value = finalizeBlockRequest(state, block)
      check.equal('finalize_block made', request, memberHex(ABCI_REQUEST, { kind: 'finalizeBlock', value }))
    } else if (method === 'process_proposal') {
      const value = processProposalRequest(state, block)
      check.equal('process_proposal made', request, memberHex(ABCI_REQUEST, { kind: 'processProposal', value }))
    } else if (method === 'extend_vote') {
      const value = extendVoteRequest(state, block)
      check.equal('extend_vote made', request, memberHex(ABCI_REQUEST, { kind: 'extendVote', value }))
    } else if (method === 'prepare_proposal') {
      const asked = readMember(ABCI_REQUEST, 'prepareProposal', request)
      const pieces = block.evidence.evidence.filter((piece): piece is Evidence => piece !== null)
      const value = prepareProposalRequest(
        state,
        { ...block, data: { txs: asked.txs } },
        {
          lastCommit: proposersCommit(block, lastExtended, asked.localLastCommit),
          maxTxBytes: txBytesMax(state, pieces)!,
        },
      )
      check.equal('prepare_proposal made', request, memberHex(ABCI_REQUEST, { kind: 'prepareProposal', value }))
    }
  }
}

/**
 * The last commit with extensions, as the proposer had it: the block's signatures, the stored extensions. Of a vote that came
 * after the commit was stored only the request knows the extension.
 */
function proposersCommit(block: Block, stored: ExtendedCommit | undefined, asked: ExtendedCommitInfo): ExtendedCommit {
  const { height, round, blockId, signatures } = block.lastCommit!
  const extendedSignatures = signatures.map((signature, i) => {
    const known = stored?.extendedSignatures[i]
    if (known?.blockIdFlag === signature.blockIdFlag) return { ...known, ...signature }
    const { voteExtension, extensionSignature } = asked.votes[i]!
    return { ...signature, extension: voteExtension, extensionSignature }
  })
  return { height, round, blockId, extendedSignatures }
}

function advance(check: Check, replay: Replay, block: Block, blockId: BlockId, outcome: BlockOutcome): void {
  const { header, evidence } = block
  const next = applyBlock(replay.state, header, blockId, outcome)
  if (isFault(next)) {
    check.verdict('applied', 'ok', next)
    return
  }
  for (const piece of evidence.evidence) if (piece !== null) replay.committed.add(evidenceHash(piece))
  replay.times.set(header.height, header.time)
  replay.validators.set(header.height, replay.state.validators)
  replay.state = next
}

const MEMBERS: Readonly<Record<string, string>> = {
  init_chain: 'initChain',
  check_tx: 'checkTx',
  prepare_proposal: 'prepareProposal',
  process_proposal: 'processProposal',
  extend_vote: 'extendVote',
  verify_vote_extension: 'verifyVoteExtension',
  finalize_block: 'finalizeBlock',
}

/** Both sides of a call decode, and encode to what they were. */
function compareCall(check: Check, { method, request, response }: CometFile): void {
  const kind = MEMBERS[method] ?? method
  for (const [side, envelope, hex] of [
    ['request', ABCI_REQUEST, request],
    ['response', ABCI_RESPONSE, response],
  ] as const) {
    const inner: Message<unknown> = envelope.fields[kind]!.inner!
    check.equal(`${method} ${side}`, hex, toHex(encode(inner, decode(inner, fromHex(hex)))))
  }
}

type Member<T, Kind> = Extract<NonNullable<T>, { readonly kind: Kind; readonly value: unknown }>['value']

/** The vectors have the method's message without the envelope. */
function readMember<T, Kind extends string>(envelope: Message<T>, kind: Kind, hex: string): Member<T, Kind> {
  return decode(envelope.fields[kind]!.inner!, fromHex(hex)) as Member<T, Kind>
}

function memberHex<T>(envelope: Message<T>, member: T & { readonly kind: string; readonly value: unknown }): string {
  return toHex(encode(envelope.fields[member.kind]!.inner!, member.value))
}

function setHex(set: ValidatorSet): string {
  return toHex(encode(VALIDATOR_SET, toWireValidatorSet(set)))
}

/** A recorded network: its results come from the answers of its RPC server. */
export function runLive(file: CometFile, report: CometReport): void {
  const genesis = readGenesis(file.genesis)
  const results = file.exchanges.filter((exchange: CometFile) => exchange.name === 'block_results')
  const answer = { consensusParams: null, validators: [], appHash: toBinary(new Uint8Array(8)) }
  const replay = startReplay(genesis, answer, 1n)
  for (const [i, entry] of file.heights.entries()) {
    report.run(`height ${entry.height}`, (check) => {
      const block = compareBlock(check, entry.block, replay)
      if (block === undefined) return
      const blockId = blockIdOf(block)!
      check.equal('blockId', entry.blockId, toHex(encode(BLOCK_ID, blockId)))
      compareCommit(check, 'commit', entry.commit, replay.state, blockId)
      const { result } = results[i].json
      check.equal('results of', entry.height, result.height)
      advance(check, replay, block, blockId, blockOutcomeOf(result))
    })
  }
  report.run('log', (check) => {
    const { records, fault } = readLog(fromHex(file.log))
    check.verdict('read', 'ok', fault)
    check.equal('written again', file.log, records.map((record) => toHex(encodeLogRecord(record))).join(''))
  })
}
