/**
 * What applications answer, as CometBFT's RPC writes it. Results stand there in two forms: by the protobuf encoder, which writes
 * every field, and, inside of events, as plain structs, which leave out what is empty.
 *
 * @source CometBFT v0.38.25 `abci/types/types.go`, `abci/types/types.pb.go` (tags), `rpc/core/types/responses.go`
 */

import type { FinalizeBlockResponse, ResponseOf } from '../../consensus/application.ts'
import type { PublicKey } from '../../consensus/wire.ts'
import type { WireExecTxResult, WireValidatorUpdate } from '../../consensus/wire-abci.ts'
import { fromBinary } from '../../primitives/bytes.ts'
import { base64, base64OrNull, type Json, type JsonObject, paramsUpdateJson } from './block-json.ts'

type WireEvent = WireExecTxResult['events'][number]

function eventJson({ type, attributes }: WireEvent): JsonObject {
  return { type, attributes: attributes.map(({ key, value, index }) => ({ key, value, index })) }
}

/** All fields. */
export function resultJson(result: WireExecTxResult): JsonObject {
  return {
    code: result.code,
    data: base64OrNull(result.data),
    log: result.log,
    info: result.info,
    gas_wanted: String(result.gasWanted),
    gas_used: String(result.gasUsed),
    events: result.events.map(eventJson),
    codespace: result.codespace,
  }
}

/** Without what is empty. */
export function leanResultJson(result: WireExecTxResult): JsonObject {
  const { code, data, log, info, gasWanted, gasUsed, events, codespace } = result
  return {
    ...(code === 0 ? {} : { code }),
    ...(data.length === 0 ? {} : { data: base64(data) }),
    ...(log === '' ? {} : { log }),
    ...(info === '' ? {} : { info }),
    ...(gasWanted === 0n ? {} : { gas_wanted: String(gasWanted) }),
    ...(gasUsed === 0n ? {} : { gas_used: String(gasUsed) }),
    ...(events.length === 0 ? {} : { events: events.map(eventJson) }),
    ...(codespace === '' ? {} : { codespace }),
  }
}

const ABCI_KEY_NAMES: Readonly<Record<PublicKey['kind'], string>> = {
  ed25519: 'tendermint.crypto.PublicKey_Ed25519',
  secp256k1: 'tendermint.crypto.PublicKey_Secp256K1',
}

/** A power of zero, which removes the validator, is left out. */
function validatorUpdateJson({ pubKey, power }: WireValidatorUpdate): JsonObject {
  const key: JsonObject =
    pubKey === null
      ? {}
      : { Sum: { type: ABCI_KEY_NAMES[pubKey.kind], value: { [pubKey.kind]: base64(pubKey.value) } } }
  return { pub_key: key, ...(power === 0n ? {} : { power: String(power) }) }
}

function listOrNull(items: readonly Json[]): Json {
  return items.length === 0 ? null : items
}

/** The answer of `block_results`. */
export function blockResultsJson(height: bigint, response: FinalizeBlockResponse): JsonObject {
  const { txResults, events, validatorUpdates, consensusParamUpdates, appHash } = response
  return {
    height: String(height),
    txs_results: listOrNull(txResults.map(resultJson)),
    finalize_block_events: listOrNull(events.map(eventJson)),
    validator_updates: listOrNull(validatorUpdates.map(validatorUpdateJson)),
    consensus_param_updates: consensusParamUpdates === null ? null : paramsUpdateJson(consensusParamUpdates),
    app_hash: base64OrNull(fromBinary(appHash)),
  }
}

/** As an event of a new block has it. */
export function finalizeBlockJson(response: FinalizeBlockResponse): JsonObject {
  const { txResults, events, validatorUpdates, consensusParamUpdates, appHash } = response
  return {
    ...(events.length === 0 ? {} : { events: events.map(eventJson) }),
    ...(txResults.length === 0 ? {} : { tx_results: txResults.map(resultJson) }),
    validator_updates: validatorUpdates.map(validatorUpdateJson),
    ...(consensusParamUpdates === null ? {} : { consensus_param_updates: paramsUpdateJson(consensusParamUpdates) }),
    ...(appHash === '' ? {} : { app_hash: base64(fromBinary(appHash)) }),
  }
}

export function blockEventsJson({ events }: FinalizeBlockResponse): Json {
  return listOrNull(events.map(eventJson))
}

/** A field that is empty is left out. */
export function infoJson(info: ResponseOf<'info'>): JsonObject {
  const { data, version, appVersion, lastBlockHeight, lastBlockAppHash } = info
  return {
    ...(data === '' ? {} : { data }),
    ...(version === '' ? {} : { version }),
    ...(appVersion === 0n ? {} : { app_version: String(appVersion) }),
    ...(lastBlockHeight === 0n ? {} : { last_block_height: String(lastBlockHeight) }),
    ...(lastBlockAppHash === '' ? {} : { last_block_app_hash: base64(fromBinary(lastBlockAppHash)) }),
  }
}

export function queryJson(answer: ResponseOf<'query'>): JsonObject {
  const { proofOps } = answer
  return {
    code: answer.code,
    log: answer.log,
    info: answer.info,
    index: String(answer.index),
    key: base64OrNull(answer.key),
    value: base64OrNull(answer.value),
    proofOps:
      proofOps === null
        ? null
        : { ops: proofOps.ops.map(({ type, key, data }) => ({ type, key: base64(key), data: base64(data) })) },
    height: String(answer.height),
    codespace: answer.codespace,
  }
}
