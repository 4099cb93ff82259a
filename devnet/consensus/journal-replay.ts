/**
 * What a journal says of the life before: what was signed, where the rounds of the height were, and what had been asked for but was not
 * done.
 *
 * @source spec consensus §4.8
 */

import type { JournalRecord } from './journal.ts'
import { inputOf, isDone, isOwed } from './journal-input.ts'
import { type Effect, type RoundState, step } from './round.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import { type LastSigned, NOTHING_SIGNED, STEP_PRECOMMIT, STEP_PREVOTE, STEP_PROPOSE } from './sign-guard.ts'
import { PREVOTE, type Vote } from './wire.ts'

export interface Recovered {
  readonly rounds: RoundState
  /** To be performed now, in order. */
  readonly pending: readonly Effect[]
  /** Votes of the height that contradict each other: nobody else may have seen both. */
  readonly conflicts: readonly (readonly [Vote, Vote])[]
  readonly lastSigned: LastSigned
}

/** Puts the inputs of the height in again, beginning with its state before the first. */
export function replayJournal(records: readonly JournalRecord[], first: RoundState): Recovered {
  let rounds = first
  let lastSigned = NOTHING_SIGNED
  let height = 0n
  let pending: Effect[] = []
  const conflicts: (readonly [Vote, Vote])[] = []
  for (const record of records) {
    // A journal may have gone on to heights that the chain's store has lost: what was decided here is applied again.
    if (record.kind === 'height') {
      height = record.value.height
      continue
    }
    lastSigned = signedIn(record, first.keeper.chainId) ?? lastSigned
    if (height !== first.keeper.height) continue
    const input = inputOf(record)
    if (input === null) continue
    const { state, effects } = step(rounds, input)
    rounds = state
    for (const effect of effects) if (effect.kind === 'evidence') conflicts.push(effect.votes)
    pending = [...pending.filter((effect) => !isDone(effect, record)), ...effects.filter(isOwed)]
  }
  return { rounds, pending: pending.filter((effect) => isTimely(effect, rounds)), conflicts, lastSigned }
}

/** Timers of steps that are over would only be ignored; what belongs to an earlier round comes too late. */
function isTimely(effect: Effect, { round, step: at }: RoundState): boolean {
  if (effect.kind === 'timer') return effect.round === round && (effect.step === at || effect.step === 'precommit')
  if (effect.kind === 'propose' || effect.kind === 'vote') return effect.round === round
  return true
}

/** What the record says that we signed; null if nothing. */
function signedIn(record: JournalRecord, chainId: string): LastSigned | null {
  if (record.kind === 'signed') return record.value
  if (record.kind === 'vote' && record.value.isOwn) {
    const { vote } = record.value
    const { height, round, type, signature } = vote
    const at = type === PREVOTE ? STEP_PREVOTE : STEP_PRECOMMIT
    return { height, round, step: at, signBytes: voteSignBytes(chainId, vote), signature }
  }
  if (record.kind === 'proposal' && record.value.isOwn) {
    const { proposal } = record.value
    const { height, round, signature } = proposal
    return { height, round, step: STEP_PROPOSE, signBytes: proposalSignBytes(chainId, proposal), signature }
  }
  return null
}
