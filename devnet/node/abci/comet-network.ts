/**
 * Validators of CometBFT on this machine: a process each, with an application each, on free ports of loopback.
 *
 * @source spec consensus §9.4
 */

import { join } from 'node:path'
import type { Genesis } from '../../consensus/chain-state.ts'
import type { PrivateKey } from '../../consensus/key.ts'
import { nodeIdOf } from '../../consensus/key-file.ts'
import { concatBytes } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import { findFreePorts } from '../process-network.ts'
import { writeCometHome } from './comet-home.ts'
import { type AppHost, CometError, CometNode } from './comet-node.ts'
import { CometRpc } from './comet-rpc.ts'

export interface CometNetworkOptions {
  readonly binary: string
  /** Each node has a folder in it. */
  readonly folder: string
  readonly genesis: Genesis
  /** One for each node. */
  readonly keys: readonly PrivateKey[]
  /** Starts the application of a node. */
  readonly host: (index: number) => Promise<AppHost>
  readonly commitTimeoutMs: number
  readonly emptyBlocks: boolean
}

export interface CometNetwork {
  readonly nodes: readonly CometNode[]
  readonly rpcs: readonly CometRpc[]
  /**
   * Resolves when every node answers and is at `height` or above; rejects when `signal` is aborted.
   *
   * @throws CometError when a node ends again and again
   */
  reach(height: bigint, signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Between two looks at how far a node is. */
const POLL_MS = 50
/** So often a node may be started while somebody waits for it. */
const STARTS_MAX = 4

export async function startCometNetwork(options: CometNetworkOptions): Promise<CometNetwork> {
  const { binary, folder, genesis, keys, host, commitTimeoutMs, emptyBlocks } = options
  const ports = await findFreePorts(keys.length * 2)
  const members = keys.map((validatorKey, index) => {
    const nodeKey = nodeKeyOf(validatorKey)
    const [p2pPort, rpcPort] = [ports[index * 2]!, ports[index * 2 + 1]!]
    const home = join(folder, `node${index}`)
    return { validatorKey, nodeKey, p2pPort, rpcPort, home, peer: `${nodeIdOf(nodeKey)}@127.0.0.1:${p2pPort}` }
  })
  const nodes = members.map(({ validatorKey, nodeKey, p2pPort, rpcPort, home, peer }, index) => {
    const peers = members.map((other) => other.peer).filter((other) => other !== peer)
    const configure = (proxyApp: string): void => {
      const config = { proxyApp, rpcPort, p2pPort, peers, commitTimeoutMs, emptyBlocks }
      writeCometHome(home, { genesis, validatorKey, nodeKey, config })
    }
    return new CometNode({ binary, home, host: () => host(index), configure })
  })
  const rpcs = members.map(({ rpcPort }) => new CometRpc(`http://127.0.0.1:${rpcPort}`))
  return {
    nodes,
    rpcs,
    async reach(height, signal) {
      const starts = nodes.map((node) => node.starts)
      const isLost = (i: number) => nodes[i]!.starts > starts[i]! + STARTS_MAX
      await Promise.all(
        rpcs.map(async (rpc, i) => {
          if (await reachHeight(rpc, height, () => isLost(i), signal)) return
          throw new CometError(
            'COMET_ENDS',
            `node ${i} of CometBFT ends again and again; it says: ${nodes[i]!.lastWords}`,
          )
        }),
      )
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

/** False when there is no hope any more. */
async function reachHeight(
  rpc: CometRpc,
  height: bigint,
  isLost: () => boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  while (!isLost()) {
    signal?.throwIfAborted()
    const status = await rpc.status(signal).catch(() => undefined)
    if (status !== undefined && status.height >= height) return true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return false
}

/** A node's own key follows from its validator's, so that its name stays when its folder is made anew. */
function nodeKeyOf({ secret }: PrivateKey): PrivateKey {
  return { kind: 'ed25519', secret: sha256(concatBytes(encodeUtf8('node of '), secret)) }
}
