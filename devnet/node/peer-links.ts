/** What nodes of one network say to each other, and the ports they say it through. */
import { checkPeerMessage, PEER_MESSAGE, type PeerMessage } from '../consensus/peer-message.ts'
import { WireError } from '../consensus/protobuf.ts'
import { decode, encode, int64, message, nested, repeatedBytes, union, type ValueOf } from '../consensus/schema.ts'
import { isSyncMessage, isWellFormed, SYNC_MEMBERS } from './sync-message.ts'

const NODE_MESSAGE = union('sum', {
  consensus: nested(1, PEER_MESSAGE),
  /** Transactions that wait. */
  txs: nested(2, message({ txs: repeatedBytes(1) })),
  /** Blocks are wanted up to this height, empty ones too. Of devnets with powers. */
  want: nested(3, message({ height: int64(1) })),
  /** How far the chain's clock is ahead of the machines', and the time of the next block if it is set; milliseconds. Likewise. */
  clock: nested(4, message({ offsetMs: int64(1), nextTimeMs: int64(2) })),
  ...SYNC_MEMBERS,
})
type WireNodeMessage = NonNullable<ValueOf<typeof NODE_MESSAGE>>

export type NodeMessage = PeerMessage | Exclude<WireNodeMessage, { readonly kind: 'consensus' }>

export function encodeNodeMessage(said: NodeMessage): Uint8Array {
  const isOwn = said.kind === 'txs' || said.kind === 'want' || said.kind === 'clock' || isSyncMessage(said)
  return encode(NODE_MESSAGE, isOwn ? said : { kind: 'consensus', value: said })
}

/** Undefined for what is malformed. */
export function decodeNodeMessage(bytes: Uint8Array): NodeMessage | undefined {
  try {
    const said = decode(NODE_MESSAGE, bytes)
    if (said === null || (isSyncMessage(said) && !isWellFormed(said))) return undefined
    if (said.kind !== 'consensus') return said
    return said.value === null || checkPeerMessage(said.value) !== null ? undefined : said.value
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

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

/** Where nodes meet. */
export interface PeerNetwork {
  /** `validator` is the address of the key that the node has. */
  join(name: string, validator: string | undefined, listener: PeerListener): PeerLinks
  /** Of all nodes that may be met here, also of those that are away. */
  names(): readonly string[]
}
