/** What the rest of the node asks of a chain, whichever driver decides its blocks. */
import type { Passage } from '../consensus/replica-host.ts'
import type { RoundState } from '../consensus/round.ts'
import type { Evidence, PublicKey } from '../consensus/wire.ts'
import type { Cid } from '../ipld/cid.ts'
import type { Finalized } from './block-executor.ts'
import type { BlockStore } from './block-store.ts'
import type { BlockRecord, MessageLocation, TxRecord } from './chain-records.ts'
import type { FvmApplication } from './fvm-application.ts'
import type { Mempool } from './mempool.ts'
import type { Power } from './transaction.ts'

/** When blocks are made. */
export type BlockPolicy =
  | { readonly kind: 'auto' }
  | { readonly kind: 'interval'; readonly intervalMs: number }
  | { readonly kind: 'manual' }

/** The transaction was refused at the door; `code` is `CheckCode`'s, an exit code of preflight, or the mempool's. */
export class SubmitError extends Error {
  override readonly name = 'SubmitError'
  readonly code: number | string
  constructor(code: number | string, message: string) {
    super(message)
    this.code = code
  }
}

/** The chain cannot go on: what was acknowledged is safe, what was not may be lost. */
export class ChainHalted extends Error {
  override readonly name = 'ChainHalted'
  readonly code = 'TRP-8201'
}

/** The driver has no such power: other processes decide with it. */
export class PowerUnavailable extends Error {
  override readonly name = 'PowerUnavailable'
  readonly code = 'TRP-8213'
}

export interface Included extends MessageLocation {
  readonly result: TxRecord
}

/** What is being decided. */
export interface Deciding {
  /** Null where nobody votes. */
  readonly rounds: RoundState | null
  /** Nothing is being decided, for want of something to propose. */
  readonly isWaiting: boolean
}

/** Another node of the network; `address` is its validator's, a binary string, empty for none. */
export interface PeerName {
  readonly name: string
  readonly address: string
}

/** What a driver of ours lets be seen of consensus, for CometBFT's RPC. */
export interface ConsensusView {
  /** Of the validator that this node is; null for a node that only follows. */
  readonly publicKey: PublicKey | null
  /** Calls back after each block that has become durable, in order. The answer ends that. */
  onFinalized(listener: (finalized: Finalized) => void): () => void
  /** Calls back with all that this node's replica lives through; where nobody votes, never. The answer ends that. */
  onPassage(listener: (passage: Passage) => void): () => void
  deciding(): Deciding
  /** Blocks are known to be missing. */
  isCatchingUp(): boolean
  peers(): readonly PeerName[]
  /** Takes a piece that is well formed. @throws SubmitError when it is not true, or of no use here */
  addEvidence(piece: Evidence): void
}

export interface Chain {
  readonly application: FvmApplication
  readonly mempool: Mempool
  /** The blocks as consensus has them: headers, commits, results. Null where another program keeps them. */
  readonly blocks: BlockStore | null
  /** Null where another program decides. */
  readonly consensus: ConsensusView | null
  policy: BlockPolicy
  /** Takes a transaction at the door; it waits for a block. @throws SubmitError, ChainHalted */
  submit(tx: Uint8Array): Cid
  /** Resolves when the transaction is in a durable block. */
  waitFor(cid: Cid): Promise<Included>
  /** Puts powers into the next block, which is made at once. */
  apply(powers: readonly Power[]): Promise<Included>
  /** Makes blocks now, empty ones too. */
  mine(count: number): Promise<number>
  /** Moves the clock of the chain forwards. */
  warp(change: { readonly byMs: number } | { readonly toMs: number }): void
  /** Goes back to a block; messages that waited are dropped. */
  rewind(height: number): Promise<void>
  onBlock(listener: (block: BlockRecord) => void): () => void
  close(): Promise<void>
}
