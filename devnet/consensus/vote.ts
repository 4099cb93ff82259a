/**
 * One validator's word about one block in one round.
 *
 * @source CometBFT v0.38.25 `types/vote.go`
 */

import { checkBlockIdForm, isComplete, isNil } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { ADDRESS_SIZE, SIGNATURE_SIZE_MAX, type VerifyMessage, verifyMessage } from './key.ts'
import { extensionSignBytes, voteSignBytes } from './sign-bytes.ts'
import type { Validator, ValidatorSet } from './validator-set.ts'
import { PRECOMMIT, PREVOTE, type Vote } from './wire.ts'

export function isVoteType(type: number): boolean {
  return type === PREVOTE || type === PRECOMMIT
}

/** Whether the vote may carry an extension. */
export function isExtensible({ type, blockId }: Vote): boolean {
  return type === PRECOMMIT && !isNil(blockId)
}

/** The form of a vote that came from outside. Who signed it is not asked yet. */
export function checkVote(vote: Vote): Fault | null {
  if (!isVoteType(vote.type)) return fault('type')
  if (vote.height <= 0n) return fault('height-not-positive')
  if (vote.round < 0) return fault('round-negative')
  if (checkBlockIdForm(vote.blockId) !== null) return fault('block-id-form')
  if (!isNil(vote.blockId) && !isComplete(vote.blockId)) return fault('block-id-form')
  if (vote.validatorAddress.length !== ADDRESS_SIZE) return fault('address-size')
  if (vote.validatorIndex < 0) return fault('index-negative')
  return checkSignatureSize(vote.signature) ?? checkExtensionForm(vote)
}

/** One to 64 bytes. */
export function checkSignatureSize(signature: Uint8Array): Fault | null {
  if (signature.length === 0) return fault('signature-missing')
  return signature.length > SIGNATURE_SIZE_MAX ? fault('signature-too-big') : null
}

function checkExtensionForm(vote: Vote): Fault | null {
  const { extension, extensionSignature } = vote
  if (!isExtensible(vote)) {
    return extension.length > 0 || extensionSignature.length > 0 ? fault('extension') : null
  }
  if (extensionSignature.length > SIGNATURE_SIZE_MAX) return fault('signature-too-big')
  return extensionSignature.length === 0 && extension.length > 0 ? fault('extension') : null
}

/** Whose vote it should be: an address, and the key that the address is of. */
export type Voter = Pick<Validator, 'address' | 'pubKey'>

/** Whether the voter signed the vote under its own address. */
export function verifyVote(
  chainId: string,
  vote: Vote,
  { address, pubKey }: Voter,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  if (address !== vote.validatorAddress) return fault('validator-address')
  return verify(pubKey, voteSignBytes(chainId, vote), vote.signature) ? null : fault('wrong-signature')
}

/** Like `verifyVote`; a precommit for a block must have a signed extension as well. */
export function verifyVoteAndExtension(
  chainId: string,
  vote: Vote,
  voter: Voter,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  const refused = verifyVote(chainId, vote, voter, verify)
  if (refused !== null || !isExtensible(vote)) return refused
  if (vote.extensionSignature.length === 0) return fault('extension')
  return verify(voter.pubKey, extensionSignBytes(chainId, vote), vote.extensionSignature)
    ? null
    : fault('wrong-signature')
}

/** A vote of the validator at its index, with an extension where the height has them, without where it has not. */
export function verifyVoteOfSet(
  chainId: string,
  vote: Vote,
  { set: { validators }, hasExtensions }: { readonly set: ValidatorSet; readonly hasExtensions: boolean },
  verify: VerifyMessage,
): Fault | null {
  const voter = validators[vote.validatorIndex]!
  if (hasExtensions) return verifyVoteAndExtension(chainId, vote, voter, verify)
  if (vote.extension.length > 0 || vote.extensionSignature.length > 0) return fault('extension')
  return verifyVote(chainId, vote, voter, verify)
}
