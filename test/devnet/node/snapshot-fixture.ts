/** An application with some state, its snapshot, and empty ones that take it. */
import { ModuleCache } from '../../../devnet/engine/module-cache.ts'
import { cidOf, DAG_CBOR } from '../../../devnet/ipld/cid.ts'
import { CborWriter } from '../../../devnet/ipld/dag-cbor.ts'
import { type Devnet, type DevnetOptions, openBase } from '../../../devnet/node/devnet.ts'
import type { FvmApplication } from '../../../devnet/node/fvm-application.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import type { ChainStore } from '../../../devnet/node/ports.ts'
import type { Snapshot } from '../../../devnet/node/snapshot-format.ts'
import type { Power } from '../../../devnet/node/transaction.ts'
import { toBinary } from '../../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import type { Address } from '../../../devnet/state/address.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'
import { openTestDevnet, signed, transfer } from './chain-fixture.ts'

const modules = new ModuleCache()

export interface Made {
  readonly devnet: Devnet
  readonly application: FvmApplication
  readonly snapshot: Snapshot
  readonly chunks: readonly Uint8Array[]
  readonly appHash: string
}

/** A chain of `blocks` blocks with a message each and three megabytes of state, and the snapshot of its end. */
export async function makeSnapshot(blocks: number, options: DevnetOptions = {}): Promise<Made> {
  const devnet = openTestDevnet({ modules, ...options })
  await devnet.chain.apply([bulk(devnet.chain.application, devnet.accounts[0]!.address)])
  for (let i = 1; i < blocks; i++) {
    await devnet.chain.waitFor(devnet.chain.submit(signed(devnet, transfer(devnet, { sequence: BigInt(i - 1) }))))
  }
  const { application } = devnet.chain
  const snapshot = await snapshotOf(application)
  const chunks = chunksOf(application, snapshot)
  return { devnet, application, snapshot, chunks, appHash: toBinary(application.head.appHash) }
}

/** An actor with more state than a chunk holds. */
function bulk(application: FvmApplication, like: Address): Power {
  const { state } = application.queryMachine().context
  const { code } = state.getActor(state.resolve(like)!)!
  const leaves = [1, 2, 3].map((n) => new CborWriter().bytes(new Uint8Array(900_000).fill(n)).finish())
  const root = new CborWriter().array(leaves.length)
  for (const leaf of leaves) root.link(cidOf(DAG_CBOR, leaf))
  const top = root.finish()
  return {
    power: 'set-actor',
    actor: 5000n as ActorId,
    code,
    root: cidOf(DAG_CBOR, top),
    sequence: 0n,
    balance: 0n as TokenAmount,
    delegated: null,
    blocks: [top, ...leaves],
  }
}

export async function snapshotOf(application: FvmApplication): Promise<Snapshot> {
  application.makeSnapshot()
  await application.snapshots.settled
  return application.listSnapshots().snapshots[0]!
}

export function chunksOf(application: FvmApplication, { height, format, chunks }: Snapshot): readonly Uint8Array[] {
  return Array.from({ length: chunks }, (_, chunk) => application.loadSnapshotChunk({ height, format, chunk }).chunk)
}

/** One that has executed nothing. */
export function openEmpty(store: ChainStore = new MemoryChainStore(), options: DevnetOptions = {}): FvmApplication {
  return openBase({ modules, ...options }, store).application
}

export interface Given {
  readonly snapshot: Snapshot
  readonly chunks: readonly Uint8Array[]
  readonly appHash: string
}

/** Results of the offer and of each chunk. */
export async function restore(application: FvmApplication, { snapshot, chunks, appHash }: Given): Promise<number[]> {
  const results = [(await application.offerSnapshot({ snapshot, appHash })).result]
  for (const [index, chunk] of chunks.entries()) {
    results.push((await application.applySnapshotChunk({ index, chunk, sender: 'peer' })).result)
  }
  return results
}
