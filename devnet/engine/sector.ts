/**
 * The unsealed CID (CommD) of a sector made of pieces: a binary tree of SHA-256, truncated to 254 bits, over leaves of
 * 32 bytes. Pieces bring the root of their own part; what lies between them is zeros.
 *
 * @source filecoin-proofs `pieces.rs`, ref-fvm `fvm/src/kernel/default.rs`; spec fvm §5.11
 */
import { type Cid, cidParts, makeCid } from '../ipld/cid.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'

/** Data in a sector: its size with padding, a power of two, and its commitment. */
export interface Piece {
  readonly size: bigint
  readonly cid: Cid
}

/** A subtree: the commitment of `size` bytes. */
interface Part {
  readonly size: number
  readonly hash: Uint8Array
}

export const UNSEALED_COMMITMENT = 0xf101
export const SHA2_256_TRUNC254_PADDED = 0x1012

const PIECE_SIZE_MIN = 128n
const LEAF_SIZE = 32
const PROOF_TYPE_MAX = 19

/** Sector sizes in bytes, by proof type modulo 5. */
const SECTOR_SIZES = [2 ** 11, 2 ** 23, 2 ** 29, 2 ** 35, 2 ** 36] as const

/** `ZERO_HASHES[k]` commits to 32·2^k zero bytes. */
const ZERO_HASHES: readonly Uint8Array[] = listZeroHashes(2 ** 36)

/** Undefined when the proof type is unknown, or the pieces are malformed or do not fit. */
export function unsealedSectorCid(proofType: number, pieces: readonly Piece[]): Cid | undefined {
  const sectorSize = sectorSizeOf(proofType)
  if (sectorSize === undefined) return undefined
  const tree = new SectorTree()
  for (const piece of pieces) {
    const part = readPiece(piece, sectorSize)
    if (part === undefined) return undefined
    tree.alignTo(part.size)
    tree.append(part)
    if (tree.size > sectorSize) return undefined
  }
  if (tree.size === 0) tree.append(zeroPart(sectorSize))
  tree.alignTo(sectorSize)
  return makeCid(UNSEALED_COMMITMENT, SHA2_256_TRUNC254_PADDED, tree.root())
}

function sectorSizeOf(proofType: number): number | undefined {
  if (!Number.isInteger(proofType) || proofType < 0 || proofType > PROOF_TYPE_MAX) return undefined
  return SECTOR_SIZES[proofType % SECTOR_SIZES.length]
}

function readPiece({ size, cid }: Piece, sectorSize: number): Part | undefined {
  if (size < PIECE_SIZE_MIN || size > sectorSize || (size & (size - 1n)) !== 0n) return undefined
  const { codec, hash, digest } = cidParts(cid)
  if (codec !== UNSEALED_COMMITMENT || hash !== SHA2_256_TRUNC254_PADDED || digest.length !== 32) return undefined
  return { size: Number(size), hash: digest }
}

/** Grows from the left; equal neighbours merge at once, so sizes on the stack only fall. */
class SectorTree {
  size = 0
  readonly #stack: Part[] = []

  append(part: Part): void {
    this.size += part.size
    let top = part
    for (let left = this.#stack.at(-1); left?.size === top.size; left = this.#stack.at(-1)) {
      this.#stack.pop()
      top = { size: left.size * 2, hash: hashPair(left.hash, top.hash) }
    }
    this.#stack.push(top)
  }

  /** Appends zeros, smallest part first, up to the next multiple of `size`. */
  alignTo(size: number): void {
    while (this.size % size !== 0) this.append(zeroPart(lowestBit(this.size)))
  }

  /** The root of a tree whose size is a power of two. */
  root(): Uint8Array {
    return this.#stack[0]!.hash
  }
}

function zeroPart(size: number): Part {
  return { size, hash: ZERO_HASHES[Math.log2(size / LEAF_SIZE)]! }
}

/** The largest power of two that divides `value`; sums of sizes exceed 32 bits, so no bit tricks. */
function lowestBit(value: number): number {
  let bit = 1
  while (value % (bit * 2) === 0) bit *= 2
  return bit
}

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const hash = sha256(concatBytes(left, right))
  hash[31]! &= 0x3f
  return hash
}

function listZeroHashes(sizeMax: number): Uint8Array[] {
  const hashes: Uint8Array[] = [new Uint8Array(LEAF_SIZE)]
  for (let size = LEAF_SIZE; size < sizeMax; size *= 2) hashes.push(hashPair(hashes.at(-1)!, hashes.at(-1)!))
  return hashes
}
