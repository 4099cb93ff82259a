/**
 * A proposer's offer of a block for a round.
 *
 * @source CometBFT v0.38.25 `types/proposal.go`
 */

import { checkBlockIdForm, isComplete } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { type VerifyMessage, verifyMessage } from './key.ts'
import { BLOCK_SIZE_MAX, PART_SIZE } from './part-set.ts'
import { proposalSignBytes } from './sign-bytes.ts'
import { checkSignatureSize } from './vote.ts'
import { PROPOSAL_TYPE, type Proposal, type PublicKey } from './wire.ts'

/** The form of a proposal that came from outside. */
export function checkProposal(proposal: Proposal): Fault | null {
  if (proposal.type !== PROPOSAL_TYPE) return fault('type')
  if (proposal.height < 0n) return fault('height-not-positive')
  if (proposal.round < 0) return fault('round-negative')
  if (proposal.polRound < -1) return fault('pol-round')
  if (checkBlockIdForm(proposal.blockId) !== null || !isComplete(proposal.blockId)) return fault('block-id-form')
  return checkSignatureSize(proposal.signature)
}

export function verifyProposal(
  chainId: string,
  proposal: Proposal,
  key: PublicKey,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  return verify(key, proposalSignBytes(chainId, proposal), proposal.signature) ? null : fault('wrong-signature')
}

/** Whether a block of so many parts can be within `maxBytes`; −1 stands for the limit of all blocks. */
export function hasRoomFor(parts: number, maxBytes: bigint): boolean {
  const limit = maxBytes === -1n ? BigInt(BLOCK_SIZE_MAX) : maxBytes
  return BigInt(parts) <= (limit - 1n) / BigInt(PART_SIZE) + 1n
}
