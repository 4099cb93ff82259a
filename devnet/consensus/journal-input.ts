/**
 * Inputs of the rounds as records of the journal, and back. What was asked for but has no record was not done.
 */

import { decodeBlock } from './block.ts'
import { equalBlockIds } from './block-id.ts'
import { isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import type { JournalRecord } from './journal.ts'
import { partSetHeader } from './part-set.ts'
import type { Effect, Input, Step } from './round.ts'
import type { LastSigned } from './sign-guard.ts'

const STEP_CODES: Readonly<Record<Step, number>> = { propose: 1, prevote: 2, precommit: 3 }
const STEPS: readonly Step[] = ['propose', 'prevote', 'precommit']
const VERDICTS = ['accepted', 'rejected', 'malformed'] as const

/** What must be done once: again after a restart, if nothing says that it was. */
export function isOwed({ kind }: Effect): boolean {
  return kind === 'propose' || kind === 'vote' || kind === 'validate' || kind === 'decide' || kind === 'timer'
}

/** Whether the record is what came of the effect. */
export function isDone(effect: Effect, record: JournalRecord): boolean {
  switch (effect.kind) {
    case 'propose':
      return record.kind === 'proposal' && record.value.isOwn && record.value.proposal.round === effect.round
    case 'vote': {
      if (record.kind !== 'vote' || !record.value.isOwn) return false
      return record.value.vote.round === effect.round && record.value.vote.type === effect.type
    }
    case 'validate':
      return record.kind === 'verdict' && equalBlockIds(record.value.blockId, effect.candidate.blockId)
    case 'timer':
      return (
        record.kind === 'timeout' && STEPS[record.value.step - 1] === effect.step && record.value.round === effect.round
      )
    default:
      return false
  }
}

export function recordOf(input: Input, isOwn: boolean): JournalRecord {
  switch (input.kind) {
    case 'begin':
      return { kind: 'begin', value: {} }
    case 'proposal':
      return { kind: 'proposal', value: { proposal: input.proposal, receivedAt: input.receivedAt, isOwn } }
    case 'block':
      return { kind: 'block', value: { block: input.bytes } }
    case 'verdict':
      return { kind: 'verdict', value: { blockId: input.blockId, verdict: VERDICTS.indexOf(input.verdict) + 1 } }
    case 'vote':
      return { kind: 'vote', value: { vote: input.vote, isOwn } }
    case 'claim': {
      const { round, type, blockId } = input
      return { kind: 'claim', value: { peer: new TextEncoder().encode(input.peer), round, type, blockId } }
    }
    case 'timeout':
      return { kind: 'timeout', value: { step: STEP_CODES[input.step], round: input.round } }
  }
}

export function signedRecord({ height, round, step: at, signBytes, signature }: LastSigned): JournalRecord {
  return { kind: 'signed', value: { height, round, step: at, signBytes, signature } }
}

/** Null for a record that is no input, or that is not ours. */
export function inputOf(record: JournalRecord): Input | null {
  switch (record.kind) {
    case 'begin':
      return { kind: 'begin' }
    case 'proposal':
      return { kind: 'proposal', proposal: record.value.proposal, receivedAt: record.value.receivedAt }
    case 'block': {
      const bytes = record.value.block
      const block = decodeBlock(bytes)
      if (isFault(block)) return null
      return {
        kind: 'block',
        block,
        bytes,
        blockId: { hash: headerHash(block.header) ?? '', partSetHeader: partSetHeader(bytes) },
      }
    }
    case 'verdict': {
      const verdict = VERDICTS[record.value.verdict - 1]
      return verdict === undefined ? null : { kind: 'verdict', blockId: record.value.blockId, verdict }
    }
    case 'vote':
      return { kind: 'vote', vote: record.value.vote }
    case 'claim': {
      const { round, type, blockId } = record.value
      return { kind: 'claim', peer: new TextDecoder().decode(record.value.peer), round, type, blockId }
    }
    case 'timeout': {
      const at = STEPS[record.value.step - 1]
      return at === undefined ? null : { kind: 'timeout', step: at, round: record.value.round }
    }
    case 'height':
    case 'signed':
      return null
  }
}
