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
import { type CometStateSync, writeCometHome } from './comet-home.ts'
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

export interface CometJoiner {
  readonly key: PrivateKey
  readonly host: () => Promise<AppHost>
  readonly trustHeight: bigint
  /** In hex. */
  readonly trustHash: string
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
  /** Starts a further node, which takes a state from the others from a header that is trusted on; it does not validate. */
  join(joiner: CometJoiner): Promise<{ readonly node: CometNode; readonly rpc: CometRpc }>
  stop(): Promise<void>
}

/** Between two looks at how far a node is. */
const POLL_MS = 50
/** So often a node may be started while somebody waits for it. */
const STARTS_MAX = 4
/** Whose light blocks a joiner compares. */
const RPC_SERVERS = 2

export async function startCometNetwork(options: CometNetworkOptions): Promise<CometNetwork> {
  const { binary, folder, genesis, keys, host, commitTimeoutMs, emptyBlocks } = options
  const ports = await findFreePorts(keys.length * 2)
  const members = keys.map((key, index) =>
    memberOf(key, join(folder, `node${index}`), [ports[index * 2]!, ports[index * 2 + 1]!]),
  )
  const joiners: CometNode[] = []
  const startNode = (member: Member, start: () => Promise<AppHost>, stateSync?: CometStateSync): CometNode => {
    const { validatorKey, nodeKey, p2pPort, rpcPort, home, peer } = member
    const peers = members.map((other) => other.peer).filter((other) => other !== peer)
    const pace = { commitTimeoutMs, emptyBlocks, ...(stateSync === undefined ? {} : { stateSync }) }
    const configure = (proxyApp: string): void => {
      writeCometHome(home, { genesis, validatorKey, nodeKey, config: { proxyApp, rpcPort, p2pPort, peers, ...pace } })
    }
    return new CometNode({ binary, home, host: start, configure })
  }
  const nodes = members.map((member, index) => startNode(member, () => host(index)))
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
    async join({ key, host: start, trustHeight, trustHash }) {
      const [p2pPort, rpcPort] = await findFreePorts(2)
      const member = memberOf(key, join(folder, `node${keys.length + joiners.length}`), [p2pPort!, rpcPort!])
      const rpcServers = members.map((other) => `127.0.0.1:${other.rpcPort}`).slice(0, RPC_SERVERS)
      const node = startNode(member, start, { rpcServers, trustHeight, trustHash })
      joiners.push(node)
      return { node, rpc: new CometRpc(`http://127.0.0.1:${member.rpcPort}`) }
    },
    async stop() {
      await Promise.all([...nodes, ...joiners].map((node) => node.stop()))
    },
  }
}

type Member = ReturnType<typeof memberOf>

function memberOf(validatorKey: PrivateKey, home: string, [p2pPort, rpcPort]: readonly [number, number]) {
  const nodeKey = nodeKeyOf(validatorKey)
  return { validatorKey, nodeKey, p2pPort, rpcPort, home, peer: `${nodeIdOf(nodeKey)}@127.0.0.1:${p2pPort}` }
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
