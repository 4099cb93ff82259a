/**
 * A devnet whose blocks the real CometBFT decides: as many nodes of it as there are validators, each with an application and
 * a store of its own. Ours is that of the first.
 */
import { join } from 'node:path'
import { ModuleCache } from '../engine/module-cache.ts'
import { startCometNetwork } from './abci/comet-network.ts'
import type { AppHost } from './abci/comet-node.ts'
import { CometRpc } from './abci/comet-rpc.ts'
import { type AbciEndpoint, serveAbci } from './abci/server.ts'
import type { BlockPolicy } from './chain.ts'
import { type Devnet, type DevnetOptions, devnetOf, genesisOf, openBase } from './devnet.ts'
import { CometChain } from './drivers/cometbft.ts'
import type { FvmApplication } from './fvm-application.ts'
import { MemoryChainStore } from './memory-store.ts'
import { type ChainStore, SYSTEM_CLOCK } from './ports.ts'
import { DEFAULT_SNAPSHOTS } from './sync-settings.ts'

export interface CometDevnetOptions extends DevnetOptions {
  /** Of `findComet`. */
  readonly binary: string
  /** For the files of the nodes. */
  readonly folder: string
  /** The stores of the other validators, from 1; in memory when absent. */
  readonly openStore?: (folder: string) => ChainStore
}

/** @throws CometError when the nodes do not stay alive: as when the application has blocks that they do not know */
export async function openCometDevnet(options: CometDevnetOptions): Promise<Devnet> {
  const { binary, folder, clock = SYSTEM_CLOCK, policy = { kind: 'auto' } } = options
  const shared = { snapshots: DEFAULT_SNAPSHOTS, ...options, modules: options.modules ?? new ModuleCache() }
  const base = openBase(shared, options.store ?? new MemoryChainStore())
  const { application, keys } = base
  const stores = keys.slice(1).map((_, i) => openOther(options, join(folder, `node${i + 1}`, 'state')))
  const applications = [application, ...stores.map((store) => openBase(shared, store).application)]
  let chain: CometChain | undefined
  const network = await startCometNetwork({
    binary,
    folder,
    genesis: genesisOf(application, keys),
    keys,
    host: (index) => hostHere(applications[index]!, (error) => chain?.halt(error)),
    ...pace(policy),
  })
  chain = new CometChain({
    application,
    rpcs: network.rpcs,
    policy,
    clock,
    async stop() {
      await network.stop()
      await Promise.all(applications.slice(1).map((other) => other.close()))
    },
  })
  try {
    await network.reach(1n)
  } catch (error) {
    await chain.close()
    throw error
  }
  return devnetOf(base, chain)
}

export interface CometHostOptions extends DevnetOptions {
  /** Where a node of CometBFT that somebody else runs finds the application. */
  readonly endpoint: AbciEndpoint
  /** Of that node's RPC. */
  readonly rpcUrl: string
  /** The application failed: this process must end, and be started again together with its node. */
  readonly onFailure: (error: unknown) => void
}

/** The application of one validator of a larger network. */
export async function hostCometDevnet(options: CometHostOptions): Promise<Devnet> {
  const { endpoint, rpcUrl, clock = SYSTEM_CLOCK, policy = { kind: 'auto' } } = options
  const base = openBase({ snapshots: DEFAULT_SNAPSHOTS, ...options }, options.store ?? new MemoryChainStore())
  const { application } = base
  const { onFailure } = options
  const server = await serveAbci(application, endpoint, { onFailure })
  const rpcs = [new CometRpc(rpcUrl)]
  return devnetOf(base, new CometChain({ application, rpcs, policy, clock, stop: () => server.close() }))
}

function openOther({ openStore }: CometDevnetOptions, folder: string): ChainStore {
  return openStore === undefined ? new MemoryChainStore() : openStore(folder)
}

/** CometBFT has no blocks on demand alone, but it waits for transactions when it makes no empty ones. */
function pace(policy: BlockPolicy): { readonly commitTimeoutMs: number; readonly emptyBlocks: boolean } {
  return policy.kind === 'interval'
    ? { commitTimeoutMs: policy.intervalMs, emptyBlocks: true }
    : { commitTimeoutMs: 0, emptyBlocks: false }
}

/** In this process. An application that fails ends the chain; one whose node ended goes on where it is. */
async function hostHere(application: FvmApplication, halt: (error: unknown) => void): Promise<AppHost> {
  let fail: (error: unknown) => void = () => {}
  const ended = new Promise((resolve) => {
    fail = resolve
  })
  const onFailure = (error: unknown): void => {
    halt(error)
    fail(error)
  }
  const server = await serveAbci(application, { host: '127.0.0.1', port: 0 }, { onFailure })
  return { address: server.address, ended, stop: () => server.close() }
}
