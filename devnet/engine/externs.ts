/** What the engine asks of its host. Answers must be the same on every validator. */
import type { Cid } from '../ipld/cid.ts'
import type { ActorId } from '../state/actor.ts'

/** A proof that a miner signed what it must not; `target` is the miner. */
export interface ConsensusFault {
  readonly target: ActorId
  readonly epoch: bigint
  /** 1 double fork, 2 parent grinding, 3 time offset. */
  readonly kind: 1 | 2 | 3
}

export interface Externs {
  /** 32 bytes drawn from the chain at `epoch`, or undefined where there are none. */
  chainRandomness(epoch: bigint): Uint8Array | undefined
  /** 32 bytes drawn from the beacon at `epoch`, or undefined where there are none. */
  beaconRandomness(epoch: bigint): Uint8Array | undefined
  tipsetCid(epoch: bigint): Cid | undefined
  verifyConsensusFault(header1: Uint8Array, header2: Uint8Array, extra: Uint8Array): ConsensusFault | null | undefined
}

/** A chain that draws no randomness, as an IPC subnet, and has no tipsets. */
export const NO_EXTERNS: Externs = {
  chainRandomness: () => undefined,
  beaconRandomness: () => undefined,
  tipsetCid: () => undefined,
  verifyConsensusFault: () => undefined,
}

/**
 * Proofs of storage, as the guest encoded the question. A port, because verifying them needs hundreds of megabytes of
 * parameters; `undefined` is "cannot be judged", which the guest sees as error number 1.
 */
export interface ProofVerifier {
  verifyPost(question: Uint8Array): boolean | undefined
  verifyAggregateSeals(question: Uint8Array): boolean | undefined
  verifyReplicaUpdate(question: Uint8Array): boolean | undefined
  /** One answer a seal; a seal that cannot be judged is a bad one. */
  verifySeals(question: Uint8Array, count: number): readonly boolean[]
}

/** Judges nothing: what a machine without parameters answers, the reference too. */
export const NO_PROOF_VERIFIER: ProofVerifier = {
  verifyPost: () => undefined,
  verifyAggregateSeals: () => undefined,
  verifyReplicaUpdate: () => undefined,
  verifySeals: (_, count) => new Array<boolean>(count).fill(false),
}
