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
import { decodeCbor } from '../ipld/dag-cbor.ts'
import { concatBytes, EMPTY_BYTES, fromBinary, toBinary } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import { type Address, decodeAddress } from '../state/address.ts'
import {
  encodeMessage,
  encodeSignedMessage,
  type Message,
  messageCid,
  SIGNATURE_BLS,
  signedMessageCid,
} from '../state/message.ts'
import { computeAppHash } from './app-hash.ts'
import { execResultOf, misbehaviorEvent, namesIn } from './block-answer.ts'
import { BLOCK_MESSAGES_MAX, fillBlock } from './block-filling.ts'
import {
  type BlockHeader,
  type BlockRecord,
  blockKey,
  decodeBlock,
  decodeBlockHeader,
  decodeLocation,
  encodeBlock,
  encodeHeader,
  encodeLocation,
  HEAD_KEY,
  headerKey,
  INSTALLED_KEYS,
  installedKey,
  type MessageLocation,
  messageKey,
  refusedRecord,
  SETTINGS_KEYS,
  settingsKey,
  type TxRecord,
  toRecord,
} from './chain-records.ts'
import {
  type ConsensusSettings,
  decodeSettings,
  encodeSettings,
  initialSettings,
  NO_SETTINGS,
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
import { decodeTransaction, type SignedTransaction, type Transaction, type TransactionError } from './transaction.ts'

const TIPSET_LOOKBACK = 256n
const BLAKE2B_256 = 0xb220
const APP_VERSION = 1n
/** Blocks that were executed before they were decided, at most. */
const AHEAD_MAX = 4
/** Codes of `checkTx` beside the exit codes of preflight. @source spec ipc §7.1 */
export const CheckCode = { Ok: 0, InvalidEncoding: 51, InvalidSignature: 52, IllegalMessage: 53 } as const

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

/** A transaction that passed the door, with what the mempool needs. */
export interface CheckedTransaction {
  readonly transaction: Transaction
  readonly cid: Cid
}

export type Check =
  | { readonly ok: true; readonly checked: CheckedTransaction }
  | { readonly ok: false; readonly code: number; readonly log: string }

/** What a message would run in. */
export interface CallContext {
  readonly height: number
  readonly stateRoot: Cid
  readonly timeMs: number
  readonly baseFee: bigint
}

interface Decoded {
  readonly transaction: Transaction
  /** By which it is found; what clients call it comes first. */
  readonly names: readonly Cid[]
}

/** A block that ran, and what it leaves behind when it is committed. */
interface Executed {
  readonly record: BlockRecord
  /** Names of each transaction. */
  readonly cids: readonly (readonly Cid[])[]
  readonly settings: ConsensusSettings
  /** Code that powers put into the store. */
  readonly installed: readonly Cid[]
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
  readonly #restorer: SnapshotRestorer
  #alongside: () => void = () => {}
  readonly #linker: Linker
  #head: BlockHeader
  #settings: ConsensusSettings
  #pending: Executed | null = null
  /** The block at the head, when this process made it. */
  #newest: BlockRecord | null = null
  readonly #listeners = new Set<(block: BlockRecord) => void>()
  /** By block hash. */
  readonly #ahead = new Map<string, Executed>()
  readonly #decoded = new WeakMap<Uint8Array, Decoded>()
  readonly #verified: VerifiedTransactions
  /** A machine over the newest state, for questions between blocks. */
  #queryMachine: Machine | null = null

  private constructor(config: ChainConfig, store: ChainStore, { modules, verified }: SharedParts, head: BlockHeader) {
    this.config = config
    this.#verified = verified
    this.#linker = new Linker(lineOf(config.profile.networkVersion).syscalls)
    this.store = store
    this.modules = modules
    this.snapshots = new SnapshotArchive(store, config.snapshots)
    this.#restorer = new SnapshotRestorer(store)
    this.#head = head
    this.#settings = this.settingsAfter(head.height)
  }

  /** At the head as it is now, which did not come from the block before. */
  #begin(): void {
    this.#newest = null
    this.#settings = this.settingsAfter(this.#head.height)
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
    const head = readHead(store)
    if (head !== undefined) return new FvmApplication(config, store, shared, head)
    const { stateRoot, circulatingSupply, timeMs } = genesis()
    const header: BlockHeader = {
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
    const application = new FvmApplication(config, store, shared, header)
    application.#putBlock({ header, txs: [], results: [] }, [])
    return application
  }

  get head(): BlockHeader {
    return this.#head
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
      lastBlockHeight: BigInt(this.#head.height),
      lastBlockAppHash: this.#head.height === 0 ? '' : toBinary(this.#head.appHash),
    }
  }

  /** The state of the genesis was made when the application was opened; this says when time began and who validates. */
  initChain(request: RequestOf<'initChain'>): ResponseOf<'initChain'> {
    const { chainId, initialHeight, time } = request
    if (this.#head.height > 0) throw new ApplicationError('ALREADY_BEGUN', 'the chain has blocks already')
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
    this.#head = { ...this.#head, timeMs: Number(time / MILLISECOND) }
    this.#putBlock({ header: this.#head, txs: [], results: [] }, [])
    this.store.putRecord(settingsKey(0), encodeSettings(this.#settings))
    this.#queryMachine = null
    return { consensusParams: update, validators: [], appHash: toBinary(this.#head.appHash) }
  }

  checkTx({ tx }: RequestOf<'checkTx'>): ResponseOf<'checkTx'> {
    const check = this.check(tx)
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

  /** Everything that can be said about a transaction without running it; sequences may leave gaps. */
  check(tx: Uint8Array): Check {
    let decoded: Decoded
    try {
      decoded = this.#decode(tx)
    } catch (error) {
      return { ok: false, code: CheckCode.InvalidEncoding, log: (error as TransactionError).message }
    }
    const { transaction } = decoded
    const cid = decoded.names[0]!
    if (transaction.kind === 'power') {
      if (!this.config.powers)
        return { ok: false, code: CheckCode.IllegalMessage, log: 'this network has no devnet powers' }
      return { ok: true, checked: { transaction, cid } }
    }
    const refusal = this.#checkSigned(transaction, tx)
    return refusal === undefined ? { ok: true, checked: { transaction, cid } } : { ok: false, ...refusal }
  }

  /** The same bytes come by at the door, in the proposal and in the block. @throws TransactionError */
  #decode(tx: Uint8Array): Decoded {
    const known = this.#decoded.get(tx)
    if (known !== undefined) return known
    const transaction = decodeTransaction(tx)
    const decoded = { transaction, names: namesOf(transaction, tx) }
    this.#decoded.set(tx, decoded)
    return decoded
  }

  /** By which a transaction is found; what cannot be decoded has no name. */
  namesOf(tx: Uint8Array): readonly Cid[] {
    try {
      return this.#decode(tx).names
    } catch {
      return []
    }
  }

  #checkSigned(transaction: SignedTransaction, tx: Uint8Array): { code: number; log: string } | undefined {
    const { message } = transaction
    const illegal = illegality(message)
    if (illegal !== undefined) return { code: CheckCode.IllegalMessage, log: illegal }
    if (message.gasFeeCap < this.#head.nextBaseFee) {
      return {
        code: CheckCode.IllegalMessage,
        log: `the gas fee cap ${message.gasFeeCap} is below the base fee ${this.#head.nextBaseFee}`,
      }
    }
    const sender = this.senderOf(message.from)
    if (sender === undefined)
      return { code: ExitCode.SenderInvalid, log: 'no actor has the address of the sender; fund it first' }
    if (message.sequence < sender.sequence) {
      return {
        code: ExitCode.SenderStateInvalid,
        log: `sequence ${message.sequence} is used; the next is ${sender.sequence}`,
      }
    }
    const cost = message.gasFeeCap * message.gasLimit
    if (sender.balance < cost) {
      return {
        code: ExitCode.InsufficientFunds,
        log: `the sender has ${sender.balance} attoFIL; gas alone may cost ${cost}`,
      }
    }
    if (!this.#hasGoodSignature(transaction, tx)) {
      return {
        code: CheckCode.InvalidSignature,
        log: `the signature is not the sender's for chain ${this.config.chainId}`,
      }
    }
    return undefined
  }

  #hasGoodSignature(transaction: SignedTransaction, tx: Uint8Array): boolean {
    const sender = this.#keyAddressOf(transaction.message.from)
    return sender !== undefined && this.#verified.check(transaction, tx, sender, this.config.chainId)
  }

  /** Sequence and balance that preflight will see. */
  senderOf(address: Address): { readonly sequence: bigint; readonly balance: bigint } | undefined {
    const { state } = this.queryMachine().context
    const id = state.resolve(address)
    return id === undefined ? undefined : state.getActor(id)
  }

  /** The key address behind an ID address. */
  #keyAddressOf(address: Address): Address | undefined {
    const { state } = this.queryMachine().context
    const id = state.resolve(address)
    if (id === undefined) return undefined
    if (address.charCodeAt(0) !== 0) return address
    return accountKeyOf(this.store, state.getActor(id))
  }

  prepareProposal({ txs, maxTxBytes }: RequestOf<'prepareProposal'>): ResponseOf<'prepareProposal'> {
    return { txs: fillBlock(this, txs, maxTxBytes) }
  }

  processProposal({ txs }: RequestOf<'processProposal'>): ResponseOf<'processProposal'> {
    return { status: this.#isAcceptable(txs) ? ACCEPT : REJECT }
  }

  #isAcceptable(txs: readonly Uint8Array[]): boolean {
    if (txs.length > BLOCK_MESSAGES_MAX) return false
    let gas = 0n
    for (const tx of txs) {
      const check = this.check(tx)
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
    const head = this.#head
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
    const names = namesIn(machine.context.state)
    const cids: (readonly Cid[])[] = []
    const installed: Cid[] = []
    let gasUsed = 0n
    for (const tx of txs) {
      const delivered = this.#deliver(machine, tx, { before, settings, height: at })
      settings = delivered.settings
      installed.push(...delivered.installed)
      results.push(delivered.record)
      const { message, gasWanted } = delivered
      txResults.push(execResultOf(delivered.record, { message, gasWanted, names }))
      cids.push(delivered.names)
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
    return { record: { header, txs, results }, cids, settings, installed, written, response }
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
    let decoded: Decoded
    try {
      decoded = this.#decode(tx)
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
    if (!this.#hasGoodSignature(transaction, tx)) {
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
    const { record, cids, settings, installed, written } = pending
    const { height } = record.header
    for (const [cid, bytes] of written.buffered) this.store.put(cid, bytes)
    this.#putBlock(record, cids)
    if (settings !== this.#settings) this.store.putRecord(settingsKey(height), encodeSettings(settings))
    const news = installed.map(installedKey).filter((key) => this.store.getRecord(key) === undefined)
    for (const key of news) this.store.putRecord(key, encodeLocation({ height, index: 0 }))
    try {
      await this.store.commit()
    } catch (error) {
      // What is not on the disk is not said to be on the chain, to nobody.
      this.#deleteBlock(record)
      this.store.deleteRecord(settingsKey(height))
      for (const key of news) this.store.deleteRecord(key)
      this.store.putRecord(HEAD_KEY, encodeLocation({ height: this.#head.height, index: 0 }))
      throw error
    }
    this.#head = record.header
    this.#newest = record
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

  #putBlock(record: BlockRecord, cids: readonly (readonly Cid[])[]): void {
    const { height } = record.header
    this.store.putRecord(blockKey(height), encodeBlock(record))
    for (const [index, names] of cids.entries()) {
      for (const cid of names) this.store.putRecord(messageKey(cid), encodeLocation({ height, index }))
    }
    this.store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
  }

  #deleteBlock({ header, txs }: BlockRecord): void {
    for (const tx of txs) for (const cid of this.namesOf(tx)) this.store.deleteRecord(messageKey(cid))
    this.store.deleteRecord(blockKey(header.height))
  }

  /** Goes back to an earlier block: everything above it is forgotten. A devnet power; durable when it resolves. */
  async rewind(height: number): Promise<void> {
    const record = this.block(height)
    if (record === undefined) throw new RangeError(`there is no block ${height}`)
    for (let above = this.#head.height; above > height; above--) {
      const removed = this.block(above)
      if (removed !== undefined) this.#deleteBlock(removed)
      this.store.deleteRecord(headerKey(above))
    }
    for (const key of this.store.recordKeys(settingsKey(height + 1), SETTINGS_KEYS.end)) this.store.deleteRecord(key)
    this.store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
    for (const key of [...this.store.recordKeys(INSTALLED_KEYS.start, INSTALLED_KEYS.end)]) {
      if (decodeLocation(this.store.getRecord(key)!).height > height) this.store.deleteRecord(key)
    }
    this.snapshots.forgetAbove(height)
    this.#head = record.header
    this.#begin()
    await this.store.commit()
  }

  // --- questions ------------------------------------------------------------------------------------------------

  block(height: number): BlockRecord | undefined {
    if (height === this.#newest?.header.height) return this.#newest
    const bytes = height > this.#head.height ? undefined : this.store.getRecord(blockKey(height))
    return bytes === undefined ? undefined : decodeBlock(bytes)
  }

  header(height: number): BlockHeader | undefined {
    if (height === this.#head.height) return this.#head
    return height > this.#head.height ? undefined : readHeader(this.store, height)
  }

  /** What the application had decided about consensus after block `height`. */
  settingsAfter(height: number): ConsensusSettings {
    const keys = [...this.store.recordKeys(SETTINGS_KEYS.start, settingsKey(height + 1))]
    const bytes = keys.length === 0 ? undefined : this.store.getRecord(keys.at(-1)!)
    return bytes === undefined ? NO_SETTINGS : decodeSettings(bytes)
  }

  /** By the CID of the message, or of the signed message. */
  locate(cid: Cid): MessageLocation | undefined {
    const bytes = this.store.getRecord(messageKey(cid))
    const location = bytes === undefined ? undefined : decodeLocation(bytes)
    return location !== undefined && location.height <= this.#head.height ? location : undefined
  }

  /** A machine as the next block will have it. Apply nothing to it that is not undone. */
  queryMachine(): Machine {
    const { height, timeMs, stateRoot, nextBaseFee: baseFee } = this.#head
    this.#queryMachine ??= this.#openMachine({ height: height + 1, timeMs, stateRoot, baseFee })
    return this.#queryMachine
  }

  /** A machine over the state after block `height`. */
  machineAfter(height: number): Machine {
    const header = this.header(height)
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
    const block = this.block(height)
    const before = this.header(height - 1)
    if (block === undefined || before === undefined) throw new RangeError(`there is no block ${height}`)
    const machine = this.#openMachine({
      height,
      stateRoot: before.stateRoot,
      timeMs: block.header.timeMs,
      baseFee: block.header.baseFee,
    })
    tickCron(machine, height)
    const settings = this.settingsAfter(height - 1)
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
      height: at === 0n ? BigInt(this.#head.height) : at,
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
    const isFresh = this.#head.height === 0 || this.block(this.#head.height) === undefined
    return isFresh ? this.#restorer.offer(request) : { result: OfferResult.Abort }
  }

  applySnapshotChunk(request: RequestOf<'applySnapshotChunk'>): Promise<ResponseOf<'applySnapshotChunk'>> {
    return this.#restorer.apply(request, {
      alongside: this.#alongside,
      restored: () => {
        this.#head = readHead(this.store)!
        this.#begin()
        // What was verified can be given on.
        if (this.snapshots.isDue(this.#head.height)) this.makeSnapshot()
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
    const { height, stateRoot } = this.#head
    const installed = [...this.store.recordKeys(INSTALLED_KEYS.start, INSTALLED_KEYS.end)].map(
      (key) => key.slice(1) as Cid,
    )
    const headers: Uint8Array[] = []
    for (let at = Math.max(height - HEADERS_KEPT + 1, 0); at <= height; at++)
      headers.push(encodeHeader(this.header(at)!))
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
      circulatingSupply: this.#head.circulatingSupply,
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
        const header = BigInt(height) - epoch <= TIPSET_LOOKBACK ? this.header(Number(epoch)) : undefined
        return makeCid(DAG_CBOR, BLAKE2B_256, header?.hash ?? new Uint8Array(32))
      },
      verifyConsensusFault: () => undefined,
    }
  }
}

function readHead(store: ChainStore): BlockHeader | undefined {
  const head = store.getRecord(HEAD_KEY)
  if (head === undefined) return undefined
  const header = readHeader(store, decodeLocation(head).height)
  if (header === undefined) throw new Error('the block that the head names is missing: the state folder is damaged')
  return header
}

/** Of a block that was executed here, or of one that came with a snapshot. */
function readHeader(store: ChainStore, height: number): BlockHeader | undefined {
  const bytes = store.getRecord(blockKey(height)) ?? store.getRecord(headerKey(height))
  return bytes === undefined ? undefined : decodeBlockHeader(bytes)
}

function illegality({ version, gasLimit, value, gasFeeCap, gasPremium }: Message): string | undefined {
  if (version !== 0n) return `message version ${version} is not 0`
  if (gasLimit <= 0n || gasLimit > GAS_MARKET.blockGasLimit) {
    return `the gas limit ${gasLimit} is not between 1 and ${GAS_MARKET.blockGasLimit}`
  }
  if (value < 0n) return 'the value is negative'
  if (gasFeeCap < 0n || gasPremium < 0n) return 'a gas price is negative'
  if (gasPremium > gasFeeCap) return `the gas premium ${gasPremium} exceeds the fee cap ${gasFeeCap}`
  return undefined
}

/** What a client calls the message: with its signature when that is by key, without for BLS. */
export function transactionCid({ message, signature }: SignedTransaction): Cid {
  return signature.type === SIGNATURE_BLS ? messageCid(message) : signedMessageCid({ message, signature })
}

function namesOf(transaction: Transaction, tx: Uint8Array): readonly Cid[] {
  return transaction.kind === 'power'
    ? [makeCid(DAG_CBOR, 0x12, sha256(tx))]
    : [transactionCid(transaction), messageCid(transaction.message)]
}

/** The key address in the state of an account, or the Ethereum address of the others. */
function accountKeyOf(
  store: ChainStore,
  actor: { readonly state: Cid; readonly delegated: Address | null } | undefined,
): Address | undefined {
  if (actor === undefined) return undefined
  if (actor.delegated !== null) return actor.delegated
  const bytes = store.get(actor.state)
  const state = bytes === undefined ? null : decodeCbor(bytes)
  return Array.isArray(state) && state[0] instanceof Uint8Array ? decodeAddress(state[0]) : undefined
}
