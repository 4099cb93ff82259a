/** What validators of one network say to each other beside consensus, and the port they say it through. */
import type { PeerMessage } from '../consensus/peer-message.ts'

/** Transactions that wait at one node are told to the others. */
export type NodeMessage =
  | PeerMessage
  | { readonly kind: 'txs'; readonly value: { readonly txs: readonly Uint8Array[] } }

/** One node's way to the others. */
export interface PeerLinks {
  send(peer: string, message: NodeMessage): void
  broadcast(message: NodeMessage): void
  /** The address of the validator that a peer has proved to be. */
  validatorOf(peer: string): string | undefined
  peers(): readonly string[]
  close(): void
}

export interface PeerListener {
  receive(peer: string, message: NodeMessage): void
  joined(peer: string): void
  left(peer: string): void
}
