/**
 * What a vote is for: the block's header hash and the header of its part set. Nil is all empty.
 *
 * @source CometBFT v0.38.25 `types/block.go`, `types/part_set.go`
 */

import { type Fault, fault } from './fault.ts'
import { HASH_SIZE } from './merkle.ts'
import type { BlockId } from './wire.ts'

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

/**
 * Sorts block ids, and tells them apart in maps: the hash, then the part-set header as it is on the wire. Written by hand, since each vote
 * is asked for it.
 */
export function blockIdKey({ hash, partSetHeader: { total, hash: partsHash } }: BlockId): string {
  const count = total === 0 ? '' : `\x08${varintText(total)}`
  const parts = partsHash === '' ? '' : `\x12${varintText(partsHash.length)}${partsHash}`
  return `${hash}${count}${parts}`
}

/** Of a whole number below 2^32, as a binary string. */
function varintText(value: number): string {
  let text = ''
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | 0x80)
  return text + String.fromCharCode(rest)
}

/** Empty or of 32 bytes. */
export function isHashForm(hash: string): boolean {
  return hash.length === 0 || hash.length === HASH_SIZE
}

/** The sizes alone: what lies between nil and complete passes. */
export function checkBlockIdForm({ hash, partSetHeader }: BlockId): Fault | null {
  return isHashForm(hash) && isHashForm(partSetHeader.hash) ? null : fault('block-id-form')
}
