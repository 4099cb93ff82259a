/**
 * The blocks of consensus and the state between them, kept among a chain store's records: what is put here is durable with
 * the store's next commit, together with whatever else was put. Reads are synchronous. Where events were is kept along with
 * what the application answered (`event-index.ts`).
 *
 *   Ch hash     height           Cz hash     height of committed evidence
 *   Cv height   validators       Cp height   parameters, both where they change and at each multiple of `FULL_INTERVAL`
 *   Cg          state of the genesis          Ct   state now
 *   Cx          lowest and highest block      Cs   the commit that the highest block was decided by
 *
 * and at each height (`height-keys.ts`) the block, what the application answered, and the commit with its extensions if there are any. What
 * else is asked of a block follows: its id is in the next block, or in the commit `Cs`; so is its commit.
 *
 * @source CometBFT v0.38.25 `store/store.go`, `state/store.go`
 */

import type { FinalizeBlockResponse } from '../consensus/application.ts'
import { type ChainState, fromWireState, toWireState } from '../consensus/chain-state.ts'
import { withoutExtensions } from '../consensus/commit.ts'
import type { ChainPast } from '../consensus/evidence-pool.ts'
import { isFault } from '../consensus/fault.ts'
import { evidenceHash } from '../consensus/hash.ts'
import { DEFAULT_PARAMS, updateParams } from '../consensus/params.ts'
import { decode, encode, type Field, int64, type Message, message, nested, optional } from '../consensus/schema.ts'
import {
  fromWireValidatorSet,
  incrementPriorities,
  NO_VALIDATORS,
  toWireValidatorSet,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import {
  BLOCK,
  type Block,
  type BlockId,
  type BlockMeta,
  COMMIT,
  CONSENSUS_PARAMS,
  type Commit,
  EXTENDED_COMMIT,
  type ExtendedCommit,
  HEADER,
  type Header,
  type SignedHeader,
  STATE,
  VALIDATOR_SET,
} from '../consensus/wire.ts'
import { FINALIZE_BLOCK_RESPONSE } from '../consensus/wire-abci.ts'
import { fromBinary } from '../primitives/bytes.ts'
import { EventIndex } from './event-index.ts'
import { type HeightRecord, heightBytes, heightKey } from './height-keys.ts'
import type { ChainStore } from './ports.ts'

/** A block with what decided it. `bytes` are the block's. */
export interface DecidedBlock {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly blockId: BlockId
  /** With extensions where they are enabled. Its signatures have been verified: it is why the block is decided. */
  readonly commit: ExtendedCommit
}

/** What is stored contradicts itself. */
export class BlockStoreError extends Error {
  override readonly name = 'BlockStoreError'
  readonly code = 'BLOCKS_DAMAGED'
  constructor(detail: string) {
    super(`BLOCKS_DAMAGED: ${detail}; restore the state folder from a copy, or start with an empty one`)
  }
}

/** So many heights at most are stepped through to find a validator set, or parameters. */
export const FULL_INTERVAL = 100n

const VALIDATORS_RECORD = message({ set: nested(1, VALIDATOR_SET), changedAt: int64(2) })
const PARAMS_RECORD = message({ params: nested(1, CONSENSUS_PARAMS), changedAt: int64(2) })
const RANGE = message({ base: int64(1), height: int64(2) })
/** What is asked of a block without reading all of it. */
const BLOCK_HEADER = message({ header: nested(1, HEADER) })
const BLOCK_COMMIT = message({ lastCommit: optional(4, COMMIT) })
const COUNTED_DATA = message({ txCount: count(1) })
const BLOCK_TXS = message({ data: nested(2, COUNTED_DATA) })
const BLOCK_SUMMARY = message({ header: nested(1, HEADER), data: nested(2, COUNTED_DATA) })
/** The software that wrote a state is not of interest here. */
const SOFTWARE = ''

export class BlockStore {
  readonly #store: ChainStore
  /** Null for a node that nobody asks where events were. */
  readonly events: EventIndex | null
  #base = 0n
  #height = 0n
  #state: ChainState | undefined
  #published: bigint

  constructor(store: ChainStore, index: 'indexed' | 'not indexed' = 'indexed') {
    this.#store = store
    const range = this.#read('Cx', RANGE)
    if (range !== undefined) [this.#base, this.#height] = [range.base, range.height]
    this.#state = this.#readState('Ct')
    this.#published = this.#state?.lastHeight ?? 0n
    this.events = index === 'indexed' ? new EventIndex(store) : null
    if (this.events?.isComplete === false) this.#indexAll(this.events)
  }

  /** Blocks that were kept by a node without an index. */
  #indexAll(events: EventIndex): void {
    for (let height = this.#base; height > 0n && height <= this.#height; height++) {
      const response = this.response(height)
      if (response !== undefined) events.put(this.block(height)!, response)
    }
    events.markComplete()
  }

  /** The lowest block; 0 when there is none. */
  get base(): bigint {
    return this.#base
  }

  /** The highest block; 0 when there is none. */
  get height(): bigint {
    return this.#height
  }

  /** The highest block that is durable with all that follows from it: what clients may be told of. */
  get published(): bigint {
    return this.#published
  }

  publish(height: bigint): void {
    this.#published = height
  }

  /** After the last block that was applied; undefined before the chain began. */
  get state(): ChainState | undefined {
    return this.#state
  }

  // --- blocks ---------------------------------------------------------------------------------------------------

  /** Blocks follow each other without gaps. */
  putBlock({ block, bytes, blockId, commit }: DecidedBlock): void {
    const { height } = block.header
    if (this.#height !== 0n && height !== this.#height + 1n) {
      throw new RangeError(`block ${height} does not follow block ${this.#height}`)
    }
    this.#store.putRecord(heightKey('block', height), bytes)
    if (commit.extendedSignatures.some(({ extensionSignature }) => extensionSignature.length > 0)) {
      this.#store.putRecord(heightKey('extended', height), encode(EXTENDED_COMMIT, commit))
    }
    this.#store.putRecord(`Ch${blockId.hash}`, fromBinary(heightBytes(height)))
    this.#putSeenCommit(withoutExtensions(commit))
    for (const piece of block.evidence.evidence) {
      if (piece !== null) this.#store.putRecord(`Cz${evidenceHash(piece)}`, fromBinary(heightBytes(height)))
    }
    this.#setRange(this.#base === 0n ? height : this.#base, height)
  }

  blockBytes(height: bigint): Uint8Array | undefined {
    return this.#bytesAt('block', height)
  }

  block(height: bigint): Block | undefined {
    return this.#readAt('block', height, BLOCK)
  }

  header(height: bigint): Header | undefined {
    return this.#readAt('block', height, BLOCK_HEADER)?.header
  }

  meta(height: bigint): BlockMeta | undefined {
    const [bytes, blockId] = [this.#bytesAt('block', height), this.#blockId(height)]
    if (bytes === undefined || blockId === undefined) return undefined
    const { header, data } = decode(BLOCK_SUMMARY, bytes)
    return { blockId, blockSize: BigInt(bytes.length), header, numTxs: BigInt(data.txCount) }
  }

  /** How many transactions the block has. */
  txCount(height: bigint): number {
    return this.#readAt('block', height, BLOCK_TXS)?.data.txCount ?? 0
  }

  #blockId(height: bigint): BlockId | undefined {
    return height === this.#height ? this.#seenCommit()?.blockId : this.header(height + 1n)?.lastBlockId
  }

  heightOf(hash: string): bigint | undefined {
    const bytes = this.#store.getRecord(`Ch${hash}`)
    const height = bytes === undefined ? undefined : heightOfBytes(bytes)
    return height !== undefined && this.#has(height) ? height : undefined
  }

  /** What decided the block: at the tip the precommits that this node had, below what the next block carries. */
  commit(height: bigint): Commit | undefined {
    if (!this.#has(height)) return undefined
    return height === this.#height ? this.#seenCommit() : this.canonicalCommit(height)
  }

  #seenCommit(): Commit | undefined {
    return this.#read('Cs', COMMIT)
  }

  #putSeenCommit(commit: Commit): void {
    this.#store.putRecord('Cs', encode(COMMIT, commit))
  }

  /** Of a height with vote extensions; otherwise the commit without any. */
  extendedCommit(height: bigint): ExtendedCommit | undefined {
    const extended = this.#readAt('extended', height, EXTENDED_COMMIT)
    if (extended !== undefined) return extended
    const commit = this.commit(height)
    return commit === undefined ? undefined : withEmptyExtensions(commit)
  }

  /** The commit that the next block carries: the same on all nodes. Undefined for the highest block. */
  canonicalCommit(height: bigint): Commit | undefined {
    return this.#readAt('block', height + 1n, BLOCK_COMMIT)?.lastCommit ?? undefined
  }

  signedHeader(height: bigint): SignedHeader | undefined {
    const [header, commit] = [this.header(height), this.commit(height)]
    return header === undefined || commit === undefined ? undefined : { header, commit }
  }

  isCommittedEvidence(hash: string): boolean {
    return this.#store.getRecord(`Cz${hash}`) !== undefined
  }

  // --- state ----------------------------------------------------------------------------------------------------

  putResponse(block: Block, response: FinalizeBlockResponse): void {
    this.#store.putRecord(heightKey('response', block.header.height), encode(FINALIZE_BLOCK_RESPONSE, response))
    if (this.events !== null) this.events.put(block, response)
    else new EventIndex(this.#store).markIncomplete()
  }

  response(height: bigint): FinalizeBlockResponse | undefined {
    return this.#readAt('response', height, FINALIZE_BLOCK_RESPONSE)
  }

  /** The state before the first block. */
  putGenesis(state: ChainState): void {
    this.#store.putRecord('Cg', encodeState(state))
    this.#putState(state)
    this.#putValidators(state.initialHeight, state.validators, state.initialHeight)
    this.#putValidators(state.initialHeight + 1n, state.nextValidators, state.initialHeight)
    this.#putParams(state.initialHeight, state)
  }

  /** The state after the block at its last height. */
  putState(state: ChainState): void {
    this.#putState(state)
    this.#putValidators(state.lastHeight + 2n, state.nextValidators, state.validatorsChangedAt)
    this.#putParams(state.lastHeight + 1n, state)
  }

  /**
   * Begins at a block that others decided, with the state after it: what came before is not kept here. Sets and parameters of its heights
   * are written whole, since those that they would be found from are not here.
   */
  bootstrap(state: ChainState, decided: DecidedBlock): void {
    const { height } = decided.block.header
    if (this.#height !== 0n) throw new RangeError(`blocks are kept up to ${this.#height} already`)
    const own = withoutPast(state)
    this.putBlock(decided)
    this.#putState(own)
    this.#putValidators(height, own.lastValidators, height)
    this.#putValidators(height + 1n, own.validators, height + 1n)
    this.#putValidators(height + 2n, own.nextValidators, height + 2n)
    this.#putParams(height + 1n, own)
    this.#published = height
  }

  #putState(state: ChainState): void {
    this.#store.putRecord('Ct', encodeState(state))
    this.#state = state
  }

  /** Who votes at `height`, up to two heights above the last that was applied. */
  validators(height: bigint): ValidatorSet | undefined {
    const found = this.#validatorsRecord(height)
    if (found === undefined) return undefined
    let set = readSet(found.record.set)
    // Step by step, as the chain went: one step of many would round differently.
    for (let at = found.height; at < height; at++) set = incrementPriorities(set, 1)
    return set
  }

  params(height: bigint): ChainState['params'] | undefined {
    const found = this.#paramsRecord(height)
    return found && updateParams(DEFAULT_PARAMS, found.record.params)
  }

  #validatorsRecord(height: bigint) {
    return height > this.#nextHeight + 1n ? undefined : this.#lastRecord('Cv', height, VALIDATORS_RECORD)
  }

  #paramsRecord(height: bigint) {
    return height > this.#nextHeight ? undefined : this.#lastRecord('Cp', height, PARAMS_RECORD)
  }

  /** That will be applied. */
  get #nextHeight(): bigint {
    const { lastHeight, initialHeight } = this.#state ?? { lastHeight: 0n, initialHeight: 0n }
    return lastHeight === 0n ? initialHeight : lastHeight + 1n
  }

  /** What is so at a height was written there or below, at the last multiple at the latest. */
  #lastRecord<T>(prefix: Prefix, height: bigint, kind: Message<T>) {
    if (height < this.#base) return undefined
    for (let at = height; at >= 0n; at--) {
      const record = this.#read(keyAt(prefix, at), kind)
      if (record !== undefined) return { height: at, record }
      if (at % FULL_INTERVAL === 0n) break
    }
    return undefined
  }

  #putValidators(height: bigint, set: ValidatorSet, changedAt: bigint): void {
    if (!isWritten(height, changedAt)) return
    this.#store.putRecord(keyAt('Cv', height), encode(VALIDATORS_RECORD, { set: toWireValidatorSet(set), changedAt }))
  }

  #putParams(height: bigint, { params, paramsChangedAt: changedAt }: ChainState): void {
    if (!isWritten(height, changedAt)) return
    this.#store.putRecord(keyAt('Cp', height), encode(PARAMS_RECORD, { params, changedAt }))
  }

  /** The state after block `height`, 0 for that of the genesis; undefined when it is not kept. */
  stateAfter(height: bigint): ChainState | undefined {
    const state = this.#state
    if (state === undefined || state.lastHeight === height) return state
    if (height === 0n) return this.#readState('Cg')
    const [header, next] = [this.header(height), this.header(height + 1n)]
    const validators = this.#validatorsRecord(height + 2n)
    const params = this.#paramsRecord(height + 1n)
    if (height > state.lastHeight || !header || !next || !validators || !params) return undefined
    const { version, appHash, lastResultsHash, lastBlockId } = next
    return {
      ...state,
      version,
      appHash,
      lastResultsHash,
      lastHeight: height,
      lastBlockId,
      lastTime: header.time,
      lastValidators: this.validators(height) ?? NO_VALIDATORS,
      validators: this.validators(height + 1n) ?? NO_VALIDATORS,
      nextValidators: this.validators(height + 2n) ?? NO_VALIDATORS,
      validatorsChangedAt: validators.record.changedAt,
      params: updateParams(DEFAULT_PARAMS, params.record.params),
      paramsChangedAt: params.record.changedAt,
    }
  }

  // --- both ends ------------------------------------------------------------------------------------------------

  /** Forgets the blocks below `retain`, as far as nothing above needs them. */
  prune(retain: bigint): void {
    if (retain <= this.#base || retain > this.#height) return
    const needed = { Cv: this.#validatorsRecord(retain), Cp: this.#paramsRecord(retain) }
    for (let height = this.#base; height < retain; height++) this.#deleteBlock(height, this.#blockId(height))
    for (const prefix of ['Cv', 'Cp'] as const)
      this.#deleteRecords(keyAt(prefix, 0n), keyAt(prefix, needed[prefix]?.height ?? retain))
    this.#setRange(retain, this.#height)
  }

  /** Goes back to the state after block `height`: everything above is forgotten. A power of devnets. */
  rewind(height: bigint): ChainState {
    const state = this.stateAfter(height)
    if (state === undefined) throw new RangeError(`the state after block ${height} is not kept`)
    const commit = this.commit(height)
    let blockId = this.#blockId(this.#height)
    for (let above = this.#height; above > height; above--) {
      const block = this.block(above)
      for (const piece of block?.evidence.evidence ?? []) {
        if (piece !== null) this.#store.deleteRecord(`Cz${evidenceHash(piece)}`)
      }
      this.#deleteBlock(above, blockId)
      blockId = block?.header.lastBlockId
    }
    if (commit === undefined) this.#store.deleteRecord('Cs')
    else this.#putSeenCommit(commit)
    this.#setRange(height === 0n ? 0n : this.#base, height)
    this.#putState(state)
    this.#deleteRecords(keyAt('Cv', this.#nextHeight + 2n), 'Cw')
    this.#deleteRecords(keyAt('Cp', this.#nextHeight + 1n), 'Cq')
    if (this.#published > height) this.#published = height
    return state
  }

  #deleteBlock(height: bigint, blockId: BlockId | undefined): void {
    const [block, response] = [this.block(height), this.response(height)]
    if (block !== undefined && response !== undefined) this.events?.delete(block, response)
    if (blockId !== undefined) this.#store.deleteRecord(`Ch${blockId.hash}`)
    for (const record of ['block', 'extended', 'response'] as const) this.#store.deleteRecord(heightKey(record, height))
  }

  #deleteRecords(from: string, to: string): void {
    for (const key of this.#store.recordKeys(from, to)) this.#store.deleteRecord(key)
  }

  #setRange(base: bigint, height: bigint): void {
    this.#base = base
    this.#height = height
    this.#store.putRecord('Cx', encode(RANGE, { base, height }))
  }

  #has(height: bigint): boolean {
    return height >= this.#base && height <= this.#height && height > 0n
  }

  #bytesAt(record: HeightRecord, height: bigint): Uint8Array | undefined {
    return this.#has(height) ? this.#store.getRecord(heightKey(record, height)) : undefined
  }

  #readAt<T>(record: HeightRecord, height: bigint, kind: Message<T>): T | undefined {
    const bytes = this.#bytesAt(record, height)
    return bytes === undefined ? undefined : decode(kind, bytes)
  }

  #read<T>(key: string, kind: Message<T>): T | undefined {
    const bytes = this.#store.getRecord(key)
    return bytes === undefined ? undefined : decode(kind, bytes)
  }

  #readState(key: string): ChainState | undefined {
    const record = this.#read(key, STATE)
    if (record === undefined) return undefined
    const state = fromWireState(record)
    if (isFault(state)) throw new BlockStoreError(`the stored state is malformed (${state.code})`)
    return state
  }
}

type Prefix = 'Cv' | 'Cp'

/** Since when sets and parameters are what they are is a matter of each node's own records. */
function withoutPast(state: ChainState): ChainState {
  const { lastHeight } = state
  return { ...state, validatorsChangedAt: lastHeight + 2n, paramsChangedAt: lastHeight + 1n }
}

/** A state as it travels: equal on all nodes of a chain. */
export function consensusStateBytes(state: ChainState): Uint8Array {
  return encodeState(withoutPast(state))
}

function encodeState(state: ChainState): Uint8Array {
  return encode(STATE, toWireState(state, SOFTWARE))
}

/** Whether a set, or parameters, that are so since `changedAt` are written down for `height`. */
function isWritten(height: bigint, changedAt: bigint): boolean {
  return height === changedAt || height % FULL_INTERVAL === 0n
}

function readSet(wire: Parameters<typeof fromWireValidatorSet>[0]): ValidatorSet {
  const set = fromWireValidatorSet(wire)
  if (isFault(set)) throw new BlockStoreError(`a stored validator set is malformed (${set.code})`)
  return set
}

export function withEmptyExtensions({ height, round, blockId, signatures }: Commit): ExtendedCommit {
  const none = { extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) }
  return { height, round, blockId, extendedSignatures: signatures.map((signature) => ({ ...signature, ...none })) }
}

function heightOfBytes(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
}

function keyAt(prefix: Prefix, height: bigint): string {
  return prefix + heightBytes(height)
}

/** How often a field is there; what it holds is skipped. */
function count(number: number): Field<number> {
  return {
    number,
    kind: 'int',
    isList: false,
    initial: () => 0,
    write() {
      throw new TypeError('how many there were says not what they were')
    },
    read(input, before) {
      input.skip()
      return before + 1
    },
  }
}

/** What evidence is judged by. */
export function pastOf(blocks: BlockStore): ChainPast {
  return {
    timeAt: (height) => blocks.header(height)?.time,
    validatorsAt: (height) => blocks.validators(height),
    signedHeaderAt: (height) => {
      const { header, commit } = blocks.signedHeader(height) ?? { header: null, commit: null }
      return header === null || commit === null ? undefined : { header, commit }
    },
    isCommittedEvidence: (hash) => blocks.isCommittedEvidence(hash),
  }
}
