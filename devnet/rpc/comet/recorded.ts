/**
 * Recorded exchanges with genuine nodes (`blocks` and `live` of CometBFT's vectors): the recorded chain is put into our stores, the
 * same requests are asked of our RPC, and every field of the answers is compared. What depends on the moment (who is connected,
 * which votes are there) is compared by its shape.
 */

import { blockOutcomeOf, readGenesis } from '../../conformance/comet-genesis.ts'
import type { CometFile } from '../../conformance/comet-report.ts'
import { type CaseResult, type Check, CometReport } from '../../conformance/comet-report.ts'
import type { FinalizeBlockResponse, RequestOf, ResponseOf } from '../../consensus/application.ts'
import { NIL_BLOCK_ID } from '../../consensus/block-id.ts'
import { applyBlock, type ChainState, createChainState, type Genesis } from '../../consensus/chain-state.ts'
import { verifyEvidence } from '../../consensus/evidence.ts'
import { isFault } from '../../consensus/fault.ts'
import { blockIdOf } from '../../consensus/hash.ts'
import type { Passage } from '../../consensus/replica-host.ts'
import { createRoundState, type Input, step } from '../../consensus/round.ts'
import { decode } from '../../consensus/schema.ts'
import {
  BLOCK,
  type BlockId,
  COMMIT,
  type Evidence,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL_TYPE,
  type PublicKey,
  type Vote,
} from '../../consensus/wire.ts'
import { ABCI_RESPONSE, FINALIZE_BLOCK_RESPONSE } from '../../consensus/wire-abci.ts'
import type { Finalized } from '../../node/block-executor.ts'
import { BlockStore, withEmptyExtensions } from '../../node/block-store.ts'
import { MemoryChainStore } from '../../node/memory-store.ts'
import { fromBinary, fromHex, toBinary } from '../../primitives/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../../primitives/utf8.ts'
import type { Json, JsonObject } from './block-json.ts'
import { readVoteJson } from './evidence-json.ts'
import { refuse } from './fault.ts'
import { COMET_METHODS } from './methods.ts'
import type { CometNode, NodeIdentity, NodePeer } from './node.ts'
import { answerRequest, PROTOCOL_LIMITS } from './protocol.ts'
import { isRoundEventKind } from './round-events.ts'
import { Subscriptions } from './subscriptions.ts'

export async function runRecorded(file: CometFile): Promise<readonly CaseResult[]> {
  const report = new CometReport(`${file.file} rpc`)
  const chains = file.file === 'live' ? [{ ...file, name: 'live' }] : [{ ...file.plain, name: 'plain' }]
  for (const recorded of chains) await runChain(recorded, report)
  return report.results
}

async function runChain(recorded: CometFile, report: CometReport): Promise<void> {
  const chain = replay(recorded)
  const node = new RecordedNode(recorded, chain)
  const answers = new Map<CometFile, Awaited<ReturnType<typeof answerRequest>>>()
  // One after the other: a transaction that was sent waits from then on.
  for (const exchange of recorded.exchanges) answers.set(exchange, await answerRequest(node, requestOf(exchange)))
  for (const exchange of recorded.exchanges) {
    report.run(`${recorded.name}, ${exchange.name} ${exchange.path}`, (check) => {
      const { status, contentType, cacheControl, body } = answers.get(exchange)!
      check.equal('status', exchange.status, status)
      check.equal('contentType', exchange.contentType, contentType)
      check.equal('cacheControl', isKept(exchange, chain) ? exchange.cacheControl : '', cacheControl)
      if (exchange.json === undefined) check.equal('text', exchange.text, body)
      else compareAnswer(check, exchange, JSON.parse(body), node)
    })
  }
  const votes = recordedVotes(recorded.subscriptions)
  for (const { query, messages } of recorded.subscriptions) {
    report.run(`${recorded.name}, subscription ${query}`, (check) => {
      if (isOfRounds(query)) compareRounds(check, query, messages, playRounds(chain, votes))
      else compareMessages(check, query, messages, chain)
    })
  }
}

// --- the chain ------------------------------------------------------------------------------------------------------

interface RecordedChain {
  readonly genesis: Genesis
  readonly names: readonly string[]
  readonly blocks: BlockStore
  readonly finalized: readonly Finalized[]
}

function replay(recorded: CometFile): RecordedChain {
  const genesis = readGenesis(recorded.genesis)
  const blocks = new BlockStore(new MemoryChainStore())
  let state = startOf(recorded, genesis)
  blocks.putGenesis(state)
  const finalized: Finalized[] = []
  for (const [i, entry] of recorded.heights.entries()) {
    const bytes = fromHex(entry.block)
    const block = decode(BLOCK, bytes)
    const blockId = blockIdOf(block)!
    const commit = withEmptyExtensions(decode(COMMIT, fromHex(entry.seenCommit ?? entry.commit)))
    const decided = { block, bytes, blockId, commit }
    const response = responseOf(recorded, entry, i)
    const next = applyBlock(state, block.header, blockId, response)
    if (isFault(next)) throw new Error(`block ${block.header.height} does not follow: ${next.code}`)
    blocks.putBlock(decided)
    blocks.putResponse(block, response)
    blocks.putState(next)
    blocks.publish(block.header.height)
    finalized.push({ before: state, state: next, decided, response })
    state = next
  }
  return { genesis, names: recorded.genesis.validators.map(({ name }: CometFile) => name), blocks, finalized }
}

function startOf(recorded: CometFile, genesis: Genesis): ChainState {
  const call = recorded.start?.find(({ method }: CometFile) => method === 'init_chain')
  const answer =
    call === undefined
      ? { consensusParams: null, validators: [], appHash: toBinary(new Uint8Array(8)) }
      : (decode(ABCI_RESPONSE.fields['initChain']!.inner!, fromHex(call.response)) as ResponseOf<'initChain'>)
  const state = createChainState(genesis, answer, 1n)
  if (isFault(state)) throw new Error(`genesis refused: ${state.code}`)
  return state
}

/** What the application answered; of a recorded network only its RPC says so. */
function responseOf(recorded: CometFile, entry: CometFile, i: number): FinalizeBlockResponse {
  const call = entry.calls?.find(({ method }: CometFile) => method === 'finalize_block')
  if (call !== undefined) return decode(FINALIZE_BLOCK_RESPONSE, fromHex(call.response))
  const results = recorded.exchanges.filter(({ name }: CometFile) => name === 'block_results')
  const { result } = results[i].json
  const outcome = blockOutcomeOf(result)
  const txResults = outcome.txResults.map((tx, at) => ({ ...tx, events: result.txs_results[at].events }))
  return { ...outcome, txResults, events: result.finalize_block_events ?? [] }
}

/** A node with that chain, and the library's key-value application. */
class RecordedNode implements CometNode {
  readonly blocks: BlockStore
  readonly genesis: Genesis
  readonly validatorNames: readonly string[]
  readonly identity: NodeIdentity
  readonly publicKey: PublicKey | null
  readonly application: KeyValue
  readonly #peers: readonly NodePeer[]
  #waiting: readonly Uint8Array[]

  constructor(recorded: CometFile, chain: RecordedChain) {
    this.blocks = chain.blocks
    this.genesis = chain.genesis
    this.validatorNames = chain.names
    this.application = new KeyValue(chain)
    const resultOf = (method: string) =>
      recorded.exchanges.find(({ name }: CometFile) => name.split(',')[0] === method).json.result
    const status = resultOf('status')
    this.identity = identityOf(status.node_info)
    const { value } = status.validator_info.pub_key
    this.publicKey = { kind: 'secp256k1', value: new Uint8Array(Buffer.from(value, 'base64')) }
    this.#peers = resultOf('net_info').peers.map(({ node_info, remote_ip }: CometFile) => ({
      identity: identityOf(node_info),
      ip: remote_ip,
    }))
    this.#waiting = leftOf(recorded)
  }

  peers(): readonly NodePeer[] {
    return this.#peers
  }

  isCatchingUp(): boolean {
    return false
  }

  deciding() {
    return { rounds: null, isWaiting: true }
  }

  waitingTxs(): readonly Uint8Array[] {
    return this.#waiting.filter((tx) => this.application.placeOf(tx) === undefined)
  }

  broadcast(tx: Uint8Array): ResponseOf<'checkTx'> {
    if (this.#waiting.some((waiting) => Buffer.compare(waiting, tx) === 0)) throw refuse('tx already exists in cache')
    const check = this.application.checkTx({ tx, type: 0 })
    if (check.code === 0) this.#waiting = [...this.#waiting, tx]
    return check
  }

  async included(): Promise<void> {}

  addEvidence(evidence: Evidence): void {
    const { blocks } = this
    const { state } = blocks
    const fault = verifyEvidence(evidence, {
      chainId: this.genesis.chainId,
      lastHeight: state!.lastHeight,
      lastTime: state!.lastTime,
      max: { blocks: 100_000n, time: 172_800_000_000_000n },
      committed: new Set(),
      pending: new Set(),
      timeAt: (height) => blocks.meta(height)?.header.time,
      signedHeaderAt: () => undefined,
      validatorsAt: (height) => blocks.validators(height),
    })
    if (fault !== null) throw refuse(`failed to add evidence: ${fault.code}`)
  }
}

function identityOf(info: CometFile): NodeIdentity {
  const { id, moniker, listen_addr, version, other } = info
  return { id, moniker, listenAddress: listen_addr, rpcAddress: other.rpc_address, version }
}

/** Transactions that passed the check and were never in a block. */
function leftOf(recorded: CometFile): readonly Uint8Array[] {
  const included = new Set<string>()
  const checked = new Map<string, Uint8Array>()
  for (const { block, calls = [] } of recorded.heights) {
    for (const tx of decode(BLOCK, fromHex(block)).data.txs) included.add(toBinary(tx))
    for (const { method, request } of calls) {
      if (method !== 'check_tx') continue
      // Field 1 of the request, of fewer than 128 bytes or more.
      const bytes = fromHex(request)
      const start = bytes[1]! < 128 ? 2 : bytes[2]! < 128 ? 3 : 4
      const size = bytes.subarray(1, start).reduce((sum, byte, i) => sum + ((byte & 127) << (7 * i)), 0)
      const tx = bytes.slice(start, start + size)
      checked.set(toBinary(tx), tx)
    }
  }
  return [...checked].filter(([key]) => !included.has(key)).map(([, tx]) => tx)
}

/** The library's example: `key=value` or `key:value` stores. @source CometBFT `abci/example/kvstore` */
class KeyValue {
  readonly #blocks: BlockStore
  readonly #values = new Map<string, string>()
  readonly #included = new Map<string, bigint>()

  constructor({ blocks, finalized }: RecordedChain) {
    this.#blocks = blocks
    for (const { decided } of finalized) {
      for (const tx of decided.block.data.txs) {
        this.#included.set(toBinary(tx), decided.block.header.height)
        const [key = '', value = ''] = (decodeUtf8(tx) ?? '').split(/[=:]/)
        this.#values.set(key, value)
      }
    }
  }

  placeOf(tx: Uint8Array): bigint | undefined {
    return this.#included.get(toBinary(tx))
  }

  info(): ResponseOf<'info'> {
    const { lastHeight, appHash } = this.#blocks.state!
    // The hash is the number of pairs, as a zig-zag varint.
    const size = [...fromBinary(appHash)].reduceRight((sum, byte) => sum * 128 + (byte & 127), 0) / 2
    return {
      data: JSON.stringify({ size }),
      version: '2.0.0',
      appVersion: 1n,
      lastBlockHeight: lastHeight,
      lastBlockAppHash: appHash,
    }
  }

  checkTx({ tx }: RequestOf<'checkTx'>): ResponseOf<'checkTx'> {
    const text = decodeUtf8(tx) ?? ''
    const isPair = /^[^=:]+=[^=]+$|^[^=:]+:[^:=]+$/.test(text) || text.startsWith('val=')
    const none = new Uint8Array(0)
    const base = { data: none, log: '', info: '', gasUsed: 0n, events: [], codespace: '' }
    return { ...base, code: isPair ? 0 : 2, gasWanted: isPair ? 1n : 0n }
  }

  query({ data, prove }: RequestOf<'query'>): ResponseOf<'query'> {
    const value = this.#values.get(decodeUtf8(data) ?? '')
    return {
      code: 0,
      log: value === undefined ? 'does not exist' : 'exists',
      info: '',
      index: prove ? -1n : 0n,
      key: data,
      value: encodeUtf8(value ?? ''),
      proofOps: null,
      height: this.#blocks.state!.lastHeight,
      codespace: '',
    }
  }
}

// --- comparing ------------------------------------------------------------------------------------------------------

function requestOf({ method, path, body = '', bodyBytes = 0 }: CometFile) {
  const [name, query = ''] = (path as string).split('?')
  const isTooLarge = bodyBytes > PROTOCOL_LIMITS.bodyBytes
  return { method, path: name!, query: new URLSearchParams(query), body: isTooLarge ? undefined : body }
}

/**
 * CometBFT lets errors be kept for a day, and answers that the next block changes. We do not: a chain goes on, and a devnet's
 * even goes back.
 */
function isKept({ name, json }: CometFile, { blocks }: RecordedChain): boolean {
  if (json?.error !== undefined || /^(blockchain|abci_info)/.test(name)) return false
  const height = BigInt(
    json?.result?.block?.header.height ??
      json?.result?.header?.height ??
      json?.result?.signed_header?.header.height ??
      json?.result?.block_height ??
      json?.result?.height ??
      0,
  )
  return height < blocks.published
}

/** Texts that are the Go runtime's own. */
const RUNTIME_TEXTS =
  /^(a number|not JSON|id is an object|too many parameters|params of the wrong type|broadcast_evidence)/

/** What there is only at the moment of asking. */
const MOMENTARY = /^(net_info|consensus_state|dump_consensus_state)/

function compareAnswer(check: Check, exchange: CometFile, actual: JsonObject, node: RecordedNode): void {
  const { name, json } = exchange
  if (MOMENTARY.test(name)) {
    compareShape(check, '', json, actual)
    return
  }
  if (json.error !== undefined && RUNTIME_TEXTS.test(name)) {
    const error = actual['error'] as JsonObject | undefined
    check.equal('error', json.error.code, error?.['code'])
    check.equal('message', json.error.message, error?.['message'])
    check.equal('has data', true, typeof error?.['data'] === 'string' && error['data'] !== '')
    return
  }
  compareJson(check, '', withOwnChannels(json, node), actual)
}

/** Which channels a node of theirs has depends on its configuration; ours has none of them. */
function withOwnChannels(json: CometFile, node: RecordedNode): Json {
  const info = json.result?.node_info
  if (info === undefined) return json
  const own = COMET_METHODS.get('status')!.answer(node, {}) as CometFile
  return { ...json, result: { ...json.result, node_info: { ...info, channels: own.node_info.channels } } }
}

function compareJson(check: Check, path: string, expected: Json | undefined, actual: Json | undefined): void {
  if (isObject(expected) && isObject(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      compareJson(check, `${path}.${key}`, expected[key], actual[key])
    }
  } else if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    for (const [i, item] of expected.entries()) compareJson(check, `${path}[${i}]`, item, actual[i])
  } else check.equal(path, JSON.stringify(expected), JSON.stringify(actual))
}

/** Names and types. A list that is empty on one side says nothing of its items. */
export function compareShape(check: Check, path: string, expected: Json | undefined, actual: Json | undefined): void {
  if (isObject(expected) && isObject(actual)) {
    if (path.endsWith('.peer_state.round_state')) return
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      compareShape(check, `${path}.${key}`, expected[key], actual[key])
    }
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length > 0 && actual.length > 0) compareShape(check, `${path}[0]`, expected[0], actual[0])
  } else if (expected !== null && actual !== null) check.equal(path, typeName(expected), typeName(actual))
  else
    check.equal(
      path,
      typeName(expected === undefined ? undefined : null),
      typeName(actual === undefined ? undefined : null),
    )
}

function typeName(value: Json | undefined): string {
  return value === undefined ? 'missing' : value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** About the course of a round, which the blocks alone do not say. */
function isOfRounds(query: string): boolean {
  return isRoundEventKind(/^tm\.event\s*=\s*'(\w+)'$/.exec(query)?.[1] ?? '')
}

/** All that was recorded, in its order; our messages begin where the recording does. */
function compareMessages(check: Check, query: string, messages: CometFile, { finalized }: RecordedChain): void {
  const subscriptions = new Subscriptions()
  const texts: string[] = []
  subscriptions.add({ send: (text) => texts.push(text) }, messages[0].id, query)
  for (const one of finalized) subscriptions.publish(one)
  const own = texts.map((text) => JSON.parse(text))
  const events = messages.slice(1)
  const first = events.length === 0 ? 0 : own.findIndex((message) => isSame(message, events[0]))
  check.equal(
    'first',
    events.length === 0 ? 'none' : 'found',
    events.length === 0 ? 'none' : first < 0 ? 'missing' : 'found',
  )
  if (events.length === 0) check.equal('count', 0, own.length)
  for (const [i, message] of events.entries()) compareJson(check, `[${i}]`, message, own[Math.max(first, 0) + i])
}

// --- rounds ---------------------------------------------------------------------------------------------------------

const voteKey = ({ height, round, type, validatorIndex }: Vote): string => [height, round, type, validatorIndex].join()

/** Those that subscribers heard of. */
function recordedVotes(subscriptions: readonly CometFile[]): ReadonlyMap<string, Vote> {
  const all = subscriptions.flatMap(({ messages }: CometFile) => messages.slice(1))
  const read = all.flatMap(({ result }: CometFile) =>
    result.data.type === 'tendermint/event/Vote' ? [readVoteJson(result.data.value.Vote)] : [],
  )
  return new Map(read.map((vote: Vote) => [voteKey(vote), vote]))
}

/** Rounds that come to the blocks which were decided: where it was not the first, nobody proposed in those before. */
function playRounds({ finalized }: RecordedChain, heard: ReadonlyMap<string, Vote>): readonly Passage[] {
  return finalized.flatMap(({ before, decided: { block, bytes, blockId, commit } }) => {
    const { height } = block.header
    const { chainId, validators } = before
    const rounds = createRoundState({ chainId, height, validators, hasExtensions: false, self: null, precision: null })
    const passages: Passage[] = [{ kind: 'height', rounds }]
    let state = rounds
    const put = (input: Input): void => {
      const after = step(state, input)
      passages.push({ kind: 'step', input, before: state, after })
      state = after.state
    }
    const vote = (type: number, round: number, forBlock: BlockId): void => {
      for (const [validatorIndex, { address: validatorAddress }] of validators.validators.entries()) {
        const bare = { type, height, round, validatorIndex, validatorAddress, blockId: forBlock, timestamp: 0n }
        const made = { ...bare, signature: NO_BYTES, extension: NO_BYTES, extensionSignature: NO_BYTES }
        put({ kind: 'vote', vote: heard.get(voteKey(made)) ?? made })
      }
    }
    put({ kind: 'begin' })
    for (let round = 0; round < commit.round; round++) {
      put({ kind: 'timeout', step: 'propose', round })
      vote(PREVOTE, round, NIL_BLOCK_ID)
      vote(PRECOMMIT, round, NIL_BLOCK_ID)
      put({ kind: 'timeout', step: 'precommit', round })
    }
    const { round } = commit
    const proposal = { type: PROPOSAL_TYPE, height, round, polRound: -1, blockId, timestamp: 0n, signature: NO_BYTES }
    put({ kind: 'proposal', proposal, receivedAt: 0n })
    put({ kind: 'block', blockId, block, bytes })
    put({ kind: 'verdict', blockId, verdict: 'accepted' })
    vote(PREVOTE, round, blockId)
    vote(PRECOMMIT, round, blockId)
    return passages
  })
}

const NO_BYTES = new Uint8Array(0)

/** Each message that was recorded is one of ours. Votes come as they come; of the others the order is the same, too. */
function compareRounds(check: Check, query: string, messages: CometFile, passages: readonly Passage[]): void {
  const texts: string[] = []
  let tell: (passage: Passage) => void = () => {}
  const subscriptions = new Subscriptions({
    onPassage(listener) {
      tell = listener
      return () => {}
    },
  })
  subscriptions.add({ send: (text) => texts.push(text) }, messages[0].id, query)
  for (const passage of passages) tell(passage)
  const own = texts.map((text) => JSON.parse(text))
  const isOrdered = !query.includes('Vote')
  let last = -1
  for (const [i, message] of messages.slice(1).entries()) {
    const found = own.findIndex((one, at) => (!isOrdered || at > last) && isSame(one, message))
    if (found === -1) compareJson(check, `[${i}]`, message, nearestTo(message, own))
    last = found === -1 ? last : found
  }
}

function isSame(a: Json, b: Json): boolean {
  return countDifferences(a, b) === 0
}

function countDifferences(a: Json, b: Json): number {
  const report = new CometReport('')
  report.run('', (check) => compareJson(check, '', a, b))
  return report.results[0]!.differences.length
}

function nearestTo(message: Json, own: readonly Json[]): Json | undefined {
  const counts = own.map((one) => countDifferences(message, one))
  return own[counts.indexOf(Math.min(...counts))]
}
