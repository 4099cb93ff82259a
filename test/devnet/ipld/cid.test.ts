import fc from 'fast-check'
import { CID as Multiformats } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import * as cids from '../../../devnet/ipld/cid.ts'
import { concatBytes, fromBinary, fromHex, toBinary, toHex } from '../../../devnet/primitives/bytes.ts'

const EMPTY_ARRAY = 'bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a'
const V0 = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'

test('the empty array has the CID that every new actor starts with', () => {
  expect(cids.formatCid(cids.EMPTY_ARRAY_CID)).toBe(EMPTY_ARRAY)
  expect(cids.parseCid(EMPTY_ARRAY)).toBe(cids.EMPTY_ARRAY_CID)
  expect(cids.cidParts(cids.EMPTY_ARRAY_CID)).toEqual({
    version: 1,
    codec: cids.DAG_CBOR,
    hash: cids.BLAKE2B_256,
    digest: fromHex('45b0cfc220ceec5b7c1c62c4d4193d38e4eba48e8815729ce75f9c0ab0e4c1c0'),
  })
  expect(cids.cidCodec(cids.EMPTY_ARRAY_CID)).toBe(cids.DAG_CBOR)
})

test('codecs of more than one byte work as well', () => {
  const cid = cids.cidOf(0xf101, Uint8Array.of(1))
  expect(cids.cidParts(cid).codec).toBe(0xf101)
  expect(cids.cidCodec(cid)).toBe(0xf101)
})

describe('text', () => {
  test('agrees with multiformats, both ways, for any codec and hash', () => {
    const code = fc.integer({ min: 0, max: 0x7fff_ffff })
    fc.assert(
      fc.property(code, code, fc.uint8Array({ maxLength: 64 }), (codec, hash, digest) => {
        const cid = cids.makeCid(codec, hash, digest)
        expect(cids.isCid(cid)).toBe(true)
        const text = cids.formatCid(cid)
        expect(cids.parseCid(text)).toBe(cid)
        expect(toHex(Multiformats.parse(text).bytes)).toBe(toHex(cids.cidBytes(cid)))
      }),
    )
  })

  test('version 0 is base58', () => {
    const cid = cids.parseCid(V0)
    expect(cids.cidParts(cid)).toMatchObject({ version: 0, codec: cids.DAG_PB, hash: cids.SHA2_256 })
    expect(cids.formatCid(cid)).toBe(V0)
    expect(cids.isCid(cid)).toBe(true)
  })

  test('hex and base58btc are read', () => {
    expect(cids.parseCid(`f${toHex(cids.cidBytes(cids.EMPTY_ARRAY_CID))}`)).toBe(cids.EMPTY_ARRAY_CID)
  })

  test.each([
    '',
    'b',
    'bafy',
    `${EMPTY_ARRAY}a`,
    EMPTY_ARRAY.slice(0, -1),
    EMPTY_ARRAY.toUpperCase(),
    'Qm1',
    'hello',
    'f0',
  ])('refuses %j', (text) =>
    expect(() => cids.parseCid(text)).toThrow(expect.objectContaining({ code: 'CID_INVALID' })),
  )
})

describe('reading', () => {
  const read = (hex: string) => cids.readCid(fromHex(hex), 0)

  test('stops where the CID ends', () => {
    const bytes = concatBytes(Uint8Array.of(9), cids.cidBytes(cids.EMPTY_ARRAY_CID), Uint8Array.of(1, 2))
    expect(cids.readCid(bytes, 1)).toEqual({ cid: cids.EMPTY_ARRAY_CID, next: 39 })
  })

  test('makes lax varints canonical', () => {
    const lax = `81808080808080808002${'55'}${'00'}${'01'}aa`
    expect(read(lax)).toEqual({ cid: toBinary(fromHex('01550001aa')), next: 14 })
  })

  test.each([
    ['nothing', ''],
    ['version 0 in the open', '00550000'],
    ['version 2', '02550000'],
    ['an end inside the codec', '01'],
    ['an end inside the hash code', '0171a0'],
    ['an end inside the digest', `0171a0e40220${'00'.repeat(31)}`],
    ['a digest of 65 bytes', `01550041${'00'.repeat(65)}`],
    ['a cut-off version 0', `1220${'00'.repeat(31)}`],
    ['a padded varint', '0155800000'],
  ])('refuses %s', (_, hex) => expect(read(hex)).toBeUndefined())

  test('a digest may be empty', () => expect(read('01550000')?.next).toBe(4))
})

test('only exact, canonical binary strings are CIDs', () => {
  expect(cids.isCid(cids.EMPTY_ARRAY_CID)).toBe(true)
  expect(cids.isCid(`${cids.EMPTY_ARRAY_CID}\0`)).toBe(false)
  expect(cids.isCid(cids.EMPTY_ARRAY_CID.slice(0, -1))).toBe(false)
  expect(cids.isCid('')).toBe(false)
  expect(cids.isCid('\u0101\x55\0\0')).toBe(false)
})

test('a block is compared with its CID by the hash the CID names', () => {
  const block = fromHex('80')
  expect(cids.matchesCid(cids.EMPTY_ARRAY_CID, block)).toBe(true)
  expect(cids.matchesCid(cids.EMPTY_ARRAY_CID, fromHex('81'))).toBe(false)
  expect(cids.matchesCid(cids.makeCid(cids.RAW, cids.IDENTITY, block), block)).toBe(true)
  expect(cids.matchesCid(cids.makeCid(cids.RAW, 0x1012, new Uint8Array(32)), block)).toBeUndefined()
  expect(fromBinary(cids.EMPTY_ARRAY_CID)).toHaveLength(cids.BLOCK_CID_SIZE)
})

test('a digest above 64 bytes makes no CID', () => {
  expect(() => cids.makeCid(cids.RAW, cids.IDENTITY, new Uint8Array(65))).toThrow(cids.CidError)
})
