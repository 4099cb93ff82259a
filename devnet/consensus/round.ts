/**
 * The rounds of one height: the paper, rule by rule. A state and an input give the next state and what is to be done. No clock,
 * no key, no network: those are whoever performs the effects.
 *
 *   R0  enter a round: its proposer proposes, everybody waits for it     (lines 11–21)
 *   R1  a fresh proposal: prevote it, or nil                             (22–27)
 *   R2  a proposal with a proof of lock: prevote it, or nil              (28–33)
 *   R3  two thirds prevoted, for whatever: wait a little                 (34–35)
 *   R4  two thirds prevoted the block: lock and precommit it             (36–43)
 *   R5  two thirds prevoted nil: precommit nil                           (44–46)
 *   R6  two thirds precommitted, for whatever: wait a little             (47–48)
 *   R7  two thirds precommitted a block, in any round: decide            (49–54)
 *   R8  an honest validator is in a later round: go there                (55–56)
 *   R9–R11  the waiting is over                                          (57–67)
 *
 * Guards are asked again after every change, because a quorum may have been complete before the rest of a guard was true.
 *
 * @source arXiv:1807.04938, Algorithm 1; spec consensus §2.2
 */

import { blockIdKey, equalBlockIds, isComplete, isNil, NIL_BLOCK_ID } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import type { Duration, Time } from './time.ts'
import { incrementPriorities, type ValidatorSet } from './validator-set.ts'
import {
  createVoteKeeper,
  decisionOf,
  enterRound,
  keepVote,
  openRound,
  polkaOf,
  ROUNDS_KEPT,
  roundToSkipTo,
  type VoteKeeper,
  type VotesOfHeight,
  votesOf,
} from './vote-keeper.ts'
import { claimMajority, hasAnyQuorum, type VoteSet } from './vote-set.ts'
import { type Block, type BlockId, PRECOMMIT, PREVOTE, type Proposal, type Vote } from './wire.ts'

export type Step = 'propose' | 'prevote' | 'precommit'

/**
 * What is known of a block. `accepted`: it follows from the chain, and the application agrees. `rejected`: the application does not.
 * `malformed`: it does not follow from the chain.
 */
export type Verdict = 'asked' | 'accepted' | 'rejected' | 'malformed'

export interface Candidate {
  readonly blockId: BlockId
  readonly block: Block
  /** The block as it is on the wire. */
  readonly bytes: Uint8Array
  readonly verdict: Verdict
}

export interface Received {
  readonly proposal: Proposal
  /** By the clock of this node. */
  readonly receivedAt: Time
}

/** A block that had two thirds of the prevotes of a round. */
export interface Choice {
  readonly round: number
  readonly blockId: BlockId
}

export interface RoundState {
  readonly keeper: VoteKeeper
  /** This node's place among the validators; null for an observer. */
  readonly self: number | null
  /** How far a fresh block's time may be ahead of the clock in round 0; null where time is not the proposer's. */
  readonly precision: Duration | null
  /** Proposers of the rounds up to the next, and the set that elected the last of them. */
  readonly elections: Elections
  /** −1 before the first: nobody has anything to propose. */
  readonly round: number
  readonly step: Step
  /** The first that came, by round. */
  readonly proposals: ReadonlyMap<number, Received>
  /** By `blockIdKey`. */
  readonly candidates: ReadonlyMap<string, Candidate>
  readonly locked: Choice | null
  readonly valid: Choice | null
  /** The last round in which the rule fired that fires once a round. */
  readonly firedR3: number
  readonly firedR4: number
  readonly firedR6: number
  readonly decided: Choice | null
}

interface Elections {
  readonly proposers: readonly string[]
  readonly last: ValidatorSet
}

export type Input =
  /** There is something to propose. */
  | { readonly kind: 'begin' }
  /** Judged acceptable, signed by the round's proposer. */
  | { readonly kind: 'proposal'; readonly proposal: Proposal; readonly receivedAt: Time }
  /** A block that is missing, with the id that its bytes have. */
  | { readonly kind: 'block'; readonly blockId: BlockId; readonly block: Block; readonly bytes: Uint8Array }
  | { readonly kind: 'verdict'; readonly blockId: BlockId; readonly verdict: Exclude<Verdict, 'asked'> }
  /** Judged `wanted`, with a good signature. */
  | { readonly kind: 'vote'; readonly vote: Vote }
  /** A peer says that the block id has two thirds of a round's votes. */
  | {
      readonly kind: 'claim'
      readonly peer: string
      readonly round: number
      readonly type: number
      readonly blockId: BlockId
    }
  | { readonly kind: 'timeout'; readonly step: Step; readonly round: number }

export type Effect =
  /** Make a block and propose it; or propose the `valid` one again. */
  | { readonly kind: 'propose'; readonly round: number; readonly valid: Choice | null }
  | { readonly kind: 'vote'; readonly type: number; readonly round: number; readonly blockId: BlockId }
  | { readonly kind: 'timer'; readonly step: Step; readonly round: number }
  | { readonly kind: 'validate'; readonly candidate: Candidate }
  | { readonly kind: 'decide'; readonly decision: Choice; readonly candidate: Candidate }
  | { readonly kind: 'evidence'; readonly votes: readonly [Vote, Vote] }
  /** A round was entered. */
  | { readonly kind: 'round'; readonly round: number }
  /** A rule fired, for those who watch. */
  | { readonly kind: 'rule'; readonly rule: Rule; readonly outcome: string }
  /** What cannot be with less than a third of the power faulty. `halt`: nothing may be signed any more. */
  | { readonly kind: 'alarm' | 'halt'; readonly reason: string }

export type Rule = 'R0' | 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8' | 'R9' | 'R10' | 'R11'

export interface Transition {
  readonly state: RoundState
  readonly effects: readonly Effect[]
}

export interface HeightOptions extends VotesOfHeight {
  readonly self: number | null
  readonly precision: Duration | null
}

/** The state before the first round. */
export function createRoundState({ self, precision, ...votes }: HeightOptions): RoundState {
  return {
    keeper: createVoteKeeper(votes),
    self,
    precision,
    elections: { proposers: [proposerOf(votes.validators)], last: votes.validators },
    round: -1,
    step: 'propose',
    proposals: new Map(),
    candidates: new Map(),
    locked: null,
    valid: null,
    firedR3: -1,
    firedR4: -1,
    firedR6: -1,
    decided: null,
  }
}

export function step(state: RoundState, input: Input): Transition {
  const effects: Effect[] = []
  let next = take(state, input, effects)
  for (let fired = fire(next); fired !== null; fired = fire(next)) {
    next = fired.state
    effects.push(...fired.effects)
  }
  return { state: next, effects }
}

/** The address of the round's proposer; undefined for rounds beyond the next. */
export function proposerAt({ elections }: RoundState, round: number): string | undefined {
  return elections.proposers[round]
}

/** Whether the proposal may be looked at, before its signature costs anything; null if so. */
export function judgeProposal(state: RoundState, { height, round, polRound }: Proposal): 'known' | Fault | null {
  if (height !== state.keeper.height || round < 0 || round > state.round + 1) return fault('unexpected-step')
  if (round < state.round - ROUNDS_KEPT || state.proposals.has(round) || state.decided !== null) return 'known'
  return polRound < -1 || polRound >= round ? fault('pol-round') : null
}

/** Blocks that are named by a proposal or a quorum, but have not come. */
export function missingBlocks(state: RoundState): readonly BlockId[] {
  const missing = new Map<string, BlockId>()
  const ask = (blockId: BlockId | null | undefined): void => {
    if (blockId === null || blockId === undefined || !isComplete(blockId)) return
    const key = blockIdKey(blockId)
    if (!state.candidates.has(key)) missing.set(key, blockId)
  }
  if (state.decided !== null) return []
  for (const { proposal } of state.proposals.values()) if (proposal.round >= state.round) ask(proposal.blockId)
  ask(polkaOf(state.keeper, state.round))
  ask(decisionOf(state.keeper)?.blockId)
  return [...missing.values()]
}

export function candidateOf(state: RoundState, blockId: BlockId): Candidate | undefined {
  return state.candidates.get(blockIdKey(blockId))
}

// --- inputs -------------------------------------------------------------------------------------------------------

function take(state: RoundState, input: Input, effects: Effect[]): RoundState {
  switch (input.kind) {
    case 'begin':
      return state.round === -1 && state.decided === null ? enter(state, 0, effects) : state
    case 'proposal': {
      const { proposal, receivedAt } = input
      // Its proof may be of a round that this node has skipped.
      const keeper = openRound(state.keeper, proposal.polRound)
      return { ...state, keeper, proposals: new Map(state.proposals).set(proposal.round, { proposal, receivedAt }) }
    }
    case 'block':
      return takeBlock(state, input, effects)
    case 'verdict': {
      const key = blockIdKey(input.blockId)
      const candidate = state.candidates.get(key)
      if (candidate?.verdict !== 'asked') return state
      return { ...state, candidates: new Map(state.candidates).set(key, { ...candidate, verdict: input.verdict }) }
    }
    case 'vote': {
      const { keeper, conflicting } = keepVote(state.keeper, input.vote)
      if (conflicting !== null) effects.push({ kind: 'evidence', votes: [conflicting, input.vote] })
      return keeper === state.keeper ? state : { ...state, keeper }
    }
    case 'claim':
      return takeClaim(state, input)
    case 'timeout':
      return onTimeout(state, input.step, input.round, effects)
  }
}

function takeBlock(
  state: RoundState,
  { blockId, block, bytes }: Extract<Input, { kind: 'block' }>,
  effects: Effect[],
): RoundState {
  const key = blockIdKey(blockId)
  if (state.candidates.has(key)) return state
  const candidate: Candidate = { blockId, block, bytes, verdict: 'asked' }
  effects.push({ kind: 'validate', candidate })
  return { ...state, candidates: new Map(state.candidates).set(key, candidate) }
}

function takeClaim(state: RoundState, { peer, round, type, blockId }: Extract<Input, { kind: 'claim' }>): RoundState {
  const { keeper } = state
  const set = votesOf(keeper, round, type)
  const votes = keeper.rounds.get(round)
  if (set === undefined || votes === undefined) return state
  const claimed = claimMajority(set, peer, blockId)
  if ('code' in claimed || claimed === set) return state
  const rounds = new Map(keeper.rounds)
  rounds.set(round, type === PREVOTE ? { ...votes, prevotes: claimed } : { ...votes, precommits: claimed })
  return { ...state, keeper: { ...keeper, rounds } }
}

/** R9, R10, R11: a step that ran out of time votes nil, a late timeout is ignored. */
function onTimeout(state: RoundState, at: Step, round: number, effects: Effect[]): RoundState {
  if (round !== state.round || state.decided !== null) return state
  if (at === 'propose' && state.step === 'propose') {
    fired(effects, 'R9', 'nil')
    return cast(state, PREVOTE, NIL_BLOCK_ID, effects)
  }
  if (at === 'prevote' && state.step === 'prevote') {
    fired(effects, 'R10', 'nil')
    return cast(state, PRECOMMIT, NIL_BLOCK_ID, effects)
  }
  if (at !== 'precommit') return state
  fired(effects, 'R11', 'next')
  return enter(state, round + 1, effects)
}

// --- rules --------------------------------------------------------------------------------------------------------

/** The first rule whose guard holds. */
function fire(state: RoundState): Transition | null {
  if (state.decided !== null) return null
  return (
    decide(state) ??
    skip(state) ??
    (state.round === -1
      ? begin(state)
      : (onProposal(state) ?? onPolka(state) ?? onNilPolka(state) ?? onPrevotes(state) ?? onPrecommits(state)))
  )
}

/** R7. The application is not asked: what two thirds decided must be executed. */
function decide(state: RoundState): Transition | null {
  const decision = decisionOf(state.keeper)
  if (decision === null) return null
  const candidate = candidateOf(state, decision.blockId)
  if (candidate === undefined || candidate.verdict === 'asked') return null
  const effects: Effect[] = []
  fired(effects, 'R7', decision.round === state.round ? 'current' : decision.round < state.round ? 'past' : 'future')
  if (candidate.verdict === 'malformed') {
    effects.push({ kind: 'halt', reason: 'two thirds decided a block that does not follow from the chain' })
  } else effects.push({ kind: 'decide', decision, candidate })
  return { state: { ...state, decided: decision }, effects }
}

/** R8. */
function skip(state: RoundState): Transition | null {
  const round = roundToSkipTo(state.keeper)
  if (round === null) return null
  const effects: Effect[] = []
  fired(effects, 'R8', state.round === -1 ? 'first' : 'later')
  return { state: enter(state, round, effects), effects }
}

/** R0, for those who wait for something to propose: somebody had it. */
function begin(state: RoundState): Transition | null {
  if (!state.proposals.has(0)) return null
  const effects: Effect[] = []
  return { state: enter(state, 0, effects), effects }
}

/** R1 and R2. */
function onProposal(state: RoundState): Transition | null {
  const received = state.proposals.get(state.round)
  if (state.step !== 'propose' || received === undefined) return null
  const { blockId, polRound } = received.proposal
  const candidate = candidateOf(state, blockId)
  if (candidate === undefined || candidate.verdict === 'asked') return null
  const effects: Effect[] = []
  if (polRound === -1) {
    const mayVote = state.locked === null || equalBlockIds(state.locked.blockId, blockId)
    const isGood = candidate.verdict === 'accepted' && mayVote && isTimely(state, candidate, received)
    fired(effects, 'R1', isGood ? 'block' : mayVote ? 'nil' : 'nil-locked')
    return { state: cast(state, PREVOTE, isGood ? blockId : NIL_BLOCK_ID, effects), effects }
  }
  const polka = polkaOf(state.keeper, polRound)
  if (polka === null || !equalBlockIds(polka, blockId)) return null
  const mayVote =
    state.locked === null || state.locked.round <= polRound || equalBlockIds(state.locked.blockId, blockId)
  const isGood = candidate.verdict === 'accepted' && mayVote
  fired(effects, 'R2', isGood ? 'block' : mayVote ? 'nil' : 'nil-locked')
  return { state: cast(state, PREVOTE, isGood ? blockId : NIL_BLOCK_ID, effects), effects }
}

/**
 * Whether the block's time is not too far ahead of the clock that received it. Asked of fresh proposals only: a node with a slow
 * clock must not refuse what others have locked. The tolerance grows with the rounds, so that clocks only delay.
 */
function isTimely({ precision, round }: RoundState, { block }: Candidate, { receivedAt }: Received): boolean {
  if (precision === null) return true
  const tolerance = BigInt(Math.floor(Number(precision) * Math.min(1.1 ** round, 1e6)))
  return block.header.time <= receivedAt + tolerance
}

/** R4. A polka for a block of which no proposal came is as good, once the block is here. */
function onPolka(state: RoundState): Transition | null {
  if (state.step === 'propose' || state.firedR4 === state.round) return null
  const polka = polkaOf(state.keeper, state.round)
  if (polka === null || !isComplete(polka)) return null
  const candidate = candidateOf(state, polka)
  if (candidate === undefined || candidate.verdict === 'asked') return null
  const effects: Effect[] = []
  const marked = { ...state, firedR4: state.round }
  if (candidate.verdict !== 'accepted') {
    fired(effects, 'R4', 'refused')
    effects.push({ kind: 'alarm', reason: 'two thirds prevoted a block that this node refuses' })
    return { state: state.step === 'prevote' ? cast(marked, PRECOMMIT, NIL_BLOCK_ID, effects) : marked, effects }
  }
  const choice: Choice = { round: state.round, blockId: polka }
  if (state.step === 'prevote') {
    fired(
      effects,
      'R4',
      state.locked === null ? 'lock' : equalBlockIds(state.locked.blockId, polka) ? 'relock' : 'move',
    )
    return { state: cast({ ...marked, locked: choice, valid: choice }, PRECOMMIT, polka, effects), effects }
  }
  fired(effects, 'R4', 'valid-only')
  return { state: { ...marked, valid: choice }, effects }
}

/** R5. Locks stay. */
function onNilPolka(state: RoundState): Transition | null {
  if (state.step !== 'prevote') return null
  const polka = polkaOf(state.keeper, state.round)
  if (polka === null || !isNil(polka)) return null
  const effects: Effect[] = []
  fired(effects, 'R5', state.locked === null ? 'unlocked' : 'locked')
  return { state: cast(state, PRECOMMIT, NIL_BLOCK_ID, effects), effects }
}

/** R3. */
function onPrevotes(state: RoundState): Transition | null {
  const { step: at, round, firedR3 } = state
  if (at !== 'prevote' || firedR3 === round || !hasQuorum(votesOf(state.keeper, round, PREVOTE))) return null
  const effects: Effect[] = []
  fired(effects, 'R3', 'wait')
  effects.push({ kind: 'timer', step: 'prevote', round })
  return { state: { ...state, firedR3: round }, effects }
}

/** R6. */
function onPrecommits(state: RoundState): Transition | null {
  const { round, firedR6 } = state
  if (firedR6 === round || !hasQuorum(votesOf(state.keeper, round, PRECOMMIT))) return null
  const effects: Effect[] = []
  fired(effects, 'R6', 'wait')
  effects.push({ kind: 'timer', step: 'precommit', round })
  return { state: { ...state, firedR6: round }, effects }
}

function hasQuorum(set: VoteSet | undefined): boolean {
  return set !== undefined && hasAnyQuorum(set)
}

// --- deeds --------------------------------------------------------------------------------------------------------

/** R0. */
function enter(state: RoundState, round: number, effects: Effect[]): RoundState {
  const elections = electUpTo(state.elections, round + 1)
  const isProposer = state.self !== null && elections.proposers[round] === addressAt(state, state.self)
  fired(effects, 'R0', isProposer ? (state.valid === null ? 'propose' : 'repropose') : 'wait')
  effects.push({ kind: 'round', round }, { kind: 'timer', step: 'propose', round })
  if (isProposer) effects.push({ kind: 'propose', round, valid: state.valid })
  const entered: RoundState = {
    ...state,
    elections,
    round,
    step: 'propose',
    keeper: enterRound(state.keeper, round),
    proposals: new Map([...state.proposals].filter(([at]) => at >= round - ROUNDS_KEPT)),
  }
  return { ...entered, candidates: neededCandidates(entered) }
}

/** Blocks that a proposal, a choice or a quorum names. */
function neededCandidates(state: RoundState): ReadonlyMap<string, Candidate> {
  const needed = new Set<string>()
  for (const { proposal } of state.proposals.values()) needed.add(blockIdKey(proposal.blockId))
  for (const choice of [state.locked, state.valid]) if (choice !== null) needed.add(blockIdKey(choice.blockId))
  for (const { prevotes, precommits } of state.keeper.rounds.values()) {
    for (const { majority } of [prevotes, precommits]) if (majority !== null) needed.add(blockIdKey(majority))
  }
  return new Map([...state.candidates].filter(([key]) => needed.has(key)))
}

/** One election after the other: what one jump over many rounds elects could differ. */
function electUpTo({ proposers, last }: Elections, round: number): Elections {
  if (proposers.length > round) return { proposers, last }
  const elected = [...proposers]
  let set = last
  while (elected.length <= round) {
    set = incrementPriorities(set, 1)
    elected.push(proposerOf(set))
  }
  return { proposers: elected, last: set }
}

function proposerOf({ proposer, validators }: ValidatorSet): string {
  return proposer?.address ?? validators[0]?.address ?? ''
}

function addressAt({ keeper }: RoundState, index: number): string | undefined {
  return keeper.validators.validators[index]?.address
}

/** Votes, and goes to the step that follows. */
function cast(state: RoundState, type: number, blockId: BlockId, effects: Effect[]): RoundState {
  if (state.self !== null) effects.push({ kind: 'vote', type, round: state.round, blockId })
  return { ...state, step: type === PREVOTE ? 'prevote' : 'precommit' }
}

function fired(effects: Effect[], rule: Rule, outcome: string): void {
  effects.push({ kind: 'rule', rule, outcome })
}
