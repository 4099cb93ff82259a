/** Receipts as people and programs read them: events by name, exit codes by name. */
import { parseField } from '../../compiler/abi/types.ts'
import { lowerFirst } from '../../compiler/abi/words.ts'
import { fromHex } from '../primitives/bytes.ts'
import { decodeValue } from '../rpc/abi-codec.ts'
import type { EventEntryJson, Receipt } from '../rpc/client.ts'
import { exitName } from '../testing/actor-error.ts'
import { type Book, MessageFailed } from './network.ts'
import { CliError, Exit, toJson } from './output.ts'

const TYPE_KEY = '$type'

export interface NamedEvent {
  /** Name of the actor, or its id. */
  readonly emitter: string
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function nameEvents(events: Receipt['events'], book: Book): NamedEvent[] {
  return events.map(({ emitter, entries }) => {
    const known = book.actorOf(emitter)
    const name = typeOf(entries)
    const declared = known?.abi.events.find((event) => event.name === name)
    const types = new Map((declared?.fields ?? []).map((field) => [parseField(field).name, field]))
    const fields: Record<string, unknown> = {}
    for (const { key, value } of entries) {
      if (key === TYPE_KEY) continue
      const field = types.get(key)
      fields[key] = field === undefined || known === undefined ? value : decoded(known.abi, field, value, book)
    }
    return { emitter: book.nameOf(emitter) ?? `t0${emitter}`, name, fields }
  })
}

function decoded(abi: Parameters<typeof decodeValue>[0], field: string, value: string, { codec }: Book): unknown {
  try {
    return decodeValue(abi, field.slice(field.indexOf(':') + 1), fromHex(value), codec)
  } catch {
    return value
  }
}

/** A CBOR text of fewer than 256 bytes, or what the bytes are in UTF-8. */
function typeOf(entries: readonly EventEntryJson[]): string {
  const entry = entries.find(({ key }) => key === TYPE_KEY)
  if (entry === undefined) return ''
  const bytes = fromHex(entry.value)
  const head = bytes[0] ?? 0
  return new TextDecoder().decode(bytes.subarray(head >= 0x60 && head < 0x78 ? 1 : head === 0x78 ? 2 : 0))
}

export function formatEvent({ emitter, name, fields }: NamedEvent): string {
  const list = Object.entries(fields).map(([key, value]) => `${key} ${formatValue(value)}`)
  return `event ${emitter}.${name === '' ? '(no type)' : name} ${list.join(', ')}`.trimEnd()
}

/** A value on one line: text without quotes, everything else as JSON. */
export function formatValue(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  return toJson(value)
}

export interface FailureFacts {
  /** `Counter.increment`. */
  readonly label: string
  /** Id of the actor that was called. */
  readonly id: string | undefined
  readonly exitCode: number
  readonly note: string
  readonly receipt: Pick<Receipt, 'gasUsed' | 'failures'> | null
  readonly cid?: string | undefined
  readonly height?: number | undefined
}

/**
 * The error for a message that did not exit with 0. Codes from 32 on are the actor's own: the name is that of the
 * innermost actor that left with this code, since codes pass through callers.
 */
export function failureOf({ label, id, exitCode, note, receipt, cid, height }: FailureFacts, book: Book): CliError {
  const source = receipt?.failures.find((failure) => failure.exitCode === exitCode)?.id ?? id
  const errors = source === undefined ? undefined : book.actorOf(source)?.abi.errors
  const name = exitName(exitCode, errors)
  const failures = (receipt?.failures ?? []).map((failure) => ({
    actor: book.nameOf(failure.id) ?? `t0${failure.id}`,
    method: methodName(book, failure.id, failure.method),
    exitCode: failure.exitCode,
    exitName: exitName(failure.exitCode, book.actorOf(failure.id)?.abi.errors),
    message: failure.message,
  }))
  const said = failures[0]?.message || note
  const gas = receipt === null ? '' : `, gas ${grouped(receipt.gasUsed)}`
  return new CliError(
    'TRP-8303',
    Exit.Untrue,
    `${label}: exit ${exitCode} (${name})${said === '' ? '' : `: ${said}`}${gas}`,
    {
      details:
        failures.length < 2
          ? ''
          : failures
              .map((one) =>
                `  ${one.actor}.${one.method} exit ${one.exitCode} (${one.exitName}) ${one.message}`.trimEnd(),
              )
              .join('\n'),
      data: { exitCode, exitName: name, note, gasUsed: receipt?.gasUsed ?? null, failures, cid, height },
    },
  )
}

/** Puts names into what the network answered; anything else stays as it is. */
export function nameFailure(error: unknown, label: string, id: string | undefined, book: Book): unknown {
  if (!(error instanceof MessageFailed)) return error
  const { exitCode, note, receipt } = error
  return failureOf({ label, id, exitCode, note, receipt }, book)
}

export function methodName(book: Book, id: string | undefined, number: string): string {
  if (number === '0') return 'send'
  const found =
    id === undefined ? undefined : book.actorOf(id)?.abi.methods.find((method) => String(method.number) === number)
  return found === undefined ? number : lowerFirst(found.name)
}

/** 858025 → 858,025. */
export function grouped(value: bigint | number | string): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
