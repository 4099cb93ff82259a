/**
 * Validators that break the rules: an honest replica runs behind each, and what it says is twisted on the way out. Their keys sign
 * whatever they like, without a guard.
 *
 * @source spec consensus §8.4
 */

import { concatBytes } from '../../primitives/bytes.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import { decodeBlock } from '../block.ts'
import { isNil, NIL_BLOCK_ID } from '../block-id.ts'
import { ABSENT_SIG, commitSigOf } from '../commit.ts'
import { isFault } from '../fault.ts'
import { bitArray } from '../gossip.ts'
import { commitHash, headerHash, txsHash } from '../hash.ts'
import { partSetHeader } from '../part-set.ts'
import { PEER_MESSAGE, type PeerMessage } from '../peer-message.ts'
import { WireError } from '../protobuf.ts'
import type { ReplicaKey } from '../replica-host.ts'
import { decode, encode } from '../schema.ts'
import { extensionSignBytes, proposalSignBytes, voteSignBytes } from '../sign-bytes.ts'
import { MILLISECOND } from '../time.ts'
import { isExtensible } from '../vote.ts'
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
  'just too late',
  'amnesia',
  'bad extension',
  'garbage',
  'two sessions',
  'forged commits',
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
  /** Over a second connection, as if it were another peer. */
  readonly isSecondSession: boolean
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
    if (key === null) return [{ message, delayMs: 0, isSecondSession: false }]
    const twisted = this.#twist(key, node, place, message).map((said) => ({
      message: said,
      delayMs: this.#delay(node, said),
      isSecondSession: false,
    }))
    if (this.vice !== 'two sessions') return twisted
    return [...twisted, { message: this.#contradiction(key, node, message), delayMs: 0, isSecondSession: true }]
  }

  #delay({ setting: { options } }: SimulatedNode, message: PeerMessage): number {
    if (this.vice === 'late') return this.#random.between(0, 900)
    if (this.vice !== 'just too late' || message.kind !== 'vote') return 0
    const { type, round } = message.value.vote
    const { baseMs, deltaMs } = options.timeouts[type === PREVOTE ? 'prevote' : 'precommit']
    return baseMs + deltaMs * round + this.#random.between(0, 3)
  }

  /** What the second session says where the first says this. */
  #contradiction(key: ReplicaKey, node: SimulatedNode, message: PeerMessage): PeerMessage {
    if (message.kind === 'vote') return this.#otherVote(key, node, message.value.vote)
    return message.kind === 'status' ? this.#lie(message) : message
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
        signature: NO_BYTES,
        extension: NO_BYTES,
        extensionSignature: NO_BYTES,
      }),
    )
  }

  #twist(key: ReplicaKey, node: SimulatedNode, place: number, message: PeerMessage): readonly PeerMessage[] {
    const isOdd = place % 2 === 1
    switch (this.vice) {
      case 'silent':
        return []
      case 'late':
      case 'just too late':
      case 'two sessions':
        return [message]
      case 'amnesia':
        return [message.kind === 'vote' ? this.#forgetLock(key, node, message.value.vote) : message]
      case 'bad extension':
        return [message.kind === 'vote' ? this.#badExtension(key, message.value.vote) : message]
      case 'garbage':
        return [message, ...this.#damaged(message)]
      case 'forged commits':
        return message.kind === 'status' ? [message, ...this.#forgedBlocks(key, node)] : [message]
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

  /** Signed, with an extension where the honest vote would have one that is signed. */
  #vote(key: ReplicaKey, draft: Vote): PeerMessage {
    const vote = isExtensible(draft) ? draft : { ...draft, extension: NO_BYTES, extensionSignature: NO_BYTES }
    const signature = key.sign(voteSignBytes(this.#chainId, vote))
    return { kind: 'vote', value: { vote: { ...vote, signature } } }
  }

  /** Prevotes what is proposed, whatever it is locked on. */
  #forgetLock(key: ReplicaKey, { replica: { rounds } }: SimulatedNode, vote: Vote): PeerMessage {
    const proposal = rounds.proposals.get(vote.round)?.proposal
    if (vote.type !== PREVOTE || !isNil(vote.blockId) || rounds.locked === null || proposal === undefined) {
      return { kind: 'vote', value: { vote } }
    }
    return this.#vote(key, { ...vote, blockId: proposal.blockId })
  }

  #badExtension(key: ReplicaKey, vote: Vote): PeerMessage {
    if (!isExtensible(vote) || vote.extensionSignature.length === 0) return { kind: 'vote', value: { vote } }
    const extension = encodeUtf8('as I like it')
    const way = this.#random.below(3)
    if (way === 0) return this.#vote(key, { ...vote, extension: NO_BYTES, extensionSignature: NO_BYTES })
    if (way === 1) return this.#vote(key, { ...vote, extension })
    const extensionSignature = key.sign(extensionSignBytes(this.#chainId, { ...vote, extension }))
    return this.#vote(key, { ...vote, extension, extensionSignature })
  }

  /** The frame with a few bytes changed, cut or added, if it is a message still. */
  #damaged(message: PeerMessage): readonly PeerMessage[] {
    let frame = encode(PEER_MESSAGE, message)
    for (let i = 1 + this.#random.below(3); i > 0; i--) {
      const at = this.#random.below(frame.length + 1)
      const way = this.#random.below(3)
      if (way === 0) frame = frame.slice(0, at)
      else if (way === 1) frame = concatBytes(frame, Uint8Array.of(this.#random.below(256)))
      else frame = frame.map((byte, place) => (place === at ? this.#random.below(256) : byte))
    }
    try {
      const read = decode(PEER_MESSAGE, frame)
      return read === null ? [] : [read]
    } catch (error) {
      if (error instanceof WireError) return []
      throw error
    }
  }

  /** A block that is about as if it were decided: by one validator alone, or by all in its own hand. */
  #forgedBlocks(key: ReplicaKey, node: SimulatedNode): readonly PeerMessage[] {
    const { keeper, candidates, self, round } = node.replica.rounds
    const [candidate] = candidates.values()
    if (candidate === undefined || self === null) return []
    const { height } = keeper
    const isAlone = this.#random.chance(0.5)
    const extendedSignatures = keeper.validators.validators.map(({ address }, validatorIndex) => {
      if (isAlone && validatorIndex !== self) {
        return { ...ABSENT_SIG, extension: NO_BYTES, extensionSignature: NO_BYTES }
      }
      const draft: Vote = {
        type: PRECOMMIT,
        height,
        round: Math.max(round, 0),
        blockId: candidate.blockId,
        timestamp: node.now(),
        validatorAddress: address,
        validatorIndex,
        signature: NO_BYTES,
        extension: NO_BYTES,
        extensionSignature: NO_BYTES,
      }
      const vote = { ...draft, signature: key.sign(voteSignBytes(this.#chainId, draft)) }
      return commitSigOf(keeper.hasExtensions ? { ...vote, extensionSignature: vote.signature } : vote)
    })
    const commit = { height, round: Math.max(round, 0), blockId: candidate.blockId, extendedSignatures }
    return [{ kind: 'blocks', value: { blocks: [{ block: candidate.bytes, commit }] } }]
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
    const way = this.#random.below(6)
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
    // Too large, if a little; or with a line that no application takes.
    const txs = [...data.txs, way === 5 ? new Uint8Array(OVERSIZE).fill(0x61) : encodeUtf8('bad line')]
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

const NO_BYTES = new Uint8Array(0)
/** Bytes of a block of as many parts as are allowed, and more than are. */
const OVERSIZE = 170_000

function later(block: Block): Block {
  return { ...block, header: { ...block.header, time: block.header.time + 7n * MILLISECOND } }
}

function fakeBlockId(random: Random): BlockId {
  const hash = String.fromCharCode(...Array.from({ length: 32 }, () => random.below(256)))
  return { hash, partSetHeader: { total: 1, hash } }
}
