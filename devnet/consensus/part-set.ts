/**
 * A block in parts of 64 KiB, each with a proof that it belongs to the part set whose root is in the block id.
 *
 * @source CometBFT v0.38.25 `types/part_set.go`
 */

import { type Fault, fault } from './fault.ts'
import { checkProofForm, merkleProofs, merkleRoot, verifyProof } from './merkle.ts'
import type { Part, PartSetHeader } from './wire.ts'

export const PART_SIZE = 65_536
export const BLOCK_SIZE_MAX = 104_857_600

/** The header alone: no proofs are made. */
export function partSetHeader(bytes: Uint8Array): PartSetHeader {
  const slices = splitBytes(bytes)
  return { total: slices.length, hash: merkleRoot(slices) }
}

export function splitParts(bytes: Uint8Array): { readonly header: PartSetHeader; readonly parts: readonly Part[] } {
  const slices = splitBytes(bytes)
  const { root, proofs } = merkleProofs(slices)
  return {
    header: { total: slices.length, hash: root },
    parts: slices.map((slice, index) => ({ index, bytes: slice, proof: proofs[index]! })),
  }
}

function splitBytes(bytes: Uint8Array): Uint8Array[] {
  const slices: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PART_SIZE) slices.push(bytes.subarray(at, at + PART_SIZE))
  return slices
}

/** The form of a part that came from outside: every part but the last is full. */
export function checkPart({ index, bytes, proof }: Part): Fault | null {
  const malformed = checkProofForm(proof)
  if (malformed !== null) return malformed
  if (bytes.length > PART_SIZE) return fault('part-size')
  if (BigInt(index) < proof.total - 1n && bytes.length !== PART_SIZE) return fault('part-size')
  return BigInt(index) === proof.index ? null : fault('part-form')
}

/** Whether the part belongs to the set with this header. */
export function verifyPart({ total, hash }: PartSetHeader, part: Part): Fault | null {
  if (part.index >= total) return fault('part-index')
  if (part.proof.total !== BigInt(total)) return fault('part-proof')
  const wrong = verifyProof(part.proof, hash, part.bytes)
  return wrong === null ? null : fault('part-proof', wrong)
}
