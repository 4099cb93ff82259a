/**
 * The chain that consensus drives: transactions are FVM messages, answered by engine and state.
 *
 * @source spec ipc §7.2–7.5, spec consensus §4.5
 */
import {
  ACCEPT,
  type Application,
  type FinalizeBlockRequest,
  type FinalizeBlockResponse,
  OfferResult,
  REJECT,
  type RequestOf,
  type ResponseOf,
} from '../consensus/application.ts'
import { MILLISECOND } from '../consensus/time.ts'
import type { WireConsensusParams } from '../consensus/wire.ts'
import type { WireExecTxResult } from '../consensus/wire-abci.ts'
import { type ApplyOptions, type ApplyResult, MessageRefused } from '../engine/executor.ts'
import type { Externs } from '../engine/externs.ts'
import { EngineExhausted, ExitCode } from '../engine/failure.ts'
import { Linker } from '../engine/linker.ts'
import { createMachine, type Machine } from '../engine/machine.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import { lineOf, type Profile } from '../engine/profile.ts'
import { type Blockstore, BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, DAG_CBOR, makeCid } from '../ipld/cid.ts'
import { concatBytes, EMPTY_BYTES, fromBinary, toBinary } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import { encodeMessage, encodeSignedMessage, SIGNATURE_BLS } from '../state/message.ts'
import { computeAppHash } from './app-hash.ts'
import { execResultOf, misbehaviorEvent, namesIn } from './block-answer.ts'
import { BLOCK_MESSAGES_MAX, fillBlock } from './block-filling.ts'
import { ChainHistory, type HistoryEntry } from './chain-history.ts'
import {
  type BlockHeader,
  type BlockRecord,
  encodeHeader,
  type MessageLocation,
  refusedRecord,
  settingsKey,
  type TxRecord,
  toRecord,
} from './chain-records.ts'
import {
  type ConsensusSettings,
  encodeSettings,
  initialSettings,
  type SettingsChange,
  settingsUpdates,
} from './consensus-settings.ts'
import { tickCron } from './cron-tick.ts'
import { GAS_MARKET, nextBaseFee } from './gas-market.ts'
import type { ChainStore } from './ports.ts'
import { applyPowers } from './powers.ts'
import { VerifiedTransactions } from './signatures.ts'
import { SnapshotArchive } from './snapshot-archive.ts'
import { HEADERS_KEPT, SnapshotRestorer } from './snapshot-restorer.ts'
import type { SnapshotPolicy } from './sync-settings.ts'
import { decodeTransaction, type SignedTransaction } from './transaction.ts'
import { CheckCode, type DecodedTransaction, TransactionDoor } from './transaction-door.ts'

const TIPSET_LOOKBACK = 256n
const BLAKE2B_256 = 0xb220
const APP_VERSION = 1n
/** Blocks that were executed before they were decided, at most. */
const AHEAD_MAX = 4

export interface ChainConfig {
  readonly profile: Profile
  readonly chainId: bigint
  readonly networkName: string
  /** Whether blocks may carry devnet powers. */
  readonly powers: boolean
  readonly initialBaseFee: bigint
  /** Actors may log. */
  readonly debugging: boolean
  /** As in `MachineOptions`. */
  readonly hasLargestStack: boolean
  readonly snapshots: SnapshotPolicy
}

/** The state before the first block, made by `initChain`'s caller. */
export interface GenesisState {
  readonly stateRoot: Cid
  readonly circulatingSupply: bigint
  readonly timeMs: number
}

/** What validators of one process have in common, since it follows from bytes alone. */
export interface SharedParts {
  readonly modules: ModuleCache
  readonly verified: VerifiedTransactions
}

/** What a message would run in. */
export interface CallContext {
  readonly height: number
  readonly stateRoot: Cid
  readonly timeMs: number
  readonly baseFee: bigint
}

/** A block that ran, and what it leaves behind when it is committed. */
interface Executed extends HistoryEntry {
  readonly settings: ConsensusSettings
  readonly written: BufferedBlockstore
  readonly response: FinalizeBlockResponse
}

/** Consensus asks what this application cannot answer; nothing was changed. */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError'
  readonly code: 'WRONG_CHAIN' | 'INITIAL_HEIGHT' | 'ALREADY_BEGUN' | 'WRONG_HEIGHT'
  constructor(code: ApplicationError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export class FvmApplication implements Application {
  readonly config: ChainConfig
  readonly store: ChainStore
  readonly modules: ModuleCache
  readonly snapshots: SnapshotArchive
  readonly history: ChainHistory
  readonly door: TransactionDoor
  readonly #restorer: SnapshotRestorer
  #alongside: () => void = () => {}
  readonly #linker: Linker
  #settings: ConsensusSettings
  #pending: Executed | null = null
  readonly #listeners = new Set<(block: BlockRecord) => void>()
  /** By block hash. */
  readonly #ahead = new Map<string, Executed>()
  /** A machine over the newest state, for questions between blocks. */
  #queryMachine: Machine | null = null

  private constructor(
    config: ChainConfig,
    store: ChainStore,
    { modules, verified }: SharedParts,
    history: ChainHistory,
  ) {
    this.config = config
    this.#linker = new Linker(lineOf(config.profile.networkVersion).syscalls)
    this.store = store
    this.modules = modules
    this.snapshots = new SnapshotArchive(store, config.snapshots)
    this.#restorer = new SnapshotRestorer(store)
    this.history = history
    this.door = new TransactionDoor({
      store,
      verified,
      chainId: config.chainId,
      powers: config.powers,
      next: () => ({ state: this.queryMachine().context.state, baseFee: this.head.nextBaseFee }),
    })
    this.#settings = history.settingsAfter(history.head.height)
  }

  /** At the head as it is now, which did not come from the block before. */
  #begin(): void {
    this.#settings = this.history.settingsAfter(this.head.height)
    this.#ahead.clear()
    this.#queryMachine = null
  }

  /** Opens the chain in `store`, or begins it with `genesis`. The first commit makes a new one durable. */
  static open(
    config: ChainConfig,
    store: ChainStore,
    genesis: () => GenesisState,
    shared: SharedParts = { modules: new ModuleCache(), verified: new VerifiedTransactions() },
  ): FvmApplication {
    const history = ChainHistory.open(store, () => {
      const { stateRoot, circulatingSupply, timeMs } = genesis()
      return {
        height: 0,
        timeMs,
        stateRoot,
        circulatingSupply,
        hash: sha256(concatBytes(encodeUtf8(`genesis ${config.chainId} `), fromBinary(stateRoot))),
        parentHash: new Uint8Array(32),
        appHash: computeAppHash(stateRoot),
        baseFee: config.initialBaseFee,
        nextBaseFee: config.initialBaseFee,
        gasUsed: 0n,
      }
    })
    return new FvmApplication(config, store, shared, history)
  }

  get head(): BlockHeader {
    return this.history.head
  }

  /** What the application has decided about consensus. */
  get settings(): ConsensusSettings {
    return this.#settings
  }

  // --- the door -------------------------------------------------------------------------------------------------

  info(): ResponseOf<'info'> {
    return {
      data: '',
      version: 'troupe',
      appVersion: APP_VERSION,
      lastBlockHeight: BigInt(this.head.height),
      lastBlockAppHash: this.head.height === 0 ? '' : toBinary(this.head.appHash),
    }
  }

  /** The state of the genesis was made when the application was opened; this says when time began and who validates. */
  initChain(request: RequestOf<'initChain'>): ResponseOf<'initChain'> {
    const { chainId, initialHeight, time } = request
    if (this.head.height > 0) throw new ApplicationError('ALREADY_BEGUN', 'the chain has blocks already')
    if (initialHeight !== 1n)
      throw new ApplicationError('INITIAL_HEIGHT', `the first height is 1, not ${initialHeight}`)
    if (chainId !== String(this.config.chainId)) {
      throw new ApplicationError('WRONG_CHAIN', `the chain is ${this.config.chainId}, not ${JSON.stringify(chainId)}`)
    }
    const update: WireConsensusParams = {
      block: null,
      evidence: null,
      validator: null,
      version: { app: APP_VERSION },
      abci: null,
    }
    this.#settings = initialSettings(request, update)
    this.history.begin({ ...this.head, timeMs: Number(time / MILLISECOND) })
    this.store.putRecord(settingsKey(0), encodeSettings(this.#settings))
    this.#queryMachine = null
    return { consensusParams: update, validators: [], appHash: toBinary(this.head.appHash) }
  }

  checkTx({ tx }: RequestOf<'checkTx'>): ResponseOf<'checkTx'> {
    const check = this.door.check(tx)
    const gasWanted =
      check.ok && check.checked.transaction.kind === 'signed' ? check.checked.transaction.message.gasLimit : 0n
    return {
      code: check.ok ? CheckCode.Ok : check.code,
      log: check.ok ? '' : check.log,
      data: EMPTY_BYTES,
      info: '',
      gasWanted,
      gasUsed: 0n,
      events: [],
      codespace: '',
    }
  }

  prepareProposal({ txs, maxTxBytes }: RequestOf<'prepareProposal'>): ResponseOf<'prepareProposal'> {
    return { txs: fillBlock(this.door, txs, maxTxBytes) }
  }

  processProposal({ txs }: RequestOf<'processProposal'>): ResponseOf<'processProposal'> {
    return { status: this.#isAcceptable(txs) ? ACCEPT : REJECT }
  }

  #isAcceptable(txs: readonly Uint8Array[]): boolean {
    if (txs.length > BLOCK_MESSAGES_MAX) return false
    let gas = 0n
    for (const tx of txs) {
      const check = this.door.check(tx)
      if (!check.ok && check.code === CheckCode.InvalidEncoding) return false
      if (check.ok && check.checked.transaction.kind === 'signed') gas += check.checked.transaction.message.gasLimit
    }
    return gas <= GAS_MARKET.blockGasLimit
  }

  // --- a block --------------------------------------------------------------------------------------------------

  executeAhead(request: FinalizeBlockRequest): void {
    if (this.#ahead.has(request.hash)) return
    const oldest = this.#ahead.size < AHEAD_MAX ? undefined : this.#ahead.keys().next().value
    if (oldest !== undefined) this.#ahead.delete(oldest)
    this.#ahead.set(request.hash, this.#execute(request))
  }

  finalizeBlock(request: FinalizeBlockRequest): FinalizeBlockResponse {
    this.#pending = this.#ahead.get(request.hash) ?? this.#execute(request)
    return this.#pending.response
  }

  /** Runs a block on top of the head. What it writes stays in memory. */
  #execute({ height: at, time, txs, hash, misbehavior }: FinalizeBlockRequest): Executed {
    const head = this.head
    const height = Number(at)
    if (height !== head.height + 1) {
      throw new ApplicationError('WRONG_HEIGHT', `block ${at} does not follow block ${head.height}`)
    }
    const timeMs = Number(time / MILLISECOND)
    const written = new BufferedBlockstore(this.store)
    const context = { height, stateRoot: head.stateRoot, timeMs, baseFee: head.nextBaseFee }
    const machine = this.#openMachine(context, written)
    tickCron(machine, height)
    const before = this.#settings
    let settings = before
    const results: TxRecord[] = []
    const txResults: WireExecTxResult[] = []
    const addresses = namesIn(machine.context.state)
    const names: (readonly Cid[])[] = []
    const installed: Cid[] = []
    let gasUsed = 0n
    for (const tx of txs) {
      const delivered = this.#deliver(machine, tx, { before, settings, height: at })
      settings = delivered.settings
      installed.push(...delivered.installed)
      results.push(delivered.record)
      const { message, gasWanted } = delivered
      txResults.push(execResultOf(delivered.record, { message, gasWanted, names: addresses }))
      names.push(delivered.names)
      gasUsed += delivered.gas
    }
    const stateRoot = machine.flush()
    const header: BlockHeader = {
      height,
      timeMs,
      hash: fromBinary(hash),
      stateRoot,
      gasUsed,
      parentHash: head.hash,
      appHash: computeAppHash(stateRoot),
      baseFee: head.nextBaseFee,
      nextBaseFee: nextBaseFee(head.nextBaseFee, gasUsed),
      circulatingSupply: head.circulatingSupply,
    }
    const response = {
      events: misbehavior.map(misbehaviorEvent),
      txResults,
      ...settingsUpdates(before, settings),
      appHash: toBinary(header.appHash),
    }
    return { record: { header, txs, results }, names, settings, installed, written, response }
  }

  /** `gas` counts for the base fee; powers are free. */
  #deliver(machine: Machine, tx: Uint8Array, change: SettingsChange) {
    const { settings } = change
    const refused = (code: number, note: string, names: readonly Cid[]) => {
      return {
        record: refusedRecord(code, note),
        names,
        gas: 0n,
        gasWanted: 0n,
        settings,
        installed: [],
        message: null,
      }
    }
    let decoded: DecodedTransaction
    try {
      decoded = this.door.decode(tx)
    } catch (error) {
      return refused(CheckCode.InvalidEncoding, (error as Error).message, [])
    }
    const { transaction, names } = decoded
    if (transaction.kind === 'power') {
      if (!this.config.powers) return refused(CheckCode.IllegalMessage, 'this network has no devnet powers', names)
      const applied = applyPowers(machine, transaction, change)
      return { ...applied, names, gas: 0n, gasWanted: applied.record.gasUsed, message: null }
    }
    const { message } = transaction
    if (!this.door.hasGoodSignature(transaction, tx)) {
      return refused(CheckCode.InvalidSignature, 'the signature is not the sender’s', names)
    }
    const record = this.#applySigned(machine, transaction)
    return { record, names, gas: record.gasUsed, gasWanted: message.gasLimit, settings, installed: [], message }
  }

  /** What this host has no room for is tried once more, then it is fatal to the message, not to the chain. */
  #applySigned(machine: Machine, transaction: SignedTransaction): TxRecord {
    const { state } = machine.context
    for (let isRetry = false; ; isRetry = true) {
      const depth = state.begin()
      try {
        const result = machine.applyMessage(transaction.message, 'explicit', this.applyOptions(transaction))
        state.commit(depth)
        return toRecord(result)
      } catch (error) {
        state.revert(depth)
        if (error instanceof MessageRefused) return refusedRecord(CheckCode.IllegalMessage, error.message)
        if (!(error instanceof EngineExhausted)) throw error
        if (isRetry) return refusedRecord(ExitCode.AssertionFailed, `fatal: ${error.message}`)
      }
    }
  }

  /** How many bytes pay for inclusion is the profile's rule. */
  applyOptions(transaction: SignedTransaction, trace = false): ApplyOptions {
    if (this.config.profile.inclusion === 'unsigned') return { trace }
    const { message, signature } = transaction
    const paid = signature.type === SIGNATURE_BLS ? encodeMessage(message) : encodeSignedMessage({ message, signature })
    return { trace, rawLength: paid.length }
  }

  async commit(): Promise<ResponseOf<'commit'>> {
    const pending = this.#pending
    if (pending === null) throw new Error('there is no finalized block to commit')
    this.#pending = null
    this.#ahead.clear()
    const { record, settings, written } = pending
    const { height } = record.header
    for (const [cid, bytes] of written.buffered) this.store.put(cid, bytes)
    const takeBack = this.history.put({ ...pending, settings: settings === this.#settings ? null : settings })
    try {
      await this.store.commit()
    } catch (error) {
      // What is not on the disk is not said to be on the chain, to nobody.
      takeBack()
      throw error
    }
    this.history.advance(record)
    this.#settings = settings
    this.#queryMachine = null
    if (this.snapshots.isDue(height)) this.makeSnapshot()
    for (const listener of this.#listeners) listener(record)
    return { retainHeight: 0n }
  }

  /** Calls back after each block that has become durable. The answer ends that. */
  onCommit(listener: (block: BlockRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Goes back to an earlier block: everything above it is forgotten. A devnet power; durable when it resolves. */
  async rewind(height: number): Promise<void> {
    this.history.rewind(height, (tx) => this.door.namesOf(tx))
    this.snapshots.forgetAbove(height)
    this.#begin()
    await this.store.commit()
  }

  // --- questions ------------------------------------------------------------------------------------------------

  /** A machine as the next block will have it. Apply nothing to it that is not undone. */
  queryMachine(): Machine {
    const { height, timeMs, stateRoot, nextBaseFee: baseFee } = this.head
    this.#queryMachine ??= this.#openMachine({ height: height + 1, timeMs, stateRoot, baseFee })
    return this.#queryMachine
  }

  /** A machine over the state after block `height`. */
  machineAfter(height: number): Machine {
    const header = this.history.header(height)
    if (header === undefined) throw new RangeError(`there is no block ${height}`)
    return this.#openMachine({
      height: height + 1,
      timeMs: header.timeMs,
      stateRoot: header.stateRoot,
      baseFee: header.nextBaseFee,
    })
  }

  /** Runs a block again up to transaction `index` and applies that one with a trace. Nothing is kept. */
  traceTransaction({ height, index }: MessageLocation): ApplyResult {
    const block = this.history.block(height)
    const before = this.history.header(height - 1)
    if (block === undefined || before === undefined) throw new RangeError(`there is no block ${height}`)
    const machine = this.#openMachine({
      height,
      stateRoot: before.stateRoot,
      timeMs: block.header.timeMs,
      baseFee: block.header.baseFee,
    })
    tickCron(machine, height)
    const settings = this.history.settingsAfter(height - 1)
    const change = { before: settings, settings, height: BigInt(height) }
    for (const tx of block.txs.slice(0, index)) this.#deliver(machine, tx, change)
    const transaction = decodeTransaction(block.txs[index]!)
    if (transaction.kind !== 'signed') throw new RangeError('a devnet power has no trace')
    return machine.applyMessage(transaction.message, 'explicit', this.applyOptions(transaction, true))
  }

  query({ path, data, height: at }: RequestOf<'query'>): ResponseOf<'query'> {
    const value = path === '/store' ? this.store.get(toBinary(data) as Cid) : undefined
    return {
      code: value === undefined ? 1 : 0,
      log: value === undefined ? `nothing at ${path}` : '',
      info: '',
      index: 0n,
      key: EMPTY_BYTES,
      value: value ?? EMPTY_BYTES,
      proofOps: null,
      height: at === 0n ? BigInt(this.head.height) : at,
      codespace: '',
    }
  }

  extendVote(): ResponseOf<'extendVote'> {
    return { voteExtension: EMPTY_BYTES }
  }

  verifyVoteExtension({ voteExtension }: RequestOf<'verifyVoteExtension'>): ResponseOf<'verifyVoteExtension'> {
    return { status: voteExtension.length === 0 ? ACCEPT : REJECT }
  }

  // --- its state to others, and from others -----------------------------------------------------------------------

  listSnapshots(): ResponseOf<'listSnapshots'> {
    return { snapshots: this.snapshots.list() }
  }

  loadSnapshotChunk({ height, format, chunk }: RequestOf<'loadSnapshotChunk'>): ResponseOf<'loadSnapshotChunk'> {
    return { chunk: this.snapshots.chunk(Number(height), format, chunk) }
  }

  /** Only a chain that has executed no block of its own takes one. */
  async offerSnapshot(request: RequestOf<'offerSnapshot'>): Promise<ResponseOf<'offerSnapshot'>> {
    const isFresh = this.head.height === 0 || this.history.block(this.head.height) === undefined
    return isFresh ? this.#restorer.offer(request) : { result: OfferResult.Abort }
  }

  applySnapshotChunk(request: RequestOf<'applySnapshotChunk'>): Promise<ResponseOf<'applySnapshotChunk'>> {
    return this.#restorer.apply(request, {
      alongside: this.#alongside,
      restored: () => {
        this.history.reload()
        this.#begin()
        // What was verified can be given on.
        if (this.snapshots.isDue(this.head.height)) this.makeSnapshot()
      },
    })
  }

  /** What `put` puts into the store becomes durable together with the state that is being restored. */
  restoreWith(put: () => void): void {
    this.#alongside = put
  }

  /** Leaves nothing of a restore that has not come to its end. */
  abandonRestore(): Promise<void> {
    return this.#restorer.abandon()
  }

  /** Begins a snapshot of the state now, unless one is being made. */
  makeSnapshot(): void {
    const { height, stateRoot } = this.head
    const installed = this.history.installed()
    const headers: Uint8Array[] = []
    for (let at = Math.max(height - HEADERS_KEPT + 1, 0); at <= height; at++)
      headers.push(encodeHeader(this.history.header(at)!))
    const records = { headers, settings: encodeSettings(this.#settings), installed }
    this.snapshots.begin({ height, records, roots: [stateRoot, ...installed] })
  }

  async close(): Promise<void> {
    await this.snapshots.stop()
    await this.store.close()
  }

  #openMachine({ height, stateRoot, timeMs, baseFee }: CallContext, blockstore: Blockstore = this.store): Machine {
    const { profile, chainId, debugging, hasLargestStack } = this.config
    return createMachine({
      profile,
      stateRoot,
      baseFee,
      chainId,
      debugging,
      hasLargestStack,
      blockstore,
      epoch: BigInt(height),
      timestamp: BigInt(Math.floor(timeMs / 1000)),
      circulatingSupply: this.head.circulatingSupply,
      externs: this.#externs(height),
      modules: this.modules,
      linker: this.#linker,
    })
  }

  /** As on an IPC subnet: no randomness, and tipsets are block hashes. */
  #externs(height: number): Externs {
    return {
      chainRandomness: () => undefined,
      beaconRandomness: () => undefined,
      tipsetCid: (epoch) => {
        const header = BigInt(height) - epoch <= TIPSET_LOOKBACK ? this.history.header(Number(epoch)) : undefined
        return makeCid(DAG_CBOR, BLAKE2B_256, header?.hash ?? new Uint8Array(32))
      },
      verifyConsensusFault: () => undefined,
    }
  }
}
