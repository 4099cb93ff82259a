/**
 * Keys of what a store has of every height. They lie behind all other keys and in the order of heights, so that a chain grows at the end of
 * its store, where LMDB fills its pages; a place between other keys has its pages half empty, and every kind of record its own page to write.
 */

/** What there is, in the order in which it is put. */
export type HeightRecord =
  /** The block of consensus. */
  | 'block'
  /** Its commit with extensions, where there are any. */
  | 'extended'
  /** What the application answered. */
  | 'response'
  /** The block as the application executed it. */
  | 'executed'

const LETTERS: Readonly<Record<HeightRecord, string>> = { block: 'a', extended: 'b', response: 'c', executed: 'd' }

export function heightKey(record: HeightRecord, height: number | bigint): string {
  return `z${heightBytes(BigInt(height))}${LETTERS[record]}`
}

/** Eight bytes, the highest first, so that keys have the order of heights. */
export function heightBytes(height: bigint): string {
  return uint32Bytes(Number(height >> 32n)) + uint32Bytes(Number(height & 0xffff_ffffn))
}

export function uint32Bytes(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}
