import { expect, test } from 'vitest'
import { readMessageVector } from '../../../devnet/conformance/message-vector.ts'
import { VectorError } from '../../../devnet/conformance/vector.ts'
import { EMPTY_ARRAY_CID, formatCid } from '../../../devnet/ipld/cid.ts'

const root = { '/': formatCid(EMPTY_ARRAY_CID) }
const vector = (preconditions: string) => `{"class":"message","_meta":{"id":"one"},"preconditions":{
  "variants":[{"id":"hygge","epoch":2796486,"nv":18}],"state_tree":{"root_cid":${JSON.stringify(root)}}${preconditions}},
  "apply_messages":[{"bytes":"gA=="}],"postconditions":{"state_tree":{"root_cid":${JSON.stringify(root)}},
  "receipts":[{"exit_code":0,"return":"","gas_used":1}]},"car":""}`

test('amounts beyond 2^53, which are JSON numbers, are exact', () => {
  const { baseFee, circulatingSupply } = readMessageVector(
    vector(',"basefee":9007199254740993,"circ_supply":123456789012345678901234567'),
  )
  expect(baseFee).toBe(9_007_199_254_740_993n)
  expect(circulatingSupply).toBe(123_456_789_012_345_678_901_234_567n)
})

test('amounts that are absent are those of the format', () => {
  const { baseFee, circulatingSupply } = readMessageVector(vector(''))
  expect([baseFee, circulatingSupply]).toEqual([100n, 2n * 10n ** 27n])
})

test('anything else is no vector', () => {
  expect(() => readMessageVector('{"class":"message"}')).toThrow(VectorError)
})
