/** A chain of ours as CometBFT's RPC sees it: that of the first validator of this process. */

import { createHash } from 'node:crypto'
import type { Genesis } from '../../consensus/chain-state.ts'
import { addressOf } from '../../consensus/key.ts'
import type { BlockStore } from '../../node/block-store.ts'
import { type Chain, type ConsensusView, SubmitError } from '../../node/chain.ts'
import type { Clock } from '../../node/ports.ts'
import { assert } from '../../primitives/assert.ts'
import { fromBinary, toHex } from '../../primitives/bytes.ts'
import { refuse } from './fault.ts'
import type { CometNode, NodeIdentity } from './node.ts'

export interface ChainNodeOptions {
  readonly chain: Chain
  readonly consensus: ConsensusView
  readonly blocks: BlockStore
  readonly clock: Clock
  /** `host:port` of the RPC, once it is known. */
  readonly rpcHost: () => string
}

/** Clients choose their dialect by the first two numbers. */
const COMET_VERSION = '0.38.25-troupe'
/** Clients that wait for their transaction at a time. */
const WAITING_MAX = 100

export function openChainNode(options: ChainNodeOptions): CometNode {
  return new ChainNode(options)
}

class ChainNode implements CometNode {
  readonly blocks: BlockStore
  readonly validatorNames = []
  readonly #options: ChainNodeOptions
  #waiting = 0

  constructor(options: ChainNodeOptions) {
    this.#options = options
    this.blocks = options.blocks
  }

  get application() {
    return this.#options.chain.application
  }

  get publicKey() {
    return this.#options.consensus.publicKey
  }

  /** As the chain began, with what its application said to that. */
  get genesis(): Genesis {
    const state = this.blocks.stateAfter(0n)
    assert(state !== undefined, 'a chain that is open has begun')
    return {
      chainId: state.chainId,
      initialHeight: state.initialHeight,
      time: state.lastTime,
      params: state.params,
      validators: state.validators.validators.map(({ pubKey, votingPower }) => ({ pubKey, power: votingPower })),
      appHash: '',
    }
  }

  get identity(): NodeIdentity {
    const { publicKey } = this
    const address = publicKey === null ? '' : addressOf(publicKey)
    return this.#identify('troupe', address, `tcp://${this.#options.rpcHost()}`)
  }

  /** A node's id is its validator's address; one that only follows is named by its name. */
  #identify(moniker: string, address: string, rpcAddress: string): NodeIdentity {
    const id =
      address === '' ? createHash('sha256').update(moniker).digest('hex').slice(0, 40) : toHex(fromBinary(address))
    return { id, moniker, listenAddress: rpcAddress, rpcAddress, version: COMET_VERSION }
  }

  peers() {
    return this.#options.consensus
      .peers()
      .map(({ name, address }) => ({ identity: this.#identify(name, address, ''), ip: '127.0.0.1' }))
  }

  isCatchingUp(): boolean {
    return this.#options.consensus.isCatchingUp()
  }

  deciding() {
    return this.#options.consensus.deciding()
  }

  waitingTxs(): readonly Uint8Array[] {
    return this.#options.chain.mempool.pending().map(({ tx }) => tx)
  }

  broadcast(tx: Uint8Array) {
    const { chain } = this.#options
    const check = chain.application.checkTx({ tx, type: 0 })
    if (check.code !== 0) return check
    try {
      chain.submit(tx)
      return check
    } catch (error) {
      const { code, message } = error as Partial<SubmitError> & Error
      if (error instanceof SubmitError && typeof code === 'number') return { ...check, code, log: message }
      throw refuse(code === 'KNOWN' ? 'tx already exists in cache' : message)
    }
  }

  async included(tx: Uint8Array, waitMs: number): Promise<void> {
    const { chain, clock } = this.#options
    if (this.#waiting >= WAITING_MAX) throw refuse(`max_subscription_clients ${WAITING_MAX} reached`)
    const cid = chain.application.door.namesOf(tx)[0]
    assert(cid !== undefined, 'a transaction that was taken has a name')
    this.#waiting++
    let stop = (): void => {}
    const late = new Promise<never>((_, reject) => {
      stop = clock.after(waitMs, () => reject(refuse('timed out waiting for tx to be included in a block')))
    })
    try {
      await Promise.race([chain.waitFor(cid), late])
    } catch (error) {
      throw error instanceof SubmitError ? refuse(error.message) : error
    } finally {
      stop()
      this.#waiting--
    }
  }

  addEvidence(evidence: Parameters<CometNode['addEvidence']>[0]): void {
    try {
      this.#options.consensus.addEvidence(evidence)
    } catch (error) {
      throw error instanceof SubmitError ? refuse(error.message) : error
    }
  }
}
