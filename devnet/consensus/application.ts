/**
 * What a chain must answer to whoever decides its blocks. Shaped like ABCI 2.0, so that the instant driver, the embedded
 * engine and the real CometBFT drive the same object. Transactions are opaque bytes; heights and gas are safe integers.
 *
 * Rules (spec consensus §4.5): `finalizeBlock` is deterministic and writes nothing that survives a crash; `commit` makes
 * the block durable and only then returns; `checkTx` never changes committed state; an invalid transaction is a result
 * with a code, never an error.
 *
 * @source CometBFT `spec/abci/abci++_methods.md` (v0.38)
 */

export interface AppInfo {
  readonly version: string
  readonly appVersion: number
  /** 0 before the first block. */
  readonly lastBlockHeight: number
  readonly lastBlockAppHash: Uint8Array
}

export interface ValidatorUpdate {
  readonly publicKey: Uint8Array
  readonly keyType: 'secp256k1' | 'ed25519'
  /** 0 removes the validator. */
  readonly power: number
}

export interface InitChainRequest {
  readonly chainId: string
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly initialHeight: number
  readonly validators: readonly ValidatorUpdate[]
  readonly appState: Uint8Array
}

export interface InitChainResponse {
  readonly appHash: Uint8Array
  readonly validators: readonly ValidatorUpdate[]
}

export interface CheckTxResponse {
  /** 0 for a transaction that may go into a block. */
  readonly code: number
  readonly log: string
  readonly gasWanted: number
}

export interface ProposalRequest {
  readonly height: number
  readonly timeMs: number
  readonly proposer: Uint8Array
  readonly txs: readonly Uint8Array[]
}

export interface PrepareProposalRequest extends ProposalRequest {
  readonly maxTxBytes: number
}

export interface ProcessProposalRequest extends ProposalRequest {
  readonly hash: Uint8Array
}

export interface Misbehavior {
  readonly kind: 'duplicate-vote' | 'light-client-attack'
  readonly validator: Uint8Array
  readonly height: number
}

export interface FinalizeBlockRequest extends ProposalRequest {
  readonly hash: Uint8Array
  readonly misbehavior: readonly Misbehavior[]
}

export interface TxEvent {
  readonly type: string
  readonly attributes: readonly { readonly key: string; readonly value: string; readonly index: boolean }[]
}

/** `code`, `data`, `gasWanted` and `gasUsed` are hashed into the next header; the rest is for clients. */
export interface ExecTxResult {
  readonly code: number
  readonly data: Uint8Array
  readonly log: string
  readonly gasWanted: number
  readonly gasUsed: number
  readonly events: readonly TxEvent[]
}

export interface FinalizeBlockResponse {
  readonly txResults: readonly ExecTxResult[]
  readonly validatorUpdates: readonly ValidatorUpdate[]
  readonly appHash: Uint8Array
  readonly events: readonly TxEvent[]
}

export interface QueryRequest {
  readonly path: string
  readonly data: Uint8Array
  /** 0 is the newest committed state. */
  readonly height: number
}

export interface QueryResponse {
  readonly code: number
  readonly log: string
  readonly value: Uint8Array
  readonly height: number
}

/** A state that a new node may start from. */
export interface SnapshotOffer {
  readonly height: number
  readonly format: number
  readonly chunks: number
  readonly hash: Uint8Array
  readonly metadata: Uint8Array
}

export interface VoteExtensionRequest {
  readonly height: number
  readonly hash: Uint8Array
}

export interface Application {
  info(): AppInfo
  initChain(request: InitChainRequest): InitChainResponse
  /** `recheck`: the transaction waited while a block was committed. */
  checkTx(tx: Uint8Array, kind: 'new' | 'recheck'): CheckTxResponse
  prepareProposal(request: PrepareProposalRequest): readonly Uint8Array[]
  processProposal(request: ProcessProposalRequest): 'accept' | 'reject'
  finalizeBlock(request: FinalizeBlockRequest): FinalizeBlockResponse
  /** Resolves when the finalized block survives a crash. */
  commit(): Promise<{ readonly retainHeight: number }>
  query(request: QueryRequest): QueryResponse
  extendVote(request: VoteExtensionRequest): Uint8Array
  verifyVoteExtension(request: VoteExtensionRequest & { readonly extension: Uint8Array }): 'accept' | 'reject'
  listSnapshots(): readonly SnapshotOffer[]
  offerSnapshot(snapshot: SnapshotOffer, appHash: Uint8Array): 'accept' | 'reject' | 'reject-format'
  loadSnapshotChunk(height: number, format: number, chunk: number): Uint8Array
  applySnapshotChunk(index: number, chunk: Uint8Array): 'accept' | 'retry' | 'abort'
}
