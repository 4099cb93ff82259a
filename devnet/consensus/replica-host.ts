/**
 * What a replica asks of the world, and how it is set up: the clock, the timers, the journal's file, the network, the application are
 * whoever holds it.
 *
 * @source spec consensus §2.4, §11.2
 */

import type { TimeRule } from './block-validation.ts'
import type { ChainState } from './chain-state.ts'
import type { ChainPast } from './evidence-pool.ts'
import type { VerifyMessage } from './key.ts'
import type { DecidedBlock, PeerMessage } from './peer-message.ts'
import type { Candidate, Effect, Input, RoundState, Step, Transition, Verdict } from './round.ts'
import { type Duration, MILLISECOND, type Time } from './time.ts'
import type { Block, BlockId, Evidence, ExtendedCommit, PublicKey, Vote } from './wire.ts'

/** How long a step waits in round 0, and how much longer in each round after. Milliseconds. */
export interface Timeout {
  readonly baseMs: number
  readonly deltaMs: number
}

export interface ReplicaOptions {
  readonly timeouts: Readonly<Record<Step, Timeout>>
  /** Between two statuses while something is being decided. */
  readonly statusMs: number
  /** How long a node that is not sure of what it signed listens before it signs, unless it hears of peers sooner. */
  readonly listenMs: number
  /** How far ahead a proposer's clock may be; unused where block times are medians. */
  readonly precision: Duration
  readonly timeRule: TimeRule
}

export const LOOPBACK_OPTIONS: ReplicaOptions = {
  timeouts: {
    propose: { baseMs: 300, deltaMs: 150 },
    prevote: { baseMs: 60, deltaMs: 60 },
    precommit: { baseMs: 60, deltaMs: 60 },
  },
  statusMs: 250,
  listenMs: 500,
  precision: 505n * MILLISECOND,
  timeRule: 'proposer',
}

export interface ReplicaKey {
  readonly publicKey: PublicKey
  readonly sign: (message: Uint8Array) => Uint8Array
}

export type Timer =
  | { readonly kind: Step; readonly height: bigint; readonly round: number }
  | { readonly kind: 'status' | 'listen' }

export interface ProposeRequest {
  readonly state: ChainState
  readonly round: number
  readonly time: Time
  readonly lastCommit: ExtendedCommit
  readonly evidence: readonly Evidence[]
  /** An address. */
  readonly proposer: string
}

export interface Decision {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly blockId: BlockId
  readonly commit: ExtendedCommit
}

/** What a replica lives through. */
export type Passage =
  /** A height may begin; `rounds` is before its first round. */
  | { readonly kind: 'height'; readonly rounds: RoundState }
  /** The rounds took an input. What it asks for is done after this was told. */
  | { readonly kind: 'step'; readonly input: Input; readonly before: RoundState; readonly after: Transition }
  /** What a step asked for is about to be done. */
  | { readonly kind: 'effect'; readonly effect: Effect }
  /** A precommit for the last block. */
  | { readonly kind: 'late vote'; readonly vote: Vote }

/** What a replica asks of the world. */
export interface ReplicaHost extends ChainPast {
  readonly verify: VerifyMessage
  now(): Time
  /** Sets the one timer of this kind; a later one replaces it. */
  setTimer(timer: Timer, delayMs: number): void
  /** Appends to the journal. */
  append(record: Uint8Array): void
  /** Calls `synced` when all that was appended survives a crash. */
  sync(synced: () => void): void
  /** Everything that was decided up to `height` is durable elsewhere: the journal may begin with `head`. */
  cutJournal(head: readonly Uint8Array[]): void
  send(peer: string, message: PeerMessage): void
  broadcast(message: PeerMessage): void
  /** The address of the validator that a peer has proved to be. */
  validatorOf(peer: string): string | undefined
  /** Makes a block and calls `proposed`. */
  propose(request: ProposeRequest, proposed: (block: Block, bytes: Uint8Array, blockId: BlockId) => void): void
  /** Judges a block against the chain and asks the application. */
  validate(state: ChainState, candidate: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void
  extendVote(state: ChainState, candidate: Candidate): Uint8Array
  verifyExtension(vote: Vote): boolean
  /** Executes the block and makes it durable, with its commit. */
  apply(state: ChainState, decision: Decision, applied: (next: ChainState) => void): void
  /** A block that was applied, with its commit, as long as it is kept. */
  blockAt(height: bigint): DecidedBlock | undefined
  /** The lowest height that is kept. */
  baseHeight(): bigint
  /** The replica has nothing to propose until `wake` is called. */
  waiting(height: bigint): void
  halt(reason: string): void
  alarm(reason: string): void
  /** Whether somebody wants to hear of every vote: then all are looked at, even those that can change nothing. */
  isWatched(): boolean
  /** For those who watch. */
  trace(passage: Passage): void
}
