/**
 * Proof of misbehaviour: a validator that signed two things where it may sign one, or validators that signed a header which
 * is not their chain's.
 *
 * @source CometBFT v0.38.25 `types/evidence.go`, `evidence/verify.go`, `evidence/pool.go`
 */

import { blockIdKey, checkBlockIdForm, equalBlockIds } from './block-id.ts'
import { TRUST_LEVEL_DEFAULT, verifyCommitLightAll, verifyCommitTrustingAll } from './commit.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { evidenceHash, headerHash } from './hash.ts'
import { addressOf, isWellFormedKey, type VerifyMessage, verifyMessage } from './key.ts'
import { type CheckedLightBlock, checkLightParts, readLightBlock, type Signed } from './light-client.ts'
import { voteSignBytes } from './sign-bytes.ts'
import type { Duration, Time } from './time.ts'
import { findValidator, type Validator, type ValidatorSet } from './validator-set.ts'
import { checkVote } from './vote.ts'
import {
  type DuplicateVoteEvidence,
  type Evidence,
  FLAG_COMMIT,
  type Header,
  type LightClientAttackEvidence,
  type Vote,
} from './wire.ts'
import { MISBEHAVIOR_DUPLICATE_VOTE, MISBEHAVIOR_LIGHT_CLIENT_ATTACK, type WireMisbehavior } from './wire-abci.ts'

/** When it happened: where validators and time are looked up. */
export function evidenceHeight({ kind, value }: Evidence): bigint {
  return kind === 'duplicateVoteEvidence' ? (value.voteA?.height ?? 0n) : value.commonHeight
}

/** As we hash and send it again: without the total that a peer claims of a validator set. */
export function canonicalEvidence(evidence: Evidence): Evidence {
  if (evidence.kind === 'duplicateVoteEvidence') return evidence
  const { conflictingBlock } = evidence.value
  const validatorSet = conflictingBlock?.validatorSet ?? null
  if (conflictingBlock === null || validatorSet === null) return evidence
  const block = { ...conflictingBlock, validatorSet: { ...validatorSet, totalVotingPower: 0n } }
  return { kind: evidence.kind, value: { ...evidence.value, conflictingBlock: block } }
}

/** The form of evidence that came from outside. */
export function checkEvidence(evidence: Evidence): Fault | null {
  if (evidence.kind === 'duplicateVoteEvidence') return checkDuplicateVote(evidence.value)
  const block = readAttack(evidence.value)
  return isFault(block) ? block : null
}

function checkDuplicateVote({ voteA, voteB }: DuplicateVoteEvidence): Fault | null {
  for (const vote of [voteA, voteB]) {
    const malformed = vote === null ? null : (checkBlockIdForm(vote.blockId) ?? checkVote(vote))
    if (malformed !== null) return malformed
  }
  if (voteA === null || voteB === null) return fault('missing-vote')
  return blockIdKey(voteA.blockId) < blockIdKey(voteB.blockId) ? null : fault('wrong-vote-order')
}

/** The conflicting block of an attack that is well formed. */
function readAttack(attack: LightClientAttackEvidence): CheckedLightBlock | Fault {
  const { conflictingBlock, byzantineValidators, totalVotingPower, commonHeight } = attack
  if (conflictingBlock === null) return fault('missing-part')
  const undecodable = checkLightParts(conflictingBlock)
  if (undecodable !== null) return undecodable
  if (byzantineValidators.some(({ pubKey }) => pubKey === null || !isWellFormedKey(pubKey))) return fault('malformed')
  const header = conflictingBlock.signedHeader?.header ?? null
  if (header === null) return fault('missing-part')
  if (totalVotingPower <= 0n) return fault('total-power-not-positive')
  if (commonHeight <= 0n) return fault('common-height-not-positive')
  if (commonHeight > header.height) return fault('common-height-ahead')
  return readLightBlock(conflictingBlock, header.chainId)
}

/** The evidence of two votes that contradict each other; undefined when the voter is not in the set. */
export function duplicateVoteEvidence(
  votes: readonly [Vote, Vote],
  blockTime: Time,
  set: ValidatorSet,
): Evidence | undefined {
  const [first, second] = votes
  const validator = findValidator(set, first.validatorAddress)
  if (validator === undefined) return undefined
  const isOrdered = blockIdKey(first.blockId) < blockIdKey(second.blockId)
  return {
    kind: 'duplicateVoteEvidence',
    value: {
      voteA: isOrdered ? first : second,
      voteB: isOrdered ? second : first,
      totalVotingPower: set.totalVotingPower,
      validatorPower: validator.votingPower,
      timestamp: blockTime,
    },
  }
}

/** Whether the validator did sign both votes, in the set of their height. The form has been checked. */
export function verifyDuplicateVote(
  { voteA, voteB, validatorPower, totalVotingPower }: DuplicateVoteEvidence,
  chainId: string,
  set: ValidatorSet,
  verify: VerifyMessage = verifyMessage,
): Fault | null {
  if (voteA === null || voteB === null) return fault('missing-vote')
  const validator = findValidator(set, voteA.validatorAddress)
  if (validator === undefined) return fault('not-a-validator')
  if (voteA.height !== voteB.height || voteA.round !== voteB.round || voteA.type !== voteB.type) {
    return fault('height-round-type-mismatch')
  }
  if (voteA.validatorAddress !== voteB.validatorAddress) return fault('address-mismatch')
  if (equalBlockIds(voteA.blockId, voteB.blockId)) return fault('same-block-id')
  if (addressOf(validator.pubKey) !== voteA.validatorAddress) return fault('address-not-of-key')
  if (validator.votingPower !== validatorPower) return fault('wrong-validator-power')
  if (set.totalVotingPower !== totalVotingPower) return fault('wrong-total-power')
  const isSigned = (vote: Vote): boolean => verify(validator.pubKey, voteSignBytes(chainId, vote), vote.signature)
  return isSigned(voteA) && isSigned(voteB) ? null : fault('wrong-signature')
}

/** What our own chain says about an attack. */
export interface AttackContext {
  /** Our header at the common height. */
  readonly common: Signed
  /** The validators of the common height. */
  readonly commonValidators: ValidatorSet
  /** Our header at the conflicting height, or the latest if we are not there yet. */
  readonly trusted: Signed
}

/** Whether the attack happened, and its list of attackers is the one that follows from it. The form has been checked. */
export function verifyAttack(attack: LightClientAttackEvidence, context: AttackContext): Fault | null {
  const { common, commonValidators, trusted } = context
  const { chainId } = trusted.header
  const block = readAttack(attack)
  if (isFault(block)) return block
  const { header, commit } = block.signed
  if (common.header.height !== header.height) {
    const trust = { chainId, set: commonValidators, level: TRUST_LEVEL_DEFAULT }
    const refused = verifyCommitTrustingAll(trust, commit)
    if (refused !== null) return refused
  } else if (isLunatic(trusted.header, header)) return fault('underived-header-at-common-height')
  const target = { chainId, height: header.height, blockId: commit.blockId }
  const refused = verifyCommitLightAll(block.validators, target, commit)
  if (refused !== null) return refused
  if (attack.totalVotingPower !== commonValidators.totalVotingPower) return fault('wrong-total-power')
  if (header.height > trusted.header.height && header.time > trusted.header.time) return fault('time-not-violated')
  const isForward = header.height > trusted.header.height && header.time > trusted.header.time
  if (!isForward && headerHash(trusted.header) === headerHash(header)) return fault('same-header')
  return checkAttackers(attack, attackersOf(block, context))
}

/** Whether the header does not follow from the chain: its makers invented state. */
function isLunatic(trusted: Header, conflicting: Header): boolean {
  return (
    trusted.validatorsHash !== conflicting.validatorsHash ||
    trusted.nextValidatorsHash !== conflicting.nextValidatorsHash ||
    trusted.consensusHash !== conflicting.consensusHash ||
    trusted.appHash !== conflicting.appHash ||
    trusted.lastResultsHash !== conflicting.lastResultsHash
  )
}

/**
 * Who attacked: of the common validators those that signed an invented header; of the conflicting validators those that
 * signed both headers of one round. Where the rounds differ nobody can be named.
 */
function attackersOf({ signed, validators }: CheckedLightBlock, context: AttackContext): readonly Validator[] {
  const { trusted, commonValidators } = context
  const signers = signed.commit.signatures.map((sig) => (sig.blockIdFlag === FLAG_COMMIT ? sig : undefined))
  const isSigner = (validator: Validator | undefined): validator is Validator => validator !== undefined
  if (isLunatic(trusted.header, signed.header)) {
    return signers
      .map((sig) => (sig === undefined ? undefined : findValidator(commonValidators, sig.validatorAddress)))
      .filter(isSigner)
      .sort(byPower)
  }
  if (trusted.commit.round !== signed.commit.round) return []
  return signers
    .map((sig, i) => {
      const isBoth = trusted.commit.signatures[i]?.blockIdFlag === FLAG_COMMIT
      return sig === undefined || !isBoth ? undefined : findValidator(validators, sig.validatorAddress)
    })
    .filter(isSigner)
    .sort(byPower)
}

function byPower(a: Validator, b: Validator): number {
  if (a.votingPower !== b.votingPower) return a.votingPower > b.votingPower ? -1 : 1
  return a.address < b.address ? -1 : Number(a.address > b.address)
}

/** Where nobody can be named, the library refuses whatever came from a peer; so do we. */
function checkAttackers(attack: LightClientAttackEvidence, attackers: readonly Validator[]): Fault | null {
  const { byzantineValidators } = attack
  if (attackers.length === 0 || attackers.length !== byzantineValidators.length) {
    return fault('wrong-byzantine-validators')
  }
  for (const [i, { address, votingPower }] of attackers.entries()) {
    const named = byzantineValidators[i]!
    if (named.address !== address || named.votingPower !== votingPower) return fault('wrong-byzantine-validators')
    if (named.pubKey === null || addressOf(named.pubKey) !== address) return fault('address-not-of-key')
  }
  return null
}

export interface EvidenceAge {
  readonly blocks: bigint
  readonly time: Duration
}

const DURATION_MAX = 2n ** 63n - 1n

/** Evidence is too old only when both its age in blocks and its age in time are beyond the limits. */
export function isExpired(age: EvidenceAge, max: EvidenceAge): boolean {
  const time = age.time > DURATION_MAX ? DURATION_MAX : age.time
  return time > max.time && age.blocks > max.blocks
}

/** What a node knows when it judges the evidence in a block. Lookups answer undefined for heights it does not have. */
export interface EvidenceContext {
  readonly chainId: string
  readonly lastHeight: bigint
  readonly lastTime: Time
  readonly max: EvidenceAge
  /** Verifies signatures of votes; by itself as CometBFT does. */
  readonly verify?: VerifyMessage
  /** Hashes of evidence in earlier blocks. */
  readonly committed: ReadonlySet<string>
  /** Hashes of evidence that this node verified before. */
  readonly pending: ReadonlySet<string>
  readonly timeAt: (height: bigint) => Time | undefined
  readonly signedHeaderAt: (height: bigint) => Signed | undefined
  readonly validatorsAt: (height: bigint) => ValidatorSet | undefined
}

/** Whether a block may carry the pieces: each true, recent, new, and there once. */
export function checkEvidenceInBlock(list: readonly Evidence[], context: EvidenceContext): Fault | null {
  const seen = new Set<string>()
  for (const piece of list) {
    const hash = evidenceHash(piece)
    // An attack is verified even if it is known, because another block may hide behind the same hash.
    if (piece.kind === 'lightClientAttackEvidence' || !context.pending.has(hash)) {
      if (context.committed.has(hash)) return fault('already-committed')
      const refused = verifyEvidence(piece, context)
      if (refused !== null) return refused
    }
    if (seen.has(hash)) return fault('duplicate-evidence')
    seen.add(hash)
  }
  return null
}

/** Whether the piece is true and recent. */
export function verifyEvidence(evidence: Evidence, context: EvidenceContext): Fault | null {
  const height = evidenceHeight(evidence)
  const time = context.timeAt(height)
  if (time === undefined) return fault('unknown-height')
  if (evidence.value.timestamp !== time) return fault('wrong-time')
  const age = { blocks: context.lastHeight - height, time: context.lastTime - time }
  if (isExpired(age, context.max)) return fault('expired')
  const set = context.validatorsAt(height)
  if (set === undefined) return fault('unknown-height')
  return evidence.kind === 'duplicateVoteEvidence'
    ? verifyDuplicateVote(evidence.value, context.chainId, set, context.verify)
    : verifyAttackAt(evidence.value, set, context)
}

function verifyAttackAt(
  attack: LightClientAttackEvidence,
  commonValidators: ValidatorSet,
  context: EvidenceContext,
): Fault | null {
  const header = attack.conflictingBlock?.signedHeader?.header ?? null
  if (header === null) return fault('missing-part')
  const common = context.signedHeaderAt(attack.commonHeight)
  const trusted = context.signedHeaderAt(header.height) ?? context.signedHeaderAt(context.lastHeight)
  if (common === undefined || trusted === undefined) return fault('unknown-height')
  if (trusted.header.height < header.height && trusted.header.time < header.time) return fault('time-not-violated')
  return verifyAttack(attack, { common, commonValidators, trusted })
}

/** What the application is told. */
export function misbehaviorOf(evidence: Evidence): readonly WireMisbehavior[] {
  const { timestamp, totalVotingPower } = evidence.value
  const height = evidenceHeight(evidence)
  const rest = { height, time: timestamp, totalVotingPower }
  if (evidence.kind === 'duplicateVoteEvidence') {
    const { voteA, validatorPower } = evidence.value
    const validator = { address: voteA?.validatorAddress ?? '', power: validatorPower }
    return [{ type: MISBEHAVIOR_DUPLICATE_VOTE, validator, ...rest }]
  }
  return evidence.value.byzantineValidators.map(({ pubKey, votingPower }) => ({
    type: MISBEHAVIOR_LIGHT_CLIENT_ATTACK,
    validator: { address: pubKey === null ? '' : addressOf(pubKey), power: votingPower },
    ...rest,
  }))
}
