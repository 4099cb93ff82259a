// What the state tree knows of an actor: [code, state, sequence, balance, delegated address or null].

import type { Cid } from '../ipld/cid.ts'
import { CborError, CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import type { Brand } from '../primitives/brand.ts'
import { type Address, decodeAddress } from './address.ts'
import { decodeToken, encodeToken, type TokenAmount } from './token.ts'

/** An actor's number: u64. */
export type ActorId = Brand<bigint, 'ActorId'>

export const SYSTEM_ACTOR = 0n as ActorId
export const INIT_ACTOR = 1n as ActorId
export const REWARD_ACTOR = 2n as ActorId
export const CRON_ACTOR = 3n as ActorId
export const STORAGE_POWER_ACTOR = 4n as ActorId
export const STORAGE_MARKET_ACTOR = 5n as ActorId
export const VERIFIED_REGISTRY_ACTOR = 6n as ActorId
export const DATACAP_ACTOR = 7n as ActorId
export const EAM_ACTOR = 10n as ActorId
export const BURNT_FUNDS_ACTOR = 99n as ActorId
/** The first id that users get. */
export const FIRST_USER_ACTOR = 100n as ActorId

export interface Actor {
  readonly code: Cid
  readonly state: Cid
  readonly sequence: bigint
  readonly balance: TokenAmount
  readonly delegated: Address | null
}

/** Members by name: where actors were made in several ways, V8 takes thirty times as long over `{ ...actor, balance }`. */
export function withBalance({ code, state, sequence, delegated }: Actor, balance: bigint): Actor {
  return { code, state, sequence, balance: balance as TokenAmount, delegated }
}

export function withState({ code, sequence, balance, delegated }: Actor, state: Cid): Actor {
  return { code, state, sequence, balance, delegated }
}

export function encodeActor(actor: Actor): Uint8Array {
  const writer = new CborWriter(160).array(5).link(actor.code).link(actor.state)
  writer.uint(actor.sequence).bytes(encodeToken(actor.balance))
  return (actor.delegated === null ? writer.null() : writer.binary(actor.delegated)).finish()
}

export function decodeActor(bytes: Uint8Array): Actor {
  const reader = new CborReader(bytes)
  reader.tuple(5)
  const code = reader.link()
  const state = reader.link()
  const sequence = reader.uint()
  const balance = decodeToken(reader.bytes())
  const delegated = reader.null() ? null : readAddress(reader)
  reader.end()
  return { code, state, sequence, balance, delegated }
}

/** An address inside CBOR: a byte string of its binary form. */
export function readAddress(reader: CborReader): Address {
  const start = reader.offset
  const address = decodeAddress(reader.bytes())
  if (address === undefined) throw new CborError('OUT_OF_RANGE', start)
  return address
}
