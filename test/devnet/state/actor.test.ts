import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_ARRAY_CID } from '../../../devnet/ipld/cid.ts'
import { type CborInput, CborReader, encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { fromBinary, fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import { decodeActor, encodeActor, readAddress } from '../../../devnet/state/actor.ts'
import { idAddress } from '../../../devnet/state/address.ts'
import { ZERO_TOKENS } from '../../../devnet/state/token.ts'
import * as any from './arbitraries.ts'

const LINK = { link: EMPTY_ARRAY_CID }

test('an actor is a tuple of five', () => {
  const actor = { code: EMPTY_ARRAY_CID, state: EMPTY_ARRAY_CID, sequence: 7n, balance: ZERO_TOKENS, delegated: null }
  expect(toHex(encodeActor(actor))).toBe(toHex(encodeCbor([LINK, LINK, 7, new Uint8Array(), null])))
  const delegated = idAddress(3n)
  expect(encodeActor({ ...actor, delegated })).toEqual(
    encodeCbor([LINK, LINK, 7, new Uint8Array(), fromBinary(delegated)]),
  )
})

test('every actor round trips', () => {
  fc.assert(
    fc.property(any.actor, (actor) => {
      expect(decodeActor(encodeActor(actor))).toEqual(actor)
    }),
  )
})

describe('refuses', () => {
  const whole: readonly CborInput[] = [LINK, LINK, 7, new Uint8Array(), null]
  test.each([
    ['four fields, as older trees have', encodeCbor(whole.slice(0, 4)), 'UNEXPECTED_TYPE'],
    ['a negative sequence', encodeCbor(whole.with(2, -1)), 'UNEXPECTED_TYPE'],
    ['a sign byte of 2', encodeCbor(whole.with(3, fromHex('0201'))), 'SIGN'],
    ['a delegated address that is none', encodeCbor(whole.with(4, fromHex('05'))), 'OUT_OF_RANGE'],
    ['bytes after it', fromHex(`${toHex(encodeCbor(whole))}00`), 'TRAILING'],
  ])('%s', (_, bytes, code) => {
    expect(() => decodeActor(bytes)).toThrow(expect.objectContaining({ code }))
  })
})

test('an address in CBOR is a byte string', () => {
  expect(readAddress(new CborReader(fromHex('420001')))).toBe(idAddress(1n))
  expect(() => readAddress(new CborReader(fromHex('620001')))).toThrow(
    expect.objectContaining({ code: 'UNEXPECTED_TYPE' }),
  )
})
