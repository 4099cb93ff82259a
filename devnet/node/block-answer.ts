/**
 * What a block's records answer to whoever decided it. Of a result only code, data and gas are hashed into the next header;
 * logs and events are for clients.
 *
 * @source consensus-shipyard/ipc `fendermint/app/src/tmconv.rs` (names of events and attributes)
 */
import { MISBEHAVIOR_DUPLICATE_VOTE, type WireExecTxResult, type WireMisbehavior } from '../consensus/wire-abci.ts'
import { fromBinary, toHex } from '../primitives/bytes.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, formatAddress } from '../state/address.ts'
import type { StampedEvent } from '../state/event.ts'
import type { Message } from '../state/message.ts'
import type { StateTree } from '../state/state-tree.ts'
import type { TxRecord } from './chain-records.ts'

type WireEvent = WireExecTxResult['events'][number]

/** What ran, for those who look for it: null for what was no message. */
export interface Ran {
  readonly message: Pick<Message, 'from' | 'to'> | null
  readonly gasWanted: bigint
  readonly names: ActorNames
}

/** Addresses as clients know them. */
export interface ActorNames {
  textOf(address: Address): string
  /** The Ethereum address of an actor that has one. */
  delegatedOf(actor: ActorId): Address | null
}

/** For one block: what is written once is remembered. */
export function namesIn(state: Pick<StateTree, 'getActor'>): ActorNames {
  const texts = new Map<Address, string>()
  return {
    textOf(address) {
      const known = texts.get(address) ?? formatAddress(address, 't')
      texts.set(address, known)
      return known
    },
    delegatedOf: (actor) => state.getActor(actor)?.delegated ?? null,
  }
}

export function execResultOf(record: TxRecord, { message, gasWanted, names }: Ran): WireExecTxResult {
  const events = record.events.map((event) => eventOf(event, names))
  return {
    code: record.exitCode,
    data: record.returnData,
    log: record.note,
    info: '',
    gasWanted,
    gasUsed: record.gasUsed,
    events: message === null ? events : [...events, messageEvent(message, names)],
    codespace: '',
  }
}

/** Values are hex, because clients index text. An entry with any flag is indexed. */
function eventOf({ emitter, entries }: StampedEvent, names: ActorNames): WireEvent {
  const delegated = names.delegatedOf(emitter)
  const attributes = entries.map(({ flags, key, value }) => ({ key, value: toHex(value), index: flags !== 0n }))
  const own = [indexed('emitter.id', String(emitter))]
  if (delegated !== null) own.push(indexed('emitter.deleg', names.textOf(delegated)))
  return { type: 'event', attributes: [...own, ...attributes] }
}

/** Whose message it was, and to whom. */
function messageEvent({ from, to }: Pick<Message, 'from' | 'to'>, names: ActorNames): WireEvent {
  const attributes = [indexed('from', names.textOf(from)), indexed('to', names.textOf(to))]
  return { type: 'message', attributes }
}

function indexed(key: string, value: string): WireEvent['attributes'][number] {
  return { key, value, index: true }
}

/** Who misbehaved, as an event of the block. */
export function misbehaviorEvent({ type, validator, height, totalVotingPower }: WireMisbehavior): WireEvent {
  const attributes: readonly (readonly [string, string])[] = [
    ['kind', type === MISBEHAVIOR_DUPLICATE_VOTE ? 'duplicate-vote' : 'light-client-attack'],
    ['validator', toHex(fromBinary(validator.address))],
    ['power', String(validator.power)],
    ['height', String(height)],
    ['total_power', String(totalVotingPower)],
  ]
  return { type: 'misbehavior', attributes: attributes.map(([key, value]) => indexed(key, value)) }
}
