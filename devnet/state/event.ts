// Events: [emitter, [[flags, key, codec, value]…]], and the root of the array that a receipt names.

import { amtRoot } from '../ipld/amt.ts'
import type { Cid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import type { ActorId } from './actor.ts'

export interface EventEntry {
  readonly flags: bigint
  readonly key: string
  readonly codec: bigint
  readonly value: Uint8Array
}

export interface StampedEvent {
  readonly emitter: ActorId
  readonly entries: readonly EventEntry[]
}

/** Flag bits of an entry: which halves of it an index should hold. */
export const FLAG_INDEXED_KEY = 1n
export const FLAG_INDEXED_VALUE = 2n

const EVENTS_BIT_WIDTH = 5

export function encodeStampedEvent(event: StampedEvent): Uint8Array {
  const writer = new CborWriter(256).array(2).uint(event.emitter).array(event.entries.length)
  for (const { flags, key, codec, value } of event.entries) {
    writer.array(4).uint(flags).text(key).uint(codec).bytes(value)
  }
  return writer.finish()
}

export function decodeStampedEvent(bytes: Uint8Array): StampedEvent {
  const reader = new CborReader(bytes)
  reader.tuple(2)
  const emitter = reader.uint() as ActorId
  const entries: EventEntry[] = []
  for (let count = reader.array(); count > 0; count--) {
    reader.tuple(4)
    entries.push({ flags: reader.uint(), key: reader.text(), codec: reader.uint(), value: reader.bytes() })
  }
  reader.end()
  return { emitter, entries }
}

/** The root of the array of events, null when there are none. Its blocks are not part of the state. */
export function eventsRoot(events: readonly StampedEvent[]): Cid | null {
  if (events.length === 0) return null
  return amtRoot(EVENTS_BIT_WIDTH, events.map(encodeStampedEvent))
}
