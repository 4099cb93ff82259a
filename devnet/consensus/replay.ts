/**
 * Runs the replicas of a recorded network again, from what each was given, and compares: what a replica signed with what the rules ask
 * of it, every signature with its key, and what replicas decided with what the others did. The first difference ends it.
 *
 * Not compared is what a replica did not sign: it may have been stopped, mute or listening.
 */
import { fromBinary, toHex } from '../primitives/bytes.ts'
import { blockIdKey, equalBlockIds, isNil } from './block-id.ts'
import type { ChainState } from './chain-state.ts'
import type { JournalRecord } from './journal.ts'
import { inputOf } from './journal-input.ts'
import type { VerifyMessage } from './key.ts'
import { hasExtensions } from './params.ts'
import { verifyProposal } from './proposal.ts'
import { createRoundState, type Effect, judgeProposal, proposerAt, type RoundState, step } from './round.ts'
import type { Duration } from './time.ts'
import { verifyVote } from './vote.ts'
import { judgeVote } from './vote-keeper.ts'
import { type BlockId, PREVOTE, type Proposal, type Vote } from './wire.ts'

/** What a recording has, in the order in which it happened. */
export type ReplayEntry =
  /** A replica is at the height after this state; `address` is empty for one without a key. */
  | {
      readonly kind: 'height'
      readonly replica: string
      readonly address: string
      readonly precision: Duration | null
      readonly chain: ChainState
    }
  | { readonly kind: 'record'; readonly replica: string; readonly record: JournalRecord }
  /** A power of the devnet took the replica back, with all others: what comes is another history. */
  | { readonly kind: 'rewind'; readonly replica: string }

export interface ReplayDifference {
  readonly replica: string
  readonly height: bigint
  readonly round: number
  /** What it is about: a vote, a proposal, a decision, or an input that no replica would have taken. */
  readonly effect: 'vote' | 'proposal' | 'decision' | 'input'
  readonly recorded: string
  readonly expected: string
}

interface Actor {
  /** How often the network had gone back: decisions of different histories are not compared. */
  readonly history: number
  readonly address: string
  readonly chain: ChainState
  state: RoundState
  /** What the rules asked for and has not been seen. */
  asked: Effect[]
}

export class Replay {
  readonly #verify: VerifyMessage
  readonly #rules: typeof step
  readonly #actors = new Map<string, Actor>()
  /** By history and height, who decided what first. */
  readonly #decided = new Map<string, { readonly replica: string; readonly blockId: BlockId }>()
  readonly #histories = new Map<string, number>()
  readonly #heights = new Set<bigint>()
  #records = 0

  /** `rules`: those of this build, unless it is others that are looked into. */
  constructor(verify: VerifyMessage, rules: typeof step = step) {
    this.#verify = verify
    this.#rules = rules
  }

  get summary(): { readonly replicas: number; readonly records: number; readonly heights: number } {
    return { replicas: this.#actors.size, records: this.#records, heights: this.#heights.size }
  }

  /** Null while everything is as it was. */
  take(entry: ReplayEntry): ReplayDifference | null {
    switch (entry.kind) {
      case 'height':
        return this.#begin(entry)
      case 'record':
        return this.#takeRecord(entry.replica, entry.record)
      case 'rewind':
        this.#histories.set(entry.replica, this.#historyOf(entry.replica) + 1)
        return null
    }
  }

  #historyOf(replica: string): number {
    return this.#histories.get(replica) ?? 0
  }

  #begin({ replica, address, precision, chain }: Extract<ReplayEntry, { kind: 'height' }>): ReplayDifference | null {
    const before = this.#actors.get(replica)
    const { lastHeight, initialHeight, validators, chainId, params } = chain
    const height = lastHeight === 0n ? initialHeight : lastHeight + 1n
    const place = validators.validators.findIndex((validator) => validator.address === address)
    const state = createRoundState({
      chainId,
      height,
      validators,
      hasExtensions: hasExtensions(params, height),
      self: place === -1 ? null : place,
      precision,
    })
    this.#heights.add(height)
    const history = this.#historyOf(replica)
    this.#actors.set(replica, { history, address, chain, state, asked: [] })
    const decision = before?.state.decided
    if (before?.history !== history || decision == null || before.state.keeper.height !== lastHeight) return null
    if (equalBlockIds(decision.blockId, chain.lastBlockId)) return null
    return {
      replica,
      height: lastHeight,
      round: decision.round,
      effect: 'decision',
      recorded: `block ${nameOf(chain.lastBlockId)}`,
      expected: `block ${nameOf(decision.blockId)}`,
    }
  }

  #takeRecord(replica: string, record: JournalRecord): ReplayDifference | null {
    const actor = this.#actors.get(replica)
    const input = inputOf(record)
    if (actor === undefined || input === null) return null
    this.#records++
    let difference: ReplayDifference | null = null
    if (record.kind === 'vote') difference = this.#checkVote(replica, actor, record.value.vote, record.value.isOwn)
    if (record.kind === 'proposal') {
      difference = this.#checkProposal(replica, actor, record.value.proposal, record.value.isOwn)
    }
    if (difference !== null) return difference
    const { state, effects } = this.#rules(actor.state, input)
    actor.state = state
    for (const effect of effects) {
      if (effect.kind === 'vote' || effect.kind === 'propose') actor.asked.push(effect)
      if (effect.kind === 'decide') difference ??= this.#checkDecision(replica, actor, effect)
    }
    return difference
  }

  #checkVote(replica: string, { state, asked, chain }: Actor, vote: Vote, isOwn: boolean): ReplayDifference | null {
    const { round, type, blockId } = vote
    const differ = differenceAt(replica, state, round)
    const said = `${type === PREVOTE ? 'prevote' : 'precommit'} ${nameOf(blockId)}`
    if (judgeVote(state.keeper, vote) !== 'wanted') {
      return differ('input', `${said} of validator ${vote.validatorIndex}`, 'a vote that was not known, of this height')
    }
    const voter = state.keeper.validators.validators[vote.validatorIndex]!
    if (verifyVote(chain.chainId, vote, voter, this.#verify) !== null) {
      return differ('vote', `${said} of validator ${vote.validatorIndex}`, 'a vote with a good signature')
    }
    if (!isOwn) return null
    const wanted = asked.find((effect) => effect.kind === 'vote' && effect.round === round && effect.type === type)
    if (wanted?.kind === 'vote' && equalBlockIds(wanted.blockId, blockId)) return null
    return differ('vote', said, wanted?.kind === 'vote' ? `a vote for ${nameOf(wanted.blockId)}` : 'no vote')
  }

  #checkProposal(
    replica: string,
    { state, asked, chain }: Actor,
    proposal: Proposal,
    isOwn: boolean,
  ): ReplayDifference | null {
    const { round, polRound, blockId } = proposal
    const differ = differenceAt(replica, state, round)
    const said = `proposal ${nameOf(blockId)} with proof ${polRound}`
    if (judgeProposal(state, proposal) !== null) return differ('input', said, 'the first proposal of the round')
    const proposer = state.keeper.validators.validators.find(({ address }) => address === proposerAt(state, round))
    if (proposer === undefined || verifyProposal(chain.chainId, proposal, proposer.pubKey, this.#verify) !== null) {
      return differ('proposal', said, 'a proposal signed by the proposer of the round')
    }
    if (!isOwn) return null
    const wanted = asked.find((effect) => effect.kind === 'propose' && effect.round === round)
    if (wanted?.kind !== 'propose') return differ('proposal', said, 'no proposal')
    const proof = wanted.valid?.round ?? -1
    const isSame = polRound === proof && (wanted.valid === null || equalBlockIds(wanted.valid.blockId, blockId))
    return isSame
      ? null
      : differ(
          'proposal',
          said,
          `${wanted.valid === null ? 'a new block' : nameOf(wanted.valid.blockId)} with proof ${proof}`,
        )
  }

  #checkDecision(
    replica: string,
    { history, state }: Actor,
    { decision }: Extract<Effect, { kind: 'decide' }>,
  ): ReplayDifference | null {
    const place = `${history}/${state.keeper.height}`
    const first = this.#decided.get(place)
    if (first === undefined) this.#decided.set(place, { replica, blockId: decision.blockId })
    if (first === undefined || blockIdKey(first.blockId) === blockIdKey(decision.blockId)) return null
    const expected = `block ${nameOf(first.blockId)}, as ${first.replica} decided`
    return differenceAt(replica, state, decision.round)('decision', `block ${nameOf(decision.blockId)}`, expected)
  }
}

function differenceAt(replica: string, { keeper }: RoundState, round: number) {
  return (effect: ReplayDifference['effect'], recorded: string, expected: string): ReplayDifference => ({
    replica,
    height: keeper.height,
    round,
    effect,
    recorded,
    expected,
  })
}

function nameOf(blockId: BlockId): string {
  return isNil(blockId) ? 'nil' : toHex(fromBinary(blockId.hash)).slice(0, 12)
}
