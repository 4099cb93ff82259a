/** What one machine knows while it applies messages: the block's context, the state, the rules. */
import type { Blockstore } from '../ipld/blockstore.ts'
import type { StateTree } from '../state/state-tree.ts'
import type { Externs } from './externs.ts'
import type { Linker } from './linker.ts'
import type { Manifest } from './manifest.ts'
import type { ModuleCache } from './module-cache.ts'
import type { PriceList } from './price-list.ts'

export interface MachineContext {
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
  readonly modules: ModuleCache
  readonly linker: Linker
  /** Whether native stack that runs out here is a trap, or a reason to repeat the message on a larger one. */
  readonly hasLargestStack: boolean
}
