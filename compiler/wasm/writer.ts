/**
 * Module → bytes, in the reader's order. Bodies arrive encoded; constants keep the bytes they had.
 * @source WebAssembly core specification 2.0, 5.5
 */
import type { Constant, DataSegment, Export, FunctionType, GlobalType, Import, Limits, ValueType } from './module.ts'
import { BYTE } from './opcodes.ts'

/** Bytes that grow. */
export interface Sink {
  bytes: Uint8Array
  size: number
}

/** An empty sink with room for `capacity` bytes. */
export function createSink(capacity = 1024): Sink {
  return { bytes: new Uint8Array(capacity), size: 0 }
}

/** The bytes written so far; they stay valid when the sink grows, not when it is reused. */
export function sinkBytes(sink: Sink): Uint8Array {
  return sink.bytes.subarray(0, sink.size)
}

/** Makes room for `size` more bytes. */
export function reserveBytes(sink: Sink, size: number): void {
  if (sink.size + size <= sink.bytes.length) return
  const grown = new Uint8Array(Math.max(sink.size + size, 2 * sink.bytes.length))
  grown.set(sinkBytes(sink))
  sink.bytes = grown
}

/** One byte. */
export function writeByte(sink: Sink, byte: number): void {
  if (sink.size === sink.bytes.length) reserveBytes(sink, 1)
  sink.bytes[sink.size++] = byte
}

/** `source[start, end)` as it is. */
export function writeRange(sink: Sink, source: Uint8Array, start: number, end: number): void {
  reserveBytes(sink, end - start)
  if (end - start < 24) {
    for (let offset = start; offset < end; offset++) sink.bytes[sink.size++] = source[offset]!
    return
  }
  sink.bytes.set(source.subarray(start, end), sink.size)
  sink.size += end - start
}

/** All of `source`. */
export function writeBytes(sink: Sink, source: Uint8Array): void {
  writeRange(sink, source, 0, source.length)
}

/** An unsigned 32-bit integer. */
export function writeU32(sink: Sink, value: number): void {
  while (value >= 0x80) {
    writeByte(sink, (value & 0x7f) | 0x80)
    value >>>= 7
  }
  writeByte(sink, value)
}

/** A signed 32-bit integer. */
export function writeS32(sink: Sink, value: number): void {
  while (value < -64 || value >= 64) {
    writeByte(sink, (value & 0x7f) | 0x80)
    value >>= 7
  }
  writeByte(sink, value & 0x7f)
}

/** A signed 64-bit integer: the low 64 bits of `value`. */
export function writeS64(sink: Sink, value: number | bigint): void {
  if (typeof value === 'number' && value >= -0x8000_0000 && value < 0x8000_0000) {
    writeS32(sink, value)
    return
  }
  let rest = BigInt.asIntN(64, BigInt(value))
  while (rest < -64n || rest >= 64n) {
    writeByte(sink, Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  writeByte(sink, Number(rest & 0x7fn))
}

const utf8 = new TextEncoder()

/** A name: its size, then UTF-8. */
export function writeName(sink: Sink, name: string): void {
  const bytes = utf8.encode(name)
  writeU32(sink, bytes.length)
  writeBytes(sink, bytes)
}

const TYPE_BYTES: Readonly<Record<ValueType, number>> = {
  i32: BYTE.i32,
  i64: BYTE.i64,
  f32: BYTE.f32,
  f64: BYTE.f64,
  funcref: BYTE.funcref,
}

/** A value type's byte. */
export function writeValueType(sink: Sink, type: ValueType): void {
  writeByte(sink, TYPE_BYTES[type])
}

/** What is written. Constants and data are ranges of `source`; indices are final, but for functions in constants. */
export interface ModuleParts {
  readonly source: Uint8Array
  /** Maps the function index of a constant. */
  readonly functionIndex: (index: number) => number
  readonly types: readonly FunctionType[]
  readonly imports: readonly Pick<Import, 'module' | 'name' | 'extern'>[]
  readonly functions: readonly number[]
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  readonly globals: readonly { readonly global: GlobalType; readonly initial: Constant | 'zero' }[]
  readonly exports: readonly Pick<Export, 'name' | 'kind' | 'index'>[]
  readonly elements: readonly {
    readonly mode: 'active' | 'passive' | 'declared'
    readonly active: { readonly target: number; readonly at: Constant } | null
    readonly functions: readonly number[]
  }[]
  readonly dataCount: number | null
  readonly data: readonly DataSegment[]
  /** Content of the code section: count and bodies. */
  readonly code: Uint8Array
}

/** The whole module. */
export function encodeModule(parts: ModuleParts): Uint8Array {
  const out = createSink(parts.source.length + parts.code.length + 1024)
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) writeByte(out, byte)
  writeSection(out, 1, (section) => writeList(section, parts.types, writeFunctionType))
  writeSection(out, 2, (section) => writeList(section, parts.imports, writeImport))
  writeSection(out, 3, (section) => writeList(section, parts.functions, writeU32))
  writeSection(out, 4, (section) => writeList(section, parts.tables, writeTable))
  writeSection(out, 5, (section) => writeList(section, parts.memories, writeLimits))
  writeSection(out, 6, (section) =>
    writeList(section, parts.globals, (sink, { global, initial }) => {
      writeGlobalType(sink, global)
      if (initial === 'zero') writeZero(sink, global.type)
      else writeConstant(sink, initial, parts)
    }),
  )
  writeSection(out, 7, (section) => writeList(section, parts.exports, writeExport))
  writeSection(out, 9, (section) => writeList(section, parts.elements, (sink, item) => writeElement(sink, item, parts)))
  if (parts.dataCount !== null) writeSection(out, 12, (section) => writeU32(section, parts.dataCount!))
  writeSection(out, 10, (section) => writeBytes(section, parts.code))
  writeSection(out, 11, (section) => writeList(section, parts.data, (sink, item) => writeData(sink, item, parts)))
  return out.bytes.slice(0, out.size)
}

function writeSection(out: Sink, id: number, writeContent: (section: Sink) => void): void {
  const section = createSink()
  writeContent(section)
  writeByte(out, id)
  writeU32(out, section.size)
  writeBytes(out, sinkBytes(section))
}

function writeList<T>(section: Sink, items: readonly T[], writeItem: (section: Sink, item: T) => void): void {
  writeU32(section, items.length)
  for (const item of items) writeItem(section, item)
}

function writeFunctionType(section: Sink, { params, results }: FunctionType): void {
  writeByte(section, BYTE.function)
  writeList(section, params, writeValueType)
  writeList(section, results, writeValueType)
}

function writeImport(section: Sink, { module, name, extern }: ModuleParts['imports'][number]): void {
  writeName(section, module)
  writeName(section, name)
  switch (extern.kind) {
    case 'function':
      writeByte(section, 0)
      writeU32(section, extern.typeIndex)
      break
    case 'table':
      writeByte(section, 1)
      writeTable(section, extern.limits)
      break
    case 'memory':
      writeByte(section, 2)
      writeLimits(section, extern.limits)
      break
    case 'global':
      writeByte(section, 3)
      writeGlobalType(section, extern.global)
  }
}

function writeTable(section: Sink, limits: Limits): void {
  writeByte(section, BYTE.funcref)
  writeLimits(section, limits)
}

function writeLimits(section: Sink, { minimum, maximum }: Limits): void {
  writeByte(section, maximum === null ? 0 : 1)
  writeU32(section, minimum)
  if (maximum !== null) writeU32(section, maximum)
}

function writeGlobalType(section: Sink, { type, mutable }: GlobalType): void {
  writeValueType(section, type)
  writeByte(section, mutable ? 1 : 0)
}

/** The constant 0 of an integer type. */
function writeZero(section: Sink, type: ValueType): void {
  writeByte(section, type === 'i32' ? 0x41 : 0x42)
  writeByte(section, 0x00)
  writeByte(section, 0x0b)
}

function writeConstant(section: Sink, constant: Constant, { source, functionIndex }: ModuleParts): void {
  if (constant.kind !== 'function') {
    writeRange(section, source, constant.start, constant.end)
    return
  }
  writeByte(section, 0xd2)
  writeU32(section, functionIndex(constant.index))
  writeByte(section, 0x0b)
}

const KIND_BYTES = { function: 0, table: 1, memory: 2, global: 3 } as const

function writeExport(section: Sink, { name, kind, index }: ModuleParts['exports'][number]): void {
  writeName(section, name)
  writeByte(section, KIND_BYTES[kind])
  writeU32(section, index)
}

/** Always the form with function indices; the element kind 0 is written wherever the form has one. */
function writeElement(section: Sink, item: ModuleParts['elements'][number], parts: ModuleParts): void {
  const { mode, active, functions } = item
  if (active === null) {
    writeByte(section, mode === 'passive' ? 1 : 3)
    writeByte(section, 0x00)
  } else if (active.target === 0) {
    writeByte(section, 0)
    writeConstant(section, active.at, parts)
  } else {
    writeByte(section, 2)
    writeU32(section, active.target)
    writeConstant(section, active.at, parts)
    writeByte(section, 0x00)
  }
  writeList(section, functions, writeU32)
}

function writeData(section: Sink, { active, bytes }: DataSegment, parts: ModuleParts): void {
  if (active === null) {
    writeByte(section, 1)
  } else if (active.target === 0) {
    writeByte(section, 0)
    writeConstant(section, active.at, parts)
  } else {
    writeByte(section, 2)
    writeU32(section, active.target)
    writeConstant(section, active.at, parts)
  }
  writeU32(section, bytes.end - bytes.start)
  writeRange(section, parts.source, bytes.start, bytes.end)
}
