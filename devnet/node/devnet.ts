/**
 * A devnet: a chain of ours with known keys, opened from a folder or in memory. The tree of subnets grows from here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resourceLimits } from 'node:worker_threads'
import type { Genesis } from '../consensus/chain-state.ts'
import { type PrivateKey, publicKeyOf, type VerifyMessage, verifyMessage } from '../consensus/key.ts'
import { DEFAULT_PARAMS } from '../consensus/params.ts'
import type { ReplicaOptions } from '../consensus/replica-host.ts'
import { MILLISECOND } from '../consensus/time.ts'
import { VerifiedSignatures } from '../consensus/verified-signatures.ts'
import type { WireValidatorUpdate } from '../consensus/wire-abci.ts'
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
import { BftChain, type Seat } from './drivers/bft.ts'
import { InstantChain } from './drivers/instant.ts'
import { FvmApplication } from './fvm-application.ts'
import { introduce } from './handshake.ts'
import { LinkFaults } from './link-faults.ts'
import { LocalNetwork } from './local-network.ts'
import { type NodeHome, openMemoryHome } from './node-home.ts'
import { findPackageRoot } from './package-root.ts'
import type { PeerNetwork } from './peer-links.ts'
import { type ChainStore, type Clock, SYSTEM_CLOCK } from './ports.ts'
import { openRecorder } from './recording.ts'
import { VerifiedTransactions } from './signatures.ts'
import { DEFAULT_SNAPSHOTS, NO_SNAPSHOTS, type SnapshotPolicy, type StateSyncSettings } from './sync-settings.ts'
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
  /** Timeouts and the like, in `bft`. */
  readonly replica?: Partial<ReplicaOptions>
  /** Of the faults that links are given. */
  readonly seed?: number
  /** A file that gets what each validator of this process is given, in `bft`. That of a member goes on where it ended. */
  readonly recordTo?: string
  /** What every message between validators of this process takes by the clock, milliseconds; as fast as it goes when absent. */
  readonly paceMs?: () => number
  /** This process is one node of a larger network. */
  readonly member?: Member
  readonly policy?: BlockPolicy
  /** When the application makes snapshots for nodes that come late: where blocks are decided with others, every thousand blocks. */
  readonly snapshots?: SnapshotPolicy
  /** How a node that has nothing comes to its first state, in `bft`: by blocks, unless that cannot be, when absent. */
  readonly stateSync?: StateSyncSettings
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

/** Validators of a devnet that this process has started. */
export interface ProcessPeers {
  /** JSON-RPC of those that run. */
  urls(): readonly string[]
  /** Ends the one that had this URL, and starts it without what it knew: it fetches the chain from the others. */
  renew(url: string): void
}

export interface Devnet {
  readonly chain: Chain
  readonly accounts: readonly DevAccount[]
  readonly actors: ActorRegistry
  readonly chainId: bigint
  readonly networkName: string
  /** The validators and their network, when they vote. */
  readonly bft: BftChain | null
  /** Validators in processes of their own. */
  readonly processes?: ProcessPeers
  /** `own` actors, or the root of the bundle that was given. */
  readonly bundle: Bundle
  close(): Promise<void>
}

/** Who decides the blocks. */
export function deciderOf({ bft, chain }: Pick<Devnet, 'bft' | 'chain'>): 'instant' | 'bft' | 'cometbft' {
  if (bft !== null) return 'bft'
  return chain.blocks === null ? 'cometbft' : 'instant'
}

export function openDevnet(options: DevnetOptions = {}): Devnet {
  const clock = options.clock ?? SYSTEM_CLOCK
  const policy = options.policy ?? { kind: 'auto' }
  const plan = planChain(options)
  const homes: NodeHome[] = []
  const homeOf = (index: number): NodeHome => (homes[index] ??= openHome(options, index))
  const { store } = homeOf(0)
  if (options.member !== undefined) return openMember(options.member)
  const keys = plan.keysOf(countValidators(options, store))
  return options.consensus === 'bft' ? openBft() : openInstant()

  function openInstant(): Devnet {
    const application = plan.openApplication(store)
    const { executor, state } = openNode(application, genesisOf(application, keys), verifyMessage)
    return devnetOf(
      { ...plan, application, keys },
      new InstantChain(application, { executor, crew: new Crew(keys), state }, clock, policy),
    )
  }

  function openBft(): Devnet {
    const applications = keys.map((_, index) => plan.openApplication(homeOf(index).store))
    // Time begins for all where it did for those that have a chain, or where it does for the first.
    const begun = applications.find(({ head }) => head.height > 0) ?? applications[0]!
    const genesis = genesisOf(begun, keys)
    // Whether a signature is good is the same for all: one of them finds out, or made it.
    const signatures = new VerifiedSignatures()
    const seats = keys.map((key, index): Seat => {
      const node = openNode(applications[index]!, genesis, signatures.verify)
      return { ...node, name: `v${index}`, key, signatures, openJournal: homeOf(index).openJournal }
    })
    const faults = new LinkFaults(options.seed ?? 1)
    const recorder = options.recordTo === undefined ? null : openRecorder(options.recordTo, () => clock.now())
    const network = new LocalNetwork(faults, clock, options.paceMs)
    const chain = new BftChain(seats, { clock, policy, faults, network, recorder, ...bftOptions(options) })
    return devnetOf({ ...plan, application: chain.application, keys }, chain)
  }

  function openMember({ name, key, genesis: { timeMs, validators }, network, faults }: Member): Devnet {
    const application = plan.openApplication(store)
    const genesis = { ...genesisOf(application, []), time: BigInt(timeMs) * MILLISECOND, validators }
    const signatures = new VerifiedSignatures()
    const node = openNode(application, genesis, signatures.verify)
    const seat: Seat = { ...node, name, key, signatures, openJournal: homeOf(0).openJournal }
    const recorder =
      options.recordTo === undefined ? null : openRecorder(options.recordTo, () => clock.now(), 'where it ended')
    const chain = new BftChain([seat], { clock, policy, faults, network, recorder, ...bftOptions(options) })
    return devnetOf({ ...plan, application, keys: key === null ? [] : [key] }, chain)
  }
}

function bftOptions({ replica, stateSync }: DevnetOptions) {
  return { replica: replica ?? {}, ...(stateSync === undefined ? {} : { stateSync }) }
}

/** One node of a network whose others are elsewhere. */
export interface Member {
  readonly name: string
  /** Null for a node that only follows. */
  readonly key: PrivateKey | null
  /** The same on all nodes, with all other options that the first state depends on. */
  readonly genesis: { readonly timeMs: number; readonly validators: readonly WireValidatorUpdate[] }
  readonly network: PeerNetwork
  readonly faults: LinkFaults
}

/** What a devnet has whoever decides its blocks. */
export interface DevnetBase {
  readonly application: FvmApplication
  readonly accounts: readonly DevAccount[]
  readonly bundle: Bundle
  /** Of the validators that the chain begins with. */
  readonly keys: readonly PrivateKey[]
}

/** How a chain with these options begins. */
interface ChainPlan {
  readonly accounts: readonly DevAccount[]
  readonly bundle: Bundle
  readonly keysOf: (count: number) => readonly PrivateKey[]
  readonly openApplication: (store: ChainStore) => FvmApplication
}

function planChain(options: DevnetOptions): ChainPlan {
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
  const shared = { modules, verified: new VerifiedTransactions() }
  const config = {
    profile,
    chainId,
    networkName,
    powers: true,
    initialBaseFee: options.baseFee ?? INITIAL_BASE_FEE,
    debugging: true,
    hasLargestStack: options.hasLargestStack ?? (resourceLimits.stackSizeMb ?? 0) >= LARGEST_STACK_MB,
    snapshots: options.snapshots ?? (isAlone(options) ? NO_SNAPSHOTS : DEFAULT_SNAPSHOTS),
  }
  const begin = (store: ChainStore) => {
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
  }
  return {
    accounts,
    bundle,
    keysOf: (count) => deriveValidatorKeys(mnemonic, chainId, count),
    openApplication: (store) => FvmApplication.open(config, store, () => begin(store), shared),
  }
}

/** An application in `store`; others with the same options begin with the same state. */
export function openBase(options: DevnetOptions, store: ChainStore): DevnetBase {
  const plan = planChain(options)
  return { ...plan, application: plan.openApplication(store), keys: plan.keysOf(options.validators ?? 1) }
}

export function devnetOf({ application, accounts, bundle }: DevnetBase, chain: Chain): Devnet {
  const { chainId, networkName } = application.config
  const actors = new ActorRegistry(application.store)
  const bft = chain instanceof BftChain ? chain : null
  return { chain, bft, accounts, chainId, networkName, bundle, actors, close: () => chain.close() }
}

/** Nobody else could ask for its state. */
function isAlone({ consensus, member }: DevnetOptions): boolean {
  return consensus !== 'bft' && member === undefined
}

function openHome({ store, homes }: DevnetOptions, index: number): NodeHome {
  if (index === 0 && store !== undefined) return openMemoryHome(store)
  return homes?.(index) ?? openMemoryHome()
}

/** The chain was begun otherwise than is asked for now. */
export class ChainBegun extends Error {
  override readonly name = 'ChainBegun'
  readonly code = 'TRP-8217'
}

/** A chain keeps the validators that it began with, until powers change them. @throws ChainBegun */
function countValidators({ validators, consensus }: DevnetOptions, store: ChainStore): number {
  const begun = new BlockStore(store).stateAfter(0n)?.validators.validators.length
  if (begun !== undefined && validators !== undefined && begun !== validators) {
    throw new ChainBegun(`the chain began with ${begun} validators, not ${validators}`)
  }
  return begun ?? validators ?? (consensus === 'bft' ? DEFAULT_VALIDATORS : 1)
}

/** Joins an application and the blocks in its store. */
function openNode(application: FvmApplication, genesis: Genesis, verify: VerifyMessage) {
  const { store } = application
  const blocks = new BlockStore(store)
  const executor = new BlockExecutor({
    application,
    store,
    blocks,
    timeRule: 'proposer',
    durability: 'together',
    verify,
  })
  const { state, plan } = introduce(genesis, application, blocks)
  assert(plan.last === 'nothing' && plan.to < plan.from, 'blocks and state are written in one transaction')
  return { application, executor, state }
}

/** As consensus has it; the chain's name there is the number of its Ethereum chain id. */
export function genesisOf(application: FvmApplication, keys: readonly PrivateKey[]): Genesis {
  return {
    chainId: String(application.config.chainId),
    initialHeight: 1n,
    time: BigInt(application.history.header(0)!.timeMs) * MILLISECOND,
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
