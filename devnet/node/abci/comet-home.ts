/**
 * The files of a CometBFT node: keys, genesis, configuration.
 *
 * @source CometBFT v0.38.25 `types/genesis.go`, `config/toml.go`; spec consensus §9.2, §9.3
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Genesis } from '../../consensus/chain-state.ts'
import { genesisDocument } from '../../consensus/genesis-document.ts'
import type { PrivateKey } from '../../consensus/key.ts'
import { formatKeyFile, formatNodeKeyFile, formatSignState } from '../../consensus/key-file.ts'
import { NOTHING_SIGNED } from '../../consensus/sign-guard.ts'

export interface CometConfig {
  /** `unix://…` or `tcp://…` */
  readonly proxyApp: string
  readonly rpcPort: number
  readonly p2pPort: number
  /** `id@host:port` */
  readonly peers: readonly string[]
  /** How long a node waits after a block before it begins the next. */
  readonly commitTimeoutMs: number
  /** Otherwise a block is made when there is something to put into it. */
  readonly emptyBlocks: boolean
  /** The node has nothing, and takes a state from others. */
  readonly stateSync?: CometStateSync
}

export interface CometStateSync {
  /** `host:port`, two or more. */
  readonly rpcServers: readonly string[]
  readonly trustHeight: bigint
  /** In hex. */
  readonly trustHash: string
}

/**
 * Writes what a node needs into `folder`. Keys, genesis and what was signed stay as they are when they are there: a second
 * chain under the first one's signatures would be one too many. The configuration is written anew.
 */
export function writeCometHome(
  folder: string,
  {
    genesis,
    validatorKey,
    nodeKey,
    config,
  }: {
    readonly genesis: Genesis
    readonly validatorKey: PrivateKey
    /** ed25519. */
    readonly nodeKey: PrivateKey
    readonly config: CometConfig
  },
): void {
  mkdirSync(join(folder, 'config'), { recursive: true })
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeOnce(join(folder, 'config', 'genesis.json'), formatGenesis(genesis))
  writeOnce(join(folder, 'config', 'node_key.json'), formatNodeKeyFile(nodeKey))
  writeOnce(join(folder, 'config', 'priv_validator_key.json'), formatKeyFile(validatorKey))
  writeOnce(join(folder, 'data', 'priv_validator_state.json'), formatSignState(NOTHING_SIGNED))
  writeFileSync(join(folder, 'config', 'config.toml'), formatConfig(config))
}

function writeOnce(path: string, text: string): void {
  if (!existsSync(path)) writeFileSync(path, text, { mode: 0o600 })
}

/** `genesis.json` */
export function formatGenesis(genesis: Genesis): string {
  return JSON.stringify(
    genesisDocument(genesis, (index) => `validator${index}`),
    null,
    2,
  )
}

/** What is left out is CometBFT's default. The sleeps and timeouts are those that make loopback fast. */
export function formatConfig(config: CometConfig): string {
  const { proxyApp, rpcPort, p2pPort, peers, commitTimeoutMs, emptyBlocks, stateSync } = config
  return `proxy_app = "${proxyApp}"
abci = "socket"
log_level = "error"

[rpc]
laddr = "tcp://127.0.0.1:${rpcPort}"
max_body_bytes = 16000000
max_subscriptions_per_client = 1000
pprof_laddr = ""

[p2p]
laddr = "tcp://127.0.0.1:${p2pPort}"
persistent_peers = "${peers.join(',')}"
addr_book_strict = false
allow_duplicate_ip = true
pex = false
flush_throttle_timeout = "1ms"
send_rate = 51200000
recv_rate = 51200000
max_packet_msg_payload_size = 65536

[mempool]
size = 50000
max_tx_bytes = 4194304

[consensus]
timeout_propose = "500ms"
timeout_propose_delta = "200ms"
timeout_prevote = "50ms"
timeout_prevote_delta = "50ms"
timeout_precommit = "50ms"
timeout_precommit_delta = "50ms"
timeout_commit = "${commitTimeoutMs}ms"
skip_timeout_commit = ${commitTimeoutMs === 0}
create_empty_blocks = ${emptyBlocks}
peer_gossip_sleep_duration = "5ms"

${stateSync === undefined ? '' : formatStateSync(stateSync)}[instrumentation]
prometheus = false
`
}

/** Five seconds is the least that a node may wait for offers. */
function formatStateSync({ rpcServers, trustHeight, trustHash }: CometStateSync): string {
  return `[statesync]
enable = true
rpc_servers = "${rpcServers.join(',')}"
trust_height = ${trustHeight}
trust_hash = "${trustHash}"
trust_period = "168h0m0s"
discovery_time = "5s"

`
}
