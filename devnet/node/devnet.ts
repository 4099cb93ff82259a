/**
 * A devnet: a chain of ours with known keys, opened from a folder or in memory. The tree of subnets grows from here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Genesis } from '../consensus/chain-state.ts'
import { type PrivateKey, publicKeyOf, type VerifyMessage, verifyMessage } from '../consensus/key.ts'
import { DEFAULT_PARAMS } from '../consensus/params.ts'
import { MILLISECOND } from '../consensus/time.ts'
import { rememberVerified } from '../consensus/verified-signatures.ts'
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
import { BftChain, type BftOptions, type Seat } from './drivers/bft.ts'
import { InstantChain } from './drivers/instant.ts'
import { FvmApplication } from './fvm-application.ts'
import { introduce } from './handshake.ts'
import { type NodeHome, openMemoryHome } from './node-home.ts'
import { findPackageRoot } from './package-root.ts'
import { type ChainStore, type Clock, SYSTEM_CLOCK } from './ports.ts'
import { deriveValidatorKeys } from './validator-keys.ts'

export const DEFAULT_CHAIN_ID = 31337n
export const DEFAULT_PORT = 8545
export const DEFAULT_ACCOUNTS = 10
export const DEFAULT_VALIDATORS = 4
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
  /**
   * Who decides blocks: `instant` signs for all validators at once, in `bft` each validator has its own state and votes.
   * `instant` when absent.
   */
  readonly consensus?: 'instant' | 'bft'
  /** How many validators the chain begins with; this process holds the keys of all. One, or four in `bft`, when absent. */
  readonly validators?: number
  /** Where each validator keeps its own, in `bft`; the first has `store` if that is given. In memory when absent. */
  readonly homes?: (index: number) => NodeHome
  readonly bft?: BftOptions
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
  /** The validators and their network, when they vote. */
  readonly bft: BftChain | null
  /** `own` actors, or the root of the bundle that was given. */
  readonly bundle: Bundle
  close(): Promise<void>
}

export function openDevnet(options: DevnetOptions = {}): Devnet {
  const profile = PROFILES[options.profile ?? 'ipc']
  const chainId = options.chainId ?? DEFAULT_CHAIN_ID
  const networkName = `/r${chainId}`
  const accounts = deriveAccounts(options.mnemonic ?? DEFAULT_MNEMONIC, options.accounts ?? DEFAULT_ACCOUNTS)
  const clock = options.clock ?? SYSTEM_CLOCK
  const bundle = readBundleFile(options.bundle ?? ownBundle())
  const balance = (options.balance ?? DEFAULT_BALANCE_FIL * ATTO_PER_FIL) as TokenAmount
  const modules = options.modules ?? new ModuleCache()
  modules.trust(bundle.manifest.map(({ code }) => code))
  const homes: NodeHome[] = []
  const homeOf = (index: number): NodeHome => (homes[index] ??= openHome(options, index))
  const count = countValidators(options, homeOf(0).store)
  const keys = deriveValidatorKeys(options.mnemonic ?? DEFAULT_MNEMONIC, chainId, count)
  const openApplication = (store: ChainStore): FvmApplication =>
    FvmApplication.open(
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
  const policy = options.policy ?? { kind: 'auto' }
  const chain = options.consensus === 'bft' ? openBft() : openInstant()

  function openInstant(): Chain {
    const { store } = homeOf(0)
    const { application, executor, state } = openNode(openApplication(store), store, keys, null)
    return new InstantChain(application, { executor, crew: new Crew(keys), state }, clock, policy)
  }

  function openBft(): Chain {
    let first: FvmApplication | null = null
    const seats = keys.map((key, index): Seat => {
      const home = homeOf(index)
      const verify = rememberVerified()
      const node = openNode(openApplication(home.store), home.store, keys, { first, verify })
      first ??= node.application
      return { ...node, name: `v${index}`, key, verify, openJournal: home.openJournal }
    })
    return new BftChain(seats, clock, policy, options.bft)
  }

  return {
    chain,
    bft: chain instanceof BftChain ? chain : null,
    accounts,
    chainId,
    networkName,
    bundle,
    actors: new ActorRegistry(chain.application.store),
    close: () => chain.close(),
  }
}

function openHome({ store, homes }: DevnetOptions, index: number): NodeHome {
  if (index === 0 && store !== undefined) return openMemoryHome(store)
  return homes?.(index) ?? openMemoryHome()
}

/** The chain was begun otherwise than is asked for now. */
export class ChainBegun extends Error {
  override readonly name = 'ChainBegun'
  readonly code = 'TRP-8221'
}

/** A chain keeps the validators that it began with, until powers change them. @throws ChainBegun */
function countValidators({ validators, consensus }: DevnetOptions, store: ChainStore): number {
  const begun = new BlockStore(store).stateAfter(0n)?.validators.validators.length
  if (begun !== undefined && validators !== undefined && begun !== validators) {
    throw new ChainBegun(`the chain began with ${begun} validators, not ${validators}`)
  }
  return begun ?? validators ?? (consensus === 'bft' ? DEFAULT_VALIDATORS : 1)
}

/** Joins an application and the blocks in its store; time begins where the first node of the chain says. */
function openNode(
  application: FvmApplication,
  store: ChainStore,
  keys: readonly PrivateKey[],
  node: { readonly first: FvmApplication | null; readonly verify: VerifyMessage } | null,
) {
  const blocks = new BlockStore(store)
  const verify = node?.verify ?? verifyMessage
  const executor = new BlockExecutor({
    application,
    store,
    blocks,
    timeRule: 'proposer',
    durability: 'together',
    verify,
  })
  const { state, plan } = introduce(genesisOf(node?.first ?? application, keys), application, blocks)
  assert(plan.last === 'nothing' && plan.to < plan.from, 'blocks and state are written in one transaction')
  return { application, executor, state }
}

/** As consensus has it; the chain's name there is the number of its Ethereum chain id. */
function genesisOf(application: FvmApplication, keys: readonly PrivateKey[]): Genesis {
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
