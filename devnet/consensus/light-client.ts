/**
 * Following a chain by its headers alone: from one that is trusted to a later one, as far as enough of the trusted
 * validators signed it, or one step back by hash.
 *
 * @source CometBFT v0.38.25 `light/verifier.go`, `types/light.go`
 */

import { checkCommit, type Fraction, verifyCommitLight, verifyCommitTrusting } from './commit.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import { checkHeader } from './header.ts'
import type { Duration, Time } from './time.ts'
import { checkValidatorSet, fromWireValidatorSet, setHash, type ValidatorSet } from './validator-set.ts'
import type { Commit, Header, LightBlock, SignedHeader } from './wire.ts'

/** A header with the commit that decided it. */
export interface Signed {
  readonly header: Header
  readonly commit: Commit
}

export interface CheckedLightBlock {
  readonly signed: Signed
  readonly validators: ValidatorSet
}

/** Header and commit are there, well formed, of this chain and of one block. */
export function checkSignedHeader({ header, commit }: SignedHeader, chainId: string): Fault | null {
  if (header === null || commit === null) return fault('missing-part')
  const malformed = checkHeader(header) ?? checkCommit(commit)
  if (malformed !== null) return malformed
  if (header.chainId !== chainId) return fault('wrong-chain')
  if (header.height !== commit.height) return fault('commit-height-mismatch')
  return (headerHash(header) ?? '') === commit.blockId.hash ? null : fault('commit-block-mismatch')
}

/** A light block that came from outside: its parts, each well formed, fit together. Signatures are not verified yet. */
export function readLightBlock(block: LightBlock, chainId: string): CheckedLightBlock | Fault {
  const refused = checkLightParts(block)
  if (refused !== null) return refused
  const { signedHeader, validatorSet } = block
  if (signedHeader === null || validatorSet === null) return fault('missing-part')
  const set = fromWireValidatorSet(validatorSet)
  if (isFault(set)) return set
  const wrong = checkSignedHeader(signedHeader, chainId) ?? checkValidatorSet(set)
  if (wrong !== null) return wrong
  const { header, commit } = signedHeader
  if (header === null || commit === null) return fault('missing-part')
  if (header.validatorsHash !== setHash(set)) return fault('validators-mismatch')
  return { signed: { header, commit }, validators: set }
}

/** What a decoder asks of the parts that are there. */
export function checkLightParts({ signedHeader, validatorSet }: LightBlock): Fault | null {
  const { header, commit } = signedHeader ?? { header: null, commit: null }
  const malformed = (header === null ? null : checkHeader(header)) ?? (commit === null ? null : checkCommit(commit))
  if (malformed !== null) return malformed
  const set = validatorSet === null ? null : fromWireValidatorSet(validatorSet)
  return set !== null && isFault(set) ? set : null
}

export interface Jump {
  readonly trusted: Signed
  /** The set that signs after the trusted header: its next validators. */
  readonly trustedValidators: ValidatorSet
  readonly untrusted: SignedHeader
  readonly untrustedValidators: ValidatorSet
  readonly trustingPeriod: Duration
  readonly now: Time
  readonly maxClockDrift: Duration
  readonly trustLevel: Fraction
}

/** To the next height by its validators' hash, or further by the trusted validators' signatures. */
export function verifyJump(jump: Jump): Fault | null {
  return isAdjacent(jump) ? verifyAdjacent(jump) : verifyNonAdjacent(jump)
}

export function verifyAdjacent(jump: Jump): Fault | null {
  if (!isAdjacent(jump)) return fault('adjacency')
  const refused = checkJump(jump)
  if (refused !== null) return refused
  const { header } = jump.untrusted
  if (header?.validatorsHash !== jump.trusted.header.nextValidatorsHash) return fault('next-validators-mismatch')
  return verifyOwnCommit(jump)
}

export function verifyNonAdjacent(jump: Jump): Fault | null {
  if (isAdjacent(jump)) return fault('adjacency')
  const refused = checkJump(jump)
  if (refused !== null) return refused
  const { chainId } = jump.trusted.header
  const trust = { chainId, set: jump.trustedValidators, level: jump.trustLevel }
  const distrusted = verifyCommitTrusting(trust, jump.untrusted.commit!)
  if (distrusted?.code === 'not-enough-power') return fault('distrusted', distrusted)
  // Last, because the untrusted set may be large to keep us busy.
  return distrusted ?? verifyOwnCommit(jump)
}

function isAdjacent({ trusted, untrusted }: Jump): boolean {
  return untrusted.header?.height === trusted.header.height + 1n
}

function checkJump(jump: Jump): Fault | null {
  const { trusted, trustingPeriod, now } = jump
  if (trusted.header.time + trustingPeriod <= now) return fault('expired')
  const refused = checkNewHeader(jump)
  return refused === null ? null : fault('invalid-header', refused)
}

function checkNewHeader({ trusted, untrusted, untrustedValidators, now, maxClockDrift }: Jump): Fault | null {
  const malformed = checkSignedHeader(untrusted, trusted.header.chainId)
  if (malformed !== null) return malformed
  const header = untrusted.header!
  if (header.height <= trusted.header.height) return fault('height-not-greater')
  if (header.time <= trusted.header.time) return fault('time-not-after')
  if (header.time >= now + maxClockDrift) return fault('from-the-future')
  return header.validatorsHash === setHash(untrustedValidators) ? null : fault('validators-mismatch')
}

function verifyOwnCommit({ trusted, untrusted, untrustedValidators }: Jump): Fault | null {
  const { chainId } = trusted.header
  const commit = untrusted.commit!
  const target = { chainId, height: untrusted.header!.height, blockId: commit.blockId }
  const refused = verifyCommitLight(untrustedValidators, target, commit)
  return refused === null ? null : fault('invalid-header', refused)
}

/** One step back: the header whose hash the trusted one names. */
export function verifyBackwards(untrusted: Header, trusted: Header): Fault | null {
  const refused = checkBackwards(untrusted, trusted)
  return refused === null ? null : fault('invalid-header', refused)
}

function checkBackwards(untrusted: Header, trusted: Header): Fault | null {
  const malformed = checkHeader(untrusted)
  if (malformed !== null) return malformed
  if (untrusted.chainId !== trusted.chainId) return fault('wrong-chain')
  if (untrusted.time >= trusted.time) return fault('time-not-before')
  return (headerHash(untrusted) ?? '') === trusted.lastBlockId.hash ? null : fault('last-block-mismatch')
}

/** From a third to all of it: with less, the faulty alone could lead a light client astray. */
export function checkTrustLevel({ numerator, denominator }: Fraction): Fault | null {
  const isInRange = BigInt.asUintN(64, numerator * 3n) >= denominator && numerator <= denominator && denominator !== 0n
  return isInRange ? null : fault('trust-level-range')
}
