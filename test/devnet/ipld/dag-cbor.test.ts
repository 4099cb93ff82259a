import { encode as ipldEncode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID as Multiformats } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { type Cid, EMPTY_ARRAY_CID, makeCid, RAW } from '../../../devnet/ipld/cid.ts'
import {
  CborError,
  type CborInput,
  CborReader,
  type CborValue,
  CborWriter,
  decodeCbor,
  encodeCbor,
  isLink,
  linksOf,
} from '../../../devnet/ipld/dag-cbor.ts'
import { fromBinary, fromHex, toHex } from '../../../devnet/primitives/bytes.ts'

const LINK = `d82a582700${toHex(fromBinary(EMPTY_ARRAY_CID))}`
const U64_MAX = (1n << 64n) - 1n

/** [value, encoding]; those of RFC 8949, appendix A, that DAG-CBOR has. */
const GOLDEN: readonly (readonly [CborValue, string])[] = [
  [0n, '00'],
  [1n, '01'],
  [10n, '0a'],
  [23n, '17'],
  [24n, '1818'],
  [25n, '1819'],
  [100n, '1864'],
  [255n, '18ff'],
  [256n, '190100'],
  [1000n, '1903e8'],
  [65535n, '19ffff'],
  [65536n, '1a00010000'],
  [1000000n, '1a000f4240'],
  [0xffff_ffffn, '1affffffff'],
  [0x1_0000_0000n, '1b0000000100000000'],
  [1000000000000n, '1b000000e8d4a51000'],
  [BigInt(Number.MAX_SAFE_INTEGER), '1b001fffffffffffff'],
  [BigInt(Number.MAX_SAFE_INTEGER) + 1n, '1b0020000000000000'],
  [U64_MAX, '1bffffffffffffffff'],
  [-1n, '20'],
  [-10n, '29'],
  [-100n, '3863'],
  [-1000n, '3903e7'],
  [-U64_MAX - 1n, '3bffffffffffffffff'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [new Uint8Array(), '40'],
  [fromHex('01020304'), '4401020304'],
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['\u00fc', '62c3bc'],
  ['\u6c34', '63e6b0b4'],
  ['\ud800\udd51', '64f0908591'],
  [[], '80'],
  [[1n, 2n, 3n], '83010203'],
  [[1n, [2n, 3n], [4n, 5n]], '8301820203820405'],
  [Array.from({ length: 25 }, (_, i) => BigInt(i + 1)), '98190102030405060708090a0b0c0d0e0f101112131415161718181819'],
  [new Map(), 'a0'],
  [
    new Map<string, CborValue>([
      ['a', 1n],
      ['b', [2n, 3n]],
    ]),
    'a26161016162820203',
  ],
  [{ link: EMPTY_ARRAY_CID }, LINK],
]

test.each(GOLDEN)('%s is %s', (value, hex) => {
  expect(toHex(encodeCbor(value))).toBe(hex)
  expect(decodeCbor(fromHex(hex))).toEqual(value)
})

test('whole numbers are encoded as the integers they are', () => {
  for (const value of [0, 23, 24, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -25, Number.MIN_SAFE_INTEGER]) {
    expect(encodeCbor(value)).toEqual(encodeCbor(BigInt(value)))
  }
})

test.each<[string, CborInput]>([
  ['a fraction', 0.5],
  ['an unsafe number', 2 ** 53],
  ['not a number', Number.NaN],
  ['an integer above 64 bits', U64_MAX + 1n],
  ['an integer below −2^64', -U64_MAX - 2n],
  ['a lone surrogate', 'x\ud800'],
])('does not encode %s', (_, value) => expect(() => encodeCbor(value)).toThrow(RangeError))

test('map keys are sorted: shorter first, then by bytes', () => {
  const keys = ['bb', 'é', 'a', 'z', '', 'aa', 'ÿ']
  const encoded = encodeCbor(new Map(keys.map((key, i) => [key, i])))
  expect([...(decodeCbor(encoded) as Map<string, bigint>).keys()]).toEqual(['', 'a', 'z', 'aa', 'bb', 'é', 'ÿ'])
})

const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.bigInt(-U64_MAX - 1n, U64_MAX),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 64 }).map((digest) => ({ link: makeCid(RAW, 0, digest) })),
    fc.constant({ link: EMPTY_ARRAY_CID }),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  ),
})).value

describe('every value', () => {
  test('round trips, and is skipped and cut out whole', () => {
    fc.assert(
      fc.property(value, (each) => {
        const bytes = encodeCbor(each)
        const decoded = decodeCbor(bytes)
        expect(decoded).toEqual(each)
        expect(encodeCbor(decoded)).toEqual(bytes)
        expect(new CborReader(bytes).raw()).toEqual(bytes)
      }),
    )
  })

  test('is encoded as the library does', () => {
    fc.assert(
      fc.property(value, (each) => {
        expect(toHex(encodeCbor(each))).toBe(toHex(ipldEncode(toIpld(each))))
      }),
    )
  })

  test('cut short is refused, whatever the cut', () => {
    fc.assert(
      fc.property(value, fc.nat(), (each, cut) => {
        const bytes = encodeCbor(each)
        expect(faultOf(bytes.subarray(0, cut % bytes.length))).toBe('TRUNCATED')
      }),
    )
  })
})

test('random bytes are refused with a code, or mean exactly themselves', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      if (faultOf(bytes) === undefined) expect(encodeCbor(decodeCbor(bytes))).toEqual(bytes)
    }),
    { numRuns: 2000 },
  )
})

/** [title, hex, fault, fault when lax]. */
const REFUSED: readonly (readonly [string, string, string, string?])[] = [
  ['nothing', '', 'TRUNCATED', 'TRUNCATED'],
  ['a head of one byte too many', '1817', 'NON_MINIMAL'],
  ['a head of two bytes too many', '1900ff', 'NON_MINIMAL'],
  ['a head of four bytes too many', '1a0000ffff', 'NON_MINIMAL'],
  ['a head of eight bytes too many', '1b00000000ffffffff', 'NON_MINIMAL'],
  ['a long negative', '3800', 'NON_MINIMAL'],
  ['a long size of bytes', '580101', 'NON_MINIMAL'],
  ['a long size of text', '780161', 'NON_MINIMAL'],
  ['a long count', '9800', 'NON_MINIMAL'],
  ['a long tag', `d9002a582700${LINK.slice(10)}`, 'NON_MINIMAL'],
  ['additional information 28', '1c', 'RESERVED', 'RESERVED'],
  ['additional information 30', '9e', 'RESERVED', 'RESERVED'],
  ['indefinite bytes', '5f4101ff', 'INDEFINITE', 'INDEFINITE'],
  ['indefinite text', '7f6161ff', 'INDEFINITE', 'INDEFINITE'],
  ['an indefinite array', '9f01ff', 'INDEFINITE', 'INDEFINITE'],
  ['an indefinite map', 'bf616101ff', 'INDEFINITE', 'INDEFINITE'],
  ['a break', 'ff', 'INDEFINITE', 'INDEFINITE'],
  ['a cut-off head', '19', 'TRUNCATED', 'TRUNCATED'],
  ['bytes beyond the input', '4201', 'TRUNCATED', 'TRUNCATED'],
  ['a size of 2^64 − 1', '5bffffffffffffffff', 'TRUNCATED', 'TRUNCATED'],
  ['a count beyond the input', '9a00100000', 'TRUNCATED', 'TRUNCATED'],
  ['a count of 2^64 − 1', '9bffffffffffffffff', 'TRUNCATED', 'TRUNCATED'],
  ['a map of more pairs than bytes', 'a26161', 'TRUNCATED', 'TRUNCATED'],
  ['text that is not UTF-8', '61ff', 'INVALID_UTF8', 'INVALID_UTF8'],
  ['a surrogate', '63eda080', 'INVALID_UTF8', 'INVALID_UTF8'],
  ['a trailing byte', '0000', 'TRAILING', 'TRAILING'],
  ['a float of 16 bits', 'f90000', 'UNSUPPORTED', 'UNSUPPORTED'],
  ['a float of 64 bits', 'fb3ff0000000000000', 'UNSUPPORTED', 'UNSUPPORTED'],
  ['undefined', 'f7', 'UNSUPPORTED', 'UNSUPPORTED'],
  ['a simple value', 'f0', 'UNSUPPORTED', 'UNSUPPORTED'],
  ['another tag', 'c100', 'INVALID_TAG', 'INVALID_TAG'],
  ['a link of text', 'd82a6100', 'UNEXPECTED_TYPE', 'UNEXPECTED_TYPE'],
  ['a link without its zero', 'd82a4101', 'INVALID_CID', 'INVALID_CID'],
  ['an empty link', 'd82a40', 'INVALID_CID', 'INVALID_CID'],
  ['a link with bytes after the CID', 'd82a45000155000000', 'TRAILING', 'TRAILING'],
  ['a CID with bytes after it', 'd82a46000155000000', 'INVALID_CID', 'INVALID_CID'],
  ['a key that is no text', 'a10101', 'INVALID_KEY', 'INVALID_KEY'],
  ['a key twice', 'a2616101616102', 'DUPLICATE_KEY', 'DUPLICATE_KEY'],
  ['a key twice, once long', 'a261610178016102', 'NON_MINIMAL', 'DUPLICATE_KEY'],
  ['keys out of order', 'a2616201616102', 'UNSORTED_KEY', 'UNSORTED_KEY'],
  ['a longer key first', 'a262616101616202', 'UNSORTED_KEY', 'UNSORTED_KEY'],
]

describe('refuses', () => {
  test.each(REFUSED.map(([title, hex, strict, lax]) => ({ title, hex, strict, lax })))(
    '$title',
    ({ hex, strict, lax }) => {
      expect(faultOf(fromHex(hex))).toBe(strict)
      expect(faultOf(fromHex(hex), { lax: true })).toBe(lax)
    },
  )

  test('too deep a nest, where the limit is', () => {
    const nest = (depth: number) => fromHex('81'.repeat(depth) + '00')
    expect(faultOf(nest(256))).toBeUndefined()
    expect(faultOf(nest(257))).toBe('DEPTH')
    expect(faultOf(nest(100_000))).toBe('DEPTH')
    expect(faultOf(nest(3), { depthMax: 2 })).toBe('DEPTH')
    expect(faultOf(fromHex('a1'.concat('6161').repeat(257) + '00'))).toBe('DEPTH')
    expect(() => new CborReader(nest(300)).skip()).toThrow(CborError)
  })

  test('with the offset of the item at fault', () => {
    expect(() => decodeCbor(fromHex('8200830161ff00'))).toThrow(expect.objectContaining({ offset: 4 }))
  })
})

describe('the reader', () => {
  test('reads each kind of item and moves on', () => {
    const bytes = new CborWriter()
      .array(10)
      .uint(U64_MAX)
      .int(-5)
      .uint(7)
      .bytes(Uint8Array.of(1))
      .binary('\xff')
      .text('t')
      .link(EMPTY_ARRAY_CID)
      .null()
      .bool(true)
      .map(1)
      .text('k')
      .uint(1)
      .finish()
    const reader = new CborReader(bytes)
    reader.tuple(10)
    expect(reader.uint()).toBe(U64_MAX)
    expect(reader.int()).toBe(-5n)
    expect(reader.number()).toBe(7)
    expect(reader.bytes()).toEqual(Uint8Array.of(1))
    expect(reader.binary()).toBe('\xff')
    expect(reader.text()).toBe('t')
    expect(reader.link()).toBe(EMPTY_ARRAY_CID)
    expect(reader.null()).toBe(true)
    expect(reader.null()).toBe(false)
    expect(reader.bool()).toBe(true)
    expect(reader.map()).toBe(1)
    reader.skip()
    expect(reader.head()).toEqual({ major: 0, value: 1n })
    reader.end()
  })

  test.each<[string, (reader: CborReader) => unknown, string, string]>([
    ['uint', (reader) => reader.uint(), '20', 'UNEXPECTED_TYPE'],
    ['int', (reader) => reader.int(), '40', 'UNEXPECTED_TYPE'],
    ['number', (reader) => reader.number(255), '190100', 'OUT_OF_RANGE'],
    ['number', (reader) => reader.number(), '1b0020000000000000', 'OUT_OF_RANGE'],
    ['bytes', (reader) => reader.bytes(), '60', 'UNEXPECTED_TYPE'],
    ['bytes', (reader) => reader.bytes(), '8101', 'UNEXPECTED_TYPE'],
    ['text', (reader) => reader.text(), '40', 'UNEXPECTED_TYPE'],
    ['array', (reader) => reader.array(), 'a0', 'UNEXPECTED_TYPE'],
    ['tuple', (reader) => reader.tuple(2), '8100', 'UNEXPECTED_TYPE'],
    ['map', (reader) => reader.map(), '80', 'UNEXPECTED_TYPE'],
    ['link', (reader) => reader.link(), '5827', 'UNEXPECTED_TYPE'],
    ['bool', (reader) => reader.bool(), 'f6', 'UNEXPECTED_TYPE'],
    ['uint', (reader) => reader.uint(), '', 'TRUNCATED'],
    ['bool', (reader) => reader.bool(), '', 'TRUNCATED'],
  ])('%s refuses what it is not', (_, read, hex, code) => {
    expect(() => read(new CborReader(fromHex(hex)))).toThrow(expect.objectContaining({ code }))
  })

  test('lax, it takes heads of any width, and nothing else that is odd', () => {
    expect(decodeCbor(fromHex('9b0000000000000001580101'), { lax: true })).toEqual([Uint8Array.of(1)])
    expect(decodeCbor(fromHex('1b0000000000000007'), { lax: true })).toBe(7n)
  })

  test('walks over finite floats of 64 bits only', () => {
    const skip = (hex: string) => new CborReader(fromHex(hex)).skip()
    skip('fb3ff0000000000000')
    for (const hex of ['fb7ff0000000000000', 'fb7ff8000000000000', 'fa3f800000', 'f93c00']) {
      expect(() => skip(hex)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    }
    expect(() => skip('fb00')).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
  })
})

test('a writer can be used again', () => {
  const writer = new CborWriter(1)
  const first = writer.text('a rather long text, longer than its first room').finish()
  const second = writer.uint(1).finish()
  expect(decodeCbor(first)).toBe('a rather long text, longer than its first room')
  expect(second).toEqual(Uint8Array.of(1))
})

test('part of a buffer is written as it is', () => {
  const source = Uint8Array.from({ length: 200 }, (_, i) => i)
  for (const [start, end] of [
    [0, 0],
    [3, 10],
    [1, 190],
    [0, 200],
  ] as const) {
    expect(new CborWriter(4).raw(source, start, end).finish()).toEqual(source.slice(start, end))
  }
})

test('links are found where they are', () => {
  const other = makeCid(RAW, 0, Uint8Array.of(1))
  const nested: CborValue = [
    { link: other },
    new Map([['k', [{ link: EMPTY_ARRAY_CID } as CborValue]]]),
    { link: other },
  ]
  expect(linksOf(encodeCbor(nested))).toEqual([other, EMPTY_ARRAY_CID, other])
  expect(isLink({ link: other })).toBe(true)
  expect(isLink(null)).toBe(false)
})

function faultOf(bytes: Uint8Array, options?: ConstructorParameters<typeof CborReader>[1]): string | undefined {
  try {
    decodeCbor(bytes, options)
    return undefined
  } catch (error) {
    if (error instanceof CborError) return error.code
    throw error
  }
}

function toIpld(each: CborValue): unknown {
  if (isLink(each)) return Multiformats.decode(fromBinary(each.link as Cid))
  if (Array.isArray(each)) return each.map(toIpld)
  if (each instanceof Map) return Object.fromEntries([...each].map(([key, item]) => [key, toIpld(item as CborValue)]))
  return each
}
