/** A devnet that is one node of a larger network: its chain is decided with others, over the mesh. */
import { ATTO_PER_FIL } from '../state/token.ts'
import { type Devnet, type DevnetOptions, openDevnet } from './devnet.ts'
import { LinkFaults } from './link-faults.ts'
import { Mesh } from './mesh.ts'
import type { NodeSetting } from './network-file.ts'
import { SYSTEM_CLOCK } from './ports.ts'

export interface MemberDevnet {
  readonly devnet: Devnet
  readonly mesh: Mesh
}

/** `options` says what is this node's own: where it keeps its state, its modules, when it makes blocks. @throws MeshError */
export async function openMemberDevnet(setting: NodeSetting, options: DevnetOptions): Promise<MemberDevnet> {
  const { name, key, host, port, peers, genesis, genesisHash, validators, snapshots, stateSync } = setting
  const faults = new LinkFaults(options.seed ?? 1)
  const clock = options.clock ?? SYSTEM_CLOCK
  const mesh = await Mesh.listen({ name, key, genesisHash, host, port, faults, clock })
  try {
    const devnet = openDevnet({
      ...options,
      profile: genesis.profile,
      chainId: BigInt(genesis.chainId),
      accounts: genesis.accounts,
      balance: BigInt(genesis.balance) * ATTO_PER_FIL,
      baseFee: BigInt(genesis.baseFee),
      ...(snapshots === undefined ? {} : { snapshots }),
      ...(stateSync === undefined ? {} : { stateSync }),
      ...(genesis.mnemonic === undefined ? {} : { mnemonic: genesis.mnemonic }),
      member: { name, key, genesis: { timeMs: genesis.timeMs, validators }, network: mesh, faults },
    })
    mesh.connect(peers)
    return {
      mesh,
      devnet: {
        ...devnet,
        async close() {
          await mesh.close()
          await devnet.close()
        },
      },
    }
  } catch (error) {
    await mesh.close()
    throw error
  }
}
