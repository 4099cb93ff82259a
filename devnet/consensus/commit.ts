/**
 * Commits: the precommits that decided a block, one place for each validator of its height. How much of a commit is verified
 * depends on who asks: a node verifies all of it, a light client as much as it needs.
 *
 * @source CometBFT v0.38.25 `types/block.go`, `types/validation.go`, `state/state.go` (MedianTime)
 */

import { checkBlockIdForm, equalBlockIds, isComplete, isNil, NIL_BLOCK_ID } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { ADDRESS_SIZE, SIGNATURE_SIZE_MAX, type VerifyMessage, verifyMessage } from './key.ts'
import { extensionSignBytes, voteSignBytes } from './sign-bytes.ts'
import { isWireTime, type Time, ZERO_TIME } from './time.ts'
import { findValidator, proposerOf, type Validator, type ValidatorSet } from './validator-set.ts'
import { checkSignatureSize } from './vote.ts'
import {
  type BlockId,
  type Commit,
  type CommitSig,
  type ExtendedCommit,
  type ExtendedCommitSig,
  FLAG_ABSENT,
  FLAG_COMMIT,
  FLAG_NIL,
  PRECOMMIT,
  type Vote,
} from './wire.ts'

export const EXTENSION_SIZE_MAX = 1024 * 1024

const NO_BYTES = new Uint8Array(0)

/** The place of a validator that was not heard. */
export const ABSENT_SIG: CommitSig = {
  blockIdFlag: FLAG_ABSENT,
  validatorAddress: '',
  timestamp: ZERO_TIME,
  signature: NO_BYTES,
}

/** What stands before the first block. */
export const EMPTY_COMMIT: Commit = { height: 0n, round: 0, blockId: NIL_BLOCK_ID, signatures: [] }

/** The form of a commit that came from outside. */
export function checkCommit({ height, round, blockId, signatures }: Commit): Fault | null {
  return checkCommitForm({ height, round, blockId }, signatures, checkCommitSig)
}

export function checkExtendedCommit({ height, round, blockId, extendedSignatures }: ExtendedCommit): Fault | null {
  return checkCommitForm({ height, round, blockId }, extendedSignatures, checkExtendedCommitSig)
}

function checkCommitForm<Sig>(
  { height, round, blockId }: Pick<Commit, 'height' | 'round' | 'blockId'>,
  signatures: readonly Sig[],
  checkSig: (signature: Sig) => Fault | null,
): Fault | null {
  if (checkBlockIdForm(blockId) !== null) return fault('block-id-form')
  for (const signature of signatures) {
    const malformed = checkSig(signature)
    if (malformed !== null) return malformed
  }
  if (height < 0n) return fault('height-not-positive')
  if (round < 0) return fault('round-negative')
  if (height >= 1n && isNil(blockId)) return fault('commit-for-nil')
  return height >= 1n && signatures.length === 0 ? fault('no-signatures') : null
}

export function checkCommitSig({ blockIdFlag, validatorAddress, timestamp, signature }: CommitSig): Fault | null {
  if (blockIdFlag === FLAG_ABSENT) {
    const isEmpty = validatorAddress === '' && timestamp === ZERO_TIME && signature.length === 0
    return isEmpty ? null : fault('absent-not-empty')
  }
  if (blockIdFlag !== FLAG_COMMIT && blockIdFlag !== FLAG_NIL) return fault('unknown-flag')
  if (validatorAddress.length !== ADDRESS_SIZE) return fault('address-size')
  return checkSignatureSize(signature)
}

function checkExtendedCommitSig(sig: ExtendedCommitSig): Fault | null {
  const malformed = checkCommitSig(sig)
  if (malformed !== null) return malformed
  const { blockIdFlag, extension, extensionSignature } = sig
  if (blockIdFlag === FLAG_COMMIT) {
    if (extension.length > EXTENSION_SIZE_MAX) return fault('extension')
    return extensionSignature.length > SIGNATURE_SIZE_MAX ? fault('signature-too-big') : null
  }
  return extensionSignature.length === 0 && extension.length > 0 ? fault('extension') : null
}

/** Whether extensions are there exactly where they must be: with the votes for the block, when they are enabled. */
export function checkExtensions({ extendedSignatures }: ExtendedCommit, isEnabled: boolean): Fault | null {
  for (const { blockIdFlag, extension, extensionSignature } of extendedSignatures) {
    const isExpected = isEnabled && blockIdFlag === FLAG_COMMIT
    if (isExpected && extensionSignature.length === 0) return fault('signature-missing')
    if (!isExpected && (extension.length > 0 || extensionSignature.length > 0)) return fault('extension')
  }
  return null
}

/** The commit without extensions: what a block carries. */
export function withoutExtensions({ height, round, blockId, extendedSignatures }: ExtendedCommit): Commit {
  const signatures = extendedSignatures.map(({ blockIdFlag, validatorAddress, timestamp, signature }) => ({
    blockIdFlag,
    validatorAddress,
    timestamp,
    signature,
  }))
  return { height, round, blockId, signatures }
}

/** A vote's place in a commit. The vote is for a block or for nil, never for something between. */
export function commitSigOf(vote: Vote): ExtendedCommitSig {
  const { validatorAddress, timestamp, signature, extension, extensionSignature } = vote
  const blockIdFlag = isComplete(vote.blockId) ? FLAG_COMMIT : FLAG_NIL
  return { blockIdFlag, validatorAddress, timestamp, signature, extension, extensionSignature }
}

/** The height and block that a commit is expected to be for, in a chain. */
export interface CommitTarget {
  readonly chainId: string
  readonly height: bigint
  readonly blockId: BlockId
}

/** A share of the voting power. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

export const TRUST_LEVEL_DEFAULT: Fraction = { numerator: 1n, denominator: 3n }

/** What a verification looks at, and when it has seen enough. */
interface Rule {
  readonly chainId: string
  /** Power that must be exceeded. */
  readonly needed: bigint
  readonly isIgnored: (flag: number) => boolean
  readonly isCounted: (flag: number) => boolean
  readonly stop: 'when-enough' | 'at-the-end'
  /** Signers are found at their place in the set, or by address in a set that may be another. */
  readonly lookup: 'by-index' | 'by-address'
  readonly verify: VerifyMessage
}

/** Every signature, those for nil too; more than two thirds for the block. */
export function verifyCommit(
  set: ValidatorSet,
  target: CommitTarget,
  commit: Commit,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  return (
    checkTarget(set, target, commit) ??
    verifySignatures(set, commit, {
      chainId: target.chainId,
      needed: twoThirds(set),
      isIgnored: (flag) => flag === FLAG_ABSENT,
      isCounted: (flag) => flag === FLAG_COMMIT,
      stop: 'at-the-end',
      lookup: 'by-index',
      verify,
    })
  )
}

/** Signatures for the block only, until they are more than two thirds. */
export function verifyCommitLight(set: ValidatorSet, target: CommitTarget, commit: Commit): Fault | null {
  return verifyLight(set, target, commit, 'when-enough')
}

/** All signatures for the block. */
export function verifyCommitLightAll(set: ValidatorSet, target: CommitTarget, commit: Commit): Fault | null {
  return verifyLight(set, target, commit, 'at-the-end')
}

function verifyLight(set: ValidatorSet, target: CommitTarget, commit: Commit, stop: Rule['stop']): Fault | null {
  return (
    checkTarget(set, target, commit) ??
    verifySignatures(set, commit, {
      chainId: target.chainId,
      needed: twoThirds(set),
      isIgnored: (flag) => flag !== FLAG_COMMIT,
      isCounted: () => true,
      stop,
      lookup: 'by-index',
      verify: verifyMessage,
    })
  )
}

/** What a light client trusts: a set that may not be that of the commit, and the share of it that must have signed. */
export interface Trust {
  readonly chainId: string
  readonly set: ValidatorSet
  readonly level: Fraction
}

/** Signatures of trusted validators, until they are more than `level` of the trusted power. */
export function verifyCommitTrusting(trust: Trust, commit: Commit): Fault | null {
  return verifyTrusting(trust, commit, 'when-enough')
}

/** All signatures of trusted validators. */
export function verifyCommitTrustingAll(trust: Trust, commit: Commit): Fault | null {
  return verifyTrusting(trust, commit, 'at-the-end')
}

function verifyTrusting({ chainId, set, level }: Trust, commit: Commit, stop: Rule['stop']): Fault | null {
  if (level.denominator === 0n) return fault('zero-denominator')
  const share = set.totalVotingPower * BigInt.asIntN(64, level.numerator)
  if (share !== BigInt.asIntN(64, share)) return fault('trust-level-overflow')
  return verifySignatures(set, commit, {
    chainId,
    needed: share / BigInt.asIntN(64, level.denominator),
    isIgnored: (flag) => flag !== FLAG_COMMIT,
    isCounted: () => true,
    stop,
    lookup: 'by-address',
    verify: verifyMessage,
  })
}

function twoThirds({ totalVotingPower }: ValidatorSet): bigint {
  return (totalVotingPower * 2n) / 3n
}

function checkTarget(set: ValidatorSet, { height, blockId }: CommitTarget, commit: Commit): Fault | null {
  if (set.validators.length !== commit.signatures.length) return fault('wrong-set-size')
  if (height !== commit.height) return fault('wrong-height')
  return equalBlockIds(blockId, commit.blockId) ? null : fault('wrong-block-id')
}

interface Signer {
  readonly validator: Validator
  readonly index: number
}

/**
 * Counts and verifies. A set of ed25519 keys only is verified as a batch, after counting, which shows in the fault that is
 * named first where there are two; all other sets signature by signature.
 */
function verifySignatures(set: ValidatorSet, commit: Commit, rule: Rule): Fault | null {
  const isBatch = commit.signatures.length > 1 && hasOnlyEd25519(set)
  const signers: Signer[] = []
  const places = rule.lookup === 'by-address' ? placesOf(set) : undefined
  const seen = new Set<number>()
  let got = 0n
  for (const [index, sig] of commit.signatures.entries()) {
    if (rule.isIgnored(sig.blockIdFlag)) continue
    if (!isBatch && checkCommitSig(sig) !== null) return fault('malformed-commit-signature')
    const place = places === undefined ? index : places.get(sig.validatorAddress)
    if (place === undefined) continue
    const validator = set.validators[place]!
    if (places === undefined && validator.address !== sig.validatorAddress) return fault('address-mismatch')
    if (places !== undefined && seen.has(place)) return fault('double-vote')
    seen.add(place)
    if (signBytesOf(rule.chainId, commit, sig) === undefined) return fault('malformed-commit-signature')
    if (isBatch) {
      if (sig.signature.length !== SIGNATURE_SIZE_MAX) return fault('signature-size')
      signers.push({ validator, index })
    } else if (!isSigned(rule, commit, { validator, index })) return fault('wrong-signature')
    if (rule.isCounted(sig.blockIdFlag)) got += validator.votingPower
    if (rule.stop === 'when-enough' && got > rule.needed) break
  }
  if (got <= rule.needed) return { code: 'not-enough-power', power: { got, needed: rule.needed } }
  return signers.every((signer) => isSigned(rule, commit, signer)) ? null : fault('wrong-signature')
}

function hasOnlyEd25519(set: ValidatorSet): boolean {
  return proposerOf(set)?.pubKey.kind === 'ed25519' && set.validators.every(({ pubKey }) => pubKey.kind === 'ed25519')
}

/** Of equal addresses the first counts. */
function placesOf({ validators }: ValidatorSet): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  for (const [place, { address }] of validators.entries()) if (!places.has(address)) places.set(address, place)
  return places
}

function isSigned({ chainId, verify }: Rule, commit: Commit, { validator, index }: Signer): boolean {
  const sig = commit.signatures[index]!
  const bytes = signBytesOf(chainId, commit, sig)
  return bytes !== undefined && verify(validator.pubKey, bytes, sig.signature)
}

/** What the validator signed; undefined for what nobody can sign. */
function signBytesOf(chainId: string, { height, round, blockId }: Commit, sig: CommitSig): Uint8Array | undefined {
  const { blockIdFlag, timestamp } = sig
  if (blockIdFlag !== FLAG_COMMIT && blockIdFlag !== FLAG_NIL) return undefined
  if (checkBlockIdForm(blockId) !== null || !isWireTime(timestamp)) return undefined
  const voted = blockIdFlag === FLAG_COMMIT ? blockId : NIL_BLOCK_ID
  return voteSignBytes(chainId, { type: PRECOMMIT, height, round, blockId: voted, timestamp })
}

/** The commit in full, and every extension's signature. */
export function verifyExtendedCommit(
  set: ValidatorSet,
  target: CommitTarget,
  commit: ExtendedCommit,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  const refused = checkExtensions(commit, true) ?? verifyCommit(set, target, withoutExtensions(commit), verify)
  if (refused !== null) return refused
  const { height, round } = commit
  for (const [index, { blockIdFlag, extension, extensionSignature }] of commit.extendedSignatures.entries()) {
    if (blockIdFlag !== FLAG_COMMIT) continue
    const bytes = extensionSignBytes(target.chainId, { extension, height, round })
    if (!verify(set.validators[index]!.pubKey, bytes, extensionSignature)) return fault('wrong-signature')
  }
  return null
}

/**
 * The time of the next block in BFT time: the median of the commit's times, each with its validator's power. Honest
 * validators hold more than half of what signed, so it lies between the times of honest ones.
 */
export function medianTime(commit: Commit, set: ValidatorSet): Time | Fault {
  const votes: { readonly time: Time; readonly power: bigint }[] = []
  let total = 0n
  for (const { blockIdFlag, validatorAddress, timestamp } of commit.signatures) {
    if (blockIdFlag === FLAG_ABSENT) continue
    const validator = findValidator(set, validatorAddress)
    if (validator === undefined) return fault('stranger-signed')
    total += validator.votingPower
    votes.push({ time: timestamp, power: validator.votingPower })
  }
  votes.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
  let rest = total / 2n
  for (const { time, power } of votes) {
    if (rest <= power) return time
    rest -= power
  }
  return ZERO_TIME
}
