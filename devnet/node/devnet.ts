/**
 * A devnet: a chain of ours with known keys, opened from a folder or in memory. The tree of subnets grows from here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Genesis } from '../consensus/chain-state.ts'
import { type PrivateKey, publicKeyOf } from '../consensus/key.ts'
import { DEFAULT_PARAMS } from '../consensus/params.ts'
import { MILLISECOND } from '../consensus/time.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import { PROFILES, type ProfileName } from '../engine/profile.ts'
import { assert } from '../primitives/assert.ts'
import { createGenesis } from '../state/genesis.ts'
import { ATTO_PER_FIL, type TokenAmount } from '../state/token.ts'
import { DEFAULT_MNEMONIC, type DevAccount, deriveAccounts } from './accounts.ts'
import { ActorRegistry } from './actor-registry.ts'
import { BlockExecutor } from './block-executor.ts'
import { BlockStore } from './block-store.ts'
import { type Bundle, putBundle, readBundleFile } from './bundle.ts'
import type { BlockPolicy, Chain } from './chain.ts'
import { Crew } from './crew.ts'
import { InstantChain } from './drivers/instant.ts'
import { FvmApplication } from './fvm-application.ts'
import { introduce } from './handshake.ts'
import { MemoryChainStore } from './memory-store.ts'
import { findPackageRoot } from './package-root.ts'
import { type ChainStore, type Clock, SYSTEM_CLOCK } from './ports.ts'
import { deriveValidatorKeys } from './validator-keys.ts'

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
  /** How many validators the chain begins with; this process holds the keys of all. */
  readonly validators?: number
  readonly policy?: BlockPolicy
  readonly clock?: Clock
  readonly modules?: ModuleCache
  /**
   * False where a message that exhausts the native stack shall be refused instead of ending with exit 4. Programs that
   * embed a devnet and need 1,024 nested calls run it in a Worker with `resourceLimits: { stackSizeMb: 256 }`.
   */
  readonly hasLargestStack?: boolean
}

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
  const store = options.store ?? new MemoryChainStore()
  const clock = options.clock ?? SYSTEM_CLOCK
  const base = openBase(options, store)
  const { application, keys } = base
  const blocks = new BlockStore(store)
  const executor = new BlockExecutor({ application, store, blocks, timeRule: 'proposer', durability: 'together' })
  const { state, plan } = introduce(genesisOf(application, keys), application, blocks)
  assert(plan.last === 'nothing' && plan.to < plan.from, 'blocks and state are written in one transaction')
  const policy = options.policy ?? { kind: 'auto' }
  return devnetOf(base, new InstantChain(application, { executor, crew: new Crew(keys), state }, clock, policy))
}

/** What a devnet has whoever decides its blocks. */
export interface DevnetBase {
  readonly application: FvmApplication
  readonly accounts: readonly DevAccount[]
  readonly bundle: Bundle
  /** Of the validators that the chain begins with. */
  readonly keys: readonly PrivateKey[]
}

/** An application in `store`; others with the same options begin with the same state. */
export function openBase(options: DevnetOptions, store: ChainStore): DevnetBase {
  const profile = PROFILES[options.profile ?? 'ipc']
  const chainId = options.chainId ?? DEFAULT_CHAIN_ID
  const networkName = `/r${chainId}`
  const mnemonic = options.mnemonic ?? DEFAULT_MNEMONIC
  const accounts = deriveAccounts(mnemonic, options.accounts ?? DEFAULT_ACCOUNTS)
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
      hasLargestStack: options.hasLargestStack ?? true,
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
  return { application, accounts, bundle, keys: deriveValidatorKeys(mnemonic, chainId, options.validators ?? 1) }
}

export function devnetOf({ application, accounts, bundle }: DevnetBase, chain: Chain): Devnet {
  const { chainId, networkName } = application.config
  const actors = new ActorRegistry(application.store)
  return { chain, accounts, chainId, networkName, bundle, actors, close: () => chain.close() }
}

/** As consensus has it; the chain's name there is the number of its Ethereum chain id. */
export function genesisOf(application: FvmApplication, keys: readonly PrivateKey[]): Genesis {
  return {
    chainId: String(application.config.chainId),
    initialHeight: 1n,
    time: BigInt(application.header(0)!.timeMs) * MILLISECOND,
    params: DEFAULT_PARAMS,
    validators: keys.map((key) => ({ pubKey: publicKeyOf(key), power: 1n })),
    appHash: '',
  }
}

let own: Uint8Array | null = null

/** The bundle that is built with the package. */
function ownBundle(): Uint8Array {
  own ??= readFileSync(process.env['TROUPE_OWN_BUNDLE'] ?? join(findPackageRoot(), 'dist', 'actors.car'))
  return own
}
