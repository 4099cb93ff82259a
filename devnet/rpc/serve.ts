/** A devnet behind a port: which methods are served at which path. */

import type { Devnet } from '../node/devnet.ts'
import { CometChain } from '../node/drivers/cometbft.ts'
import { SYSTEM_CLOCK } from '../node/ports.ts'
import { assert } from '../primitives/assert.ts'
import { VERSION } from '../primitives/version.ts'
import { openChainNode } from './comet/chain-node.ts'
import { forwardComet } from './comet/forward.ts'
import { mountComet } from './comet/mount.ts'
import { devMethods } from './dev/methods.ts'
import { ethMethods } from './eth/methods.ts'
import { filecoinMethods } from './filecoin/methods.ts'
import type { MethodTable } from './router.ts'
import { type Mount, type RunningServer, startServer } from './server.ts'

export interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly isStrict: boolean
  readonly allowRemotePowers?: boolean
}

export async function serveDevnet(devnet: Devnet, options: ServeOptions): Promise<RunningServer> {
  const all = methodsOf(devnet)
  let rpcHost = `${options.host}:${options.port}`
  const server = await startServer({
    ...options,
    routes: { '/': all, '/rpc/v1': all, '/rpc/v0': all },
    mounts: { '/comet': cometOf(devnet, () => rpcHost) },
    describe: () => ({
      troupe: VERSION,
      chainId: devnet.chainId.toString(),
      network: devnet.networkName,
      height: devnet.chain.application.head.height,
      rpc: { ethereum: '/', filecoin: '/rpc/v1', cometbft: '/comet' },
    }),
  })
  rpcHost = `${server.host}:${server.port}`
  return server
}

function cometOf({ chain }: Devnet, rpcHost: () => string): Mount {
  if (chain instanceof CometChain) return forwardComet(chain.rpcUrl)
  const { consensus, blocks } = chain
  assert(consensus !== null && blocks !== null, 'a driver of ours shows what it decides')
  return mountComet(openChainNode({ chain, consensus, blocks, clock: SYSTEM_CLOCK, rpcHost }), consensus, SYSTEM_CLOCK)
}

/** Everything that a devnet can be asked. */
export function methodsOf(devnet: Devnet): MethodTable {
  const own = devMethods(devnet)
  return merge(own, ethMethods(devnet, own.methods), filecoinMethods(devnet))
}

function merge(...tables: readonly MethodTable[]): MethodTable {
  return {
    methods: new Map(tables.flatMap(({ methods }) => [...methods])),
    powers: new Set(tables.flatMap(({ powers }) => [...powers])),
  }
}
