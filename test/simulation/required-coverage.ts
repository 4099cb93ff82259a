/**
 * What must have happened in each tier, or the tier shows less than it promises: names of `devnet/consensus/simulation/coverage.ts`.
 *
 * Never, by construction: `R7 future` (votes of the next round reach a third before two thirds, so R8 comes first), `R9 held by round` (a
 * node has one timer of each kind, and entering a round sets it anew), `R8 first` (a vote begins the height before it is counted),
 * `R2 nil`, `R4 refused` and `crash before alarm` (two thirds for what an honest application refuses), `crash before halt`.
 *
 * @source spec consensus §8.3
 */
import { VICES } from '../../devnet/consensus/simulation/byzantine.ts'
import { FAULT_KINDS } from '../../devnet/consensus/simulation/plan.ts'
import type { Tier } from './tiers.ts'

function of(rule: string, ...outcomes: readonly string[]): readonly string[] {
  return outcomes.map((outcome) => `${rule} ${outcome}`)
}

function heldBy(rule: string, ...guards: readonly string[]): readonly string[] {
  return guards.map((guard) => `${rule} held by ${guard}`)
}

/** Every rule, and each way in which it can end that honest replicas meet. */
const RULES = [
  ...of('R0', 'propose', 'repropose', 'wait'),
  ...of('R1', 'block', 'nil', 'nil-locked'),
  ...of('R2', 'block'),
  ...of('R3', 'wait'),
  ...of('R4', 'lock', 'relock', 'move', 'valid-only'),
  ...of('R5', 'unlocked', 'locked'),
  ...of('R6', 'wait'),
  ...of('R7', 'current', 'past'),
  ...of('R8', 'later'),
  ...of('R9', 'nil'),
  ...of('R10', 'nil'),
  ...of('R11', 'next'),
]
/** Each part of a guard was once all that held the rule back. */
const GUARDS = [
  ...heldBy('R1', 'step', 'proposal', 'block'),
  ...heldBy('R2', 'step', 'proof', 'block'),
  ...heldBy('R3', 'step', 'quorum', 'once'),
  ...heldBy('R4', 'step', 'polka', 'block', 'once'),
  ...heldBy('R5', 'step', 'polka'),
  ...heldBy('R6', 'quorum', 'once'),
  ...heldBy('R7', 'quorum', 'block'),
  ...heldBy('R8', 'power'),
  ...heldBy('R9', 'height', 'step'),
  ...heldBy('R10', 'height', 'round', 'step'),
  ...heldBy('R11', 'height', 'round', 'decision'),
]
const LOCKS = ['repropose with a lock', 'repropose without a lock', 'valid without a lock']
const RESTARTS = ['restart', 'restart unsure', ...of('crash while', 'syncing', 'applying', 'proposing')]
const FAULTS = [...of('fault', ...FAULT_KINDS), 'stop at a broken disk']
/** Two faces take two; alone it tells halves different things all the same. */
const BYZANTINE = [...of('vice', ...VICES), 'evidence', 'evidence in a block']
const MIXED = [
  ...[...RULES, ...GUARDS, ...LOCKS, ...RESTARTS, ...FAULTS, ...BYZANTINE],
  ...['catch-up by certificate', 'join', ...of('validators', 'join', 'leave', 'power')],
]
const RECORDS = ['begin', 'own proposal', 'proposal', 'block', 'verdict', 'own vote', 'vote', 'height']
const EFFECTS = ['propose', 'vote', 'timer', 'validate', 'decide', 'round']

export const REQUIRED: Readonly<Record<Tier, readonly string[]>> = {
  mixed: MIXED,
  deep: [
    ...[...MIXED, 'valid later than the lock', ...of('crash after', ...RECORDS, 'timeout')],
    ...of('crash before', ...EFFECTS, 'evidence'),
  ],
  liveness: [
    ...[...FAULTS, ...RESTARTS, 'catch-up by certificate', 'R1 nil', 'R8 later', 'R9 nil', 'R10 nil', 'R11 next'],
    ...heldBy('R9', 'step'),
    ...heldBy('R11', 'height', 'round'),
  ],
  // Links are good and nobody is faulty: no round is lost but by the one that dies, and nothing is locked twice.
  crash: [
    ...of('crash after', ...RECORDS),
    ...of('crash before', ...EFFECTS),
    ...['restart', 'restart unsure', 'catch-up by certificate', 'crash while syncing', 'crash while applying'],
  ],
  // Three rounds whose links are good within a side, with one equivocator.
  twins: [
    ...of('R0', 'propose', 'repropose', 'wait'),
    ...of('R1', 'block', 'nil-locked'),
    ...of('R4', 'lock', 'relock', 'move', 'valid-only'),
    ...of('R5', 'unlocked', 'locked'),
    ...['R2 block', 'R3 wait', 'R6 wait', 'R7 current', 'R8 later', 'R9 nil', 'R10 nil', 'R11 next'],
    ...['repropose with a lock', 'repropose without a lock', 'evidence', 'catch-up by certificate'],
    ...heldBy('R2', 'step', 'proof', 'block'),
  ],
  // It ends where the chain forks, mostly in the first round of its first height.
  accountability: ['vice two faces', 'R0 propose', 'R0 wait', 'R1 block', 'R4 lock', 'R7 current'],
}

/** What was to happen in the tier and did not. */
export function missingIn(tier: Tier, coverage: ReadonlyMap<string, number>): readonly string[] {
  return REQUIRED[tier].filter((name) => !coverage.has(name))
}
