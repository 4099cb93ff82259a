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

/** Proofs of storage: a port, because verifying them needs hundreds of megabytes of parameters. */
export interface ProofVerifier {
  readonly verifiesProofs: boolean
}
