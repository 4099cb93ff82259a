/** Bytes that look like others: bits flipped, pieces cut, doubled and exchanged, numbers made extreme. */
import type { Random } from './random.ts'

export const SIZE_MAX = 1 << 16

const EXTREME_BYTES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x40, 0x0b, 0x1f, 0x3f, 0x5f, 0x9f, 0xbf, 0xd8]
/** Varints of every odd kind: overlong, truncated, at the limits of their types, with unused bits. */
const EXTREME_VARINTS: readonly (readonly number[])[] = [
  [0x80, 0x00],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x1f],
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0x80, 0x80, 0x80, 0x80, 0x78],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0xd0, 0x86, 0x03],
  [0xff, 0xff, 0x3f],
]
/** The same for CBOR: heads of every width, indefinite lengths, tags. */
const EXTREME_HEADS: readonly (readonly number[])[] = [
  [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x9a, 0xff, 0xff, 0xff, 0xff],
  [0x5b, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0xbb, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x5f],
  [0x9f],
  [0xff],
  [0xd8, 0x2a],
  [0xda, 0x00, 0x00, 0x00, 0x2a],
  [0x81],
  [0xa1],
]

/** A new input made of `input`, and of another of `corpus` at times. */
export function mutate(input: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Uint8Array.from(input)
  for (let steps = 1 + random.below(5); steps > 0; steps--) bytes = step(bytes, corpus, random)
  return bytes.length > SIZE_MAX ? bytes.subarray(0, SIZE_MAX) : bytes
}

function step(bytes: Uint8Array<ArrayBuffer>, corpus: readonly Uint8Array[], random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.from(random.bytes(1 + random.below(16)))
  const at = random.below(bytes.length)
  switch (random.below(11)) {
    case 0:
    case 1:
      bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 2:
      bytes[at] = random.u32()
      return bytes
    case 3:
      bytes[at] = random.pick(EXTREME_BYTES)
      return bytes
    case 4:
      bytes[at]! += random.below(2) === 0 ? 1 : -1
      return bytes
    case 5:
      return splice(bytes, at, random.below(Math.min(16, bytes.length - at) + 1), [])
    case 6:
      return splice(bytes, at, 0, random.bytes(1 + random.below(8)))
    case 7:
      return splice(
        bytes,
        at,
        random.below(Math.min(3, bytes.length - at) + 1),
        random.pick(random.below(2) === 0 ? EXTREME_VARINTS : EXTREME_HEADS),
      )
    case 8: {
      const from = random.below(bytes.length)
      return splice(bytes, at, 0, bytes.slice(from, from + 1 + random.below(32)))
    }
    case 9:
      return bytes.slice(0, at)
    default: {
      const other = corpus.length === 0 ? bytes : random.pick(corpus)
      const from = random.below(other.length + 1)
      return splice(bytes, at, random.below(bytes.length - at + 1), other.subarray(from))
    }
  }
}

function splice(bytes: Uint8Array, at: number, deleted: number, inserted: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length - deleted + inserted.length)
  out.set(bytes.subarray(0, at))
  out.set(inserted, at)
  out.set(bytes.subarray(at + deleted), at + inserted.length)
  return out
}
