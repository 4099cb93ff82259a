/**
 * Messages as the vectors show them: field names of the `.proto` file, integers of 64 bits as decimal text, bytes as hex, a
 * time as `{seconds, nanos}`, a oneof as an object with one field, an absent message as null.
 */

import type { Field, Message } from '../consensus/schema.ts'
import { SECOND, splitDuration, splitTime } from '../consensus/time.ts'
import { fromBinary, fromHex, toBinary, toHex } from '../primitives/bytes.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

export function toView<T>(message: Message<T>, value: T): Json {
  if (message.oneof !== undefined) {
    const member = value as { readonly kind: string; readonly value: unknown } | null
    if (member === null) return { [message.oneof]: null }
    return { [message.oneof]: { [snakeCase(member.kind)]: fieldToView(message.fields[member.kind]!, member.value) } }
  }
  const view: Record<string, Json> = {}
  for (const [name, field] of Object.entries(message.fields)) {
    view[snakeCase(name)] = fieldToView(field, (value as Record<string, unknown>)[name])
  }
  return view
}

/** Takes times that the wire has no form for, to see them refused. */
export function fromView<T>(message: Message<T>, view: Json): T {
  if (message.oneof !== undefined) {
    const member = (view as JsonObject)[message.oneof] as JsonObject | null
    if (member === null) return null as T
    const [name] = Object.keys(member)
    const kind = Object.keys(message.fields).find((key) => snakeCase(key) === name)!
    return { kind, value: fieldFromView(message.fields[kind]!, member[name!]!) } as T
  }
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(message.fields)) {
    value[name] = fieldFromView(field, (view as JsonObject)[snakeCase(name)] ?? null)
  }
  return value as T
}

function fieldToView(field: Field<unknown>, value: unknown): Json {
  if (field.isList) return (value as readonly unknown[]).map((item) => itemToView(field, item))
  return itemToView(field, value)
}

function itemToView(field: Field<unknown>, value: unknown): Json {
  switch (field.kind) {
    case 'bigint':
      return String(value)
    case 'binary':
      return toHex(fromBinary(value as string))
    case 'bytes':
      return toHex(value as Uint8Array)
    case 'time':
      return partsView(splitTime(value as bigint))
    case 'duration':
      return partsView(splitDuration(value as bigint))
    case 'message':
      return value === null && field.inner!.oneof === undefined ? null : toView(field.inner!, value)
    default:
      return value as Json
  }
}

function partsView({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): Json {
  return { seconds: String(seconds), nanos }
}

function fieldFromView(field: Field<unknown>, view: Json): unknown {
  if (field.isList) return ((view ?? []) as readonly Json[]).map((item) => itemFromView(field, item))
  return itemFromView(field, view)
}

function itemFromView(field: Field<unknown>, view: Json): unknown {
  switch (field.kind) {
    case 'bigint':
      return BigInt(view as string)
    case 'binary':
      return toBinary(fromHex((view ?? '') as string))
    case 'bytes':
      return fromHex((view ?? '') as string)
    case 'time':
    case 'duration':
      return timeOf(view as unknown as TimeView)
    case 'message':
      return view === null ? null : fromView(field.inner!, view)
    default:
      return view
  }
}

export interface TimeView {
  readonly seconds: string
  readonly nanos: number
}

/** Nanoseconds: an instant or a duration. */
export function timeOf({ seconds, nanos }: TimeView): bigint {
  return BigInt(seconds) * SECOND + BigInt(nanos)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
