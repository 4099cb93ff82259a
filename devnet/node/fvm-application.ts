/**
 * The chain that consensus drives: transactions are FVM messages, answered by engine and state.
 *
 * @source spec ipc §7.2–7.5, spec consensus §4.5
 */
import type {
  AppInfo,
  Application,
  CheckTxResponse,
  ExecTxResult,
  FinalizeBlockRequest,
  FinalizeBlockResponse,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  ProcessProposalRequest,
  QueryRequest,
  QueryResponse,
  SnapshotOffer,
} from '../consensus/application.ts'
import { type ApplyOptions, type ApplyResult, MessageRefused } from '../engine/executor.ts'
import type { Externs } from '../engine/externs.ts'
import { EngineExhausted, ExitCode } from '../engine/failure.ts'
import { Linker } from '../engine/linker.ts'
import { createMachine, type Machine } from '../engine/machine.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import { lineOf, type Profile } from '../engine/profile.ts'
import { type Cid, DAG_CBOR, makeCid } from '../ipld/cid.ts'
import { decodeCbor } from '../ipld/dag-cbor.ts'
import { concatBytes, EMPTY_BYTES, fromBinary } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import { CRON_ACTOR, SYSTEM_ACTOR } from '../state/actor.ts'
import { type Address, decodeAddress, idAddress } from '../state/address.ts'
import {
  encodeMessage,
  encodeSignedMessage,
  type Message,
  messageCid,
  SIGNATURE_BLS,
  signedMessageCid,
} from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'
import { computeAppHash } from './app-hash.ts'
import {
  type BlockHeader,
  type BlockRecord,
  blockKey,
  decodeBlock,
  decodeBlockHeader,
  decodeLocation,
  encodeBlock,
  encodeLocation,
  HEAD_KEY,
  type MessageLocation,
  messageKey,
  type TxRecord,
} from './chain-records.ts'
import { GAS_MARKET, nextBaseFee } from './gas-market.ts'
import type { ChainStore } from './ports.ts'
import { applyPowers } from './powers.ts'
import { isSigned } from './signatures.ts'
import { decodeTransaction, type SignedTransaction, type Transaction, type TransactionError } from './transaction.ts'

const EPOCH_TICK = 2n
const CRON_GAS_LIMIT = 100_000_000_000_000n
const TIPSET_LOOKBACK = 256n
const BLAKE2B_256 = 0xb220
export const BLOCK_MESSAGES_MAX = 1000
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
}

/** The state before the first block, made by `initChain`'s caller. */
export interface GenesisState {
  readonly stateRoot: Cid
  readonly circulatingSupply: bigint
  readonly timeMs: number
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

export class FvmApplication implements Application {
  readonly config: ChainConfig
  readonly store: ChainStore
  readonly modules: ModuleCache
  readonly #linker: Linker
  #head: BlockHeader
  #pending: { readonly record: BlockRecord; readonly cids: readonly (readonly Cid[])[] } | null = null
  /** Signatures that were found good at the door, by transaction. */
  readonly #verified = new Set<string>()
  /** A machine over the newest state, for questions between blocks. */
  #queryMachine: Machine | null = null

  private constructor(config: ChainConfig, store: ChainStore, modules: ModuleCache, head: BlockHeader) {
    this.config = config
    this.#linker = new Linker(lineOf(config.profile.networkVersion).syscalls)
    this.store = store
    this.modules = modules
    this.#head = head
  }

  /** Opens the chain in `store`, or begins it with `genesis`. The first commit makes a new one durable. */
  static open(
    config: ChainConfig,
    store: ChainStore,
    genesis: () => GenesisState,
    modules = new ModuleCache(),
  ): FvmApplication {
    const head = store.getRecord(HEAD_KEY)
    if (head !== undefined) {
      const block = store.getRecord(blockKey(decodeLocation(head).height))
      if (block === undefined) throw new Error('the block that the head names is missing: the state folder is damaged')
      return new FvmApplication(config, store, modules, decodeBlockHeader(block))
    }
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
    const application = new FvmApplication(config, store, modules, header)
    application.#putBlock({ header, txs: [], results: [] }, [])
    return application
  }

  get head(): BlockHeader {
    return this.#head
  }

  // --- the door -------------------------------------------------------------------------------------------------

  info(): AppInfo {
    return {
      version: 'troupe',
      appVersion: 1,
      lastBlockHeight: this.#head.height,
      lastBlockAppHash: this.#head.appHash,
    }
  }

  initChain(request: InitChainRequest): InitChainResponse {
    return { appHash: this.#head.appHash, validators: request.validators }
  }

  checkTx(tx: Uint8Array): CheckTxResponse {
    const check = this.check(tx)
    if (!check.ok) return { code: check.code, log: check.log, gasWanted: 0 }
    const { transaction } = check.checked
    return {
      code: CheckCode.Ok,
      log: '',
      gasWanted: transaction.kind === 'signed' ? Number(transaction.message.gasLimit) : 0,
    }
  }

  /** Everything that can be said about a transaction without running it; sequences may leave gaps. */
  check(tx: Uint8Array): Check {
    let transaction: Transaction
    try {
      transaction = decodeTransaction(tx)
    } catch (error) {
      return { ok: false, code: CheckCode.InvalidEncoding, log: (error as TransactionError).message }
    }
    if (transaction.kind === 'power') {
      if (!this.config.powers)
        return { ok: false, code: CheckCode.IllegalMessage, log: 'this network has no devnet powers' }
      return { ok: true, checked: { transaction, cid: powerCid(tx) } }
    }
    const refusal = this.#checkSigned(transaction, tx)
    if (refusal !== undefined) return { ok: false, ...refusal }
    return { ok: true, checked: { transaction, cid: transactionCid(transaction) } }
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
    const key = Buffer.from(sha256(tx)).toString('latin1')
    if (this.#verified.has(key)) return true
    const sender = this.#keyAddressOf(transaction.message.from)
    if (sender === undefined || !isSigned(transaction, sender, this.config.chainId)) return false
    if (this.#verified.size >= 100_000) this.#verified.clear()
    this.#verified.add(key)
    return true
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

  prepareProposal({ txs, maxTxBytes }: PrepareProposalRequest): readonly Uint8Array[] {
    const taken: Uint8Array[] = []
    let bytes = 0
    for (const tx of txs) {
      if (taken.length >= BLOCK_MESSAGES_MAX || bytes + tx.length > maxTxBytes) break
      if (!this.check(tx).ok) continue
      bytes += tx.length
      taken.push(tx)
    }
    return taken
  }

  processProposal({ txs }: ProcessProposalRequest): 'accept' | 'reject' {
    if (txs.length > BLOCK_MESSAGES_MAX) return 'reject'
    let gas = 0n
    for (const tx of txs) {
      const check = this.check(tx)
      if (!check.ok && check.code === CheckCode.InvalidEncoding) return 'reject'
      if (check.ok && check.checked.transaction.kind === 'signed') gas += check.checked.transaction.message.gasLimit
    }
    return gas <= GAS_MARKET.blockGasLimit ? 'accept' : 'reject'
  }

  // --- a block --------------------------------------------------------------------------------------------------

  finalizeBlock({ height, timeMs, txs, hash }: FinalizeBlockRequest): FinalizeBlockResponse {
    const head = this.#head
    const machine = this.#openMachine({ height, stateRoot: head.stateRoot, timeMs, baseFee: head.nextBaseFee })
    tickCron(machine, height)
    const results: TxRecord[] = []
    const cids: Cid[][] = []
    let gasUsed = 0n
    for (const tx of txs) {
      const { record, names, gas } = this.#deliver(machine, tx)
      results.push(record)
      cids.push(names)
      gasUsed += gas
    }
    const stateRoot = machine.flush()
    const header: BlockHeader = {
      height,
      timeMs,
      hash,
      stateRoot,
      gasUsed,
      parentHash: head.hash,
      appHash: computeAppHash(stateRoot),
      baseFee: head.nextBaseFee,
      nextBaseFee: nextBaseFee(head.nextBaseFee, gasUsed),
      circulatingSupply: head.circulatingSupply,
    }
    this.#pending = { record: { header, txs, results }, cids }
    return { txResults: results.map(toExecResult), validatorUpdates: [], appHash: header.appHash, events: [] }
  }

  #deliver(machine: Machine, tx: Uint8Array): { record: TxRecord; names: Cid[]; gas: bigint } {
    let transaction: Transaction
    try {
      transaction = decodeTransaction(tx)
    } catch (error) {
      return { record: refusedRecord(CheckCode.InvalidEncoding, (error as Error).message), names: [], gas: 0n }
    }
    if (transaction.kind === 'power') {
      const record = this.config.powers
        ? applyPowers(machine, transaction)
        : refusedRecord(CheckCode.IllegalMessage, 'this network has no devnet powers')
      return { record, names: [powerCid(tx)], gas: 0n }
    }
    const { message } = transaction
    const names = [transactionCid(transaction), messageCid(message)]
    if (!this.#hasGoodSignature(transaction, tx)) {
      return { record: refusedRecord(CheckCode.InvalidSignature, 'the signature is not the sender’s'), names, gas: 0n }
    }
    const record = this.#applySigned(machine, transaction)
    return { record, names, gas: record.gasUsed }
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

  async commit(): Promise<{ readonly retainHeight: number }> {
    const pending = this.#pending
    if (pending === null) throw new Error('there is no finalized block to commit')
    this.#pending = null
    const before = this.#head
    this.#putBlock(pending.record, pending.cids)
    this.#head = pending.record.header
    this.#queryMachine = null
    try {
      await this.store.commit()
    } catch (error) {
      // What is not on the disk is not said to be on the chain, to nobody.
      this.#head = before
      this.#queryMachine = null
      throw error
    }
    return { retainHeight: 0 }
  }

  #putBlock(record: BlockRecord, cids: readonly (readonly Cid[])[]): void {
    const { height } = record.header
    this.store.putRecord(blockKey(height), encodeBlock(record))
    for (const [index, names] of cids.entries()) {
      for (const cid of names) this.store.putRecord(messageKey(cid), encodeLocation({ height, index }))
    }
    this.store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
  }

  /** Goes back to an earlier block: everything above it is forgotten. A devnet power; durable when it resolves. */
  async rewind(height: number): Promise<void> {
    const record = this.block(height)
    if (record === undefined) throw new RangeError(`there is no block ${height}`)
    for (let above = this.#head.height; above > height; above--) {
      for (const tx of this.block(above)?.txs ?? [])
        for (const cid of cidsOf(tx)) this.store.deleteRecord(messageKey(cid))
      this.store.deleteRecord(blockKey(above))
    }
    this.store.putRecord(HEAD_KEY, encodeLocation({ height, index: 0 }))
    this.#head = record.header
    this.#queryMachine = null
    await this.store.commit()
  }

  // --- questions ------------------------------------------------------------------------------------------------

  block(height: number): BlockRecord | undefined {
    const bytes = height > this.#head.height ? undefined : this.store.getRecord(blockKey(height))
    return bytes === undefined ? undefined : decodeBlock(bytes)
  }

  header(height: number): BlockHeader | undefined {
    if (height === this.#head.height) return this.#head
    const bytes = height > this.#head.height ? undefined : this.store.getRecord(blockKey(height))
    return bytes === undefined ? undefined : decodeBlockHeader(bytes)
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
    for (const tx of block.txs.slice(0, index)) this.#deliver(machine, tx)
    const transaction = decodeTransaction(block.txs[index]!)
    if (transaction.kind !== 'signed') throw new RangeError('a devnet power has no trace')
    return machine.applyMessage(transaction.message, 'explicit', this.applyOptions(transaction, true))
  }

  query(request: QueryRequest): QueryResponse {
    const height = request.height === 0 ? this.#head.height : request.height
    const value =
      request.path === '/store' ? this.store.get(Buffer.from(request.data).toString('latin1') as Cid) : undefined
    if (value === undefined) return { code: 1, log: `nothing at ${request.path}`, value: EMPTY_BYTES, height }
    return { code: 0, log: '', value, height }
  }

  extendVote(): Uint8Array {
    return EMPTY_BYTES
  }

  verifyVoteExtension({ extension }: { readonly extension: Uint8Array }): 'accept' | 'reject' {
    return extension.length === 0 ? 'accept' : 'reject'
  }

  listSnapshots(): readonly SnapshotOffer[] {
    return []
  }

  offerSnapshot(): 'reject' {
    return 'reject'
  }

  loadSnapshotChunk(): Uint8Array {
    return EMPTY_BYTES
  }

  applySnapshotChunk(): 'abort' {
    return 'abort'
  }

  #openMachine({ height, stateRoot, timeMs, baseFee }: CallContext): Machine {
    const { profile, chainId, debugging, hasLargestStack } = this.config
    return createMachine({
      profile,
      stateRoot,
      baseFee,
      chainId,
      debugging,
      hasLargestStack,
      blockstore: this.store,
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

/** The message that runs before those of a block. */
export function cronTick(height: number): Message {
  return {
    version: 0n,
    from: idAddress(SYSTEM_ACTOR),
    to: idAddress(CRON_ACTOR),
    sequence: BigInt(height),
    value: 0n as TokenAmount,
    gasLimit: CRON_GAS_LIMIT,
    gasFeeCap: 0n as TokenAmount,
    gasPremium: 0n as TokenAmount,
    method: EPOCH_TICK,
    params: EMPTY_BYTES,
  }
}

function tickCron(machine: Machine, height: number): void {
  try {
    machine.applyMessage(cronTick(height), 'implicit')
  } catch (error) {
    if (!(error instanceof MessageRefused)) throw error
  }
}

/** What a client calls the message: with its signature when that is by key, without for BLS. */
export function transactionCid({ message, signature }: SignedTransaction): Cid {
  return signature.type === SIGNATURE_BLS ? messageCid(message) : signedMessageCid({ message, signature })
}

function powerCid(tx: Uint8Array): Cid {
  return makeCid(DAG_CBOR, 0x12, sha256(tx))
}

function cidsOf(tx: Uint8Array): Cid[] {
  try {
    const transaction = decodeTransaction(tx)
    return transaction.kind === 'power'
      ? [powerCid(tx)]
      : [transactionCid(transaction), messageCid(transaction.message)]
  } catch {
    return []
  }
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

export function toRecord(result: ApplyResult): TxRecord {
  const { exitCode, returnData, returnCodec, gasUsed, eventsRoot, events, failures, note } = result
  return { exitCode, returnData, returnCodec, gasUsed, eventsRoot, events, failures, note }
}

export function refusedRecord(exitCode: number, note: string): TxRecord {
  return {
    exitCode,
    returnData: EMPTY_BYTES,
    returnCodec: null,
    gasUsed: 0n,
    eventsRoot: null,
    events: [],
    failures: [],
    note,
  }
}

function toExecResult(record: TxRecord): ExecTxResult {
  return {
    code: record.exitCode,
    data: record.returnData,
    log: record.note,
    gasWanted: Number(record.gasUsed),
    gasUsed: Number(record.gasUsed),
    events: [],
  }
}
