/**
 * What a vote is for: the block's header hash and the header of its part set. Nil is all empty.
 *
 * @source CometBFT v0.38.25 `types/block.go`, `types/part_set.go`
 */

import { toBinary } from '../primitives/bytes.ts'
import { type Fault, fault } from './fault.ts'
import { HASH_SIZE } from './merkle.ts'
import { encode } from './schema.ts'
import { type BlockId, PART_SET_HEADER } from './wire.ts'

export const NIL_BLOCK_ID: BlockId = { hash: '', partSetHeader: { total: 0, hash: '' } }

export function isNil({ hash, partSetHeader }: BlockId): boolean {
  return hash === '' && partSetHeader.total === 0 && partSetHeader.hash === ''
}

/** Names one block: nothing of it is missing. */
export function isComplete({ hash, partSetHeader }: BlockId): boolean {
  return hash.length === HASH_SIZE && partSetHeader.total > 0 && partSetHeader.hash.length === HASH_SIZE
}

export function equalBlockIds(a: BlockId, b: BlockId): boolean {
  return (
    a.hash === b.hash &&
    a.partSetHeader.total === b.partSetHeader.total &&
    a.partSetHeader.hash === b.partSetHeader.hash
  )
}

/** Sorts block ids, and tells them apart in maps: the hash, then the encoded part-set header. */
export function blockIdKey({ hash, partSetHeader }: BlockId): string {
  return hash + toBinary(encode(PART_SET_HEADER, partSetHeader))
}

/** Empty or of 32 bytes. */
export function isHashForm(hash: string): boolean {
  return hash.length === 0 || hash.length === HASH_SIZE
}

/** The sizes alone: what lies between nil and complete passes. */
export function checkBlockIdForm({ hash, partSetHeader }: BlockId): Fault | null {
  return isHashForm(hash) && isHashForm(partSetHeader.hash) ? null : fault('block-id-form')
}
