/**
 * What validators sign: canonical messages behind their length. Heights and rounds have a fixed size, so that a signing
 * device finds them; the chain id binds the signature to one chain.
 *
 * @source CometBFT v0.38.25 `types/canonical.go`, `proto/tendermint/types/canonical.proto`
 */

import { equalBytes } from '../primitives/bytes.ts'
import { checkBlockIdForm, isNil } from './block-id.ts'
import { WireError } from './protobuf.ts'
import {
  binary,
  bytes,
  decodeDelimited,
  encodeDelimited,
  enumeration,
  int64,
  type Message,
  message,
  nested,
  optional,
  sfixed64,
  text,
  time,
  uint32,
} from './schema.ts'
import type { Time } from './time.ts'
import { type BlockId, PROPOSAL_TYPE, type Proposal, type Vote } from './wire.ts'

const CANONICAL_BLOCK_ID = message({
  hash: binary(1),
  partSetHeader: nested(2, message({ total: uint32(1), hash: binary(2) })),
})

const CANONICAL_VOTE = message({
  type: enumeration(1),
  height: sfixed64(2),
  round: sfixed64(3),
  blockId: optional(4, CANONICAL_BLOCK_ID),
  timestamp: time(5),
  chainId: text(6),
})

const CANONICAL_PROPOSAL = message({
  type: enumeration(1),
  height: sfixed64(2),
  round: sfixed64(3),
  polRound: int64(4),
  blockId: optional(5, CANONICAL_BLOCK_ID),
  timestamp: time(6),
  chainId: text(7),
})

const CANONICAL_VOTE_EXTENSION = message({
  extension: bytes(1),
  height: sfixed64(2),
  round: sfixed64(3),
  chainId: text(4),
})

/** What of a vote its signature covers: neither the validator nor the extension. */
export interface SignedVote {
  readonly type: number
  readonly height: bigint
  readonly round: number
  readonly blockId: BlockId
  readonly timestamp: Time
}

/** @throws {WireError} a block id or a time that has no canonical form */
export function voteSignBytes(chainId: string, vote: SignedVote): Uint8Array {
  return encodeDelimited(CANONICAL_VOTE, {
    type: vote.type,
    height: vote.height,
    round: BigInt(vote.round),
    blockId: canonicalBlockId(vote.blockId),
    timestamp: vote.timestamp,
    chainId,
  })
}

/** @throws {WireError} a block id or a time that has no canonical form */
export function proposalSignBytes(chainId: string, proposal: Proposal): Uint8Array {
  return encodeDelimited(CANONICAL_PROPOSAL, {
    type: PROPOSAL_TYPE,
    height: proposal.height,
    round: BigInt(proposal.round),
    polRound: BigInt(proposal.polRound),
    blockId: canonicalBlockId(proposal.blockId),
    timestamp: proposal.timestamp,
    chainId,
  })
}

export function extensionSignBytes(
  chainId: string,
  { extension, height, round }: Pick<Vote, 'extension' | 'height' | 'round'>,
): Uint8Array {
  return encodeDelimited(CANONICAL_VOTE_EXTENSION, { extension, height, round: BigInt(round), chainId })
}

/**
 * The time in `before`, when the two sign bytes differ in nothing but their time; else undefined.
 *
 * @throws {WireError} no such sign bytes
 */
export function timeIfOnlyTimeDiffers(
  kind: 'vote' | 'proposal',
  before: Uint8Array,
  after: Uint8Array,
): Time | undefined {
  return kind === 'vote'
    ? compareButTime(CANONICAL_VOTE, before, after)
    : compareButTime(CANONICAL_PROPOSAL, before, after)
}

function compareButTime<T extends { readonly timestamp: Time }>(
  canonical: Message<T>,
  before: Uint8Array,
  after: Uint8Array,
): Time | undefined {
  const signed = decodeDelimited(canonical, before)
  const { timestamp } = decodeDelimited(canonical, after)
  return equalBytes(encodeDelimited(canonical, { ...signed, timestamp }), after) ? signed.timestamp : undefined
}

function canonicalBlockId(blockId: BlockId): BlockId | null {
  if (checkBlockIdForm(blockId) !== null) throw new WireError({ code: 'BLOCK_ID_FORM', offset: 0 })
  return isNil(blockId) ? null : blockId
}
