/**
 * The blocks of consensus and the state between them, kept among a chain store's records: what is put here is durable with
 * the store's next commit, together with whatever else was put. Reads are synchronous. Where events were is kept along with
 * what the application answered (`event-index.ts`).
 *
 *   Cb height   block            Ci height   block id, size, header     Ch hash     height
 *   Cs height   seen commit      Ce height   extended commit            Cr height   what the application answered
 *   Cv height   validators       Cp height   parameters                 Cz hash     height of committed evidence
 *   Cg          state of the genesis          Ct   state now            Cx          lowest and highest block
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
import { decode, encode, int64, type Message, message, optional } from '../consensus/schema.ts'
import {
  fromWireValidatorSet,
  incrementPriorities,
  NO_VALIDATORS,
  toWireValidatorSet,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import {
  BLOCK,
  BLOCK_META,
  type Block,
  type BlockId,
  type BlockMeta,
  COMMIT,
  CONSENSUS_PARAMS,
  type Commit,
  EXTENDED_COMMIT,
  type ExtendedCommit,
  type SignedHeader,
  STATE,
  VALIDATOR_SET,
} from '../consensus/wire.ts'
import { FINALIZE_BLOCK_RESPONSE } from '../consensus/wire-abci.ts'
import { fromBinary, toBinary } from '../primitives/bytes.ts'
import { EventIndex } from './event-index.ts'
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

/** So many heights at most are stepped through to find a validator set: a full one lies at each multiple. */
export const FULL_SET_INTERVAL = 100n

const VALIDATORS_RECORD = message({ set: optional(1, VALIDATOR_SET), changedAt: int64(2) })
const PARAMS_RECORD = message({ params: optional(1, CONSENSUS_PARAMS), changedAt: int64(2) })
const RANGE = message({ base: int64(1), height: int64(2) })
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
    const meta = {
      blockId,
      blockSize: BigInt(bytes.length),
      header: block.header,
      numTxs: BigInt(block.data.txs.length),
    }
    this.#store.putRecord(keyAt('Cb', height), bytes)
    this.#store.putRecord(keyAt('Ci', height), encode(BLOCK_META, meta))
    this.#store.putRecord(`Ch${blockId.hash}`, fromBinary(heightBytes(height)))
    this.#store.putRecord(keyAt('Cs', height), encode(COMMIT, withoutExtensions(commit)))
    if (commit.extendedSignatures.some(({ extensionSignature }) => extensionSignature.length > 0)) {
      this.#store.putRecord(keyAt('Ce', height), encode(EXTENDED_COMMIT, commit))
    }
    for (const piece of block.evidence.evidence) {
      if (piece !== null) this.#store.putRecord(`Cz${evidenceHash(piece)}`, fromBinary(heightBytes(height)))
    }
    this.#setRange(this.#base === 0n ? height : this.#base, height)
  }

  blockBytes(height: bigint): Uint8Array | undefined {
    return this.#has(height) ? this.#store.getRecord(keyAt('Cb', height)) : undefined
  }

  block(height: bigint): Block | undefined {
    return this.#readAt('Cb', height, BLOCK)
  }

  meta(height: bigint): BlockMeta | undefined {
    return this.#readAt('Ci', height, BLOCK_META)
  }

  heightOf(hash: string): bigint | undefined {
    const bytes = this.#store.getRecord(`Ch${hash}`)
    const height = bytes === undefined ? undefined : heightOfBytes(bytes)
    return height !== undefined && this.#has(height) ? height : undefined
  }

  /** The precommits that this node had when the block was decided. */
  seenCommit(height: bigint): Commit | undefined {
    return this.#readAt('Cs', height, COMMIT)
  }

  /** Of a height with vote extensions; otherwise the seen commit without any. */
  extendedCommit(height: bigint): ExtendedCommit | undefined {
    const extended = this.#readAt('Ce', height, EXTENDED_COMMIT)
    if (extended !== undefined) return extended
    const seen = this.seenCommit(height)
    return seen === undefined ? undefined : withEmptyExtensions(seen)
  }

  /** The commit that the next block carries: the same on all nodes. Undefined for the highest block. */
  canonicalCommit(height: bigint): Commit | undefined {
    return this.block(height + 1n)?.lastCommit ?? undefined
  }

  /** With the canonical commit, or at the tip the seen one. */
  signedHeader(height: bigint): SignedHeader | undefined {
    const meta = this.meta(height)
    const commit = this.canonicalCommit(height) ?? this.seenCommit(height)
    return meta === undefined || commit === undefined ? undefined : { header: meta.header, commit }
  }

  isCommittedEvidence(hash: string): boolean {
    return this.#store.getRecord(`Cz${hash}`) !== undefined
  }

  // --- state ----------------------------------------------------------------------------------------------------

  putResponse(block: Block, response: FinalizeBlockResponse): void {
    this.#store.putRecord(keyAt('Cr', block.header.height), encode(FINALIZE_BLOCK_RESPONSE, response))
    if (this.events !== null) this.events.put(block, response)
    else new EventIndex(this.#store).markIncomplete()
  }

  response(height: bigint): FinalizeBlockResponse | undefined {
    return this.#readAt('Cr', height, FINALIZE_BLOCK_RESPONSE)
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
    const record = this.#read(keyAt('Cv', height), VALIDATORS_RECORD)
    if (record === undefined) return undefined
    if (record.set !== null) return readSet(record.set)
    const fullAt = fullSetBelow(height, record.changedAt)
    const full = this.#read(keyAt('Cv', fullAt), VALIDATORS_RECORD)
    if (full?.set == null) throw new BlockStoreError(`the validators of height ${fullAt} are missing`)
    let set = readSet(full.set)
    // Step by step, as the chain went: one step of many would round differently.
    for (let at = fullAt; at < height; at++) set = incrementPriorities(set, 1)
    return set
  }

  params(height: bigint): ChainState['params'] | undefined {
    return this.#paramsRecord(height)?.params
  }

  #paramsRecord(height: bigint) {
    const record = this.#read(keyAt('Cp', height), PARAMS_RECORD)
    if (record === undefined) return undefined
    const full = record.params === null ? this.#read(keyAt('Cp', record.changedAt), PARAMS_RECORD) : record
    if (full?.params == null) throw new BlockStoreError(`the parameters of height ${record.changedAt} are missing`)
    return { params: updateParams(DEFAULT_PARAMS, full.params), changedAt: record.changedAt }
  }

  #putValidators(height: bigint, set: ValidatorSet, changedAt: bigint): void {
    const isFull = fullSetBelow(height, changedAt) === height
    const record = { set: isFull ? toWireValidatorSet(set) : null, changedAt }
    this.#store.putRecord(keyAt('Cv', height), encode(VALIDATORS_RECORD, record))
  }

  #putParams(height: bigint, { params, paramsChangedAt: changedAt }: ChainState): void {
    const record = { params: changedAt === height ? params : null, changedAt }
    this.#store.putRecord(keyAt('Cp', height), encode(PARAMS_RECORD, record))
  }

  /** The state after block `height`, 0 for that of the genesis; undefined when it is not kept. */
  stateAfter(height: bigint): ChainState | undefined {
    const state = this.#state
    if (state === undefined || state.lastHeight === height) return state
    if (height === 0n) return this.#readState('Cg')
    const next = this.meta(height + 1n)
    const meta = this.meta(height)
    const record = this.#read(keyAt('Cv', height + 2n), VALIDATORS_RECORD)
    const params = this.#paramsRecord(height + 1n)
    if (height > state.lastHeight || !next || !meta || !record || !params) return undefined
    const { version, appHash, lastResultsHash } = next.header
    return {
      ...state,
      version,
      appHash,
      lastResultsHash,
      lastHeight: height,
      lastBlockId: meta.blockId,
      lastTime: meta.header.time,
      lastValidators: this.validators(height) ?? NO_VALIDATORS,
      validators: this.validators(height + 1n) ?? NO_VALIDATORS,
      nextValidators: this.validators(height + 2n) ?? NO_VALIDATORS,
      validatorsChangedAt: record.changedAt,
      params: params.params,
      paramsChangedAt: params.changedAt,
    }
  }

  // --- both ends ------------------------------------------------------------------------------------------------

  /** Forgets the blocks below `retain`, as far as nothing above needs them. */
  prune(retain: bigint): void {
    if (retain <= this.#base || retain > this.#height) return
    const needed = this.#neededAt(retain)
    const neededBefore = this.#neededAt(this.#base)
    for (let height = this.#base; height < retain; height++) {
      this.#deleteBlock(height)
      if (height !== needed.setAt) this.#store.deleteRecord(keyAt('Cv', height))
      if (height !== needed.paramsAt) this.#store.deleteRecord(keyAt('Cp', height))
    }
    if (neededBefore.setAt < needed.setAt) this.#store.deleteRecord(keyAt('Cv', neededBefore.setAt))
    if (neededBefore.paramsAt < needed.paramsAt) this.#store.deleteRecord(keyAt('Cp', neededBefore.paramsAt))
    this.#setRange(retain, this.#height)
  }

  /** Where the records lie that those of `height` and above point to. */
  #neededAt(height: bigint): { readonly setAt: bigint; readonly paramsAt: bigint } {
    const sets = this.#read(keyAt('Cv', height), VALIDATORS_RECORD)
    const setAt = sets === undefined ? height : fullSetBelow(height, sets.changedAt)
    return { setAt, paramsAt: this.#paramsRecord(height)?.changedAt ?? height }
  }

  /** Goes back to the state after block `height`: everything above is forgotten. A power of devnets. */
  rewind(height: bigint): ChainState {
    const state = this.stateAfter(height)
    if (state === undefined) throw new RangeError(`the state after block ${height} is not kept`)
    for (let above = this.#height; above > height; above--) {
      for (const piece of this.block(above)?.evidence.evidence ?? []) {
        if (piece !== null) this.#store.deleteRecord(`Cz${evidenceHash(piece)}`)
      }
      this.#deleteBlock(above)
      this.#store.deleteRecord(keyAt('Cv', above + 2n))
      this.#store.deleteRecord(keyAt('Cp', above + 1n))
    }
    this.#setRange(height === 0n ? 0n : this.#base, height)
    this.#putState(state)
    if (this.#published > height) this.#published = height
    return state
  }

  #deleteBlock(height: bigint): void {
    const [block, response] = [this.block(height), this.response(height)]
    if (block !== undefined && response !== undefined) this.events?.delete(block, response)
    const meta = this.meta(height)
    if (meta !== undefined) this.#store.deleteRecord(`Ch${meta.blockId.hash}`)
    for (const prefix of ['Cb', 'Ci', 'Cs', 'Ce', 'Cr'] as const) this.#store.deleteRecord(keyAt(prefix, height))
  }

  #setRange(base: bigint, height: bigint): void {
    this.#base = base
    this.#height = height
    this.#store.putRecord('Cx', encode(RANGE, { base, height }))
  }

  #has(height: bigint): boolean {
    return height >= this.#base && height <= this.#height && height > 0n
  }

  #readAt<T>(prefix: Prefix, height: bigint, kind: Message<T>): T | undefined {
    return this.#has(height) ? this.#read(keyAt(prefix, height), kind) : undefined
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

type Prefix = 'Cb' | 'Ci' | 'Cs' | 'Ce' | 'Cr' | 'Cv' | 'Cp'

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

/** Where the full set lies that the set of `height` is found from. */
function fullSetBelow(height: bigint, changedAt: bigint): bigint {
  const multiple = height - (height % FULL_SET_INTERVAL)
  return multiple > changedAt ? multiple : changedAt
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

/** Eight bytes, the highest first, so that keys have the order of heights. */
function heightBytes(height: bigint): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, height)
  return toBinary(bytes)
}

function heightOfBytes(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
}

function keyAt(prefix: Prefix, height: bigint): string {
  return prefix + heightBytes(height)
}

/** What evidence is judged by. */
export function pastOf(blocks: BlockStore): ChainPast {
  return {
    timeAt: (height) => blocks.meta(height)?.header.time,
    validatorsAt: (height) => blocks.validators(height),
    signedHeaderAt: (height) => {
      const { header, commit } = blocks.signedHeader(height) ?? { header: null, commit: null }
      return header === null || commit === null ? undefined : { header, commit }
    },
    isCommittedEvidence: (hash) => blocks.isCommittedEvidence(hash),
  }
}
