/**
 * Who may vote with what power, and whose turn it is to propose: the highest priority, which grows by a validator's power
 * each round and falls by the total power when it was its turn.
 *
 * Arithmetic is that of the library: 64 bits, additions and subtractions that stop at the ends of the range.
 *
 * @source CometBFT v0.38.25 `types/validator_set.go`, `spec/consensus/proposer-selection.md`
 */

import { type Fault, fault, isFault } from './fault.ts'
import { validatorsHash } from './hash.ts'
import { addressOf, isWellFormedKey } from './key.ts'
import type { PublicKey, WireValidator, WireValidatorSet } from './wire.ts'

export interface Validator {
  readonly address: string
  readonly pubKey: PublicKey
  readonly votingPower: bigint
  readonly proposerPriority: bigint
}

/** Sorted by power, highest first, then by address. */
export interface ValidatorSet {
  readonly validators: readonly Validator[]
  /** As elected last; an update leaves it as it was until the next election. */
  readonly proposer: Validator | null
  readonly totalVotingPower: bigint
}

/** A power of zero removes the validator. */
export interface ValidatorChange {
  readonly address: string
  readonly pubKey: PublicKey
  readonly votingPower: bigint
}

export const TOTAL_POWER_MAX = (2n ** 63n - 1n) / 8n
const PRIORITY_WINDOW = 2n
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

export const NO_VALIDATORS: ValidatorSet = { validators: [], proposer: null, totalVotingPower: 0n }

export function changeOf(pubKey: PublicKey, votingPower: bigint): ValidatorChange {
  return { address: addressOf(pubKey), pubKey, votingPower }
}

/** A new set with its first proposer. Powers of zero are refused; no validators at all make an empty set. */
export function createValidatorSet(changes: readonly ValidatorChange[]): ValidatorSet | Fault {
  if (changes.length === 0) return NO_VALIDATORS
  const split = splitChanges(changes)
  if (!isFault(split) && split.removals.length > 0) return fault('zero-power')
  const set = updateValidatorSet(NO_VALIDATORS, changes)
  return isFault(set) ? set : incrementPriorities(set, 1)
}

export function setHash(set: ValidatorSet): string {
  return validatorsHash(set.validators)
}

export function findValidator(set: ValidatorSet, address: string): Validator | undefined {
  return set.validators.find((validator) => validator.address === address)
}

/** The elected proposer, or who would be with these priorities; undefined for an empty set. */
export function proposerOf({ proposer, validators }: ValidatorSet): Validator | undefined {
  return proposer ?? (validators.length === 0 ? undefined : highestPriority(validators))
}

/** So many rounds on, in one step: priorities are rescaled and centred once, before the first. */
export function incrementPriorities(set: ValidatorSet, times: number): ValidatorSet {
  const total = set.totalVotingPower
  let validators: readonly Validator[] = centre(rescale(set.validators, PRIORITY_WINDOW * total))
  let proposer: Validator | null = set.proposer
  for (let i = 0; i < times; i++) {
    const raised = validators.map((validator) =>
      withPriority(validator, clip(validator.proposerPriority + validator.votingPower)),
    )
    const elected = highestPriority(raised)
    proposer = withPriority(elected, clip(elected.proposerPriority - total))
    raised[raised.indexOf(elected)] = proposer
    validators = raised
  }
  return { validators, proposer, totalVotingPower: total }
}

/**
 * The proposer of each round counted from a height's own set: that of round r is found by r single steps, so it depends on
 * nothing but the set and r. (The library takes one step of r when it skips rounds, which may elect another.)
 */
export function proposerAtRound(set: ValidatorSet, round: number): ValidatorSet {
  let at = set
  for (let i = 0; i < round; i++) at = incrementPriorities(at, 1)
  return at
}

/**
 * The set after the changes. Newcomers start at the back of the queue: 1.125 times the total power below zero, so that
 * leaving and joining again gains nothing.
 */
export function updateValidatorSet(set: ValidatorSet, changes: readonly ValidatorChange[]): ValidatorSet | Fault {
  if (changes.length === 0) return set
  const split = splitChanges(changes)
  if (isFault(split)) return split
  const { updates, removals } = split
  const members = new Map(set.validators.map((validator) => [validator.address, validator]))
  const newcomers = updates.filter(({ address }) => !members.has(address)).length
  if (newcomers === 0 && set.validators.length === removals.length) return fault('empty-set')

  let removedPower = 0n
  for (const { address } of removals) {
    const member = members.get(address)
    if (member === undefined) return fault('remove-stranger')
    removedPower += member.votingPower
  }
  const total = totalAfter(set.totalVotingPower - removedPower, updates, members)
  if (total === undefined) return fault('power-overflow')
  const lastPriority = -(total + removedPower + ((total + removedPower) >> 3n))

  for (const { address, pubKey, votingPower } of updates) {
    const proposerPriority = members.get(address)?.proposerPriority ?? lastPriority
    members.set(address, { address, pubKey, votingPower, proposerPriority })
  }
  for (const { address } of removals) members.delete(address)
  const validators = centre(rescale([...members.values()], PRIORITY_WINDOW * total))
  return { validators: validators.toSorted(byPower), proposer: set.proposer, totalVotingPower: total }
}

interface SplitChanges {
  readonly updates: readonly ValidatorChange[]
  readonly removals: readonly ValidatorChange[]
}

function splitChanges(changes: readonly ValidatorChange[]): SplitChanges | Fault {
  const updates: ValidatorChange[] = []
  const removals: ValidatorChange[] = []
  let previous: string | undefined
  for (const change of changes.toSorted(byAddress)) {
    if (change.address === previous) return fault('duplicate-entry')
    if (change.votingPower < 0n) return fault('negative-power')
    if (change.votingPower > TOTAL_POWER_MAX) return fault('power-overflow')
    if (change.votingPower === 0n) removals.push(change)
    else updates.push(change)
    previous = change.address
  }
  return { updates, removals }
}

/** Undefined beyond the limit. What lowers the total counts first. */
function totalAfter(
  before: bigint,
  updates: readonly ValidatorChange[],
  members: ReadonlyMap<string, Validator>,
): bigint | undefined {
  let total = before
  for (const { address, votingPower } of updates) total += votingPower - (members.get(address)?.votingPower ?? 0n)
  return total > TOTAL_POWER_MAX ? undefined : total
}

function byAddress(a: { readonly address: string }, b: { readonly address: string }): number {
  return a.address < b.address ? -1 : Number(a.address > b.address)
}

function byPower(a: Validator, b: Validator): number {
  return a.votingPower === b.votingPower ? byAddress(a, b) : a.votingPower > b.votingPower ? -1 : 1
}

function withPriority(validator: Validator, proposerPriority: bigint): Validator {
  return { ...validator, proposerPriority }
}

/** Of equals the smaller address. */
function highestPriority(validators: readonly Validator[]): Validator {
  return validators.reduce((best, next) =>
    next.proposerPriority > best.proposerPriority ||
    (next.proposerPriority === best.proposerPriority && next.address < best.address)
      ? next
      : best,
  )
}

/** Divides all priorities when the highest and the lowest are more than `window` apart. */
function rescale(validators: readonly Validator[], window: bigint): readonly Validator[] {
  if (window <= 0n || validators.length === 0) return validators
  let highest = INT64_MIN
  let lowest = INT64_MAX
  for (const { proposerPriority } of validators) {
    if (proposerPriority > highest) highest = proposerPriority
    if (proposerPriority < lowest) lowest = proposerPriority
  }
  const distance = wrap(highest - lowest)
  const spread = distance < 0n ? wrap(-distance) : distance
  if (spread <= window) return validators
  const ratio = wrap(spread + window - 1n) / window
  return validators.map((validator) => withPriority(validator, wrap(validator.proposerPriority / ratio)))
}

/** Moves all priorities so that their mean is zero; the mean is rounded down. */
function centre(validators: readonly Validator[]): readonly Validator[] {
  if (validators.length === 0) return validators
  const count = BigInt(validators.length)
  let sum = 0n
  for (const { proposerPriority } of validators) sum += proposerPriority
  const mean = (sum - (((sum % count) + count) % count)) / count
  return mean === 0n
    ? validators
    : validators.map((validator) => withPriority(validator, clip(validator.proposerPriority - mean)))
}

function clip(value: bigint): bigint {
  return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value
}

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value)
}

/** As it is stored and sent: without the total. */
/** Always the same object for a set. */
export function toWireValidatorSet(set: ValidatorSet): WireValidatorSet {
  let wire = wireSets.get(set)
  if (wire === undefined) {
    const { validators, proposer } = set
    wireSets.set(set, (wire = { validators, proposer, totalVotingPower: 0n }))
  }
  return wire
}

const wireSets = new WeakMap<ValidatorSet, WireValidatorSet>()

/** A set that came from outside: keys, addresses and powers are checked, the total is counted anew. */
export function fromWireValidatorSet(wire: WireValidatorSet): ValidatorSet | Fault {
  const validators: Validator[] = []
  for (const validator of wire.validators) {
    const checked = withKey(validator)
    if (isFault(checked)) return checked
    validators.push(checked)
  }
  const proposer = wire.proposer === null ? fault('malformed') : withKey(wire.proposer)
  if (isFault(proposer)) return proposer
  let total = 0n
  for (const { votingPower } of validators) {
    total = clip(total + votingPower)
    if (total > TOTAL_POWER_MAX) return fault('power-overflow')
  }
  const set = { validators, proposer, totalVotingPower: total }
  return checkValidatorSet(set) ?? set
}

function withKey(validator: WireValidator): Validator | Fault {
  const { pubKey } = validator
  return pubKey === null || !isWellFormedKey(pubKey) ? fault('malformed') : { ...validator, pubKey }
}

export function checkValidatorSet({ validators, proposer }: ValidatorSet): Fault | null {
  if (validators.length === 0) return fault('empty-set')
  for (const validator of proposer === null ? validators : [...validators, proposer]) {
    if (validator.votingPower < 0n) return fault('negative-power')
    if (validator.address !== addressOf(validator.pubKey)) return fault('address-not-of-key')
  }
  return validators.some(({ address }) => address === proposer?.address) ? null : fault('proposer-not-a-validator')
}
