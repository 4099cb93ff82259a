/** What a node that has a state answers to one that fetches it. */

import { toWireValidatorSet } from '../consensus/validator-set.ts'
import type { LightBlock } from '../consensus/wire.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { type BlockStore, consensusStateBytes } from './block-store.ts'
import type { FvmApplication } from './fvm-application.ts'
import type { SnapshotOffer, SyncMessage } from './sync-message.ts'

export interface SyncSource {
  readonly application: FvmApplication
  readonly blocks: BlockStore
}

/** Undefined for what is no question. */
export function answerSync(source: SyncSource, { kind, value }: SyncMessage): SyncMessage | undefined {
  const { application, blocks } = source
  switch (kind) {
    case 'snapshotsRequest':
      return { kind: 'snapshots', value: { base: blocks.base, offers: offersOf(source) } }
    case 'chunkRequest': {
      const { chunk } = application.loadSnapshotChunk({
        height: value.height,
        format: value.format,
        chunk: value.index,
      })
      return { kind: 'chunk', value: { ...value, chunk } }
    }
    case 'lightRequest':
      return { kind: 'light', value: { height: value.height, block: lightBlockAt(blocks, value.height) } }
    case 'stateRequest':
      return { kind: 'state', value: stateAt(blocks, value.height) }
    default:
      return undefined
  }
}

/** Those whose state of consensus, and the header that commits to them, are there as well. */
function offersOf({ application, blocks }: SyncSource): readonly SnapshotOffer[] {
  return application.listSnapshots().snapshots.flatMap((snapshot) => {
    const isProvable = blocks.header(snapshot.height + 1n) !== undefined && blocks.header(snapshot.height) !== undefined
    const state = isProvable ? blocks.stateAfter(snapshot.height) : undefined
    return state === undefined ? [] : [{ snapshot, stateHash: sha256Binary(consensusStateBytes(state)) }]
  })
}

function lightBlockAt(blocks: BlockStore, height: bigint): LightBlock | null {
  const signedHeader = blocks.signedHeader(height)
  const set = blocks.validators(height)
  return signedHeader === undefined || set === undefined
    ? null
    : { signedHeader, validatorSet: toWireValidatorSet(set) }
}

function stateAt(blocks: BlockStore, height: bigint) {
  const state = blocks.stateAfter(height)
  const block = blocks.blockBytes(height)
  const commit = blocks.extendedCommit(height)
  if (state === undefined || block === undefined || commit === undefined)
    return { height, state: EMPTY_BYTES, decided: null }
  return { height, state: consensusStateBytes(state), decided: { block, commit } }
}
