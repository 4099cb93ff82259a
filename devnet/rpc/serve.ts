/** A devnet behind a port: which methods are served at which path. */
import type { Devnet } from '../node/devnet.ts'
import { VERSION } from '../primitives/version.ts'
import { devMethods } from './dev/methods.ts'
import { ethMethods } from './eth/methods.ts'
import { filecoinMethods } from './filecoin/methods.ts'
import type { MethodTable } from './router.ts'
import { type RunningServer, startServer } from './server.ts'

export interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly isStrict: boolean
  readonly allowRemotePowers?: boolean
}

export function serveDevnet(devnet: Devnet, options: ServeOptions): Promise<RunningServer> {
  const all = methodsOf(devnet)
  return startServer({
    ...options,
    routes: { '/': all, '/rpc/v1': all, '/rpc/v0': all },
    describe: () => ({
      troupe: VERSION,
      chainId: devnet.chainId.toString(),
      network: devnet.networkName,
      height: devnet.chain.application.head.height,
      rpc: { ethereum: '/', filecoin: '/rpc/v1' },
    }),
  })
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
