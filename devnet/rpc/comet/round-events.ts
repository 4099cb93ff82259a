/**
 * The course of a round as CometBFT tells it to subscribers: each passage of a replica as the events that CometBFT fires there, in its
 * order and with its names for the steps.
 *
 *   NewRound  NewRoundStep  CompleteProposal  Vote  ValidBlock  Polka  Lock  Relock  TimeoutPropose  TimeoutWait
 *
 * `Unlock` never comes: the rules that we run keep their locks (spec consensus §2.3). Nor do `BlockSyncStatus` and `StateSyncStatus`.
 *
 * @source CometBFT v0.38.25 `types/events.go`, `consensus/state.go`, `consensus/types/round_state.go`
 */

import { blockIdKey } from '../../consensus/block-id.ts'
import { capitalHex } from '../../consensus/genesis-document.ts'
import type { Passage } from '../../consensus/replica-host.ts'
import type { Effect, Input, RoundState, Transition } from '../../consensus/round.ts'
import { votesOf } from '../../consensus/vote-keeper.ts'
import type { BlockId, Vote } from '../../consensus/wire.ts'
import { blockIdJson, type JsonObject, voteJson } from './block-json.ts'
import { type ChainEvent, chainEvent, noValues } from './events.ts'

/** Kinds of events, and the type of what each carries. */
const TYPES = {
  NewRound: 'NewRound',
  NewRoundStep: 'RoundState',
  CompleteProposal: 'CompleteProposal',
  Vote: 'Vote',
  ValidBlock: 'RoundState',
  Polka: 'RoundState',
  Lock: 'RoundState',
  Relock: 'RoundState',
  TimeoutPropose: 'RoundState',
  TimeoutWait: 'RoundState',
} as const

export type RoundEventKind = keyof typeof TYPES

export function isRoundEventKind(kind: string): kind is RoundEventKind {
  return Object.hasOwn(TYPES, kind)
}

const STEPS = {
  waiting: 'RoundStepNewHeight',
  entered: 'RoundStepNewRound',
  propose: 'RoundStepPropose',
  prevote: 'RoundStepPrevote',
  'prevote wait': 'RoundStepPrevoteWait',
  precommit: 'RoundStepPrecommit',
  decided: 'RoundStepCommit',
} as const

/** Where a replica is, between what it did last and what it does next. */
interface Place {
  readonly height: bigint
  readonly round: number
  readonly step: keyof typeof STEPS
}

export function roundEventsOf(passage: Passage): readonly ChainEvent[] {
  switch (passage.kind) {
    case 'height':
      return [stateEvent('NewRoundStep', placeOf(passage.rounds))]
    case 'late vote':
      return [voteEvent(passage.vote)]
    case 'step':
      return stepEvents(passage.input, passage.before, passage.after)
    case 'effect':
      return []
  }
}

function stepEvents(input: Input, before: RoundState, { state, effects }: Transition): readonly ChainEvent[] {
  const events: ChainEvent[] = []
  let place = placeOf(before)
  if (input.kind === 'vote' && isKept(input.vote, before, state)) events.push(voteEvent(input.vote))
  const proposed = proposedAt(state, place.round)
  if (proposed !== undefined && proposedAt(before, place.round) === undefined) {
    events.push(proposalEvent(place, proposed))
  }
  for (const effect of effects) {
    const { told, next } = tellEffect(effect, place, state)
    events.push(...told)
    place = next
  }
  return events
}

/** A vote that contradicts another is not, unless peers say that its block has a majority. */
function isKept({ round, type }: Vote, before: RoundState, after: RoundState): boolean {
  const earlier = votesOf(before.keeper, round, type)
  if (earlier === undefined) return round > before.keeper.round + 1
  return votesOf(after.keeper, round, type) !== earlier
}

function tellEffect(
  effect: Effect,
  place: Place,
  state: RoundState,
): { readonly told: readonly ChainEvent[]; readonly next: Place } {
  const quiet = { told: [], next: place }
  /** Goes to a step, and says so after the others. */
  const goTo = (step: Place['step'], ...kinds: readonly RoundEventKind[]) => {
    const next: Place = { ...place, step }
    return { told: [...kinds.map((kind) => stateEvent(kind, place)), stateEvent('NewRoundStep', next)], next }
  }
  if (effect.kind === 'round') return enterRound({ ...place, round: effect.round }, state)
  if (effect.kind !== 'rule') return quiet
  switch (effect.rule) {
    case 'R1':
    case 'R2':
      return goTo('prevote')
    case 'R9':
      return goTo('prevote', 'TimeoutPropose')
    case 'R3':
      return goTo('prevote wait')
    case 'R4':
      return goToLock(effect.outcome)
    case 'R5':
      return goTo('precommit', 'Polka')
    case 'R10':
      return goTo('precommit', 'TimeoutWait')
    case 'R6':
      // CometBFT says that it waits, but keeps the step that it is in.
      return goTo(place.step)
    case 'R11':
      return { told: [stateEvent('TimeoutWait', place)], next: place }
    case 'R7':
      return goTo('decided')
    default:
      return quiet
  }

  function goToLock(outcome: string) {
    if (outcome === 'relock') return goTo('precommit', 'ValidBlock', 'Polka', 'Relock')
    if (outcome === 'lock' || outcome === 'move') return goTo('precommit', 'ValidBlock', 'Polka', 'Lock')
    if (place.step === 'precommit') return { told: [stateEvent('ValidBlock', place)], next: place }
    return goTo('precommit', 'ValidBlock', 'Polka')
  }
}

/** The block may have been here before the round. */
function enterRound({ height, round }: Place, state: RoundState) {
  const next: Place = { height, round, step: 'propose' }
  const proposed = proposedAt(state, round)
  const told = [roundEvent({ height, round, step: 'entered' }, state), stateEvent('NewRoundStep', next)]
  return { told: proposed === undefined ? told : [...told, proposalEvent(next, proposed)], next }
}

function placeOf({ keeper: { height }, round, step, decided, firedR3 }: RoundState): Place {
  if (decided !== null) return { height, round: Math.max(round, 0), step: 'decided' }
  if (round < 0) return { height, round: 0, step: 'waiting' }
  return { height, round, step: step === 'prevote' && firedR3 === round ? 'prevote wait' : step }
}

/** The block of the round's proposal, when both are here. */
function proposedAt({ proposals, candidates, round: entered }: RoundState, round: number): BlockId | undefined {
  const blockId = entered < round ? undefined : proposals.get(round)?.proposal.blockId
  return blockId !== undefined && candidates.has(blockIdKey(blockId)) ? blockId : undefined
}

// --- their form -----------------------------------------------------------------------------------------------------

function stateJson({ height, round, step }: Place): JsonObject {
  return { height: String(height), round, step: STEPS[step] }
}

function stateEvent(kind: RoundEventKind, place: Place): ChainEvent {
  return roundChainEvent(kind, () => stateJson(place))
}

function roundEvent(place: Place, { elections, keeper: { validators } }: RoundState): ChainEvent {
  const address = elections.proposers[place.round] ?? ''
  const index = validators.validators.findIndex((validator) => validator.address === address)
  return roundChainEvent('NewRound', () => ({
    ...stateJson(place),
    proposer: { address: capitalHex(address), index },
  }))
}

function proposalEvent(place: Place, blockId: BlockId): ChainEvent {
  return roundChainEvent('CompleteProposal', () => ({ ...stateJson(place), block_id: blockIdJson(blockId) }))
}

function voteEvent(vote: Vote): ChainEvent {
  return roundChainEvent('Vote', () => ({ Vote: voteJson(vote) }))
}

function roundChainEvent(kind: RoundEventKind, value: () => JsonObject): ChainEvent {
  return chainEvent(kind, noValues, value, TYPES[kind])
}
