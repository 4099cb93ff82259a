/** What random actors find in their memory: things that system calls ask for, whole and broken, each at a known place. */
import { EMPTY_ARRAY_CID, makeCid } from '../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../devnet/ipld/dag-cbor.ts'
import { fromBinary } from '../../devnet/primitives/bytes.ts'
import { blake2b256 } from '../../devnet/primitives/hash.ts'
import { publicKeyOf, signRecoverable } from '../../devnet/primitives/keys.ts'
import { encodeUtf8 } from '../../devnet/primitives/utf8.ts'
import {
  actorAddress,
  blsAddress,
  delegatedAddress,
  ethAddressToDelegated,
  idAddress,
  secpAddress,
} from '../../devnet/state/address.ts'
import { BUILTIN_CODES, FIRST_ACTOR } from './world.ts'

const secret = new Uint8Array(32).fill(7)
const plaintext = encodeUtf8('a message')
const filled = (size: number, byte: number) => new Uint8Array(size).fill(byte)
const piece = { link: makeCid(0xf101, 0x1012, filled(32, 1)) }

const ITEMS: readonly Uint8Array[] = [
  ...[EMPTY_ARRAY_CID, ...BUILTIN_CODES.slice(2, 5)].map(fromBinary),
  ...[makeCid(0x71, 0, Uint8Array.of(0x80)), makeCid(0x70, 0xb220, filled(32, 3)), piece.link].map(fromBinary),
  ...[0n, 1n, 99n, 100n, FIRST_ACTOR, FIRST_ACTOR + 1n, 77_777n].map((id) => fromBinary(idAddress(id))),
  fromBinary(secpAddress(publicKeyOf(secret))),
  fromBinary(secpAddress(filled(65, 9))),
  fromBinary(blsAddress(filled(48, 9))),
  Uint8Array.of(3, 0xc0, ...filled(47, 0)),
  fromBinary(actorAddress(filled(4, 4))),
  fromBinary(ethAddressToDelegated(filled(20, 5))),
  fromBinary(delegatedAddress(32n, filled(54, 6))),
  signRecoverable(blake2b256(plaintext), secret),
  blake2b256(plaintext),
  plaintext,
  Uint8Array.of(0xff, 0xfe, 0x80),
  encodeCbor([1, { link: EMPTY_ARRAY_CID }]),
  encodeCbor({ link: makeCid(0x71, 0, encodeCbor([{ link: EMPTY_ARRAY_CID }])) }),
  encodeCbor([[128, piece]]),
  encodeCbor([filled(32, 1), [[8, filled(8, 1)]], [[8, 1, piece]], 1000]),
  encodeCbor([1000, 8, 0, filled(4, 1), [[1, filled(32, 1), filled(32, 2), piece, piece]]]),
  encodeCbor([0, piece, piece, piece, [1, 2, 3]]),
  Uint8Array.of(0x9b, ...filled(8, 0xff)),
  filled(200, 0x81),
  // Two entries of an event: flags, codec, sizes of key and value.
  Uint8Array.of(...[3, 0, 0, 0, 0, 0, 0, 0, 0x55, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]),
  Uint8Array.of(...[4, 0, 0, 0, 0, 0, 0, 0, 0x71, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 2, 0, 0, 0]),
]

export interface Place {
  readonly at: number
  readonly size: number
}

export const PLACES: readonly Place[] = ITEMS.map(({ length: size }, i) => ({
  at: ITEMS.slice(0, i).reduce((sum, { length }) => sum + length, 0),
  size,
}))

/** The items one after the other, to be put at 0. */
export const HOSTILE_DATA: Uint8Array = Uint8Array.from(ITEMS.flatMap((item) => [...item]))
