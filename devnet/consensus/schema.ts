/**
 * Messages as tables: one row a field, with its number and kind. Type, encoder and decoder of a message derive from its
 * table, so no layout is written twice.
 *
 * A field that is absent has its kind's initial value. Scalars and strings are not written when they are zero; a nested
 * message is always written, unless its row says `optional`, where null is absent. A second appearance of a scalar
 * replaces the first, of a message merges with it, of a repeated field appends.
 */

import { DELIMITED, FIXED64, ProtoReader, ProtoWriter, VARINT, WireError } from './protobuf.ts'
import {
  type Duration,
  isWireTime,
  joinDuration,
  joinTime,
  splitDuration,
  splitTime,
  type Time,
  ZERO_TIME,
} from './time.ts'

const NO_BYTES = new Uint8Array(0)

export type FieldKind = 'bool' | 'int' | 'bigint' | 'text' | 'binary' | 'bytes' | 'time' | 'duration' | 'message'

export interface Field<T> {
  readonly number: number
  readonly kind: FieldKind
  readonly isList: boolean
  /** Of a nested message. */
  readonly inner?: Message<unknown>
  initial(): T
  /** Writes key and value, or nothing for the value that absence means. */
  write(out: ProtoWriter, value: T): void
  /** The value after one more appearance; `before` may be changed in place. */
  read(input: ProtoReader, before: T): T
}

export interface Message<T> {
  /** The name of the oneof in the `.proto` file, when the message is nothing but one. */
  readonly oneof?: string
  readonly fields: Readonly<Record<string, Field<unknown>>>
  /** The value of no bytes at all. */
  initial(): T
  write(out: ProtoWriter, value: T): void
  /** Reads up to `input.end`. */
  read(input: ProtoReader, before: T): T
}

export type ValueOf<M> = M extends Message<infer T> ? T : never
type FieldValue<F> = F extends Field<infer T> ? T : never

type Fields = Readonly<Record<string, Field<unknown>>>
type FieldsOf<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> }
export type UnionOf<F extends Fields> = {
  readonly [K in keyof F & string]: { readonly kind: K; readonly value: FieldValue<F[K]> }
}[keyof F & string]

/** @throws {WireError} a time that has no form on the wire */
export function encode<T>(message: Message<T>, value: T): Uint8Array {
  const out = new ProtoWriter()
  message.write(out, value)
  return out.finish()
}

/** @throws {WireError} */
export function decode<T>(message: Message<T>, bytes: Uint8Array): T {
  return message.read(new ProtoReader(bytes), message.initial())
}

/** The message with its length before it, as sign bytes and ABCI frames have it. */
export function encodeDelimited<T>(message: Message<T>, value: T): Uint8Array {
  const out = new ProtoWriter()
  message.write(out, value)
  out.writeLengthSince(0)
  return out.finish()
}

/** @throws {WireError} also when the length is not that of the message */
export function decodeDelimited<T>(message: Message<T>, bytes: Uint8Array): T {
  const input = new ProtoReader(bytes)
  if (input.readLength() !== bytes.length) input.fail('TRUNCATED')
  return message.read(input, message.initial())
}

/** How many bytes `encode` would make. */
export function encodedSize<T>(message: Message<T>, value: T): number {
  const out = new ProtoWriter()
  message.write(out, value)
  const { size } = out
  out.finish()
  return size
}

export function message<F extends Fields>(fields: F): Message<FieldsOf<F>> {
  const rows = Object.entries(fields as unknown as Record<string, Field<unknown>>)
  rows.sort(([, a], [, b]) => a.number - b.number)
  const names: (string | undefined)[] = []
  for (const [name, { number }] of rows) names[number] = name
  const table = fields as unknown as Record<string, Field<unknown>>
  // Copying an object whole is quicker than building it, and gives all the same shape.
  const blank = Object.fromEntries(rows.map(([name, field]) => [name, field.initial()]))
  const fresh = rows.filter(([, { isList, inner }]) => isList || inner !== undefined)
  return {
    fields,
    initial() {
      const value: Record<string, unknown> = { ...blank }
      for (const [name, field] of fresh) value[name] = field.initial()
      return value as FieldsOf<F>
    },
    write(out, value) {
      for (let i = rows.length - 1; i >= 0; i--) {
        const [name, field] = rows[i]!
        field.write(out, (value as Record<string, unknown>)[name])
      }
    },
    read(input, before) {
      const value = before as Record<string, unknown>
      while (input.at < input.end) {
        const name = names[input.readKey()]
        if (name === undefined) input.skip()
        else value[name] = table[name]!.read(input, value[name])
      }
      return value as FieldsOf<F>
    },
  }
}

/** Of values that never change: the bytes of each are kept as long as it is. */
export function remembered<T extends object>(inner: Message<T>): Message<T> {
  const written = new WeakMap<T, Uint8Array>()
  return {
    ...inner,
    write(out, value) {
      let bytes = written.get(value)
      if (bytes === undefined) written.set(value, (bytes = encode(inner, value)))
      out.writeRaw(bytes)
    },
  }
}

/** A message that is one oneof: at most one member is there, the last that came; null is none. */
export function union<F extends Fields>(oneof: string, members: F): Message<UnionOf<F> | null> {
  const table = members as unknown as Record<string, Field<unknown>>
  const names: (string | undefined)[] = []
  for (const [name, { number }] of Object.entries(table)) names[number] = name
  return {
    oneof,
    fields: members,
    initial: () => null,
    write(out, value) {
      if (value !== null) table[value.kind]!.write(out, value.value)
    },
    read(input, before) {
      let value: unknown = before
      while (input.at < input.end) {
        const name = names[input.readKey()]
        if (name === undefined) input.skip()
        else value = { kind: name, value: table[name]!.read(input, table[name]!.initial()) }
      }
      return value as UnionOf<F> | null
    },
  }
}

interface Scalar<T> {
  readonly kind: FieldKind
  readonly wireType: number
  readonly zero: T
  write(out: ProtoWriter, value: T): void
  read(input: ProtoReader): T
}

function scalar<T>(number: number, { kind, wireType, zero, write, read }: Scalar<T>): Field<T> {
  return {
    number,
    kind,
    isList: false,
    initial: () => zero,
    write(out, value) {
      if (value === zero) return
      write(out, value)
      out.writeKey(number, wireType)
    },
    read(input) {
      input.expect(wireType)
      return read(input)
    },
  }
}

const INT32: Scalar<number> = {
  kind: 'int',
  wireType: VARINT,
  zero: 0,
  write: (out, value) => out.writeInt32(value),
  read: (input) => input.readInt32(),
}

export const int32 = (number: number): Field<number> => scalar(number, INT32)

/** An open enum: any number of 32 bits may come. */
export const enumeration = int32

/** An enum that the library keeps in one byte: the rest is cut off. */
export const byteEnumeration = (number: number): Field<number> =>
  scalar(number, { ...INT32, read: (input) => input.readInt32() & 0xff })

export const uint32 = (number: number): Field<number> =>
  scalar(number, { ...INT32, write: (out, value) => out.writeSmall(value), read: (input) => input.readUint32() })

export const int64 = (number: number): Field<bigint> =>
  scalar(number, {
    kind: 'bigint',
    wireType: VARINT,
    zero: 0n,
    write: (out, value) => out.writeInt64(value),
    read: (input) => input.readInt64(),
  })

export const uint64 = (number: number): Field<bigint> =>
  scalar(number, {
    kind: 'bigint',
    wireType: VARINT,
    zero: 0n,
    write: (out, value) => out.writeInt64(value),
    read: (input) => input.readUint64(),
  })

export const bool = (number: number): Field<boolean> =>
  scalar(number, {
    kind: 'bool',
    wireType: VARINT,
    zero: false,
    write: (out, value) => out.writeSmall(Number(value)),
    read: (input) => input.readBool(),
  })

export const sfixed64 = (number: number): Field<bigint> =>
  scalar(number, {
    kind: 'bigint',
    wireType: FIXED64,
    zero: 0n,
    write: (out, value) => out.writeFixed64(value),
    read: (input) => input.readFixed64(),
  })

export const text = (number: number): Field<string> =>
  scalar(number, {
    kind: 'text',
    wireType: DELIMITED,
    zero: '',
    write: (out, value) => out.writeText(value),
    read: (input) => input.readText(),
  })

/** Bytes that are compared: hashes, addresses. A binary string. */
export const binary = (number: number): Field<string> =>
  scalar(number, {
    kind: 'binary',
    wireType: DELIMITED,
    zero: '',
    write: (out, value) => out.writeBinary(value),
    read: (input) => input.readBinary(),
  })

/** Bytes that are carried: signatures, transactions. */
export function bytes(number: number): Field<Uint8Array> {
  const always = bytesMember(number)
  return {
    ...always,
    write(out, value) {
      if (value.length > 0) always.write(out, value)
    },
  }
}

/** Bytes of a oneof or a list: written even when there are none. */
export function bytesMember(number: number): Field<Uint8Array> {
  return {
    number,
    kind: 'bytes',
    isList: false,
    initial: () => NO_BYTES,
    write(out, value) {
      out.writeBytes(value)
      out.writeKey(number, DELIMITED)
    },
    read(input) {
      input.expect(DELIMITED)
      return input.readBytes()
    },
  }
}

function textMember(number: number): Field<string> {
  const always: Field<string> = text(number)
  return {
    ...always,
    write(out, value) {
      out.writeText(value)
      out.writeKey(number, DELIMITED)
    },
  }
}

function binaryMember(number: number): Field<string> {
  const always: Field<string> = binary(number)
  return {
    ...always,
    write(out, value) {
      out.writeBinary(value)
      out.writeKey(number, DELIMITED)
    },
  }
}

/** Always written, even when it is empty. */
export function nested<T>(number: number, inner: Message<T>): Field<T> {
  return {
    number,
    kind: 'message',
    isList: false,
    inner,
    initial: inner.initial,
    write(out, value) {
      const mark = out.size
      inner.write(out, value)
      out.writeLengthSince(mark)
      out.writeKey(number, DELIMITED)
    },
    read(input, before) {
      input.expect(DELIMITED)
      const outer = input.end
      input.end = input.readLength()
      const value = inner.read(input, before)
      input.end = outer
      return value
    },
  }
}

/** Null when it is absent. */
export function optional<T>(number: number, inner: Message<T>): Field<T | null> {
  const present = nested(number, inner)
  return {
    number,
    kind: 'message',
    isList: false,
    inner,
    initial: () => null,
    write(out, value) {
      if (value !== null) present.write(out, value)
    },
    read: (input, before) => present.read(input, before ?? inner.initial()),
  }
}

/** Every item is written, an empty one too. */
function list<T>(item: Field<T>): Field<readonly T[]> {
  return {
    ...item,
    isList: true,
    initial: () => [],
    write(out, values) {
      for (let i = values.length - 1; i >= 0; i--) item.write(out, values[i]!)
    },
    read(input, before) {
      ;(before as T[]).push(item.read(input, item.initial()))
      return before
    },
  }
}

export const repeated = <T>(number: number, inner: Message<T>): Field<readonly T[]> => list(nested(number, inner))
export const repeatedBytes = (number: number): Field<readonly Uint8Array[]> => list(bytesMember(number))
export const repeatedBinary = (number: number): Field<readonly string[]> => list(binaryMember(number))
export const repeatedText = (number: number): Field<readonly string[]> => list(textMember(number))

/** Numbers side by side behind one length; one by one they are read as well. */
function packed<T>(
  kind: FieldKind,
  number: number,
  write: (out: ProtoWriter, value: T) => void,
  read: (input: ProtoReader) => T,
) {
  const field: Field<readonly T[]> = {
    number,
    kind,
    isList: true,
    initial: () => [],
    write(out, values) {
      if (values.length === 0) return
      const mark = out.size
      for (let i = values.length - 1; i >= 0; i--) write(out, values[i]!)
      out.writeLengthSince(mark)
      out.writeKey(number, DELIMITED)
    },
    read(input, before) {
      const values = before as T[]
      if (input.wireType === VARINT) values.push(read(input))
      else {
        input.expect(DELIMITED)
        const end = input.readLength()
        while (input.at < end) values.push(read(input))
      }
      return values
    },
  }
  return field
}

export const packedUint32 = (number: number): Field<readonly number[]> =>
  packed(
    'int',
    number,
    (out, value) => out.writeSmall(value),
    (input) => input.readUint32(),
  )

export const packedUint64 = (number: number): Field<readonly bigint[]> =>
  packed(
    'bigint',
    number,
    (out, value) => out.writeInt64(value),
    (input) => input.readUint64(),
  )

const PARTS = message({ seconds: int64(1), nanos: int32(2) })

/** An instant. It is always written, and a second appearance replaces the first instead of merging with it. */
export function time(number: number): Field<Time> {
  const parts = nested(number, PARTS)
  return {
    number,
    kind: 'time',
    isList: false,
    initial: () => ZERO_TIME,
    write(out, value) {
      if (!isWireTime(value)) throw new WireError({ code: 'TIME_OUT_OF_RANGE', offset: out.size })
      parts.write(out, splitTime(value))
    },
    read: (input) => joinTime(parts.read(input, parts.initial())) ?? input.fail('TIME_OUT_OF_RANGE'),
  }
}

export function duration(number: number): Field<Duration> {
  const parts = nested(number, PARTS)
  return {
    number,
    kind: 'duration',
    isList: false,
    initial: () => 0n,
    write: (out, value) => parts.write(out, splitDuration(value)),
    read: (input) => joinDuration(parts.read(input, parts.initial())) ?? input.fail('DURATION_OUT_OF_RANGE'),
  }
}
