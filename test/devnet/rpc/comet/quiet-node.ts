/** A node that nothing happens at: it has a chain, and no peers, no votes, nothing that waits. */
import type { CometNode } from '../../../../devnet/rpc/comet/node.ts'
import type { TestChain } from '../../node/consensus-fixture.ts'

export function quietNode({ blocks, application, genesis }: TestChain): CometNode {
  return {
    blocks,
    application,
    genesis,
    identity: { id: '00', moniker: 'test', listenAddress: '', rpcAddress: '', version: '0.38.25' },
    validatorNames: [],
    publicKey: null,
    peers: () => [],
    isCatchingUp: () => false,
    deciding: () => ({ rounds: null, isWaiting: true }),
    waitingTxs: () => [],
    broadcast: (tx) => application.checkTx({ tx, type: 0 }),
    included: async () => {},
    addEvidence: () => {},
  }
}
