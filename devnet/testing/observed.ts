/** A message's result as tests want it: events and sent messages are decoded when they are looked at. */

import { parseField } from '../../compiler/abi/types.ts'
import type { ApplyResult } from '../engine/executor.ts'
import type { Trace, TraceEvent } from '../engine/trace.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import { type CodecOptions, decodeParams, decodeValue } from '../rpc/abi-codec.ts'
import type { ActorId } from '../state/actor.ts'
import type { Address } from '../state/address.ts'
import { addressId } from '../state/address.ts'
import type { StampedEvent } from '../state/event.ts'
import type { ActorDescription } from './actor.ts'
import type { Ledger, MessageRecord, SentMessage, WorldEvent } from './record.ts'

/** Who is who in a world. */
export interface Book extends Ledger {
  descriptionOf(id: ActorId): ActorDescription | undefined
  idOf(address: Address): ActorId | undefined
  readonly codec: CodecOptions
}

/** What is known of how a message ran; no trace where none was kept. */
export type Outcome = Pick<ApplyResult, 'events' | 'exitCode' | 'gasUsed'> & { readonly trace: Trace | null }

export class Observed implements MessageRecord {
  readonly label: string
  readonly exitCode: number
  readonly gas: bigint
  readonly fee: bigint
  readonly from: bigint
  readonly returned: unknown
  readonly #trace: Trace | null
  readonly #book: Book
  readonly #stamped: readonly StampedEvent[]
  #events: readonly WorldEvent[] | undefined
  #sent: readonly SentMessage[] | undefined

  constructor(book: Book, label: string, result: Outcome, from: bigint, fee: bigint, returned: unknown) {
    this.#book = book
    this.#stamped = result.events
    this.label = label
    this.exitCode = result.exitCode
    this.gas = result.gasUsed
    this.#trace = result.trace
    this.from = from
    this.fee = fee
    this.returned = returned
  }

  get trace(): Trace {
    if (this.#trace === null)
      throw new Error(`${this.label} has no trace: the devnet keeps none of what it does itself`)
    return this.#trace
  }

  get events(): readonly WorldEvent[] {
    this.#events ??= this.#stamped.map((event) => decodeEvent(event, this.#book))
    return this.#events
  }

  get sent(): readonly SentMessage[] {
    this.#sent ??= readSent(this.trace, this.#book)
    return this.#sent
  }

  get ledger(): Ledger {
    return this.#book
  }

  get logs(): readonly string[] {
    return this.trace.flatMap((event) => (event.kind === 'log' ? [event.text] : []))
  }
}

const TYPE_KEY = '$type'

function decodeEvent(raw: StampedEvent, book: Book): WorldEvent {
  const { codec } = book
  const entry = raw.entries.find(({ key }) => key === TYPE_KEY)
  const abi = book.descriptionOf(raw.emitter)?.abi
  const name = entry === undefined ? '' : eventType(entry.value)
  const types = new Map(
    abi?.events.find((event) => event.name === name)?.fields.map((field) => [parseField(field).name, field]),
  )
  const fields: Record<string, unknown> = {}
  for (const { key, value } of raw.entries) {
    if (key === TYPE_KEY) continue
    const field = types.get(key)
    fields[key] =
      abi === undefined || field === undefined
        ? value
        : decodeValue(abi, field.slice(field.indexOf(':') + 1), value, codec)
  }
  return { emitter: raw.emitter, name, fields, raw }
}

/** A CBOR text of fewer than 256 bytes, or what the bytes are in UTF-8. */
function eventType(value: Uint8Array): string {
  const head = value[0] ?? 0
  const start = head >= 0x60 && head < 0x78 ? 1 : head === 0x78 ? 2 : 0
  return new TextDecoder().decode(value.subarray(start))
}

type CallEvent = Extract<TraceEvent, { kind: 'call' }>

/** The calls below the outermost one, with how they ended. */
function readSent(trace: Trace, book: Book): SentMessage[] {
  const open: { call: CallEvent; index: number }[] = []
  const sent: SentMessage[] = []
  for (const event of trace) {
    if (event.kind === 'call') {
      open.push({ call: event, index: sent.length })
      if (open.length > 1) sent.push(describeCall(event, book))
    } else if (event.kind === 'return' || event.kind === 'error') {
      const ended = open.pop()
      if (ended === undefined || open.length === 0) continue
      sent[ended.index] = { ...sent[ended.index]!, exitCode: event.kind === 'return' ? event.exitCode : undefined }
    }
  }
  return sent
}

function describeCall({ from, to, method, value, params, readOnly }: CallEvent, book: Book): SentMessage {
  const id = addressId(to) ?? book.idOf(to)
  const description = id === undefined ? undefined : book.descriptionOf(id)
  const known = description?.byNumber.get(method)
  const bytes = params ?? EMPTY_BYTES
  return {
    from,
    to: id,
    value,
    readOnly,
    number: method,
    params: bytes,
    exitCode: undefined,
    method: method === 0n ? 'send' : (known?.name ?? method.toString()),
    args:
      known === undefined ? undefined : decoded(() => decodeParams(description!.abi, known.method, bytes, book.codec)),
  }
}

/** What an actor sends need not be what the receiver takes. */
function decoded(decode: () => unknown[]): unknown[] | undefined {
  try {
    return decode()
  } catch {
    return undefined
  }
}
