/**
 * Validators that break the rules: an honest replica runs behind each, and what it says is twisted on the way out. Their keys sign
 * whatever they like, without a guard.
 *
 * @source spec consensus §8.4
 */

import { encodeUtf8 } from '../../primitives/utf8.ts'
import { decodeBlock } from '../block.ts'
import { isNil, NIL_BLOCK_ID } from '../block-id.ts'
import { isFault } from '../fault.ts'
import { bitArray } from '../gossip.ts'
import { commitHash, headerHash, txsHash } from '../hash.ts'
import { partSetHeader } from '../part-set.ts'
import type { PeerMessage } from '../peer-message.ts'
import type { ReplicaKey } from '../replica-host.ts'
import { encode } from '../schema.ts'
import { proposalSignBytes, voteSignBytes } from '../sign-bytes.ts'
import { MILLISECOND } from '../time.ts'
import { BLOCK, type Block, type BlockId, PRECOMMIT, PREVOTE, type Proposal, type Vote } from '../wire.ts'
import type { SimulatedNode } from './node.ts'
import type { Random } from './random.ts'

export const VICES = [
  'silent',
  'two proposals',
  'two votes',
  'yes to all',
  'nil to all',
  'no block',
  'bad block',
  'false proof of lock',
  'far rounds',
  'old messages',
  'misplaced votes',
  'lies',
  'late',
  'two faces',
] as const
export type Vice = (typeof VICES)[number]

/** What the faulty share. */
export interface Conspiracy {
  readonly chainId: string
  /** By the hash of a block that goes to one half of the nodes, what the other half gets. */
  readonly others: Map<string, Extract<PeerMessage, { kind: 'proposal' }>>
}

export interface Twisted {
  readonly message: PeerMessage
  readonly delayMs: number
}

export class Byzantine {
  readonly vice: Vice
  readonly #random: Random
  readonly #chainId: string
  readonly #conspiracy: Conspiracy
  readonly #recorded: PeerMessage[] = []
  readonly #twins = new Map<string, PeerMessage>()

  constructor(vice: Vice, random: Random, conspiracy: Conspiracy) {
    this.vice = vice
    this.#random = random
    this.#conspiracy = conspiracy
    this.#chainId = conspiracy.chainId
  }

  /** What goes to the peer with this place instead of the message. */
  twist(node: SimulatedNode, place: number, message: PeerMessage): readonly Twisted[] {
    const key = node.key
    if (key === null) return [{ message, delayMs: 0 }]
    return this.#twist(key, node, place, message).map((twisted) =>
      this.vice === 'late'
        ? { message: twisted, delayMs: this.#random.between(0, 900) }
        : { message: twisted, delayMs: 0 },
    )
  }

  /** What it says of itself when a message comes in. */
  answer(node: SimulatedNode, message: PeerMessage): readonly PeerMessage[] {
    const { key } = node
    const { self } = node.replica.rounds
    if (this.vice !== 'yes to all' || key === null || self === null || message.kind !== 'proposal') return []
    const { height, round, blockId } = message.value.proposal
    if (height !== node.replica.height) return []
    const address = node.replica.rounds.keeper.validators.validators[self]!.address
    return [PREVOTE, PRECOMMIT].map((type) =>
      this.#vote(key, {
        type,
        height,
        round,
        blockId,
        timestamp: node.now(),
        validatorAddress: address,
        validatorIndex: self,
        signature: new Uint8Array(0),
        extension: new Uint8Array(0),
        extensionSignature: new Uint8Array(0),
      }),
    )
  }

  #twist(key: ReplicaKey, node: SimulatedNode, place: number, message: PeerMessage): readonly PeerMessage[] {
    const isOdd = place % 2 === 1
    switch (this.vice) {
      case 'silent':
        return []
      case 'late':
        return [message]
      case 'yes to all':
        return message.kind === 'vote' ? [] : [message]
      case 'nil to all':
        return message.kind === 'vote' ? [this.#vote(key, { ...message.value.vote, blockId: NIL_BLOCK_ID })] : [message]
      case 'two votes':
        return [isOdd && message.kind === 'vote' ? this.#otherVote(key, node, message.value.vote) : message]
      case 'two proposals':
        return [
          isOdd && message.kind === 'proposal' ? this.#otherProposal(key, message, (block) => later(block)) : message,
        ]
      case 'two faces':
        return [isOdd ? this.#otherFace(key, message) : message]
      case 'no block':
        return message.kind === 'proposal'
          ? [{ kind: 'proposal', value: { proposal: message.value.proposal, block: new Uint8Array(0) } }]
          : message.kind === 'block'
            ? []
            : [message]
      case 'bad block':
        return [
          message.kind === 'proposal' ? this.#otherProposal(key, message, (block) => this.#spoil(block)) : message,
        ]
      case 'false proof of lock':
        return [message.kind === 'proposal' ? this.#falseProof(key, message) : message]
      case 'far rounds':
        return message.kind === 'vote' ? [message, ...this.#farVotes(key, message.value.vote)] : [message]
      case 'old messages':
        return this.#withOld(message)
      case 'misplaced votes':
        return message.kind === 'vote' ? [message, ...this.#misplaced(key, message.value.vote)] : [message]
      case 'lies':
        return message.kind === 'status' ? [message, this.#lie(message)] : [message]
    }
  }

  #vote(key: ReplicaKey, vote: Vote): PeerMessage {
    const signature = key.sign(voteSignBytes(this.#chainId, vote))
    return { kind: 'vote', value: { vote: { ...vote, signature } } }
  }

  /** For nil, or for some block that is about. */
  #otherVote(key: ReplicaKey, node: SimulatedNode, vote: Vote): PeerMessage {
    let blockId: BlockId = NIL_BLOCK_ID
    if (isNil(vote.blockId))
      for (const candidate of node.replica.rounds.candidates.values()) blockId = candidate.blockId
    return this.#vote(key, { ...vote, blockId })
  }

  /** All the faulty tell one half of the nodes one thing, and the other half another. */
  #otherFace(key: ReplicaKey, message: PeerMessage): PeerMessage {
    const { others } = this.#conspiracy
    if (message.kind === 'proposal') {
      const other = this.#otherProposal(key, message, later)
      if (other.kind === 'proposal') others.set(message.value.proposal.blockId.hash, other)
      return other
    }
    if (message.kind !== 'vote') return message
    const other = others.get(message.value.vote.blockId.hash)
    return other === undefined
      ? message
      : this.#vote(key, { ...message.value.vote, blockId: other.value.proposal.blockId })
  }

  #otherProposal(
    key: ReplicaKey,
    message: Extract<PeerMessage, { kind: 'proposal' }>,
    change: (block: Block) => Block,
  ): PeerMessage {
    const { proposal, block: bytes } = message.value
    const name = `${proposal.height}/${proposal.round}`
    const known = this.#twins.get(name)
    if (known !== undefined) return known
    const block = decodeBlock(bytes)
    if (isFault(block)) return message
    const changed = encode(BLOCK, change(block))
    const { header } = change(block)
    const blockId = { hash: headerHash(header) ?? '', partSetHeader: partSetHeader(changed) }
    const other = this.#proposal(key, { ...proposal, blockId }, changed)
    this.#twins.set(name, other)
    return other
  }

  #proposal(key: ReplicaKey, proposal: Proposal, block: Uint8Array): PeerMessage {
    const signature = key.sign(proposalSignBytes(this.#chainId, proposal))
    return { kind: 'proposal', value: { proposal: { ...proposal, signature }, block } }
  }

  #spoil(block: Block): Block {
    const { header, data, lastCommit } = block
    const way = this.#random.below(5)
    if (way === 0) return { ...block, header: { ...header, appHash: header.validatorsHash } }
    if (way === 1) return { ...block, header: { ...header, time: 1n } }
    if (way === 2) return { ...block, header: { ...header, time: header.time + 3_600_000n * MILLISECOND } }
    if (way === 3 && lastCommit !== null && lastCommit.signatures.length > 0) {
      const signatures = lastCommit.signatures.map((sig) => ({
        ...sig,
        signature: Uint8Array.from(sig.signature, (b) => b ^ 1),
      }))
      const commit = { ...lastCommit, signatures }
      return { ...block, lastCommit: commit, header: { ...header, lastCommitHash: commitHash(commit) } }
    }
    const txs = [...data.txs, encodeUtf8('bad line')]
    return { ...block, data: { txs }, header: { ...header, dataHash: txsHash(txs) } }
  }

  #falseProof(key: ReplicaKey, { value }: Extract<PeerMessage, { kind: 'proposal' }>): PeerMessage {
    const { proposal, block } = value
    return proposal.round === 0
      ? { kind: 'proposal', value }
      : this.#proposal(key, { ...proposal, polRound: this.#random.below(proposal.round) }, block)
  }

  #farVotes(key: ReplicaKey, vote: Vote): readonly PeerMessage[] {
    return [vote.round + 2, vote.round + 1 + this.#random.below(1000), 2 ** 31 - 1].map((round) =>
      this.#vote(key, { ...vote, round }),
    )
  }

  #withOld(message: PeerMessage): readonly PeerMessage[] {
    if (this.#recorded.length < 200) this.#recorded.push(message)
    else this.#recorded[this.#random.below(200)] = message
    return [message, this.#random.pick(this.#recorded)]
  }

  #misplaced(key: ReplicaKey, vote: Vote): readonly PeerMessage[] {
    const validatorIndex = vote.validatorIndex + 1
    const validatorAddress = `${vote.validatorAddress.slice(1)}x`
    return [
      this.#vote(key, { ...vote, validatorIndex }),
      this.#vote(key, { ...vote, validatorAddress }),
      this.#vote(key, { ...vote, validatorIndex: 9999 }),
      { kind: 'vote', value: { vote: { ...vote, signature: Uint8Array.from(vote.signature, (b) => b ^ 255) } } },
      { kind: 'vote', value: { vote: { ...vote, height: vote.height + 1n } } },
    ]
  }

  /** Far ahead, with quorums that never were. */
  #lie({ value }: Extract<PeerMessage, { kind: 'status' }>): PeerMessage {
    const voters = bitArray([true, true, true, true, true, true, true])
    const votes = [PREVOTE, PRECOMMIT].map((type) => ({
      round: Math.max(value.round, 0),
      type,
      blockId: fakeBlockId(this.#random),
      voters,
    }))
    if (this.#random.chance(0.5)) return { kind: 'status', value: { ...value, votes } }
    return { kind: 'status', value: { ...value, height: value.height + 1000n, votes } }
  }
}

function later(block: Block): Block {
  return { ...block, header: { ...block.header, time: block.header.time + 7n * MILLISECOND } }
}

function fakeBlockId(random: Random): BlockId {
  const hash = String.fromCharCode(...Array.from({ length: 32 }, () => random.below(256)))
  return { hash, partSetHeader: { total: 1, hash } }
}
