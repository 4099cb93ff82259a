/**
 * The form of what peers say on the consensus channels. A message that fails goes no further.
 *
 * @source CometBFT v0.38.25 `consensus/msgs.go`, `consensus/reactor.go`, `libs/bits/bit_array.go`
 */

import { checkBlockIdForm, isHashForm } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { BLOCK_SIZE_MAX, checkPart, PART_SIZE } from './part-set.ts'
import { checkProposal } from './proposal.ts'
import { checkVote, isVoteType } from './vote.ts'
import type { BitArray, BlockId } from './wire.ts'
import type { ConsensusMessage } from './wire-channels.ts'

export const VOTES_MAX = 10_000
const PARTS_MAX = BLOCK_SIZE_MAX / PART_SIZE + 1
const STEP_FIRST = 1
const STEP_LAST = 8

export function checkConsensusMessage(message: ConsensusMessage | null): Fault | null {
  if (message === null) return fault('malformed')
  const { kind, value } = message
  switch (kind) {
    case 'newRoundStep':
      if (value.step < STEP_FIRST || value.step > STEP_LAST) return checkHeightRound(value) ?? fault('malformed')
      return checkHeightRound(value) ?? (value.lastCommitRound < -1 ? fault('malformed') : null)
    case 'newValidBlock':
      if (!isHashForm(value.blockPartSetHeader.hash)) return fault('block-id-form')
      return (
        checkHeightRound(value) ??
        checkBits(value.blockParts, 1, PARTS_MAX) ??
        (value.blockParts?.bits === BigInt(value.blockPartSetHeader.total) ? null : fault('malformed'))
      )
    case 'proposal':
      return checkProposal(value.proposal)
    case 'proposalPol':
      if (value.height < 0n) return fault('height-not-positive')
      if (value.proposalPolRound < 0) return fault('pol-round')
      return checkBits(value.proposalPol, 1, VOTES_MAX)
    case 'blockPart':
      return checkPart(value.part) ?? checkHeightRound(value)
    case 'vote':
      return value.vote === null ? fault('malformed') : checkVote(value.vote)
    case 'hasVote':
      return checkHeightRound(value) ?? checkType(value) ?? (value.index < 0 ? fault('malformed') : null)
    case 'voteSetMaj23':
      return checkBlockIdForm(value.blockId) ?? checkHeightRound(value) ?? checkType(value)
    case 'voteSetBits':
      if (value.height < 0n) return fault('height-not-positive')
      return checkType(value) ?? checkBlockIdForm(value.blockId) ?? checkBits(value.votes, 0, VOTES_MAX)
  }
}

function checkHeightRound({ height, round }: { readonly height: bigint; readonly round: number }): Fault | null {
  if (height < 0n) return fault('height-not-positive')
  return round < 0 ? fault('round-negative') : null
}

function checkType({ type }: { readonly type: number; readonly blockId?: BlockId }): Fault | null {
  return isVoteType(type) ? null : fault('type')
}

/** So many bits, and the words that hold them. */
function checkBits(array: BitArray | null, least: number, most: number): Fault | null {
  const { bits, elems } = array ?? { bits: 0n, elems: [] }
  if (bits < BigInt(least) || bits > BigInt(most)) return fault('malformed')
  return BigInt(elems.length) === (bits + 63n) / 64n ? null : fault('malformed')
}

/** An array with a bit for each of `isSet`. */
export function bitArray(isSet: readonly boolean[]): BitArray {
  const elems = new Array<bigint>(Math.ceil(isSet.length / 64)).fill(0n)
  for (const [i, set] of isSet.entries()) if (set) elems[i >> 6]! |= 1n << BigInt(i & 63)
  return { bits: BigInt(isSet.length), elems }
}
