import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockIdKey } from '../../../devnet/consensus/block-id.ts'
import { encode } from '../../../devnet/consensus/schema.ts'
import { PART_SET_HEADER } from '../../../devnet/consensus/wire.ts'
import { toBinary } from '../../../devnet/primitives/bytes.ts'

const hashes = fc.uint8Array({ maxLength: 200 }).map(toBinary)
const totals = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }))

describe('the key of a block id', () => {
  it('is its hash, and its part-set header as it is on the wire', () => {
    fc.assert(
      fc.property(hashes, totals, hashes, (hash, total, partsHash) => {
        const partSetHeader = { total, hash: partsHash }
        expect(blockIdKey({ hash, partSetHeader })).toBe(hash + toBinary(encode(PART_SET_HEADER, partSetHeader)))
      }),
    )
  })
})
