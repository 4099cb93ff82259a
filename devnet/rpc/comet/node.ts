/** What CometBFT's RPC asks of a node. A chain of ours answers it (`chain-node.ts`), and so does a recorded one. */

import type { Application, ResponseOf } from '../../consensus/application.ts'
import type { Genesis } from '../../consensus/chain-state.ts'
import type { Evidence, PublicKey } from '../../consensus/wire.ts'
import type { BlockStore } from '../../node/block-store.ts'
import type { Deciding } from '../../node/chain.ts'

export interface NodeIdentity {
  /** 20 bytes, hex. */
  readonly id: string
  readonly moniker: string
  readonly listenAddress: string
  readonly rpcAddress: string
  /** Clients choose their dialect by how it begins. */
  readonly version: string
}

export interface NodePeer {
  readonly identity: NodeIdentity
  readonly ip: string
}

export interface CometNode {
  readonly blocks: BlockStore
  readonly application: Pick<Application, 'info' | 'query' | 'checkTx'>
  readonly genesis: Genesis
  /** Of the genesis' validators, in their order. */
  readonly validatorNames: readonly string[]
  readonly identity: NodeIdentity
  /** Null for a node that only follows. */
  readonly publicKey: PublicKey | null
  peers(): readonly NodePeer[]
  isCatchingUp(): boolean
  deciding(): Deciding
  /** Transactions that wait. */
  waitingTxs(): readonly Uint8Array[]
  /** Puts a transaction among those that wait, if the application agrees. @throws CometFault */
  broadcast(tx: Uint8Array): ResponseOf<'checkTx'>
  /** Resolves when a block with the transaction is published. @throws CometFault when it is dropped, or after `waitMs` */
  included(tx: Uint8Array, waitMs: number): Promise<void>
  /** @throws CometFault when the piece is not true, or this node has no use for it */
  addEvidence(evidence: Evidence): void
}
