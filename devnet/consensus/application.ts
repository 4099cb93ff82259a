/**
 * What a chain must answer to whoever decides its blocks: ABCI 2.0, spoken as values, so that the instant driver, the embedded
 * engine and the real CometBFT drive the same object. Transactions are opaque bytes.
 *
 * Rules (spec consensus §4.5): `finalizeBlock` is deterministic and writes nothing that survives a crash; `commit` makes
 * the block durable and only then returns; `checkTx` never changes committed state; an invalid transaction is a result
 * with a code, never an error. A method that throws stops the node.
 *
 * @source CometBFT `spec/abci/abci++_methods.md` (v0.38)
 */

import type { AbciRequest, AbciResponse } from './wire-abci.ts'

/** The value of a request or a response, by the name of its method. */
export type RequestOf<Kind extends AbciRequest['kind']> = Extract<AbciRequest, { readonly kind: Kind }>['value']
export type ResponseOf<Kind extends AbciResponse['kind']> = Extract<AbciResponse, { readonly kind: Kind }>['value']

export type FinalizeBlockRequest = RequestOf<'finalizeBlock'>
export type FinalizeBlockResponse = ResponseOf<'finalizeBlock'>

/** `type` of `checkTx`. `RECHECK`: the transaction waited while a block was committed. */
export const CHECK_NEW = 0
export const CHECK_RECHECK = 1

/** `status` of `processProposal` and `verifyVoteExtension`. */
export const ACCEPT = 1
export const REJECT = 2

/** `result` of `offerSnapshot`. */
export const OfferResult = { Accept: 1, Abort: 2, Reject: 3, RejectFormat: 4, RejectSender: 5 } as const
/** `result` of `applySnapshotChunk`. */
export const ChunkResult = { Accept: 1, Abort: 2, Retry: 3, RetrySnapshot: 4, RejectSnapshot: 5 } as const

export interface Application {
  info(request: RequestOf<'info'>): ResponseOf<'info'>
  initChain(request: RequestOf<'initChain'>): ResponseOf<'initChain'>
  query(request: RequestOf<'query'>): ResponseOf<'query'>
  checkTx(request: RequestOf<'checkTx'>): ResponseOf<'checkTx'>
  prepareProposal(request: RequestOf<'prepareProposal'>): ResponseOf<'prepareProposal'>
  processProposal(request: RequestOf<'processProposal'>): ResponseOf<'processProposal'>
  extendVote(request: RequestOf<'extendVote'>): ResponseOf<'extendVote'>
  verifyVoteExtension(request: RequestOf<'verifyVoteExtension'>): ResponseOf<'verifyVoteExtension'>
  /**
   * Not of ABCI: the block is likely to be decided, so it may be executed now. `finalizeBlock` with the same hash then
   * answers what was found; what was found for other blocks is dropped at the next commit. A failure means nothing by itself, and leaves
   * nothing behind.
   */
  executeAhead?(request: FinalizeBlockRequest): void
  finalizeBlock(request: FinalizeBlockRequest): FinalizeBlockResponse
  /** Resolves when the block that was finalized last survives a crash. */
  commit(): Promise<ResponseOf<'commit'>>
  listSnapshots(request: RequestOf<'listSnapshots'>): ResponseOf<'listSnapshots'>
  offerSnapshot(request: RequestOf<'offerSnapshot'>): Promise<ResponseOf<'offerSnapshot'>>
  loadSnapshotChunk(request: RequestOf<'loadSnapshotChunk'>): ResponseOf<'loadSnapshotChunk'>
  /** Accepted: after the last chunk the state is durable, and `info` says so. */
  applySnapshotChunk(request: RequestOf<'applySnapshotChunk'>): Promise<ResponseOf<'applySnapshotChunk'>>
}
