/**
 * Every way in which a height of four validators can go: three honest ones, which run the rounds as they are, and a fourth that says
 * whatever suits it to whomever. Messages and timers come in any order; two values; as many rounds as asked for.
 *
 * A node's own state, with what it has sent, is told apart from what it can hear: all that a node can do next follows from its state
 * and from what the others have sent, and is worked out once. A state of the network is then three numbers.
 *
 * Votes that change nothing when they come are left for later, until the one that makes a rule fire: what lies between is the
 * same state with more in it. Of one step, at most the votes that complete a count come at once.
 *
 * @source spec consensus §8.4, T8
 */

import { makeBlock } from '../../devnet/consensus/block-building.ts'
import { blockIdKey, NIL_BLOCK_ID } from '../../devnet/consensus/block-id.ts'
import { EMPTY_COMMIT } from '../../devnet/consensus/commit.ts'
import { headerHash } from '../../devnet/consensus/hash.ts'
import { partSetHeader } from '../../devnet/consensus/part-set.ts'
import {
  createRoundState,
  type Effect,
  type Input,
  judgeProposal,
  missingBlocks,
  proposerAt,
  type RoundState,
  step,
} from '../../devnet/consensus/round.ts'
import { encode } from '../../devnet/consensus/schema.ts'
import { makeKeyRing } from '../../devnet/consensus/simulation/fake-key.ts'
import { openGenesis } from '../../devnet/consensus/simulation/genesis.ts'
import { Random } from '../../devnet/consensus/simulation/random.ts'
import { judgeVote } from '../../devnet/consensus/vote-keeper.ts'
import {
  BLOCK,
  type Block,
  type BlockId,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL_TYPE,
  type Proposal,
  type Vote,
} from '../../devnet/consensus/wire.ts'

export interface SearchOptions {
  /** In this round the faulty validator proposes; null: in none of those that are looked at. */
  readonly faultyLeads: number | null
  /** The application refuses the second value. */
  readonly refusesSecond: boolean
  readonly rounds: number
  readonly statesMax: number
  readonly seed: number
  /** The rounds, or the rounds with a bug in them. */
  readonly step: typeof step
}

export const USUAL_SEARCH: SearchOptions = {
  faultyLeads: null,
  refusesSecond: false,
  rounds: 2,
  statesMax: 2_000_000,
  seed: 1,
  step,
}

export interface SearchResult {
  readonly states: number
  /** Different states of single nodes. */
  readonly nodeStates: number
  /** Whether there are no more. */
  readonly isComplete: boolean
  /** States in which somebody has decided. */
  readonly decided: number
  /** The promise that was broken, and how it came to that. */
  readonly broken: { readonly promise: string; readonly path: readonly string[] } | null
}

/** 0 and 1 are blocks, 2 is nil. */
type Value = 0 | 1 | 2
const NIL: Value = 2
const NAMES = ['v', 'w', 'nil'] as const

interface Sent {
  readonly round: number
  readonly type: number
  readonly value: Value
}

interface Offer {
  readonly round: number
  readonly value: Value
  readonly polRound: number
}

/** A node, and everything that it has ever said. */
interface Local {
  readonly id: number
  /** Names what it has said. */
  readonly said: number
  readonly place: number
  readonly state: RoundState
  readonly votes: readonly Sent[]
  readonly offers: readonly Offer[]
  readonly decided: Value | null
  readonly halted: boolean
  /** What votes that come together lead to. */
  readonly batches: Map<number, Move | null>
}

interface Move {
  readonly name: string
  readonly to: Local
}

export function search(options: SearchOptions): SearchResult {
  return new Search(options).run()
}

const NO_BYTES = new Uint8Array(0)
/** Three of them make a whole number that is exact. */
const LOCALS_MAX = 2 ** 17
const PLACES = [1, LOCALS_MAX, LOCALS_MAX ** 2]

class Search {
  readonly #options: SearchOptions
  readonly #random: Random
  readonly #initial: RoundState
  readonly #addresses: readonly string[]
  readonly #blocks: readonly { readonly block: Block; readonly bytes: Uint8Array; readonly blockId: BlockId }[]
  readonly #values = new Map<string, Value>([[blockIdKey(NIL_BLOCK_ID), NIL]])
  /** Places of the honest, and of the faulty one. */
  readonly #honest: readonly number[]
  readonly #faulty: number
  readonly #time: bigint
  readonly #locals: Local[] = []
  readonly #byKey = new Map<string, Local>()
  readonly #moves = new Map<number, readonly Move[]>()
  /** What a node has said by now, by its text. */
  readonly #sayings = new Map<string, number>()
  readonly #proposers: readonly number[]
  readonly #votes = new Map<number, Vote>()

  constructor(options: SearchOptions) {
    this.#options = options
    this.#random = new Random(options.seed, 'search')
    const ring = makeKeyRing(4)
    const keys = ring.keys.map(({ publicKey }) => publicKey)
    const chain = openGenesis({ powers: [10n, 10n, 10n, 10n], initialHeight: 1n }, keys)
    const { validators, chainId } = chain
    this.#addresses = validators.validators.map(({ address }) => address)
    this.#time = chain.lastTime
    this.#blocks = [0, 1].map((i) => {
      const block = makeBlock(chain, {
        time: chain.lastTime,
        txs: [Uint8Array.of(i)],
        lastCommit: EMPTY_COMMIT,
        evidence: [],
        proposer: this.#addresses[0]!,
      })
      const bytes = encode(BLOCK, block)
      return { block, bytes, blockId: { hash: headerHash(block.header)!, partSetHeader: partSetHeader(bytes) } }
    })
    for (const [i, { blockId }] of this.#blocks.entries()) this.#values.set(blockIdKey(blockId), i as Value)
    const height = { chainId, height: 1n, validators, hasExtensions: false, precision: null }
    this.#initial = createRoundState({ ...height, self: null })
    // Who leads in which round is known once the round before has begun.
    let probe = step(this.#initial, { kind: 'begin' }).state
    const proposers: number[] = []
    for (let round = 0; round <= options.rounds; round++) {
      proposers.push(this.#addresses.indexOf(proposerAt(probe, round) ?? ''))
      for (const place of [0, 1, 2]) probe = step(probe, this.#voteInput(PRECOMMIT, round, place, NIL)).state
      probe = step(probe, { kind: 'timeout', step: 'precommit', round }).state
    }
    this.#proposers = proposers
    const leaders = proposers.slice(0, options.rounds)
    this.#faulty =
      options.faultyLeads === null ? [3, 2, 1, 0].find((p) => !leaders.includes(p))! : proposers[options.faultyLeads]!
    this.#honest = [0, 1, 2, 3].filter((place) => place !== this.#faulty)
  }

  run(): SearchResult {
    const { statesMax } = this.#options
    const first = this.#honest.map((place) => this.#begin(place))
    /** Of each state that was seen, the one it was first reached from. */
    const from = new Map<number, number>([[keyOf(first), -1]])
    const frontier = [keyOf(first)]
    let decided = 0
    let isComplete = true
    for (let key = this.#take(frontier); key !== undefined; key = this.#take(frontier)) {
      const at = this.#stateOf(key)
      if (at.some((local) => local.decided !== null)) decided++
      const promise = this.#broken(at)
      if (promise !== null) return this.#result(from.size, false, decided, { promise, path: this.#pathTo(key, from) })
      for (let i = 0; i < at.length; i++) {
        for (const { to } of this.#movesOf(at, i)) {
          const next = key + (to.id - at[i]!.id) * PLACES[i]!
          if (from.has(next)) continue
          if (from.size >= statesMax) {
            isComplete = false
            continue
          }
          from.set(next, key)
          frontier.push(next)
        }
      }
    }
    return this.#result(from.size, isComplete, decided, null)
  }

  /** Mostly what was found last, so that heights are played to their end; now and then any other. */
  #take(frontier: number[]): number | undefined {
    const last = frontier.length - 1
    if (last > 0 && this.#random.chance(0.02)) {
      const i = this.#random.below(last)
      const other = frontier[i]!
      frontier[i] = frontier[last]!
      frontier[last] = other
    }
    return frontier.pop()
  }

  #result(states: number, isComplete: boolean, decided: number, broken: SearchResult['broken']): SearchResult {
    return { states, nodeStates: this.#locals.length, isComplete, decided, broken }
  }

  #stateOf(key: number): readonly Local[] {
    return PLACES.map((place) => this.#locals[Math.floor(key / place) % LOCALS_MAX]!)
  }

  #pathTo(end: number, from: ReadonlyMap<number, number>): readonly string[] {
    const path: string[] = []
    for (let key = end, before = from.get(end)!; before !== -1; key = before, before = from.get(key)!) {
      const at = this.#stateOf(before)
      const i = PLACES.findIndex((place, j) => before + (this.#stateOf(key)[j]!.id - at[j]!.id) * place === key)
      const move = this.#movesOf(at, i).find(({ to }) => to === this.#stateOf(key)[i])
      path.unshift(`${at[i]!.place}: ${move?.name}`)
    }
    return path
  }

  #begin(place: number): Local {
    const fresh: Local = {
      id: -1,
      said: -1,
      place,
      state: { ...this.#initial, self: place },
      votes: [],
      offers: [],
      decided: null,
      halted: false,
      batches: new Map(),
    }
    return this.#know(this.#put(fresh, [{ kind: 'begin' }]).local)
  }

  // --- promises ---------------------------------------------------------------------------------------------------

  #broken(at: readonly Local[]): string | null {
    const decisions = at.flatMap(({ decided }) => (decided === null ? [] : [decided]))
    if (new Set(decisions).size > 1) return 'agreement: two values are decided'
    if (this.#options.refusesSecond && decisions.includes(1)) return 'validity: what everybody refuses is decided'
    for (const { place, votes, halted } of at) {
      if (halted) return `halt: ${place}`
      for (const vote of votes) {
        if (votes.some((other) => isSameSlot(vote, other) && other.value !== vote.value)) {
          return `equivocation: ${place} voted twice in round ${vote.round}`
        }
      }
      const fault = this.#leftLock(at, votes)
      if (fault !== null) return `lock: ${place} ${fault}`
    }
    return null
  }

  /** A prevote for another block than was precommitted takes two thirds for it, in the round of that precommit or later. */
  #leftLock(at: readonly Local[], votes: readonly Sent[]): string | null {
    for (const lock of votes) {
      if (lock.type !== PRECOMMIT || lock.value === NIL) continue
      for (const { type, round, value } of votes) {
        if (type !== PREVOTE || round <= lock.round || value === NIL || value === lock.value) continue
        let hasProof = false
        for (let proof = lock.round; proof < round; proof++) {
          const honest = at.filter((node) =>
            node.votes.some((vote) => vote.type === PREVOTE && vote.round === proof && vote.value === value),
          )
          // The faulty one may have prevoted anything.
          if (honest.length >= 2) hasProof = true
        }
        if (!hasProof) return `left ${NAMES[lock.value]} of round ${lock.round} in round ${round}`
      }
    }
    return null
  }

  // --- what a node can do -----------------------------------------------------------------------------------------

  /** What the node at place `i` of `at` can do: it follows from its state and from what the others have said. */
  #movesOf(at: readonly Local[], i: number): readonly Move[] {
    const local = at[i]!
    if (local.decided !== null || local.halted) return []
    let key = local.id
    for (const [j, other] of at.entries()) if (j !== i) key = key * LOCALS_MAX + other.said
    let moves = this.#moves.get(key)
    if (moves === undefined) {
      moves = this.#findMoves(
        local,
        at.filter((other) => other !== local),
      )
      this.#moves.set(key, moves)
    }
    return moves
  }

  #findMoves(local: Local, others: readonly Local[]): readonly Move[] {
    const { state } = local
    const honest = others.flatMap(({ place, votes }) =>
      votes.flatMap((sent) => {
        const vote = this.#vote(sent.type, sent.round, place, sent.value)
        return judgeVote(state.keeper, vote) === 'wanted' ? [{ ...sent, place }] : []
      }),
    )
    const offers = others.flatMap(({ offers: made }) => made.filter((offer) => this.#isWanted(state, offer)))
    const moves = [
      ...this.#bodyMoves(local),
      ...this.#timerMoves(local),
      ...this.#offerMoves(local, offers),
      ...this.#voteMoves(local, honest),
    ]
    return moves.filter(({ to }, i) => to !== local && moves.findIndex((move) => move.to === to) === i)
  }

  #bodyMoves(local: Local): Move[] {
    return missingBlocks(local.state).map((blockId) => {
      const value = this.#values.get(blockIdKey(blockId))!
      return this.#move(local, `block ${NAMES[value]}`, this.#body(value))
    })
  }

  #body(value: Value): readonly Input[] {
    const { blockId, block, bytes } = this.#blocks[value]!
    const isRefused = this.#options.refusesSecond && value === 1
    return [
      { kind: 'block', blockId, block, bytes },
      { kind: 'verdict', blockId, verdict: isRefused ? 'rejected' : 'accepted' },
    ]
  }

  /** A timer may run out before it was set: that allows more than there can be, and what holds then holds. */
  #timerMoves(local: Local): Move[] {
    const { round, step: at } = local.state
    if (round >= this.#options.rounds) return []
    return [...new Set([at, 'precommit' as const])].map((kind) =>
      this.#move(local, `timeout ${kind} ${round}`, [{ kind: 'timeout', step: kind, round }]),
    )
  }

  #isWanted(state: RoundState, { round, value, polRound }: Offer): boolean {
    return round === state.round && judgeProposal(state, this.#proposal({ round, value, polRound })) === null
  }

  #offerMoves(local: Local, honest: readonly Offer[]): Move[] {
    const { round } = local.state
    const faulty: Offer[] = []
    if (round < this.#options.rounds && this.#proposers[round] === this.#faulty) {
      for (const value of [0, 1] as const) {
        for (let polRound = -1; polRound < round; polRound++) faulty.push({ round, value, polRound })
      }
    }
    return [...honest, ...faulty.filter((offer) => this.#isWanted(local.state, offer))].map((offer) => {
      const proposal = this.#proposal(offer)
      const name = `proposal ${NAMES[offer.value]} ${offer.polRound}`
      return this.#move(local, name, [{ kind: 'proposal', proposal, receivedAt: this.#time }])
    })
  }

  /** Of each step of each round: some of the honest votes, and one of the faulty validator's or none. */
  #voteMoves(local: Local, honest: readonly (Sent & { readonly place: number })[]): Move[] {
    const moves: Move[] = []
    for (let round = 0; round < this.#options.rounds; round++) {
      for (const type of [PREVOTE, PRECOMMIT]) {
        const theirs = honest.filter((vote) => vote.round === round && vote.type === type)
        const faulty = ([0, 1, NIL] as const)
          .map((value) => ({ round, type, value, place: this.#faulty }))
          .filter(({ value }) => this.#isFirst(local.state, round, type, value))
        for (let some = 0; some < 1 << theirs.length; some++) {
          const chosen = theirs.filter((_, i) => ((some >> i) & 1) === 1)
          for (const extra of [null, ...faulty]) {
            const batch = extra === null ? chosen : [...chosen, extra]
            const move = batch.length === 0 ? null : this.#batchMove(local, batch)
            if (move !== null) moves.push(move)
          }
        }
      }
    }
    return moves
  }

  #isFirst({ keeper }: RoundState, round: number, type: number, value: Value): boolean {
    const votes = keeper.rounds.get(round)
    const first = (type === PREVOTE ? votes?.prevotes : votes?.precommits)?.votes[this.#faulty]
    return first == null && judgeVote(keeper, this.#vote(type, round, this.#faulty, value)) === 'wanted'
  }

  /**
   * A move, if the last of the votes makes a rule fire or names a block that is missing, and none before it does. Worked out once for
   * a node's state, whatever else the others have said.
   */
  #batchMove(local: Local, batch: readonly (Sent & { readonly place: number })[]): Move | null {
    let code = batch[0]!.round * 2 + batch[0]!.type
    for (const { place, value } of batch) code = code * 13 + 1 + place * 3 + value
    let known = local.batches.get(code)
    if (known === undefined) {
      known = this.#findBatchMove(local, batch)
      local.batches.set(code, known)
    }
    return known
  }

  #findBatchMove(local: Local, batch: readonly (Sent & { readonly place: number })[]): Move | null {
    let at = local
    for (const [i, { type, round, place, value }] of batch.entries()) {
      const wanted = missingBlocks(at.state).length
      const { local: next, didFire } = this.#put(at, [this.#voteInput(type, round, place, value)])
      const isNews = didFire || missingBlocks(next.state).length !== wanted
      if (isNews !== (i === batch.length - 1)) return null
      at = next
    }
    const name = batch.map(({ type, round, place, value }) => `${place}/${round}/${type} ${NAMES[value]}`).join(' + ')
    return { name, to: this.#know(at) }
  }

  #move(local: Local, name: string, inputs: readonly Input[]): Move {
    return { name, to: this.#know(this.#put(local, inputs).local) }
  }

  // --- a node -----------------------------------------------------------------------------------------------------

  /** Puts inputs in, and what comes of them at once: own votes, own proposals and their blocks. */
  #put(local: Local, inputs: readonly Input[]): { readonly local: Local; readonly didFire: boolean } {
    const { place } = local
    let { state, decided, halted } = local
    const votes = [...local.votes]
    const offers = [...local.offers]
    const queue = [...inputs]
    let didFire = false
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      const { state: next, effects } = this.#options.step(state, input)
      state = next
      for (const effect of effects) {
        // Timers run out when they like, so the rules that only begin to wait are nothing new.
        didFire ||= effect.kind === 'rule' && effect.rule !== 'R3' && effect.rule !== 'R6'
        if (effect.kind === 'halt') halted = true
        if (effect.kind === 'decide') decided = this.#values.get(blockIdKey(effect.decision.blockId))!
        if ('round' in effect && effect.round >= this.#options.rounds) continue
        if (effect.kind === 'vote') {
          const value = this.#values.get(blockIdKey(effect.blockId))!
          votes.push({ round: effect.round, type: effect.type, value })
          queue.push(this.#voteInput(effect.type, effect.round, place, value))
        }
        if (effect.kind === 'propose') queue.push(...this.#propose(effect, offers))
      }
    }
    return { local: { id: -1, said: -1, place, state, votes, offers, decided, halted, batches: new Map() }, didFire }
  }

  /** Whoever leads in an even round would like v, in an odd one w. */
  #propose({ round, valid }: Extract<Effect, { kind: 'propose' }>, offers: Offer[]): readonly Input[] {
    const isFresh = valid === null
    const fresh: Value = this.#options.refusesSecond ? 0 : ((round % 2) as Value)
    const value = isFresh ? fresh : this.#values.get(blockIdKey(valid.blockId))!
    const offer = { round, value, polRound: isFresh ? -1 : valid.round }
    offers.push(offer)
    return [{ kind: 'proposal', proposal: this.#proposal(offer), receivedAt: this.#time }, ...this.#body(value)]
  }

  #know(local: Local): Local {
    const key = this.#keyOf(local)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const saying = `${textOf(local.votes)} ${JSON.stringify(local.offers)}`
    const said = this.#sayings.get(saying) ?? this.#sayings.size
    this.#sayings.set(saying, said)
    const kept = { ...local, id: this.#locals.length, said }
    if (kept.id >= LOCALS_MAX) throw new RangeError(`more than ${LOCALS_MAX} states of single nodes`)
    this.#locals.push(kept)
    this.#byKey.set(key, kept)
    return kept
  }

  /** All that what comes next can depend on. */
  #keyOf({ place, state, votes, offers, decided, halted }: Local): string {
    if (decided !== null) return `${place} decided ${decided} ${textOf(votes)} ${JSON.stringify(offers)}`
    const choice = (of: RoundState['locked']): string =>
      of === null ? '-' : `${of.round}${this.#values.get(blockIdKey(of.blockId))}`
    const kept: string[] = []
    for (const [round, { prevotes, precommits }] of state.keeper.rounds) {
      for (const set of [prevotes, precommits]) {
        const text = set.votes
          .map((vote) => (vote === null ? '.' : this.#values.get(blockIdKey(vote.blockId))!))
          .join('')
        const majority = set.majority === null ? '' : this.#values.get(blockIdKey(set.majority))
        kept.push(`${round}${text}${majority}`)
      }
    }
    const ahead = [...state.keeper.ahead].map(([place, pair]) => `${place}${pair.map((vote) => vote?.round ?? '')}`)
    const bodies = [...state.candidates.values()].map(({ blockId }) => this.#values.get(blockIdKey(blockId)))
    const heard = [...state.proposals.values()].map(
      ({ proposal: { round, polRound, blockId } }) => `${round}${polRound}${this.#values.get(blockIdKey(blockId))}`,
    )
    return [
      place,
      state.round,
      state.step,
      choice(state.locked),
      choice(state.valid),
      state.firedR4,
      kept.join(','),
      ahead.join(','),
      bodies.sort().join(''),
      heard.sort().join(','),
      textOf(votes),
      offers.length,
      halted,
    ].join(' ')
  }

  // --- messages ---------------------------------------------------------------------------------------------------

  #vote(type: number, round: number, place: number, value: Value): Vote {
    const code = ((round * 2 + type) * 4 + place) * 3 + value
    const known = this.#votes.get(code)
    if (known !== undefined) return known
    const vote = this.#makeVote(type, round, place, value)
    this.#votes.set(code, vote)
    return vote
  }

  #makeVote(type: number, round: number, place: number, value: Value): Vote {
    return {
      type,
      height: 1n,
      round,
      blockId: value === NIL ? NIL_BLOCK_ID : this.#blocks[value]!.blockId,
      timestamp: this.#time,
      validatorAddress: this.#addresses[place]!,
      validatorIndex: place,
      signature: NO_BYTES,
      extension: NO_BYTES,
      extensionSignature: NO_BYTES,
    }
  }

  #voteInput(type: number, round: number, place: number, value: Value): Input {
    return { kind: 'vote', vote: this.#vote(type, round, place, value) }
  }

  #proposal({ round, value, polRound }: Offer): Proposal {
    const { blockId } = this.#blocks[value]!
    return {
      type: PROPOSAL_TYPE,
      height: 1n,
      round,
      polRound,
      blockId,
      timestamp: this.#time,
      signature: NO_BYTES,
    }
  }
}

function isSameSlot(a: Sent, b: Sent): boolean {
  return a.round === b.round && a.type === b.type
}

function textOf(votes: readonly Sent[]): string {
  return votes.map(({ round, type, value }) => `${round}${type}${value}`).join()
}

function keyOf(at: readonly Local[]): number {
  return at.reduce((key, { id }, i) => key + id * PLACES[i]!, 0)
}
