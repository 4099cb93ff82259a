/**
 * The methods of CometBFT's RPC: their arguments, what they answer, and whether the answer can ever be another.
 *
 * @source CometBFT v0.38.25 `rpc/core`, `rpc/openapi/openapi.yaml`; spec consensus §5.2
 */

import { checkEvidence } from '../../consensus/evidence.ts'
import { capitalHex, genesisDocument, paramsDocument } from '../../consensus/genesis-document.ts'
import { evidenceHash, txHash, txProof } from '../../consensus/hash.ts'
import type { WireExecTxResult } from '../../consensus/wire-abci.ts'
import type { TxPlace } from '../../node/event-index.ts'
import { parseQuery } from '../../node/event-query.ts'
import { searchBlocks, searchTxs } from '../../node/event-search.ts'
import { fromBinary, toBinary } from '../../primitives/bytes.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import type { ArgumentKinds, ArgumentsOf } from './arguments.ts'
import {
  base64,
  blockIdJson,
  blockJson,
  blockMetaJson,
  commitJson,
  headerJson,
  type Json,
  type JsonObject,
  txProofJson,
  validatorJson,
} from './block-json.ts'
import { refuse } from './fault.ts'
import type { CometNode } from './node.ts'
import { blockResultsJson, infoJson, queryJson, resultJson } from './result-json.ts'
import { consensusStateJson, dumpConsensusStateJson, netInfoJson, statusJson } from './status-json.ts'

export interface CometMethod {
  readonly arguments: ArgumentKinds
  /** Whether the answer to these arguments stays what it is: clients and proxies may keep it. */
  readonly isLasting: (values: Readonly<Record<string, unknown>>, node: CometNode) => boolean
  /** @throws CometFault, QueryError, SearchError */
  readonly answer: (node: CometNode, values: Readonly<Record<string, unknown>>) => Json | Promise<Json>
}

export const COMET_LIMITS = {
  perPage: 30,
  perPageMax: 100,
  blockMetas: 20n,
  genesisChunkBytes: 16 << 20,
  commitWaitMs: 10_000,
} as const

type Lasting = CometMethod['isLasting']

const never: Lasting = () => false
const always: Lasting = () => true
/** What lies below the tip does not change any more; at the tip the commit may. */
const belowTip: Lasting = ({ height }, { blocks }) =>
  typeof height === 'bigint' && height > 0n && height < blocks.published

function method<Kinds extends ArgumentKinds>(
  kinds: Kinds,
  isLasting: Lasting,
  answer: (node: CometNode, values: ArgumentsOf<Kinds>) => Json | Promise<Json>,
): CometMethod {
  return { arguments: kinds, isLasting, answer: answer as CometMethod['answer'] }
}

const AT_HEIGHT = { height: 'optional integer' } as const
const OF_TX = { tx: 'bytes' } as const

export const COMET_METHODS: ReadonlyMap<string, CometMethod> = new Map(
  Object.entries({
    health: method({}, never, () => ({})),
    status: method({}, never, statusJson),
    net_info: method({}, never, netInfoJson),
    blockchain: method({ minHeight: 'integer', maxHeight: 'integer' }, never, blockchain),
    genesis: method({}, always, genesis),
    genesis_chunked: method({ chunk: 'count' }, always, genesisChunked),
    block: method(AT_HEIGHT, belowTip, (node, { height }) => blockAt(node, heightOf(node, height))),
    block_by_hash: method({ hash: 'bytes' }, always, (node, { hash }) => blockByHash(node, hash)),
    block_results: method(AT_HEIGHT, belowTip, blockResults),
    commit: method(AT_HEIGHT, belowTip, commit),
    header: method(AT_HEIGHT, belowTip, (node, { height }) => headerAt(node, heightOf(node, height))),
    header_by_hash: method({ hash: 'hex' }, always, (node, { hash }) => headerByHash(node, hash)),
    check_tx: method(OF_TX, never, (node, { tx }) => checkTxJson(node.application.checkTx({ tx, type: 0 }))),
    tx: method({ hash: 'bytes', prove: 'flag' }, always, tx),
    tx_search: method(
      {
        query: 'text',
        prove: 'flag',
        page: 'optional integer',
        per_page: 'optional integer',
        order_by: 'text',
      },
      never,
      txSearch,
    ),
    block_search: method(
      { query: 'text', page: 'optional integer', per_page: 'optional integer', order_by: 'text' },
      never,
      blockSearch,
    ),
    validators: method(
      { height: 'optional integer', page: 'optional integer', per_page: 'optional integer' },
      belowTip,
      validators,
    ),
    dump_consensus_state: method({}, never, (node) => begun(dumpConsensusStateJson(node))),
    consensus_state: method({}, never, (node) => begun(consensusStateJson(node))),
    consensus_params: method(AT_HEIGHT, belowTip, consensusParams),
    unconfirmed_txs: method({ limit: 'optional integer' }, never, unconfirmedTxs),
    num_unconfirmed_txs: method({}, never, (node) => waitingJson(node, null)),
    broadcast_tx_commit: method(OF_TX, never, broadcastTxCommit),
    broadcast_tx_sync: method(OF_TX, never, (node, values) => broadcastTx(node, values, 'answer of the check')),
    broadcast_tx_async: method(OF_TX, never, (node, values) => broadcastTx(node, values, 'hash alone')),
    abci_query: method({ path: 'text', data: 'hex', height: 'integer', prove: 'flag' }, never, abciQuery),
    abci_info: method({}, never, abciInfo),
    broadcast_evidence: method({ evidence: 'evidence' }, never, broadcastEvidence),
  }),
)

// --- blocks ---------------------------------------------------------------------------------------------------------

/** @throws CometFault */
function heightOf({ blocks }: CometNode, height: bigint | null, ahead = 0n): bigint {
  const latest = blocks.published + ahead
  if (height === null) return latest
  if (height <= 0n) throw refuse(`height must be greater than 0, but got ${height}`)
  if (height > latest) {
    throw refuse(`height ${height} must be less than or equal to the current blockchain height ${latest}`)
  }
  if (height < blocks.base) throw refuse(`height ${height} is not available, lowest height is ${blocks.base}`)
  return height
}

function blockAt({ blocks }: CometNode, height: bigint): JsonObject {
  const [meta, block] = [blocks.meta(height), blocks.block(height)]
  return meta === undefined || block === undefined
    ? { block_id: NO_BLOCK_ID, block: null }
    : { block_id: blockIdJson(meta.blockId), block: blockJson(block) }
}

const NO_BLOCK_ID: JsonObject = { hash: '', parts: { total: 0, hash: '' } }

function publishedHeight({ blocks }: CometNode, hash: Uint8Array): bigint | undefined {
  const height = blocks.heightOf(toBinary(hash))
  return height !== undefined && height <= blocks.published ? height : undefined
}

function blockByHash(node: CometNode, hash: Uint8Array): JsonObject {
  const height = publishedHeight(node, hash)
  return height === undefined ? { block_id: NO_BLOCK_ID, block: null } : blockAt(node, height)
}

function headerAt({ blocks }: CometNode, height: bigint): JsonObject {
  const header = blocks.header(height)
  return { header: header === undefined ? null : headerJson(header) }
}

function headerByHash(node: CometNode, hash: Uint8Array): JsonObject {
  const height = publishedHeight(node, hash)
  return height === undefined ? { header: null } : headerAt(node, height)
}

function blockchain({ blocks }: CometNode, range: { readonly minHeight: bigint; readonly maxHeight: bigint }): Json {
  const { minHeight, maxHeight } = range
  if (minHeight < 0n || maxHeight < 0n) throw refuse('heights must be non-negative')
  const { base, published } = blocks
  const max = maxHeight === 0n || maxHeight > published ? published : maxHeight
  const min = [1n, minHeight, base, max - COMET_LIMITS.blockMetas + 1n].reduce((a, b) => (a > b ? a : b))
  if (min > max) throw refuse(`min height ${min} can't be greater than max height ${max}`)
  const metas: Json[] = []
  for (let height = max; height >= min; height--) {
    const meta = blocks.meta(height)
    if (meta !== undefined) metas.push(blockMetaJson(meta))
  }
  return { last_height: String(published), block_metas: metas }
}

function blockResults(node: CometNode, values: { readonly height: bigint | null }): Json {
  const height = heightOf(node, values.height)
  const response = node.blocks.response(height)
  if (response === undefined) throw refuse(`could not find results for height #${height}`)
  return blockResultsJson(height, response)
}

/** At the tip the commit is the one that this node saw; below, the one that the next block carries. */
function commit(node: CometNode, values: { readonly height: bigint | null }): Json {
  const { blocks } = node
  const height = heightOf(node, values.height)
  const isTip = height === blocks.published
  const { header, commit: found } = blocks.signedHeader(height) ?? { header: null, commit: null }
  if (header === null || found === null) throw refuse(`there is no commit of height ${height}`)
  return { signed_header: { header: headerJson(header), commit: commitJson(found) }, canonical: !isTip }
}

/** The next height's are known, too, and are the default. */
function nextHeightOf(node: CometNode, height: bigint | null): bigint {
  return heightOf(node, height, node.isCatchingUp() ? 0n : 1n)
}

interface PageValues {
  readonly page: bigint | null
  readonly per_page: bigint | null
}

function validators(node: CometNode, values: PageValues & { readonly height: bigint | null }): Json {
  const height = nextHeightOf(node, values.height)
  const set = node.blocks.validators(height)
  if (set === undefined) throw refuse(`could not find validator set for height #${height}`)
  const shown = pageOf(set.validators, values)
  return {
    block_height: String(height),
    validators: shown.map(validatorJson),
    count: String(shown.length),
    total: String(set.validators.length),
  }
}

function consensusParams(node: CometNode, values: { readonly height: bigint | null }): Json {
  const height = nextHeightOf(node, values.height)
  const params = node.blocks.params(height)
  if (params === undefined) throw refuse(`could not find consensus params for height #${height}`)
  return { block_height: String(height), consensus_params: paramsDocument(params) }
}

/** @throws CometFault */
function pageOf<T>(items: readonly T[], { page, per_page }: PageValues): readonly T[] {
  const size = perPageOf(per_page)
  const pages = Math.max(Math.ceil(items.length / size), 1)
  if (page !== null && (page <= 0n || page > BigInt(pages))) {
    throw refuse(`page should be within [1, ${pages}] range, given ${page}`)
  }
  const start = (Number(page ?? 1n) - 1) * size
  return items.slice(start, start + size)
}

function perPageOf(count: bigint | null): number {
  if (count === null || count < 1n) return COMET_LIMITS.perPage
  return count > BigInt(COMET_LIMITS.perPageMax) ? COMET_LIMITS.perPageMax : Number(count)
}

function begun(state: JsonObject | undefined): JsonObject {
  if (state === undefined) throw refuse('the chain has not begun')
  return state
}

// --- genesis --------------------------------------------------------------------------------------------------------

function genesis({ genesis, validatorNames }: CometNode): Json {
  return { genesis: genesisDocument(genesis, (index) => validatorNames[index] ?? '') }
}

function genesisChunked({ genesis, validatorNames }: CometNode, { chunk }: { readonly chunk: bigint }): Json {
  const document = encodeUtf8(JSON.stringify(genesisDocument(genesis, (index) => validatorNames[index] ?? '')))
  const total = Math.ceil(document.length / COMET_LIMITS.genesisChunkBytes)
  // CometBFT's own text counts from zero.
  if (chunk >= BigInt(total)) throw refuse(`there are ${total - 1} chunks, ${chunk} is invalid`)
  const start = Number(chunk) * COMET_LIMITS.genesisChunkBytes
  const piece = document.subarray(start, start + COMET_LIMITS.genesisChunkBytes)
  return { chunk: String(chunk), total: String(total), data: base64(piece) }
}

// --- transactions ---------------------------------------------------------------------------------------------------

function tx(node: CometNode, { hash, prove }: { readonly hash: Uint8Array; readonly prove: boolean }): Json {
  const { events, published } = node.blocks
  if (events === null) throw refuse('transaction indexing is disabled')
  const place = events.txAt(toBinary(hash), published)
  const found = place === undefined ? undefined : txJson(node, place, prove ? 'with proof' : 'without')
  if (found === undefined) throw refuse(`tx (${capitalHex(toBinary(hash))}) not found`)
  return found
}

function txJson({ blocks }: CometNode, { height, index }: TxPlace, proof: 'with proof' | 'without') {
  const txs = blocks.block(height)?.data.txs
  const result = blocks.response(height)?.txResults[index]
  const bytes = txs?.[index]
  if (txs === undefined || bytes === undefined || result === undefined) return undefined
  return {
    hash: capitalHex(txHash(bytes)),
    height: String(height),
    index,
    tx_result: resultJson(result),
    tx: base64(bytes),
    ...(proof === 'with proof' ? { proof: txProofJson(txProof(txs, index)!) } : {}),
  }
}

function isDescending(order: string, byDefault: 'asc' | 'desc'): boolean {
  if (order !== '' && order !== 'asc' && order !== 'desc') {
    throw refuse('expected order_by to be either `asc` or `desc` or empty')
  }
  return (order === '' ? byDefault : order) === 'desc'
}

type SearchValues = PageValues & { readonly query: string; readonly order_by: string }

async function txSearch(node: CometNode, values: SearchValues & { readonly prove: boolean }): Promise<Json> {
  const places = await searchTxs(node.blocks, parseQuery(values.query))
  const ordered = isDescending(values.order_by, 'asc') ? places.toReversed() : places
  const proof = values.prove ? 'with proof' : 'without'
  const txs = pageOf(ordered, values).flatMap((place) => txJson(node, place, proof) ?? [])
  return { txs, total_count: String(places.length) }
}

async function blockSearch(node: CometNode, values: SearchValues): Promise<Json> {
  const heights = await searchBlocks(node.blocks, parseQuery(values.query))
  const ordered = isDescending(values.order_by, 'desc') ? heights.toReversed() : heights
  return {
    blocks: pageOf(ordered, values).map((height) => blockAt(node, height)),
    total_count: String(heights.length),
  }
}

function unconfirmedTxs(node: CometNode, { limit }: { readonly limit: bigint | null }): Json {
  // CometBFT takes one more than it is asked for.
  return waitingJson(node, perPageOf(limit) + 1)
}

/** `shown`: how many transactions are listed, null for their number alone. */
function waitingJson(node: CometNode, shown: number | null): JsonObject {
  const waiting = node.waitingTxs()
  const txs = shown === null ? null : waiting.slice(0, shown).map(base64)
  const bytes = waiting.reduce((sum, { length }) => sum + length, 0)
  return {
    n_txs: String(txs?.length ?? waiting.length),
    total: String(waiting.length),
    total_bytes: String(bytes),
    txs,
  }
}

type CheckAnswer = ReturnType<CometNode['broadcast']>

function checkTxJson(check: CheckAnswer): JsonObject {
  return resultJson(check)
}

const NO_RESULT: WireExecTxResult = {
  code: 0,
  data: new Uint8Array(0),
  log: '',
  info: '',
  gasWanted: 0n,
  gasUsed: 0n,
  events: [],
  codespace: '',
}

function broadcastTx(
  node: CometNode,
  { tx }: { readonly tx: Uint8Array },
  shown: 'answer of the check' | 'hash alone',
): Json {
  const { code, data, log, codespace } = node.broadcast(tx)
  const hash = capitalHex(txHash(tx))
  return shown === 'hash alone'
    ? { code: 0, data: '', log: '', codespace: '', hash }
    : { code, data: capitalHex(toBinary(data)), log, codespace, hash }
}

async function broadcastTxCommit(node: CometNode, { tx }: { readonly tx: Uint8Array }): Promise<Json> {
  const check = node.broadcast(tx)
  const hash = txHash(tx)
  const answer = (result: WireExecTxResult, height: bigint): Json => ({
    check_tx: checkTxJson(check),
    tx_result: resultJson(result),
    hash: capitalHex(hash),
    height: String(height),
  })
  if (check.code !== 0) return answer(NO_RESULT, 0n)
  await node.included(tx, COMET_LIMITS.commitWaitMs)
  const { blocks } = node
  const place = blocks.events?.txAt(hash, blocks.published)
  const result = place === undefined ? undefined : blocks.response(place.height)?.txResults[place.index]
  if (place === undefined || result === undefined) throw refuse('the block with the transaction was taken back')
  return answer(result, place.height)
}

// --- the application ------------------------------------------------------------------------------------------------

function abciQuery({ application }: CometNode, values: ArgumentsOf<typeof QUERY_ARGUMENTS>): Json {
  return { response: queryJson(application.query(values)) }
}

const QUERY_ARGUMENTS = { path: 'text', data: 'hex', height: 'integer', prove: 'flag' } as const

function abciInfo({ application }: CometNode): Json {
  const info = application.info({ version: '0.38.25', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' })
  return { response: infoJson(info) }
}

function broadcastEvidence(
  node: CometNode,
  { evidence }: { readonly evidence: ArgumentsOf<{ readonly evidence: 'evidence' }>['evidence'] },
): Json {
  if (evidence === null) throw refuse('no evidence was provided')
  const malformed = checkEvidence(evidence)
  if (malformed !== null) throw refuse(`evidence.ValidateBasic failed: ${malformed.code}`)
  node.addEvidence(evidence)
  return { hash: base64(fromBinary(evidenceHash(evidence))) }
}
