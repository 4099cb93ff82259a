/**
 * Evidence that waits to go into a block. Contradicting votes become evidence once the block of their height has a time; each piece
 * is told to the chain once and forgotten when it is too old.
 *
 * @source CometBFT v0.38.25 `evidence/pool.go`; spec consensus §2.13
 */

import type { ChainState } from './chain-state.ts'
import {
  checkEvidenceInBlock,
  duplicateVoteEvidence,
  type EvidenceContext,
  evidenceHeight,
  isExpired,
  verifyEvidence,
} from './evidence.ts'
import type { Fault } from './fault.ts'
import { evidenceHash } from './hash.ts'
import { encodedSize } from './schema.ts'
import { EVIDENCE_LIST, type Evidence, type Vote } from './wire.ts'

/** What the chain says of its past; undefined for heights it does not have. */
export interface ChainPast extends Pick<EvidenceContext, 'verify' | 'timeAt' | 'signedHeaderAt' | 'validatorsAt'> {
  /** Whether a block carries the piece with this hash. */
  isCommittedEvidence(hash: string): boolean
}

/** Pieces, and pairs of votes, that may wait at a time. */
const WAITING_MAX = 1000

export class EvidencePool {
  readonly #past: ChainPast
  readonly #pending = new Map<string, Evidence>()
  #conflicts: (readonly [Vote, Vote])[] = []

  constructor(past: ChainPast) {
    this.#past = past
  }

  /** Two votes whose signatures are good. */
  addConflict(votes: readonly [Vote, Vote]): void {
    if (this.#conflicts.length < WAITING_MAX) this.#conflicts.push(votes)
  }

  /** A piece that a peer sent; whether it is new and true. */
  add(state: ChainState, piece: Evidence): boolean {
    const hash = evidenceHash(piece)
    if (this.#pending.has(hash) || this.#pending.size >= WAITING_MAX) return false
    if (this.#past.isCommittedEvidence(hash)) return false
    if (verifyEvidence(piece, this.#context(state, [])) !== null) return false
    this.#pending.set(hash, piece)
    return true
  }

  /** Pieces for the next block, oldest first. */
  take(state: ChainState): readonly Evidence[] {
    const taken: Evidence[] = []
    for (const piece of this.#pending.values()) {
      const next = [...taken, piece]
      if (BigInt(encodedSize(EVIDENCE_LIST, { evidence: next })) > state.params.evidence.maxBytes) break
      taken.push(piece)
    }
    return taken
  }

  /** Whether the next block may carry the pieces. */
  check(state: ChainState, pieces: readonly Evidence[]): Fault | null {
    return pieces.length === 0 ? null : checkEvidenceInBlock(pieces, this.#context(state, pieces))
  }

  /** A block was applied: `state` is after it. Answers the pieces that are new, to be told to peers. */
  update(state: ChainState, carried: readonly Evidence[]): readonly Evidence[] {
    for (const piece of carried) this.#pending.delete(evidenceHash(piece))
    this.#forget(state)
    const waiting = this.#conflicts
    this.#conflicts = []
    return waiting.flatMap((votes) => this.#settle(state, votes))
  }

  #settle(state: ChainState, votes: readonly [Vote, Vote]): Evidence[] {
    const { height } = votes[0]
    const time = this.#past.timeAt(height)
    const set = this.#past.validatorsAt(height)
    if (time === undefined || set === undefined) {
      if (height > state.lastHeight) this.#conflicts.push(votes)
      return []
    }
    const piece = duplicateVoteEvidence(votes, time, set)
    return piece !== undefined && this.add(state, piece) ? [piece] : []
  }

  #forget(state: ChainState): void {
    const isOld = (height: bigint): boolean => {
      const time = this.#past.timeAt(height)
      if (time === undefined) return false
      const { maxAgeNumBlocks, maxAgeDuration } = state.params.evidence
      const age = { blocks: state.lastHeight - height, time: state.lastTime - time }
      return isExpired(age, { blocks: maxAgeNumBlocks, time: maxAgeDuration })
    }
    for (const [hash, piece] of this.#pending) if (isOld(evidenceHeight(piece))) this.#pending.delete(hash)
  }

  #context(state: ChainState, pieces: readonly Evidence[]): EvidenceContext {
    return {
      chainId: state.chainId,
      ...(this.#past.verify === undefined ? {} : { verify: this.#past.verify }),
      lastHeight: state.lastHeight,
      lastTime: state.lastTime,
      max: { blocks: state.params.evidence.maxAgeNumBlocks, time: state.params.evidence.maxAgeDuration },
      committed: new Set(pieces.map(evidenceHash).filter((hash) => this.#past.isCommittedEvidence(hash))),
      pending: new Set(this.#pending.keys()),
      timeAt: (height) => this.#past.timeAt(height),
      signedHeaderAt: (height) => this.#past.signedHeaderAt(height),
      validatorsAt: (height) => this.#past.validatorsAt(height),
    }
  }
}
