/**
 * What a block makes known to subscribers (of rounds: `round-events.ts`), in order: the block, its header, its events, evidence, transactions, changed
 * validators. Each has the values that queries ask about, and its text is made once, however many want it.
 *
 * @source CometBFT v0.38.25 `types/event_bus.go`, `types/events.go`, `state/execution.go` (fireEvents); spec consensus §5.4
 */

import { capitalHex } from '../../consensus/genesis-document.ts'
import { txHash } from '../../consensus/hash.ts'
import { addressOf } from '../../consensus/key.ts'
import type { Finalized } from '../../node/block-executor.ts'
import type { EventValues } from '../../node/event-query.ts'
import {
  base64,
  blockIdJson,
  blockJson,
  evidenceJson,
  headerJson,
  type JsonObject,
  validatorJson,
} from './block-json.ts'
import { blockEventsJson, finalizeBlockJson, leanResultJson } from './result-json.ts'

export interface ChainEvent {
  /** What `tm.event` is. */
  readonly kind: string
  readonly values: EventValues
  /** `"data":{…},"events":{…}` of the message. */
  text(): string
}

type WireEvents = Finalized['response']['events']

/** What is published when a block is: nothing is computed before somebody asks for it. */
export function* eventsOf({ decided: { block, blockId }, response }: Finalized): Iterable<ChainEvent> {
  const { header, data, evidence } = block
  const own = () => valuesOf(response.events)
  yield chainEvent('NewBlock', own, () => ({
    block: blockJson(block),
    block_id: blockIdJson(blockId),
    result_finalize_block: finalizeBlockJson(response),
  }))
  yield chainEvent('NewBlockHeader', noValues, () => ({ header: headerJson(header) }))
  yield chainEvent('NewBlockEvents', own, () => ({
    height: String(header.height),
    events: blockEventsJson(response),
    num_txs: String(data.txs.length),
  }))
  for (const piece of evidence.evidence) {
    if (piece === null) continue
    yield chainEvent('NewEvidence', noValues, () => ({ height: String(header.height), evidence: evidenceJson(piece) }))
  }
  for (const [index, tx] of data.txs.entries()) {
    const result = response.txResults[index]!
    yield chainEvent(
      'Tx',
      () => txValues(tx, header.height, result.events),
      () => ({
        TxResult: {
          height: String(header.height),
          ...(index === 0 ? {} : { index }),
          tx: base64(tx),
          result: leanResultJson(result),
        },
      }),
    )
  }
  if (response.validatorUpdates.length > 0) {
    yield chainEvent('ValidatorSetUpdates', noValues, () => ({
      validator_updates: response.validatorUpdates.flatMap(({ pubKey, power }) =>
        pubKey === null
          ? []
          : validatorJson({ address: addressOf(pubKey), pubKey, votingPower: power, proposerPriority: 0n }),
      ),
    }))
  }
}

/** `type` is that of its data, where that has another name. */
export function chainEvent(
  kind: string,
  valuesOfKind: () => Map<string, string[]>,
  value: () => JsonObject,
  type = kind,
): ChainEvent {
  let values: Map<string, string[]> | undefined
  let text: string | undefined
  const getValues = (): Map<string, string[]> => {
    if (values === undefined) {
      values = valuesOfKind()
      values.set('tm.event', [...(values.get('tm.event') ?? []), kind])
    }
    return values
  }
  return {
    kind,
    get values() {
      return getValues()
    },
    text() {
      text ??= `"data":${JSON.stringify({ type: `tendermint/event/${type}`, value: value() })},"events":${JSON.stringify(Object.fromEntries(getValues()))}`
      return text
    },
  }
}

export function noValues(): Map<string, string[]> {
  return new Map()
}

/** All attributes, indexed or not. */
function valuesOf(events: WireEvents): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const { type, attributes } of events) {
    if (type === '') continue
    for (const { key, value } of attributes) {
      if (key === '') continue
      const tag = `${type}.${key}`
      const known = values.get(tag)
      if (known === undefined) values.set(tag, [value])
      else known.push(value)
    }
  }
  return values
}

function txValues(tx: Uint8Array, height: bigint, events: WireEvents): Map<string, string[]> {
  const values = valuesOf(events)
  const add = (tag: string, value: string): void => {
    values.set(tag, [...(values.get(tag) ?? []), value])
  }
  add('tx.hash', capitalHex(txHash(tx)))
  add('tx.height', String(height))
  return values
}
