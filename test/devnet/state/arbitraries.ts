// Random nouns for the tests of this folder.
import fc from 'fast-check'
import { type Cid, cidOf, DAG_CBOR, RAW } from '../../../devnet/ipld/cid.ts'
import type { Actor, ActorId } from '../../../devnet/state/actor.ts'
import * as address from '../../../devnet/state/address.ts'
import type { Message } from '../../../devnet/state/message.ts'
import type { TokenAmount } from '../../../devnet/state/token.ts'

export const u64 = fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.bigInt(0n, 300n))
export const tokens = fc.bigInt(-(1n << 100n), 1n << 100n) as fc.Arbitrary<TokenAmount>
export const actorId = u64 as fc.Arbitrary<ActorId>
export const cid: fc.Arbitrary<Cid> = fc
  .tuple(fc.constantFrom(DAG_CBOR, RAW), fc.uint8Array({ maxLength: 8 }))
  .map(([codec, bytes]) => cidOf(codec, bytes))

export const anyAddress: fc.Arbitrary<address.Address> = fc.oneof(
  u64.map((id) => address.idAddress(id)),
  fc.uint8Array({ maxLength: 9 }).map(address.actorAddress),
  fc.uint8Array({ minLength: 65, maxLength: 65 }).map(address.secpAddress),
  fc.uint8Array({ minLength: 48, maxLength: 48 }).map(address.blsAddress),
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map(address.ethAddressToDelegated),
)

export const actor: fc.Arbitrary<Actor> = fc.record({
  code: cid,
  state: cid,
  sequence: u64,
  balance: tokens,
  delegated: fc.option(anyAddress),
})

export const message: fc.Arbitrary<Message> = fc.record({
  version: u64,
  to: anyAddress,
  from: anyAddress,
  sequence: u64,
  value: tokens,
  gasLimit: u64,
  gasFeeCap: tokens,
  gasPremium: tokens,
  method: u64,
  params: fc.uint8Array({ maxLength: 300 }),
})
