/**
 * The Merkle tree of RFC 6962: SHA-256, a zero byte before a leaf and a one before an inner node, the left half as large a
 * power of two as leaves something for the right. Hashes are binary strings.
 *
 * @source CometBFT v0.38.25 `crypto/merkle/{tree,proof,hash}.go`
 */

import { writeBinary } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { type Fault, fault } from './fault.ts'
import type { Proof } from './wire.ts'

export const HASH_SIZE = 32
const AUNTS_MAX = 100

/** The root over no leaves at all. */
export const EMPTY_ROOT: string = sha256Binary(new Uint8Array(0))

export function leafHash(leaf: Uint8Array): string {
  const bytes = new Uint8Array(leaf.length + 1)
  bytes.set(leaf, 1)
  return sha256Binary(bytes)
}

function innerHash(left: string, right: string): string {
  const bytes = new Uint8Array(1 + left.length + right.length)
  bytes[0] = 1
  writeBinary(bytes, 1, left)
  writeBinary(bytes, 1 + left.length, right)
  return sha256Binary(bytes)
}

export function merkleRoot(leaves: readonly Uint8Array[]): string {
  return rootOf(leaves.map(leafHash), 0, leaves.length)
}

function rootOf(hashes: readonly string[], start: number, end: number): string {
  if (start === end) return EMPTY_ROOT
  if (end - start === 1) return hashes[start]!
  const middle = start + splitPoint(end - start)
  return innerHash(rootOf(hashes, start, middle), rootOf(hashes, middle, end))
}

/** The largest power of two below `count`, which is above 1. */
function splitPoint(count: number): number {
  let half = 1
  while (half * 2 < count) half *= 2
  return half
}

/** The root and a proof for each leaf. */
export function merkleProofs(leaves: readonly Uint8Array[]): {
  readonly root: string
  readonly proofs: readonly Proof[]
} {
  const hashes = leaves.map(leafHash)
  const aunts: string[][] = hashes.map(() => [])
  const root = collectAunts(hashes, 0, hashes.length, aunts)
  const proofs = hashes.map((hash, index) => ({
    total: BigInt(hashes.length),
    index: BigInt(index),
    leafHash: hash,
    aunts: aunts[index]!,
  }))
  return { root, proofs }
}

/** Gives each leaf the hashes beside its path, the lowest first. */
function collectAunts(hashes: readonly string[], start: number, end: number, aunts: string[][]): string {
  if (start === end) return EMPTY_ROOT
  if (end - start === 1) return hashes[start]!
  const middle = start + splitPoint(end - start)
  const left = collectAunts(hashes, start, middle, aunts)
  const right = collectAunts(hashes, middle, end, aunts)
  for (let i = start; i < end; i++) aunts[i]!.push(i < middle ? right : left)
  return innerHash(left, right)
}

/** Sizes and ranges: what a decoder asks of a proof. */
export function checkProofForm({ total, index, leafHash, aunts }: Proof): Fault | null {
  if (total < 0n || index < 0n) return fault('proof-range')
  if (leafHash.length !== HASH_SIZE || aunts.length > AUNTS_MAX) return fault('proof-form')
  return aunts.every((aunt) => aunt.length === HASH_SIZE) ? null : fault('proof-form')
}

/** Whether the proof leads from `leaf` to `root`. */
export function verifyProof(proof: Proof, root: string, leaf: Uint8Array): Fault | null {
  if (proof.total < 0n || proof.index < 0n) return fault('proof-range')
  if (proof.leafHash !== leafHash(leaf)) return fault('leaf-hash')
  const computed = rootOfProof(proof)
  if (computed === undefined) return fault('proof-shape')
  return computed === root ? null : fault('root-hash')
}

/** Undefined when there are too many aunts or too few for the index. */
function rootOfProof({ total, index, leafHash, aunts }: Proof): string | undefined {
  if (index >= total) return undefined
  const isLeft: boolean[] = []
  let count = total
  let at = index
  while (count > 1n) {
    if (isLeft.length >= aunts.length) return undefined
    const half = largestPowerBelow(count)
    isLeft.push(at < half)
    if (at < half) count = half
    else {
      at -= half
      count -= half
    }
  }
  if (isLeft.length !== aunts.length) return undefined
  let hash = leafHash
  for (const [i, aunt] of aunts.entries()) {
    hash = isLeft[aunts.length - 1 - i] ? innerHash(hash, aunt) : innerHash(aunt, hash)
  }
  return hash
}

function largestPowerBelow(count: bigint): bigint {
  return 1n << BigInt((count - 1n).toString(2).length - 1)
}
