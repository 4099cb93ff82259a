/**
 * How an application's state travels: a snapshot of ABCI and its chunks.
 *
 *   metadata = how many blocks, how many bytes, sha256 of each chunk
 *   hash     = sha256 of the snapshot, metadata and all, without its hash
 *   chunk    = item*; item = length (4 bytes, big-endian) ‖ bytes; the first item is the records, the others are blocks of the state
 *              in the order in which `state-walk.ts` comes to them, so that no block needs its name
 *
 * Two nodes at one height make the same bytes.
 *
 * @source spec consensus §4.9
 */
import { WireError } from '../consensus/protobuf.ts'
import {
  bytes,
  decode,
  encode,
  message,
  repeatedBinary,
  repeatedBytes,
  uint64,
  type ValueOf,
} from '../consensus/schema.ts'
import { SNAPSHOT } from '../consensus/wire-abci.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'

export type Snapshot = ValueOf<typeof SNAPSHOT>

export const SNAPSHOT_FORMAT = 1
/** A chunk ends before it is larger, unless a single item is. */
export const CHUNK_SIZE = 1 << 20
/** CometBFT sends messages of 16,000,000 bytes with a chunk, of 4,000,000 with a snapshot; the rest is what is around them. */
export const CHUNK_SIZE_MAX = 16_000_000 - 1024
export const METADATA_SIZE_MAX = 4_000_000 - 1024
const HASH_SIZE = 32
const LENGTH_SIZE = 4

const METADATA = message({ blocks: uint64(1), bytes: uint64(2), chunkHashes: repeatedBinary(3) })

/** What of an application is not in the state that its hash commits to. */
const RECORDS = message({
  /** Headers of the application's blocks, as they are kept: the newest last. */
  headers: repeatedBytes(1),
  /** What the application has decided about consensus. */
  settings: bytes(2),
  /** CIDs of code that was installed, whether an actor has it or not. */
  installed: repeatedBinary(3),
})
export type SnapshotRecords = ValueOf<typeof RECORDS>

export type SnapshotFault =
  /** Of a later release, or of another application. */
  | 'FORMAT'
  | 'MALFORMED'
  /** More than may be sent. */
  | 'TOO_LARGE'
  /** The hash is not that of what it came with. */
  | 'HASH'

/** What a snapshot says of itself. */
export interface SnapshotView {
  readonly height: number
  /** Binary strings. */
  readonly chunkHashes: readonly string[]
  readonly blocks: number
  readonly bytes: number
}

export function describeSnapshot({ height, chunkHashes, blocks, bytes: size }: SnapshotView): Snapshot {
  const metadata = encode(METADATA, { blocks: BigInt(blocks), bytes: BigInt(size), chunkHashes })
  const format = SNAPSHOT_FORMAT
  const bare = { height: BigInt(height), format, chunks: chunkHashes.length, hash: '', metadata }
  return { ...bare, hash: hashOf(bare) }
}

/** A snapshot that came from outside. */
export function readSnapshot(snapshot: Snapshot): SnapshotView | SnapshotFault {
  const { height, format, chunks, hash, metadata } = snapshot
  if (format !== SNAPSHOT_FORMAT) return 'FORMAT'
  if (metadata.length > METADATA_SIZE_MAX) return 'TOO_LARGE'
  if (height < 1n || height > 0xffff_ffffn || chunks < 1) return 'MALFORMED'
  if (hashOf(snapshot) !== hash) return 'HASH'
  const read = attemptDecode(() => decode(METADATA, metadata))
  if (read === undefined || read.chunkHashes.length !== chunks) return 'MALFORMED'
  if (read.chunkHashes.some(({ length }) => length !== HASH_SIZE)) return 'MALFORMED'
  if (read.bytes > BigInt(chunks) * BigInt(CHUNK_SIZE_MAX)) return 'TOO_LARGE'
  return {
    height: Number(height),
    chunkHashes: read.chunkHashes,
    blocks: Number(read.blocks),
    bytes: Number(read.bytes),
  }
}

function hashOf(snapshot: Snapshot): string {
  return sha256Binary(encode(SNAPSHOT, { ...snapshot, hash: '' }))
}

/** Items of a chunk one after the other; undefined in place of an item that is cut off, and of a chunk without any. */
export function* readItems(chunk: Uint8Array): Generator<Uint8Array | undefined> {
  if (chunk.length === 0) yield undefined
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
  for (let at = 0; at < chunk.length; ) {
    const start = at + LENGTH_SIZE
    const end = start > chunk.length ? Number.POSITIVE_INFINITY : start + view.getUint32(at)
    if (end > chunk.length) return yield undefined
    yield chunk.subarray(start, end)
    at = end
  }
}

/** An item is too large for any chunk. */
export class ItemTooLarge extends Error {
  override readonly name = 'ItemTooLarge'
  constructor(size: number) {
    super(`a block of ${size} bytes does not fit a chunk of ${CHUNK_SIZE_MAX}`)
  }
}

/** Puts items into chunks. */
export class ChunkWriter {
  #parts: Uint8Array[] = []
  #size = 0

  /** Answers the chunk that is full before the item, if one is. @throws ItemTooLarge */
  add(item: Uint8Array): Uint8Array | undefined {
    const size = LENGTH_SIZE + item.length
    if (size > CHUNK_SIZE_MAX) throw new ItemTooLarge(item.length)
    const full = this.#size > 0 && this.#size + size > CHUNK_SIZE ? this.finish() : undefined
    const length = new Uint8Array(LENGTH_SIZE)
    new DataView(length.buffer).setUint32(0, item.length)
    this.#parts.push(length, item)
    this.#size += size
    return full
  }

  /** What is left. */
  finish(): Uint8Array {
    const chunk = concatBytes(...this.#parts)
    this.#parts = []
    this.#size = 0
    return chunk
  }
}

export function encodeRecords(records: SnapshotRecords): Uint8Array {
  return encode(RECORDS, records)
}

/** Undefined for what is malformed. */
export function decodeRecords(item: Uint8Array): SnapshotRecords | undefined {
  return attemptDecode(() => decode(RECORDS, item))
}

function attemptDecode<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
