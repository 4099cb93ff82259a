import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Piece, unsealedSectorCid } from '../../../devnet/engine/sector.ts'
import { cidParts, formatCid, makeCid, RAW } from '../../../devnet/ipld/cid.ts'
import { fromBinary, toHex } from '../../../devnet/primitives/bytes.ts'

const UNSEALED = 0xf101
const TRUNCATED_SHA = 0x1012

// What Filecoin knows as the commitments of sectors full of zeros.
const ZERO_SECTORS = [
  'baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy',
  'baga6ea4seaqgl4u6lwmnerwdrm4iz7ag3mpwwaqtapc2fciabpooqmvjypweeha',
  'baga6ea4seaqdsvqopmj2soyhujb72jza76t4wpq5fzifvm3ctz47iyytkewnubq',
  'baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq',
  'baga6ea4seaqomqafu276g53zko4k23xzh4h4uecjwicbmvhsuqi7o4bhthhm4aq',
] as const

test.each(Array.from({ length: 20 }, (_, type) => type))(
  'proof type %i without pieces is a sector of zeros',
  (type) => {
    expect(formatCid(unsealedSectorCid(type, [])!)).toBe(ZERO_SECTORS[type % 5])
  },
)

/** The commitment of data, computed over all of its leaves: what pieces are a shortcut for. */
function commit(data: Uint8Array): Uint8Array {
  if (data.length === 32) return data
  const half = data.length / 2
  const hash = createHash('sha256')
    .update(commit(data.subarray(0, half)))
    .update(commit(data.subarray(half)))
    .digest()
  hash[31]! &= 0x3f
  return new Uint8Array(hash)
}

function pieceOf(data: Uint8Array): Piece {
  return { size: BigInt(data.length), cid: makeCid(UNSEALED, TRUNCATED_SHA, commit(data)) }
}

function fill(size: number, byte: number): Uint8Array {
  return new Uint8Array(size).fill(byte)
}

test('pieces are placed at multiples of their sizes, with zeros between', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(128, 256, 512, 1024, 2048), { maxLength: 8 }), (sizes) => {
      const sector = new Uint8Array(2048)
      const pieces: Piece[] = []
      let at = 0
      for (const [i, size] of sizes.entries()) {
        const data = fill(size, i + 1)
        at = Math.ceil(at / size) * size
        if (at + size <= sector.length) sector.set(data, at)
        at += size
        pieces.push(pieceOf(data))
      }
      const cid = unsealedSectorCid(0, pieces)
      expect(cid && toHex(cidParts(cid).digest)).toBe(at > sector.length ? undefined : toHex(commit(sector)))
    }),
  )
})

// First and last eight bytes of CIDs that the reference computed.
test.each([
  ['sixteen of 128', 16, 128n, [0x11, 0x22, 0x33, 0x44, 0x15, 0x26], 'b15fab6349d39d9b27'],
  ['eight of 256', 8, 256n, [0x11], '3fd571fd8509fb3704'],
] as const)('%s bytes fill 2 KiB as in the reference', (_, count, size, bytes, ends) => {
  const pieces = Array.from({ length: count }, (_, i) => {
    const digest = fill(32, bytes[i % bytes.length]!)
    digest[31] = 0x0f
    return { size, cid: makeCid(UNSEALED, TRUNCATED_SHA, digest) }
  })
  const hex = toHex(fromBinary(unsealedSectorCid(0, pieces)!))
  expect(hex.slice(0, 16)).toBe(`0181e203922020${ends.slice(0, 2)}`)
  expect(hex.slice(-16)).toBe(ends.slice(2))
})

test('a large sector takes a small piece', () => {
  const cid = unsealedSectorCid(4, [pieceOf(fill(128, 1))])
  expect(cid).toBeDefined()
  expect(cidParts(cid!)).toMatchObject({ codec: UNSEALED, hash: TRUNCATED_SHA })
})

describe('refuses', () => {
  const good = pieceOf(fill(128, 1))
  test.each<[string, number, readonly Piece[]]>([
    ['an unknown proof type', 20, []],
    ['a negative proof type', -1, []],
    ['a size of 0', 0, [{ ...good, size: 0n }]],
    ['a size below 128', 0, [{ ...good, size: 64n }]],
    ['a size that is no power of two', 0, [{ ...good, size: 192n }]],
    ['a size beyond the sector', 0, [{ ...good, size: 4096n }]],
    ['a size of 2^64 − 1', 0, [{ ...good, size: (1n << 64n) - 1n }]],
    ['more than the sector holds', 0, [good, { ...good, size: 2048n }]],
    ['too many', 0, Array.from({ length: 17 }, () => good)],
    ['another codec', 0, [{ ...good, cid: makeCid(RAW, TRUNCATED_SHA, fill(32, 1)) }]],
    ['another hash', 0, [{ ...good, cid: makeCid(UNSEALED, 0x12, fill(32, 1)) }]],
    ['a digest of 31 bytes', 0, [{ ...good, cid: makeCid(UNSEALED, TRUNCATED_SHA, fill(31, 1)) }]],
  ])('%s', (_, type, pieces) => expect(unsealedSectorCid(type, pieces)).toBeUndefined())
})
