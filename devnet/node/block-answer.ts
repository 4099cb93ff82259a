/**
 * What a block's records answer to whoever decided it. Of a result only code, data and gas are hashed into the next header;
 * logs and events are for clients.
 *
 * @source consensus-shipyard/ipc `fendermint/app/src/tmconv.rs` (names of events and attributes)
 */
import { MISBEHAVIOR_DUPLICATE_VOTE, type WireExecTxResult, type WireMisbehavior } from '../consensus/wire-abci.ts'
import { fromBinary, toHex } from '../primitives/bytes.ts'
import { FLAG_INDEXED_KEY, type StampedEvent } from '../state/event.ts'
import type { TxRecord } from './chain-records.ts'

type WireEvent = WireExecTxResult['events'][number]

export function execResultOf(record: TxRecord, gasWanted: bigint): WireExecTxResult {
  return {
    code: record.exitCode,
    data: record.returnData,
    log: record.note,
    info: '',
    gasWanted,
    gasUsed: record.gasUsed,
    events: record.events.map(eventOf),
    codespace: '',
  }
}

/** Values are hex, because clients index text. */
function eventOf({ emitter, entries }: StampedEvent): WireEvent {
  const attributes = entries.map(({ flags, key, value }) => ({
    key,
    value: toHex(value),
    index: (flags & FLAG_INDEXED_KEY) !== 0n,
  }))
  return { type: 'event', attributes: [{ key: 'emitter.id', value: String(emitter), index: true }, ...attributes] }
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
  return { type: 'misbehavior', attributes: attributes.map(([key, value]) => ({ key, value, index: true })) }
}
