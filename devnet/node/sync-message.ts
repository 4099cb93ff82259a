/**
 * What a node that fetches a state says to those that have one, and what they answer. Each answer names what was asked for, so that an
 * answer that nobody waits for is known as such.
 *
 * @source spec consensus §4.9
 */
import { DECIDED_BLOCK } from '../consensus/peer-message.ts'
import {
  binary,
  bytes,
  int64,
  message,
  nested,
  optional,
  repeated,
  uint32,
  uint64,
  type ValueOf,
} from '../consensus/schema.ts'
import { LIGHT_BLOCK } from '../consensus/wire.ts'
import { SNAPSHOT } from '../consensus/wire-abci.ts'
import { CHUNK_SIZE_MAX, METADATA_SIZE_MAX } from './snapshot-format.ts'
import { KEEP_MAX } from './sync-settings.ts'

/** A snapshot, and the hash of the state of consensus at its height (`consensusStateBytes`). */
const OFFER = message({ snapshot: nested(1, SNAPSHOT), stateHash: binary(2) })
export type SnapshotOffer = ValueOf<typeof OFFER>

const CHUNK_NAME = { height: uint64(1), format: uint32(2), index: uint32(3) }

/** Members of the union of `peer-links.ts`. */
export const SYNC_MEMBERS = {
  snapshotsRequest: nested(5, message({})),
  /** `base` is the lowest block that is kept, 0 for none. */
  snapshots: nested(6, message({ base: int64(1), offers: repeated(2, OFFER) })),
  chunkRequest: nested(7, message(CHUNK_NAME)),
  /** Empty for a chunk that is not there. */
  chunk: nested(8, message({ ...CHUNK_NAME, chunk: bytes(4) })),
  lightRequest: nested(9, message({ height: int64(1) })),
  light: nested(10, message({ height: int64(1), block: optional(2, LIGHT_BLOCK) })),
  /** The state of consensus after a block, and the block. */
  stateRequest: nested(11, message({ height: int64(1) })),
  state: nested(12, message({ height: int64(1), state: bytes(2), decided: optional(3, DECIDED_BLOCK) })),
}

type Members = typeof SYNC_MEMBERS
export type SyncMessage = {
  [Kind in keyof Members]: { readonly kind: Kind; readonly value: ReturnType<Members[Kind]['initial']> }
}[keyof Members]

const HASH_SIZE = 32

export function isSyncMessage(said: { readonly kind: string }): said is SyncMessage {
  return said.kind in SYNC_MEMBERS
}

/** Whether a message from outside has a form that may go on. */
export function isWellFormed({ kind, value }: SyncMessage): boolean {
  switch (kind) {
    case 'snapshotsRequest':
      return true
    case 'snapshots':
      return (
        value.base >= 0n &&
        value.offers.length <= KEEP_MAX &&
        value.offers.every(
          ({ snapshot, stateHash }) =>
            snapshot.hash.length === HASH_SIZE &&
            stateHash.length === HASH_SIZE &&
            snapshot.metadata.length <= METADATA_SIZE_MAX,
        )
      )
    case 'chunkRequest':
      return true
    case 'chunk':
      return value.chunk.length <= CHUNK_SIZE_MAX
    case 'lightRequest':
    case 'light':
    case 'stateRequest':
    case 'state':
      return value.height >= 1n
  }
}
