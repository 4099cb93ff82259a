/**
 * The application hash of a block: what IPC's parent contracts later verify.
 * keccak256(abi.encode(AppHashBreakdown)); blocks without a checkpoint have zero commitments.
 *
 * @source spec ipc §6.3
 */
import type { Cid } from '../ipld/cid.ts'
import { fromBinary } from '../primitives/bytes.ts'
import { keccak256 } from '../primitives/hash.ts'

/** Counts are u64, roots 32 bytes. */
export interface Commitments {
  readonly messageCount: bigint
  readonly messagesRoot: Uint8Array
  readonly nextConfiguration: bigint
  readonly activeValidators: bigint
  readonly blocksCommitted: bigint
  readonly activityRoot: Uint8Array
}

const WORD = 32
const NO_ROOT = new Uint8Array(WORD)

export const NO_COMMITMENTS: Commitments = {
  messageCount: 0n,
  messagesRoot: NO_ROOT,
  nextConfiguration: 0n,
  activeValidators: 0n,
  blocksCommitted: 0n,
  activityRoot: NO_ROOT,
}

export function computeAppHash(stateRoot: Cid, commitments: Commitments = NO_COMMITMENTS): Uint8Array {
  const root = fromBinary(stateRoot)
  const padded = Math.ceil(root.length / WORD) * WORD
  const bytes = new Uint8Array(9 * WORD + padded)
  const view = new DataView(bytes.buffer)
  const putWord = (index: number, value: bigint): void => view.setBigUint64(index * WORD + 24, value)
  putWord(0, BigInt(WORD)) // the tuple is dynamic
  putWord(1, BigInt(7 * WORD)) // where the bytes begin, counted from the tuple
  putWord(2, commitments.messageCount)
  bytes.set(commitments.messagesRoot, 3 * WORD)
  putWord(4, commitments.nextConfiguration)
  putWord(5, commitments.activeValidators)
  putWord(6, commitments.blocksCommitted)
  bytes.set(commitments.activityRoot, 7 * WORD)
  putWord(8, BigInt(root.length))
  bytes.set(root, 9 * WORD)
  return keccak256(bytes)
}
