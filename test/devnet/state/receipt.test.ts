import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_ARRAY_CID } from '../../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { decodeReceipt, encodeReceipt } from '../../../devnet/state/receipt.ts'
import * as any from './arbitraries.ts'

test('a receipt is a tuple of four', () => {
  const receipt = { exitCode: 16, return: Uint8Array.of(1), gasUsed: 300n, eventsRoot: null }
  expect(encodeReceipt(receipt)).toEqual(encodeCbor([16, Uint8Array.of(1), 300, null]))
  expect(encodeReceipt({ ...receipt, eventsRoot: EMPTY_ARRAY_CID })).toEqual(
    encodeCbor([16, Uint8Array.of(1), 300, { link: EMPTY_ARRAY_CID }]),
  )
})

test('every receipt round trips', () => {
  const receipt = fc.record({
    exitCode: fc.nat(0xffff_ffff),
    return: fc.uint8Array({ maxLength: 100 }),
    gasUsed: any.u64,
    eventsRoot: fc.option(any.cid),
  })
  fc.assert(
    fc.property(receipt, (each) => {
      expect(decodeReceipt(encodeReceipt(each))).toEqual(each)
    }),
  )
})

test.each([
  ['three fields', encodeCbor([0, new Uint8Array(), 0]), 'UNEXPECTED_TYPE'],
  ['an exit code above 32 bits', encodeCbor([2 ** 32, new Uint8Array(), 0, null]), 'OUT_OF_RANGE'],
  ['an events root that is no link', encodeCbor([0, new Uint8Array(), 0, 0]), 'UNEXPECTED_TYPE'],
])('refuses %s', (_, bytes, code) => {
  expect(() => decodeReceipt(bytes)).toThrow(expect.objectContaining({ code }))
})
