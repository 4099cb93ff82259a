import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCid } from '../../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import { fromHex, toHex } from '../../../devnet/primitives/bytes.ts'
import type { ActorId } from '../../../devnet/state/actor.ts'
import { decodeStampedEvent, encodeStampedEvent, eventsRoot, type StampedEvent } from '../../../devnet/state/event.ts'
import * as any from './arbitraries.ts'

/** What actor 200 emits as its n-th event in the reference's runs: one entry, n in four bytes, little-endian. */
function nth(n: number): StampedEvent {
  const value = new Uint8Array(Uint32Array.of(n).buffer)
  return { emitter: 200n as ActorId, entries: [{ flags: 0n, key: 'n', codec: 0x55n, value }] }
}

test('an event is its emitter and its entries', () => {
  expect(toHex(encodeStampedEvent(nth(1)))).toBe('8218c8818400616e18554401000000')
})

// Roots that the reference itself computed.
test.each([
  [8, 'bafy2bzacebzek2yncosg2gyt7amvjmc3aun3ory3xdskrqlu5l3kw6wrlwfhi'],
  [31, 'bafy2bzacebnozsomcgt42m3fa4evjlkd43mrbnivub3i453hvv5j2gnrnanni'],
  [1023, 'bafy2bzaceb3h3rpqxbqlowfp47zsy6gdhy5mp325wwqqidbutptekwsyfgrgk'],
  [1100, 'bafy2bzacea3vj6g5kvyidh43z3pzzcavci3gjuykmljzwtd3kpvygdd4ahcwm'],
])('%i events have the root of the reference', (count, root) => {
  expect(formatCid(eventsRoot(Array.from({ length: count }, (_, n) => nth(n)))!)).toBe(root)
})

test('no events have no root', () => expect(eventsRoot([])).toBeNull())

test('every event round trips', () => {
  const entry = fc.record({
    flags: any.u64,
    key: fc.string({ unit: 'binary' }),
    codec: any.u64,
    value: fc.uint8Array(),
  })
  fc.assert(
    fc.property(any.actorId, fc.array(entry, { maxLength: 5 }), (emitter, entries) => {
      expect(decodeStampedEvent(encodeStampedEvent({ emitter, entries }))).toEqual({ emitter, entries })
    }),
  )
})

test.each([
  ['an entry of three fields', encodeCbor([1, [[0, 'k', 1]]]), 'UNEXPECTED_TYPE'],
  ['a key of bytes', encodeCbor([1, [[0, fromHex('6b'), 1, fromHex('00')]]]), 'UNEXPECTED_TYPE'],
  ['bytes after it', fromHex('82018000'), 'TRAILING'],
])('refuses %s', (_, bytes, code) => {
  expect(() => decodeStampedEvent(bytes)).toThrow(expect.objectContaining({ code }))
})
