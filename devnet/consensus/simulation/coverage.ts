/**
 * How often what could happen did, in one run: which rules fired and what held them back, what was cut, crashed, twisted. Found from the
 * rounds before each input and from their effects; the rounds themselves count nothing.
 *
 *   R4 lock            the rule fired, with this outcome
 *   R4 held by block   everything else of its guard was true
 */

import { equalBlockIds, isComplete, isNil } from '../block-id.ts'
import type { Timer } from '../replica-host.ts'
import { candidateOf, type Effect, type RoundState, type Step } from '../round.ts'
import { decisionOf, polkaOf, votesOf } from '../vote-keeper.ts'
import { hasAnyQuorum } from '../vote-set.ts'
import { PRECOMMIT, PREVOTE } from '../wire.ts'

const TIMEOUT_RULES: Readonly<Record<Step, string>> = { propose: 'R9', prevote: 'R10', precommit: 'R11' }

export class Coverage {
  readonly #counts = new Map<string, number>()

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** Of rounds to which nothing more happens by itself: no guard is true. */
  look(rounds: RoundState): void {
    if (rounds.decided !== null) return
    this.#lookAtDecision(rounds)
    this.#lookAhead(rounds)
    if (rounds.round === -1) return
    this.#lookAtProposal(rounds)
    this.#lookAtPrevotes(rounds)
    this.#lookAtPrecommits(rounds)
    const { locked, valid } = rounds
    if (valid === null || valid === locked) return
    if (locked === null) this.count('valid without a lock')
    else this.count(equalBlockIds(locked.blockId, valid.blockId) ? 'valid later than the lock' : 'valid is not locked')
  }

  effect(rounds: RoundState, effect: Effect): void {
    if (effect.kind === 'evidence') this.count('evidence')
    if (effect.kind !== 'rule') return
    this.count(`${effect.rule} ${effect.outcome}`)
    if (effect.rule === 'R0' && effect.outcome === 'repropose') {
      this.count(rounds.locked === null ? 'repropose without a lock' : 'repropose with a lock')
    }
  }

  /** A timer has run out. */
  timer({ keeper, round, step, decided }: RoundState, timer: Timer): void {
    if (!('round' in timer)) return
    const rule = TIMEOUT_RULES[timer.kind]
    if (timer.height !== keeper.height) this.count(`${rule} held by height`)
    else if (decided !== null) this.count(`${rule} held by decision`)
    else if (timer.round !== round) this.count(`${rule} held by round`)
    else if (timer.kind !== 'precommit' && timer.kind !== step) this.count(`${rule} held by step`)
  }

  /** R1 and R2. */
  #lookAtProposal(rounds: RoundState): void {
    const received = rounds.proposals.get(rounds.round)
    const isTime = rounds.step === 'propose'
    if (received === undefined) {
      if (isTime) this.count('R1 held by proposal')
      return
    }
    const { blockId, polRound } = received.proposal
    const isJudged = (candidateOf(rounds, blockId)?.verdict ?? 'asked') !== 'asked'
    const polka = polRound === -1 ? blockId : polkaOf(rounds.keeper, polRound)
    const hasProof = polka !== null && equalBlockIds(polka, blockId)
    this.#heldBack(polRound === -1 ? 'R1' : 'R2', { step: isTime, block: isJudged, proof: hasProof })
  }

  /** R3, R4 and R5. */
  #lookAtPrevotes(rounds: RoundState): void {
    const { keeper, round, step, firedR3, firedR4 } = rounds
    const prevotes = votesOf(keeper, round, PREVOTE)
    const isVoted = step === 'prevote'
    this.#heldBack('R3', {
      step: isVoted,
      quorum: prevotes !== undefined && hasAnyQuorum(prevotes),
      once: firedR3 !== round,
    })
    const polka = polkaOf(keeper, round)
    const isForBlock = polka !== null && isComplete(polka)
    const isJudged = isForBlock && (candidateOf(rounds, polka)?.verdict ?? 'asked') !== 'asked'
    if (isForBlock) this.#heldBack('R4', { step: step !== 'propose', block: isJudged, once: firedR4 !== round })
    else if (step !== 'propose') this.count('R4 held by polka')
    this.#heldBack('R5', { step: isVoted, polka: polka !== null && isNil(polka) })
  }

  /** R6. */
  #lookAtPrecommits({ keeper, round, firedR6 }: RoundState): void {
    const precommits = votesOf(keeper, round, PRECOMMIT)
    this.#heldBack('R6', { quorum: precommits !== undefined && hasAnyQuorum(precommits), once: firedR6 !== round })
  }

  /** R7. */
  #lookAtDecision({ keeper }: RoundState): void {
    this.count(decisionOf(keeper) === null ? 'R7 held by quorum' : 'R7 held by block')
  }

  /** R8. */
  #lookAhead({ keeper, round }: RoundState): void {
    const next = keeper.rounds.get(round + 1)
    const isAny = (votes: readonly unknown[] | undefined): boolean => votes?.some((vote) => vote !== null) === true
    if (keeper.ahead.size > 0 || isAny(next?.prevotes.votes) || isAny(next?.precommits.votes)) {
      this.count('R8 held by power')
    }
  }

  /** Counts what alone was missing. */
  #heldBack(rule: string, guard: Readonly<Record<string, boolean>>): void {
    let missing: string | null = null
    for (const name in guard) {
      if (guard[name] === true) continue
      if (missing !== null) return
      missing = name
    }
    if (missing !== null) this.count(`${rule} held by ${missing}`)
  }
}
