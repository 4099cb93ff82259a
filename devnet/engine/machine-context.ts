/** What one machine knows while it applies messages: the block's context, the state, the rules. */
import type { Blockstore } from '../ipld/blockstore.ts'
import type { ActorId } from '../state/actor.ts'
import type { StateTree } from '../state/state-tree.ts'
import type { Externs, ProofVerifier } from './externs.ts'
import type { Line } from './line.ts'
import type { Linker } from './linker.ts'
import type { Manifest } from './manifest.ts'
import type { ModuleCache } from './module-cache.ts'
import type { PriceList } from './price-list.ts'

/** A call about to enter an actor's code. */
export interface ProbedCall {
  readonly from: ActorId
  readonly to: ActorId
  readonly method: bigint
  readonly params: Uint8Array
  /** attoFIL, moved already. */
  readonly value: bigint
  readonly readOnly: boolean
}

/** How a test harness reaches into a run; no chain has one. */
export interface Probe {
  /** Answers in place of the actor's code (data as CBOR, empty for none), or undefined to let it run. */
  intercept?(
    call: ProbedCall,
  ): { readonly exitCode: number; readonly data: Uint8Array; readonly message: string } | undefined
  /** The guest trapped; its frames are on the error. */
  trapped?(error: Error): void
}

export interface MachineContext {
  readonly line: Line
  readonly networkVersion: number
  readonly epoch: bigint
  /** Unix seconds. */
  readonly timestamp: bigint
  readonly baseFee: bigint
  readonly circulatingSupply: bigint
  readonly chainId: bigint
  /** Whether `debug.*` syscalls do anything. */
  readonly debugging: boolean
  readonly prices: PriceList
  readonly manifest: Manifest
  readonly state: StateTree
  readonly store: Blockstore
  readonly externs: Externs
  readonly proofs: ProofVerifier
  readonly modules: ModuleCache
  readonly linker: Linker
  /** Whether this thread has the stack that `LIMITS.messageStackBytes` is of. */
  readonly hasLargestStack: boolean
  readonly probe?: Probe
}
