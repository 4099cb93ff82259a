/**
 * Every way in which a height of four validators can go: three honest ones, which run the rounds as they are, and a fourth that says
 * whatever suits it to whomever. Messages and timers come in any order; two values; as many rounds as asked for.
 *
 * What a node does is seen by others only in what it says, and what was said can be heard ever after. So a state of the network is, for
 * each honest node, what it has said and all the states that it may be in by now: those that it comes to, given what the others have
 * said, by moves in which it says nothing. Only a word makes a new state of the network. Nothing is lost by that and nothing
 * gained: the silent moves of different nodes touch nothing in common, so whatever states are possible for each are possible together;
 * and a word that is possible from one of them stays possible, as words only add to what can be heard.
 *
 *   possible(node) ∋ s, s says nothing and becomes t    ⇒  possible(node) ∋ t
 *   possible(node) ∋ s, s says x and becomes t          ⇒  another state of the network: all such t, and the others have x to hear
 *
 * If in two states of the network the same was said and in one each node may be in all the states of the other and more, then whatever
 * can come after the other can come after the one: only the one is followed. Promises are asked of every state: they speak of
 * what was said, and of decisions, which no move takes back.
 *
 * In a node itself: of a step in which a block id has its two thirds, which votes made them does not matter any more. Votes that change
 * nothing when they come are left for later, until the one that makes a rule fire: what lies between is the same state with more
 * in it. Of one step, at most the votes that complete a count come at once.
 *
 * @source spec consensus §8.4, T8
 */

import { makeBlock } from '../../devnet/consensus/block-building.ts'
import { blockIdKey, NIL_BLOCK_ID } from '../../devnet/consensus/block-id.ts'
import { EMPTY_COMMIT } from '../../devnet/consensus/commit.ts'
import { headerHash } from '../../devnet/consensus/hash.ts'
import { partSetHeader } from '../../devnet/consensus/part-set.ts'
import { isQuorum } from '../../devnet/consensus/quorum.ts'
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
import { votesOf } from '../../devnet/consensus/vote-keeper.ts'
import type { VoteSet } from '../../devnet/consensus/vote-set.ts'
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
  /** `broad`: all that says little before what says more, so that nothing is followed in vain. `deep`: heights are played to their end. */
  readonly order: 'broad' | 'deep'
  /** The rounds, or the rounds with a bug in them. */
  readonly step: typeof step
}

export const USUAL_SEARCH: SearchOptions = {
  faultyLeads: null,
  refusesSecond: false,
  rounds: 2,
  statesMax: 2_000_000,
  order: 'broad',
  step,
}

export interface SearchResult {
  /** Of the network. */
  readonly states: number
  /** Different states of single nodes. */
  readonly nodeStates: number
  /** Whether there are no more. */
  readonly isComplete: boolean
  /** States in which somebody may have decided. */
  readonly decided: number
  /** The promise that was broken, and how it came to that. */
  readonly broken: { readonly promise: string; readonly path: readonly string[] } | null
}

/** 0 and 1 are blocks, 2 is nil. */
type Value = 0 | 1 | 2
const NIL: Value = 2
const BLOCKS = [0, 1] as const
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

/** All that a node has ever said. */
interface Said {
  readonly id: number
  readonly place: number
  readonly votes: readonly Sent[]
  readonly offers: readonly Offer[]
}

/** A node. */
interface Local {
  readonly id: number
  readonly said: Said
  readonly state: RoundState
  readonly decided: Value | null
  readonly halted: boolean
  /** By step of a round, whose vote it can still make use of. */
  readonly steps: readonly (readonly boolean[])[]
  /** By what the others have said. */
  readonly moves: Map<number, readonly Move[]>
  /** What votes that come together lead to. */
  readonly batches: Map<number, Move | null>
}

/** A node that is not known yet. */
type Draft = Pick<Said, 'place' | 'votes' | 'offers'> & Pick<Local, 'state' | 'decided' | 'halted'>

interface Move {
  readonly name: string
  readonly to: Local
}

/** The states that a node may be in: it has said the same in all of them. */
interface Possible {
  readonly said: Said
  /** In the order of their ids. */
  readonly locals: readonly Local[]
  readonly decisions: readonly Value[]
  readonly mayHalt: boolean
  /** By what the others have said. */
  readonly outlooks: Map<number, Outlook>
}

/** What becomes of the states a node may be in, by what the others have said. */
interface Outlook {
  readonly silent: Possible
  /** By what it will have said. */
  readonly words: readonly Possible[]
}

/** Of the network: by honest node. */
interface World {
  readonly nodes: readonly Possible[]
  readonly before: World | null
}

export function search(options: SearchOptions): SearchResult {
  return new Search(options).run()
}

const NO_BYTES = new Uint8Array(0)

class Search {
  readonly #options: SearchOptions
  readonly #initial: RoundState
  readonly #addresses: readonly string[]
  readonly #blocks: readonly { readonly block: Block; readonly bytes: Uint8Array; readonly blockId: BlockId }[]
  readonly #values = new Map<string, Value>([[blockIdKey(NIL_BLOCK_ID), NIL]])
  /** Places of the honest, and of the faulty one. */
  readonly #honest: readonly number[]
  readonly #faulty: number
  readonly #time: bigint
  readonly #locals = new Map<string, Local>()
  readonly #moves = new Map<string, readonly Move[]>()
  readonly #sayings = new Map<string, Said>()
  readonly #possibles = new Map<string, Possible>()
  /** What was followed, by what was said. */
  readonly #worlds = new Map<string, World[]>()
  readonly #proposers: readonly number[]
  readonly #votes = new Map<number, Vote>()

  constructor(options: SearchOptions) {
    this.#options = options
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
    /** By how many words were said: whatever says the same is there before any of it is followed. */
    const levels: World[][] = []
    let states = 0
    let decided = 0
    const add = (nodes: readonly Possible[], before: World | null): void => {
      const world = this.#settle({ nodes, before })
      if (this.#isKnown(world)) return
      const level = nodes.reduce((sum, { said }) => sum + said.votes.length + said.offers.length, 0)
      while (levels.length <= level) levels.push([])
      levels[level]!.push(world)
    }
    const first = this.#honest.map((place) => this.#possible([this.#begin(place)]))
    add(first, null)
    for (let world = this.#take(levels); world !== undefined; world = this.#take(levels)) {
      if (this.#isLess(world)) continue
      if (states >= statesMax) return this.#result(states, false, decided, null)
      states++
      if (world.nodes.some(({ decisions }) => decisions.length > 0)) decided++
      const promise = this.#broken(world.nodes)
      if (promise !== null) return this.#result(states, false, decided, { promise, path: pathTo(world) })
      for (const [i, node] of world.nodes.entries()) {
        for (const next of this.#outlook(node, othersOf(world.nodes, i)).words) add(world.nodes.with(i, next), world)
      }
    }
    return this.#result(states, true, decided, null)
  }

  #take(levels: readonly World[][]): World | undefined {
    const isAny = (level: readonly World[]): boolean => level.length > 0
    return (this.#options.order === 'broad' ? levels.find(isAny) : levels.findLast(isAny))?.pop()
  }

  #result(states: number, isComplete: boolean, decided: number, broken: SearchResult['broken']): SearchResult {
    return { states, nodeStates: this.#locals.size, isComplete, decided, broken }
  }

  /** Each node may be wherever it comes to without a word. */
  #settle({ nodes, before }: World): World {
    return { nodes: nodes.map((node, i) => this.#outlook(node, othersOf(nodes, i)).silent), before }
  }

  /** Whether the world was found, or one in which more is possible. */
  #isKnown(world: World): boolean {
    const key = textOfWorld(world)
    const known = this.#worlds.get(key) ?? []
    if (known.some((other) => isWithin(world, other))) return true
    this.#worlds.set(key, [...known.filter((other) => !isWithin(other, world)), world])
    return false
  }

  /** Whether a world was found since in which more is possible. */
  #isLess(world: World): boolean {
    return !this.#worlds.get(textOfWorld(world))!.includes(world)
  }

  #begin(place: number): Local {
    const state = { ...this.#initial, self: place }
    const fresh: Draft = { place, state, votes: [], offers: [], decided: null, halted: false }
    return this.#know(this.#put(fresh, [{ kind: 'begin' }]).local)
  }

  #possible(members: readonly Local[]): Possible {
    const locals = [...members].sort((a, b) => a.id - b.id)
    const key = locals.map(({ id }) => id).join()
    let known = this.#possibles.get(key)
    if (known === undefined) {
      const decisions = [...new Set(locals.flatMap(({ decided }) => (decided === null ? [] : [decided])))]
      const mayHalt = locals.some(({ halted }) => halted)
      known = { said: locals[0]!.said, locals, decisions, mayHalt, outlooks: new Map() }
      this.#possibles.set(key, known)
    }
    return known
  }

  #outlook(node: Possible, others: readonly Said[]): Outlook {
    const key = keyOf(others)
    let outlook = node.outlooks.get(key)
    if (outlook === undefined) {
      outlook = this.#lookOut(node, others)
      node.outlooks.set(key, outlook)
    }
    return outlook
  }

  #lookOut({ said, locals }: Possible, others: readonly Said[]): Outlook {
    const silent = new Set(locals)
    const words = new Map<Said, Set<Local>>()
    for (const local of silent) {
      for (const { to } of this.#movesOf(local, others)) {
        if (to.said === said) silent.add(to)
        else words.set(to.said, (words.get(to.said) ?? new Set()).add(to))
      }
    }
    return { silent: this.#possible([...silent]), words: [...words.values()].map((to) => this.#possible([...to])) }
  }

  // --- promises ---------------------------------------------------------------------------------------------------

  #broken(at: readonly Possible[]): string | null {
    const decisions = at.flatMap((node) => node.decisions)
    // What is possible for each is possible for all together.
    if (
      at.some((one) =>
        at.some((other) => other !== one && other.decisions.some((d) => one.decisions.some((e) => d !== e))),
      )
    ) {
      return 'agreement: two values are decided'
    }
    if (this.#options.refusesSecond && decisions.includes(1)) return 'validity: what everybody refuses is decided'
    for (const { said, mayHalt } of at) {
      const { place, votes } = said
      if (mayHalt) return `halt: ${place}`
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
  #leftLock(at: readonly Possible[], votes: readonly Sent[]): string | null {
    for (const lock of votes) {
      if (lock.type !== PRECOMMIT || lock.value === NIL) continue
      for (const { type, round, value } of votes) {
        if (type !== PREVOTE || round <= lock.round || value === NIL || value === lock.value) continue
        let hasProof = false
        for (let proof = lock.round; proof < round; proof++) {
          const honest = at.filter(({ said }) =>
            said.votes.some((vote) => vote.type === PREVOTE && vote.round === proof && vote.value === value),
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

  /** What the node can do: it follows from its state and from what the others have said that can still matter to it. */
  #movesOf(local: Local, others: readonly Said[]): readonly Move[] {
    const key = keyOf(others)
    let moves = local.moves.get(key)
    if (moves === undefined) {
      moves = local.decided !== null || local.halted ? [] : this.#movesWith(local, others)
      local.moves.set(key, moves)
    }
    return moves
  }

  #movesWith(local: Local, others: readonly Said[]): readonly Move[] {
    const { state, steps } = local
    const votes = others.flatMap(({ place, votes: said }) =>
      said.flatMap((sent) => {
        const wanting = steps[sent.round * 2 + sent.type - PREVOTE]?.[place]
        return wanting === true ? [{ ...sent, place }] : []
      }),
    )
    const offers = others.flatMap(({ offers: made }) => made.filter((offer) => this.#isWanted(state, offer)))
    const key = `${local.id} ${votes.map(({ place, round, type, value }) => `${place}${round}${type}${value}`).join()} ${JSON.stringify(offers)}`
    let moves = this.#moves.get(key)
    if (moves === undefined) {
      moves = this.#findMoves(local, votes, offers)
      this.#moves.set(key, moves)
    }
    return moves
  }

  #findMoves(
    local: Local,
    votes: readonly (Sent & { readonly place: number })[],
    offers: readonly Offer[],
  ): readonly Move[] {
    const moves = [
      ...this.#bodyMoves(local),
      ...this.#timerMoves(local),
      ...this.#offerMoves(local, offers),
      ...this.#voteMoves(local, votes),
    ]
    return moves.filter(({ to }, i) => to !== local && moves.findIndex((move) => move.to === to) === i)
  }

  /** By step of a round, whose vote it can still make use of. */
  #openSteps(state: RoundState): readonly (readonly boolean[])[] {
    return Array.from({ length: this.#options.rounds * 2 }, (_, i) => {
      const [round, type] = [i >> 1, PREVOTE + (i & 1)]
      const set = votesOf(state.keeper, round, type)
      if (set === undefined) return []
      if (round <= state.round && this.#isSettled(state, set)) return []
      return set.votes.map((vote) => vote === null)
    })
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
        const mayLie = local.steps[round * 2 + type - PREVOTE]?.[this.#faulty] === true
        const faulty = (mayLie ? ([0, 1, NIL] as const) : []).map((value) => ({
          round,
          type,
          value,
          place: this.#faulty,
        }))
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
    let at = draftOf(local)
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
    return { name, to: this.#know(this.#put(draftOf(local), inputs).local) }
  }

  // --- a node -----------------------------------------------------------------------------------------------------

  /** Puts inputs in, and what comes of them at once: own votes, own proposals and their blocks. */
  #put(local: Draft, inputs: readonly Input[]): { readonly local: Draft; readonly didFire: boolean } {
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
    return { local: { place, state, votes, offers, decided, halted }, didFire }
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

  #know(draft: Draft): Local {
    const key = this.#keyOf(draft)
    const known = this.#locals.get(key)
    if (known !== undefined) return known
    const { place, votes, offers, state, decided, halted } = draft
    const text = `${place} ${textOf(votes)} ${JSON.stringify(offers)}`
    const said = this.#sayings.get(text) ?? { id: this.#sayings.size, place, votes, offers }
    this.#sayings.set(text, said)
    const steps = this.#openSteps(state)
    const kept = { id: this.#locals.size, said, state, decided, halted, steps, moves: new Map(), batches: new Map() }
    this.#locals.set(key, kept)
    return kept
  }

  /**
   * All that what comes next can depend on. Nobody speaks in the round after the last that is looked at: only precommits count there. A lock
   * matters to a prevote, and a valid value to who proposes. Blocks that somebody named stay and can be had at any time, so of
   * proposals only the one that is prevoted next matters.
   */
  #keyOf({ place, state, votes, offers, decided, halted }: Draft): string {
    const words = `${place} ${textOf(votes)} ${JSON.stringify(offers)} ${halted}`
    if (decided !== null) return `${words} decided ${decided}`
    const { round, step: at, keeper } = state
    const { rounds: end } = this.#options
    const sets = [...keeper.rounds].map(([of, { prevotes, precommits }]) => {
      if (round >= end) return this.#textOfSet(precommits, BLOCKS)
      // Who is in the next round matters, whatever he says.
      if (of > round) return `${of}${this.#textOfVotes(prevotes)}${this.#textOfVotes(precommits)}`
      return `${of}${this.#textOfSet(prevotes, wantedIn(state, prevotes))}${this.#textOfSet(precommits, BLOCKS)}`
    })
    if (round >= end) return `${words} over ${sets.join()}`
    const choice = (of: RoundState['locked']): string =>
      of === null ? '-' : `${of.round}${this.#values.get(blockIdKey(of.blockId))}`
    const mustPrevote = round < end - 1 || at === 'propose'
    const leadsLater = this.#proposers.some((leader, of) => leader === place && of > round && of < end)
    const ahead = [...keeper.ahead].map(([index, pair]) => `${index}${pair.map((vote) => vote?.round ?? '')}`)
    const bodies = [...state.candidates.values()].map(({ blockId }) => this.#values.get(blockIdKey(blockId))).sort()
    const heard = at === 'propose' ? state.proposals.get(round)?.proposal : undefined
    return [
      words,
      round,
      at,
      mustPrevote ? choice(state.locked) : '-',
      leadsLater ? choice(state.valid) : '-',
      state.firedR4 === round,
      sets.join(),
      ahead.join(),
      bodies.join(''),
      heard === undefined ? '-' : `${heard.polRound}${this.#values.get(blockIdKey(heard.blockId))}`,
    ].join(' ')
  }

  /** Whether nothing that is still to come can make a rule fire. */
  #isSettled(state: RoundState, set: VoteSet): boolean {
    if (state.round >= this.#options.rounds && set.step.type === PREVOTE) return true
    const text = this.#textOfSet(set, wantedIn(state, set))
    return text === 'x' || text.startsWith('=')
  }

  #textOfVotes({ votes }: VoteSet): string {
    return votes.map((vote) => (vote === null ? '.' : this.#values.get(blockIdKey(vote.blockId))!)).join('')
  }

  /** Which of the values has two thirds, or who may still make it so. The first vote of each counts, and all have the same power. */
  #textOfSet(set: VoteSet, wanted: readonly Value[]): string {
    const { majority } = set
    if (majority !== null) {
      const value = this.#values.get(blockIdKey(majority))!
      return wanted.includes(value) ? `=${value}` : 'x'
    }
    const cast = [...this.#textOfVotes(set)]
    const live = wanted.filter((value) => {
      const count = cast.filter((text) => text === '.' || text === String(value)).length
      return isQuorum(BigInt(count), BigInt(cast.length))
    })
    return live.length === 0
      ? 'x'
      : cast.map((text) => (text === '.' || live.map(String).includes(text) ? text : 'o')).join('')
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

/** Of a step that was begun: what two thirds of it would make a rule fire for. */
function wantedIn({ round, step: at }: RoundState, { step: { round: of, type } }: VoteSet): readonly Value[] {
  return type === PREVOTE && of === round && at !== 'precommit' ? [...BLOCKS, NIL] : BLOCKS
}

function isSameSlot(a: Sent, b: Sent): boolean {
  return a.round === b.round && a.type === b.type
}

function textOf(votes: readonly Sent[]): string {
  return votes.map(({ round, type, value }) => `${round}${type}${value}`).join()
}

function draftOf({ said: { place, votes, offers }, state, decided, halted }: Local): Draft {
  return { place, votes, offers, state, decided, halted }
}

/** Of what the two others have said. */
function keyOf(others: readonly Said[]): number {
  return others.reduce((key, { id }) => key * 2 ** 20 + id, 0)
}

function othersOf(nodes: readonly Possible[], i: number): readonly Said[] {
  return nodes.filter((_, j) => j !== i).map(({ said }) => said)
}

/** What was said in it. */
function textOfWorld({ nodes }: World): string {
  return nodes.map(({ said }) => said.id).join()
}

/** Whether all that is possible in the world is possible in the other; the same was said in both. */
function isWithin(world: World, other: World): boolean {
  return world.nodes.every((node, i) => hasAll(other.nodes[i]!, node))
}

/** Whether all that is possible for `other` is possible for `node`; they have said the same. */
function hasAll(node: Possible, other: Possible): boolean {
  if (node === other) return true
  if (node.locals.length < other.locals.length) return false
  let at = 0
  for (const local of other.locals) {
    while (at < node.locals.length && node.locals[at]!.id < local.id) at++
    if (node.locals[at] !== local) return false
  }
  return true
}

/** Word by word. */
function pathTo(world: World): readonly string[] {
  const path: string[] = []
  for (let at = world; at.before !== null; at = at.before) {
    for (const [i, { said }] of at.nodes.entries()) {
      const earlier = at.before.nodes[i]!.said
      if (said === earlier) continue
      const offers = said.offers
        .slice(earlier.offers.length)
        .map(({ round, value }) => `proposes ${NAMES[value]} in ${round}`)
      const votes = said.votes.slice(earlier.votes.length).map(nameOf)
      path.unshift(`${said.place}: ${[...offers, ...votes].join(', ')}`)
    }
  }
  return path
}

function nameOf({ round, type, value }: Sent): string {
  return `${type === PREVOTE ? 'prevotes' : 'precommits'} ${NAMES[value]} in ${round}`
}
