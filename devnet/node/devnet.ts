/**
 * A devnet: a chain of ours with known keys, opened from a folder or in memory. The tree of subnets grows from here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resourceLimits } from 'node:worker_threads'
import { ModuleCache } from '../engine/module-cache.ts'
import { PROFILES, type ProfileName } from '../engine/profile.ts'
import { createGenesis } from '../state/genesis.ts'
import { ATTO_PER_FIL, type TokenAmount } from '../state/token.ts'
import { DEFAULT_MNEMONIC, type DevAccount, deriveAccounts } from './accounts.ts'
import { ActorRegistry } from './actor-registry.ts'
import { type Bundle, putBundle, readBundleFile } from './bundle.ts'
import type { BlockPolicy, Chain } from './chain.ts'
import { InstantChain } from './drivers/instant.ts'
import { FvmApplication } from './fvm-application.ts'
import { MemoryChainStore } from './memory-store.ts'
import { findPackageRoot } from './package-root.ts'
import { type ChainStore, type Clock, SYSTEM_CLOCK } from './ports.ts'

export const DEFAULT_CHAIN_ID = 31337n
export const DEFAULT_PORT = 8545
export const DEFAULT_ACCOUNTS = 10
/** FIL of each account, on each of its two faces. */
export const DEFAULT_BALANCE_FIL = 10_000n
const INITIAL_BASE_FEE = 100n

export interface DevnetOptions {
  /** Where the chain is kept; in memory when absent. */
  readonly store?: ChainStore
  readonly profile?: ProfileName
  readonly chainId?: bigint
  readonly mnemonic?: string
  readonly accounts?: number
  /** attoFIL. */
  readonly balance?: bigint
  /** A bundle of built-in actors (CAR) in place of ours. */
  readonly bundle?: Uint8Array
  readonly baseFee?: bigint
  readonly policy?: BlockPolicy
  readonly clock?: Clock
  readonly modules?: ModuleCache
  /**
   * Whether native stack that runs out here is a trap (exit 4), as on the largest stack. Elsewhere a message that needs
   * more stack than this thread has ends with exit 10 and says so, and the chain goes on. By default, whether this thread
   * has 256 MB: programs that embed a devnet and need 1,024 nested calls run it in a Worker with
   * `resourceLimits: { stackSizeMb: 256 }`.
   */
  readonly hasLargestStack?: boolean
}

const LARGEST_STACK_MB = 256

export interface Devnet {
  readonly chain: Chain
  readonly accounts: readonly DevAccount[]
  readonly actors: ActorRegistry
  readonly chainId: bigint
  readonly networkName: string
  /** `own` actors, or the root of the bundle that was given. */
  readonly bundle: Bundle
  close(): Promise<void>
}

export function openDevnet(options: DevnetOptions = {}): Devnet {
  const profile = PROFILES[options.profile ?? 'ipc']
  const chainId = options.chainId ?? DEFAULT_CHAIN_ID
  const networkName = `/r${chainId}`
  const accounts = deriveAccounts(options.mnemonic ?? DEFAULT_MNEMONIC, options.accounts ?? DEFAULT_ACCOUNTS)
  const store = options.store ?? new MemoryChainStore()
  const clock = options.clock ?? SYSTEM_CLOCK
  const bundle = readBundleFile(options.bundle ?? ownBundle())
  const balance = (options.balance ?? DEFAULT_BALANCE_FIL * ATTO_PER_FIL) as TokenAmount
  const modules = options.modules ?? new ModuleCache()
  modules.trust(bundle.manifest.map(({ code }) => code))
  const application = FvmApplication.open(
    {
      profile,
      chainId,
      networkName,
      powers: true,
      initialBaseFee: options.baseFee ?? INITIAL_BASE_FEE,
      debugging: true,
      hasLargestStack: options.hasLargestStack ?? (resourceLimits.stackSizeMb ?? 0) >= LARGEST_STACK_MB,
    },
    store,
    () => {
      putBundle(store, bundle)
      const stateRoot = createGenesis(store, {
        networkName,
        manifest: bundle.manifest,
        accounts: accounts.flatMap(({ address, ethAddress }) => [
          { address, balance },
          { address: ethAddress, balance },
        ]),
      })
      return { stateRoot, circulatingSupply: balance * BigInt(accounts.length) * 2n, timeMs: clock.now() }
    },
    modules,
  )
  const chain = new InstantChain(application, clock, options.policy ?? { kind: 'auto' })
  return {
    chain,
    accounts,
    chainId,
    networkName,
    bundle,
    actors: new ActorRegistry(store),
    close: () => chain.close(),
  }
}

let own: Uint8Array | null = null

/** The bundle that is built with the package. */
function ownBundle(): Uint8Array {
  own ??= readFileSync(process.env['TROUPE_OWN_BUNDLE'] ?? join(findPackageRoot(), 'dist', 'actors.car'))
  return own
}
