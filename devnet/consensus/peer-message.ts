/**
 * What replicas of one chain say to each other. Blocks go whole, beside the proposal that names their parts; what gets lost is
 * found missing in a status and sent again.
 *
 * @source spec consensus §6.2
 */

import { checkBlockIdForm } from './block-id.ts'
import { checkEvidence } from './evidence.ts'
import { type Fault, fault } from './fault.ts'
import { VOTES_MAX } from './gossip.ts'
import { checkProposal } from './proposal.ts'
import {
  bytes,
  enumeration,
  int32,
  int64,
  message,
  nested,
  optional,
  repeated,
  uint32,
  union,
  type ValueOf,
} from './schema.ts'
import { checkVote, isVoteType } from './vote.ts'
import { BIT_ARRAY, BLOCK_ID, EVIDENCE, EXTENDED_COMMIT, PROPOSAL, VOTE } from './wire.ts'

const VOTE_SUMMARY = message({
  round: int32(1),
  type: enumeration(2),
  blockId: nested(3, BLOCK_ID),
  /** By validator. */
  voters: nested(4, BIT_ARRAY),
})
export type VoteSummary = ValueOf<typeof VOTE_SUMMARY>

/** Where a replica is, and what it has. */
const STATUS = message({
  /** The height that is being decided. */
  height: int64(1),
  /** −1 while there is nothing to propose. */
  round: int32(2),
  /** The lowest height whose block is there. */
  base: int64(3),
  votes: repeated(4, VOTE_SUMMARY),
  /** One more than the round of the proposal that is there for `round`; 0 without. */
  proposal: uint32(5),
  /** Blocks that are named but not there. */
  missing: repeated(6, BLOCK_ID),
})
export type Status = ValueOf<typeof STATUS>

export const DECIDED_BLOCK = message({ block: bytes(1), commit: nested(2, EXTENDED_COMMIT) })
export type DecidedBlock = ValueOf<typeof DECIDED_BLOCK>

export const PEER_MESSAGE = union('sum', {
  status: nested(1, STATUS),
  proposal: nested(2, message({ proposal: nested(1, PROPOSAL), block: bytes(2) })),
  block: nested(3, message({ block: bytes(1) })),
  vote: nested(4, message({ vote: nested(1, VOTE) })),
  evidence: nested(5, message({ evidence: optional(1, EVIDENCE) })),
  blocksRequest: nested(6, message({ from: int64(1), count: uint32(2) })),
  blocks: nested(7, message({ blocks: repeated(1, DECIDED_BLOCK) })),
})
export type PeerMessage = NonNullable<ValueOf<typeof PEER_MESSAGE>>

export const STATUS_SUMMARIES_MAX = 64
export const STATUS_MISSING_MAX = 16
export const BLOCKS_COUNT_MAX = 64

/** The form of what a peer said; null if it may go on. */
export function checkPeerMessage({ kind, value }: PeerMessage): Fault | null {
  switch (kind) {
    case 'status':
      return checkStatus(value)
    case 'proposal':
      return checkProposal(value.proposal)
    case 'vote':
      return checkVote(value.vote)
    case 'evidence':
      return value.evidence === null ? fault('malformed') : checkEvidence(value.evidence)
    case 'blocksRequest':
      return value.from < 1n ? fault('height-not-positive') : null
    case 'blocks':
      return value.blocks.length > BLOCKS_COUNT_MAX ? fault('too-long') : null
    case 'block':
      return null
  }
}

function checkStatus({ height, round, votes, missing }: Status): Fault | null {
  if (height < 1n) return fault('height-not-positive')
  if (round < -1) return fault('round-negative')
  if (votes.length > STATUS_SUMMARIES_MAX || missing.length > STATUS_MISSING_MAX) return fault('too-long')
  for (const { type, blockId, voters } of votes) {
    if (!isVoteType(type)) return fault('type')
    if (checkBlockIdForm(blockId) !== null) return fault('block-id-form')
    if (voters.bits < 0n || voters.bits > BigInt(VOTES_MAX)) return fault('malformed')
    if (BigInt(voters.elems.length) !== (voters.bits + 63n) / 64n) return fault('malformed')
  }
  return missing.some((blockId) => checkBlockIdForm(blockId) !== null) ? fault('block-id-form') : null
}
