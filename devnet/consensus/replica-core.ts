/**
 * What the parts of a replica share: the chain, the rounds of the height that is being decided, and the turn in which something
 * happens to them. Effects may answer while others are being performed; what they answer is done after, in order.
 *
 * @source spec consensus §11.2
 */

import { decodeBlock } from './block.ts'
import type { ChainState } from './chain-state.ts'
import { isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import { encodeJournalRecord, type JournalRecord } from './journal.ts'
import { recordOf } from './journal-input.ts'
import { Outbox } from './outbox.ts'
import { blockSizeLimit, hasExtensions } from './params.ts'
import { partSetHeader } from './part-set.ts'
import type { ReplicaHost, ReplicaOptions } from './replica-host.ts'
import { createRoundState, type Effect, type Input, missingBlocks, type RoundState, step } from './round.ts'

export class ReplicaCore {
  readonly host: ReplicaHost
  readonly options: ReplicaOptions
  /** Of this node's key; empty without one. */
  readonly address: string
  readonly outbox: Outbox
  readonly #perform: (effect: Effect) => void
  chain: ChainState
  rounds: RoundState
  readonly #queue: (() => void)[] = []
  #isDraining = false
  #isHalted = false
  #isStopped = false

  constructor(
    host: ReplicaHost,
    options: ReplicaOptions,
    start: { readonly address: string; readonly chain: ChainState },
    perform: (effect: Effect) => void,
  ) {
    this.host = host
    this.options = options
    this.address = start.address
    this.outbox = new Outbox(host)
    this.#perform = perform
    this.chain = start.chain
    this.rounds = this.#firstRounds()
  }

  /** The height that is being decided. */
  get height(): bigint {
    return this.rounds.keeper.height
  }

  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Whether nothing is being decided, for want of something to propose. */
  get isWaiting(): boolean {
    return this.rounds.round === -1 && this.rounds.decided === null
  }

  /** Runs, and what comes of it, and what comes of that; then lets go of the messages. */
  run(work: () => void): void {
    if (this.#isHalted || this.#isStopped) return
    this.#queue.push(work)
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (this.#isHalted || this.#isStopped) break
        next()
      }
    } finally {
      this.#queue.length = 0
      this.#isDraining = false
    }
    this.outbox.settle()
  }

  /** Does it after all that waits to be done in this turn. */
  later(work: () => void): void {
    this.#queue.push(work)
  }

  /** Takes nothing more from anybody. */
  stop(): void {
    this.#isStopped = true
    this.outbox.close()
  }

  halt(reason: string): void {
    this.#isHalted = true
    this.host.halt(reason)
  }

  journal(record: JournalRecord): void {
    this.host.append(encodeJournalRecord(record))
  }

  /** Writes the input down, puts it into the rounds, and performs what they ask for. */
  input(input: Input): void {
    this.journal(recordOf(input, false))
    this.#step(input)
  }

  /** As `input`, of what this node signed: what follows does not leave before it is durable. */
  inputOwn(input: Input): void {
    this.journal(recordOf(input, true))
    this.outbox.holdUntilSynced()
    this.#step(input)
  }

  /** Takes a block that is missing; others cost nothing. The parts that a proposal names leave room for more bytes than are allowed. */
  takeBlock(bytes: Uint8Array): void {
    const missing = missingBlocks(this.rounds)
    if (missing.length === 0 || BigInt(bytes.length) > blockSizeLimit(this.chain.params.block.maxBytes)) return
    const partSet = partSetHeader(bytes)
    const wanted = missing.find(({ partSetHeader: header }) => header.hash === partSet.hash)
    if (wanted === undefined) return
    const block = decodeBlock(bytes)
    if (isFault(block) || headerHash(block.header) !== wanted.hash || partSet.total !== wanted.partSetHeader.total) {
      return
    }
    this.input({ kind: 'block', blockId: wanted, block, bytes })
  }

  #step(input: Input): void {
    const before = this.rounds
    const after = step(before, input)
    this.rounds = after.state
    this.host.trace({ kind: 'step', input, before, after })
    for (const effect of after.effects) {
      this.host.trace({ kind: 'effect', effect })
      this.#perform(effect)
    }
  }

  /** The chain has a new block: its next height begins. */
  follow(chain: ChainState): void {
    this.chain = chain
    this.rounds = this.#firstRounds()
  }

  #firstRounds(): RoundState {
    const { lastHeight, initialHeight, validators, chainId, params } = this.chain
    const height = lastHeight === 0n ? initialHeight : lastHeight + 1n
    const place = validators.validators.findIndex(({ address }) => address === this.address)
    return createRoundState({
      chainId,
      height,
      validators,
      hasExtensions: hasExtensions(params, height),
      self: place === -1 ? null : place,
      precision: this.options.timeRule === 'median' ? null : this.options.precision,
    })
  }
}
