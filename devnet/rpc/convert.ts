/** JSON as our own methods speak it: integers beyond 2^53 and amounts as decimal text, bytes as 0x… text, CIDs as base32. */
import type { ApplyResult, FailureFrame } from '../engine/executor.ts'
import type { TraceEvent } from '../engine/trace.ts'
import { formatCid, parseCid } from '../ipld/cid.ts'
import type { TxRecord } from '../node/chain-records.ts'
import type { Devnet } from '../node/devnet.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, formatAddress, parseAddress } from '../state/address.ts'
import type { StampedEvent } from '../state/event.ts'
import type { TokenAmount } from '../state/token.ts'
import { RpcCode, RpcError } from './errors.ts'

export interface EventJson {
  readonly emitter: string
  readonly entries: readonly {
    readonly flags: number
    readonly key: string
    readonly codec: number
    readonly value: string
  }[]
}

export interface ReceiptJson {
  readonly exitCode: number
  readonly return: string
  readonly returnCodec: number | null
  readonly gasUsed: string
  readonly events: readonly EventJson[]
  readonly failures: readonly {
    readonly id: string
    readonly method: string
    readonly exitCode: number
    readonly message: string
  }[]
  readonly note: string
}

export function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`
}

export function receiptJson(result: TxRecord | ApplyResult): ReceiptJson {
  return {
    exitCode: result.exitCode,
    return: hex(result.returnData),
    returnCodec: result.returnCodec,
    gasUsed: result.gasUsed.toString(),
    events: result.events.map(eventJson),
    failures: result.failures.map(failureJson),
    note: result.note,
  }
}

function failureJson({ id, method, exitCode, message }: FailureFrame): ReceiptJson['failures'][number] {
  return { id: id.toString(), method: method.toString(), exitCode, message }
}

export function eventJson({ emitter, entries }: StampedEvent): EventJson {
  return {
    emitter: emitter.toString(),
    entries: entries.map(({ flags, key, codec, value }) => ({
      flags: Number(flags),
      key,
      codec: Number(codec),
      value: hex(value),
    })),
  }
}

export function traceJson(event: TraceEvent): Record<string, unknown> {
  switch (event.kind) {
    case 'gas':
      return { kind: 'gas', name: event.name, milligas: event.milligas.toString() }
    case 'call':
      return {
        kind: 'call',
        from: event.from.toString(),
        to: formatAddress(event.to, 't'),
        method: event.method.toString(),
        value: event.value.toString(),
        gas: event.gas.toString(),
        readOnly: event.readOnly,
        params: event.params === null ? null : hex(event.params),
      }
    case 'invoke':
      return { kind: 'invoke', id: event.id.toString(), code: formatCid(event.code) }
    case 'return':
      return { kind: 'return', exitCode: event.exitCode, codec: event.codec, data: hex(event.data) }
    case 'get':
    case 'put':
      return { kind: event.kind, cid: formatCid(event.cid), size: event.size }
    default:
      return { ...event }
  }
}

/** What `traceJson` wrote. */
export function parseTraceEvent(json: Readonly<Record<string, unknown>>): TraceEvent {
  const text = (key: string): string => String(json[key])
  switch (json['kind']) {
    case 'gas':
      return { kind: 'gas', name: text('name'), milligas: BigInt(text('milligas')) }
    case 'call':
      return {
        kind: 'call',
        from: BigInt(text('from')) as ActorId,
        to: parseAddress(text('to')),
        method: BigInt(text('method')),
        value: BigInt(text('value')) as TokenAmount,
        gas: BigInt(text('gas')),
        readOnly: json['readOnly'] === true,
        params: json['params'] === null ? null : fromHex(text('params')),
      }
    case 'invoke':
      return { kind: 'invoke', id: BigInt(text('id')) as ActorId, code: parseCid(text('code')) }
    case 'return':
      return {
        kind: 'return',
        exitCode: Number(json['exitCode']),
        codec: json['codec'] as number | null,
        data: fromHex(text('data')),
      }
    case 'get':
    case 'put':
      return { kind: json['kind'], cid: parseCid(text('cid')), size: Number(json['size']) }
    default:
      return json as unknown as TraceEvent
  }
}

/** What `eventJson` wrote. */
export function parseEvent({ emitter, entries }: EventJson): StampedEvent {
  return {
    emitter: BigInt(emitter) as ActorId,
    entries: entries.map(({ flags, key, codec, value }) => ({
      flags: BigInt(flags),
      key,
      codec: BigInt(codec),
      value: fromHex(value),
    })),
  }
}

// --- params ------------------------------------------------------------------------------------------------------

export function invalid(message: string): RpcError {
  return new RpcError(RpcCode.InvalidParams, message)
}

export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalid(`${what} is no object`)
  return value as Record<string, unknown>
}

export function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(`${what} is no text`)
  return value
}

export function asInteger(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^(0x[0-9a-fA-F]+|-?\d+)$/.test(value)) return BigInt(value)
  throw invalid(`${what} is no integer`)
}

export function asCount(value: unknown, what: string, max: number): number {
  const count = asInteger(value, what)
  if (count < 0n || count > BigInt(max)) throw invalid(`${what} is not between 0 and ${max}`)
  return Number(count)
}

export function asBytes(value: unknown, what: string): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array(0)
  try {
    return fromHex(asText(value, what))
  } catch {
    throw invalid(`${what} is no hex text`)
  }
}

/** An address, an id, or the name of an account or actor. */
export function asAddress(devnet: Devnet, value: unknown, what: string): Address {
  const text = typeof value === 'number' || typeof value === 'bigint' ? `t0${value}` : asText(value, what)
  const account = devnet.accounts.find(({ name }) => name === text)
  if (account !== undefined) return account.address
  const actor = devnet.actors.byName(text)
  if (actor !== undefined) return parseAddress(actor.address)
  try {
    return parseAddress(/^\d+$/.test(text) ? `t0${text}` : text)
  } catch (error) {
    throw invalid(`${what}: ${(error as Error).message}`)
  }
}
