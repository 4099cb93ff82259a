/**
 * Bytes → Module, one small function per section. Accepts the binary format as far as the FVM's features reach; anything else,
 * malformed or merely unsupported, is a WasmDecodeError. What needs the whole module to judge is the validator's.
 * @source WebAssembly core specification 2.0, 5.5; spec/fvm.md 8.2
 */
import {
  type Cursor,
  openCursor,
  readByte,
  readName,
  readS32,
  readU32,
  skipBytes,
  skipS64,
  WasmDecodeError,
} from './leb128.ts'
import type {
  ActiveAt,
  Body,
  ByteRange,
  Constant,
  DataSegment,
  ElementSegment,
  Export,
  Extern,
  ExternKind,
  FunctionType,
  Global,
  GlobalType,
  Import,
  Limits,
  LocalGroup,
  Module,
  ValueType,
} from './module.ts'

const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const

/** Place of each section ID in a module; data count comes before code. Tags (13) are not accepted. */
const SECTION_ORDER: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10]

export const PARAMS_MAX = 1000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads the module in `bytes`, whole. */
export function readModule(bytes: Uint8Array): Module {
  const cursor = openCursor(bytes, 0, bytes.length)
  readHeader(cursor)
  const module: Mutable<Module> = {
    bytes,
    types: [],
    imports: [],
    functions: null,
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: null,
    elements: [],
    dataCount: null,
    bodies: null,
    data: [],
    lastCustomName: null,
  }
  let place = 0
  while (cursor.offset < bytes.length) {
    const at = cursor.offset
    const id = readByte(cursor)
    if (id >= SECTION_ORDER.length) throw new WasmDecodeError('BAD_SECTION_ID', at)
    const size = readU32(cursor)
    const start = cursor.offset
    skipBytes(cursor, size)
    const section = openCursor(bytes, start, cursor.offset)
    if (id === SECTION.custom) {
      module.lastCustomName = readName(section)
      continue
    }
    if (SECTION_ORDER[id]! <= place) throw new WasmDecodeError('SECTION_ORDER', at)
    place = SECTION_ORDER[id]!
    readSection(id, section, module)
    if (section.offset !== section.end) throw new WasmDecodeError('SECTION_SIZE', section.offset)
  }
  if ((module.functions?.length ?? 0) !== (module.bodies?.length ?? 0)) {
    throw new WasmDecodeError('COUNT_MISMATCH', cursor.offset)
  }
  if (module.dataCount !== null && module.dataCount !== module.data.length) {
    throw new WasmDecodeError('COUNT_MISMATCH', cursor.offset)
  }
  return module
}

/** `\0asm`, then version 1 as a little-endian u32. */
function readHeader(cursor: Cursor): void {
  for (const expected of [0x00, 0x61, 0x73, 0x6d]) {
    if (readByte(cursor) !== expected) throw new WasmDecodeError('BAD_MAGIC', cursor.offset - 1)
  }
  for (const expected of [0x01, 0x00, 0x00, 0x00]) {
    if (readByte(cursor) !== expected) throw new WasmDecodeError('BAD_VERSION', cursor.offset - 1)
  }
}

function readSection(id: number, section: Cursor, module: Mutable<Module>): void {
  switch (id) {
    case SECTION.type:
      module.types = readList(section, readFunctionType)
      break
    case SECTION.import:
      module.imports = readList(section, readImport)
      break
    case SECTION.function:
      module.functions = readList(section, readU32)
      break
    case SECTION.table:
      module.tables = readList(section, readTable)
      break
    case SECTION.memory:
      module.memories = readList(section, readLimits)
      break
    case SECTION.global:
      module.globals = readList(section, readGlobal)
      break
    case SECTION.export:
      module.exports = readList(section, readExport)
      break
    case SECTION.start:
      module.start = { offset: section.offset, index: readU32(section) }
      break
    case SECTION.element:
      module.elements = readList(section, readElement)
      break
    case SECTION.dataCount:
      module.dataCount = readU32(section)
      break
    case SECTION.code:
      module.bodies = readList(section, readBody)
      break
    default:
      module.data = readList(section, readData)
  }
}

/** A count, then that many items; each takes at least a byte, so a false count ends at the section's end. */
function readList<T>(section: Cursor, readItem: (section: Cursor) => T): T[] {
  const count = readU32(section)
  const items: T[] = []
  for (let index = 0; index < count; index++) items.push(readItem(section))
  return items
}

/** A value type in its one-byte form; the reference knows a longer form of funcref, but its instrumentation does not. */
export function readValueType(cursor: Cursor): ValueType {
  const byte = readByte(cursor)
  switch (byte) {
    case 0x7f:
      return 'i32'
    case 0x7e:
      return 'i64'
    case 0x7d:
      return 'f32'
    case 0x7c:
      return 'f64'
    case 0x70:
      return 'funcref'
    default:
      throw new WasmDecodeError('BAD_TYPE', cursor.offset - 1)
  }
}

function readFunctionType(section: Cursor): FunctionType {
  if (readByte(section) !== 0x60) throw new WasmDecodeError('BAD_TYPE', section.offset - 1)
  const at = section.offset
  const params = readList(section, readValueType)
  if (params.length > PARAMS_MAX) throw new WasmDecodeError('TOO_MANY', at)
  const resultsAt = section.offset
  const results = readList(section, readValueType)
  if (results.length > 1) throw new WasmDecodeError('TOO_MANY', resultsAt)
  return { params, results }
}

function readImport(section: Cursor): Import {
  const offset = section.offset
  const module = readName(section)
  const name = readName(section)
  return { module, name, extern: readExtern(section), offset }
}

function readExtern(section: Cursor): Extern {
  const kind = readKind(section)
  switch (kind) {
    case 'function':
      return { kind, typeIndex: readU32(section) }
    case 'table':
      return { kind, limits: readTable(section) }
    case 'memory':
      return { kind, limits: readLimits(section) }
    case 'global':
      return { kind, global: readGlobalType(section) }
  }
}

function readKind(section: Cursor): ExternKind {
  switch (readByte(section)) {
    case 0:
      return 'function'
    case 1:
      return 'table'
    case 2:
      return 'memory'
    case 3:
      return 'global'
    default:
      throw new WasmDecodeError('BAD_KIND', section.offset - 1)
  }
}

function readTable(section: Cursor): Limits {
  if (readByte(section) !== 0x70) throw new WasmDecodeError('BAD_TYPE', section.offset - 1)
  return readLimits(section)
}

/** Flags beyond "has a maximum" are shared, 64-bit and custom page sizes: all off. */
function readLimits(section: Cursor): Limits {
  const flags = readByte(section)
  if (flags > 1) throw new WasmDecodeError('BAD_FLAGS', section.offset - 1)
  const minimum = readU32(section)
  return { minimum, maximum: flags === 1 ? readU32(section) : null }
}

function readGlobalType(section: Cursor): GlobalType {
  const type = readValueType(section)
  const mutable = readByte(section)
  if (mutable > 1) throw new WasmDecodeError('BAD_FLAGS', section.offset - 1)
  return { type, mutable: mutable === 1 }
}

function readGlobal(section: Cursor): Global {
  return { global: readGlobalType(section), initial: readConstant(section) }
}

/** A constant expression. One instruction is all that type-checks without extended constants. */
function readConstant(section: Cursor): Constant {
  const start = section.offset
  const constant = readConstantInstruction(section)
  if (readByte(section) !== 0x0b) throw new WasmDecodeError('BAD_CONSTANT', section.offset - 1)
  return { ...constant, start, end: section.offset }
}

type WithoutRange<T> = T extends ByteRange ? Omit<T, 'start' | 'end'> : never

function readConstantInstruction(section: Cursor): WithoutRange<Constant> {
  switch (readByte(section)) {
    case 0x41:
      readS32(section)
      return { kind: 'number', type: 'i32' }
    case 0x42:
      skipS64(section)
      return { kind: 'number', type: 'i64' }
    case 0x43:
      skipBytes(section, 4)
      return { kind: 'number', type: 'f32' }
    case 0x44:
      skipBytes(section, 8)
      return { kind: 'number', type: 'f64' }
    case 0x23:
      return { kind: 'global', index: readU32(section) }
    case 0xd0:
      if (readByte(section) !== 0x70) throw new WasmDecodeError('BAD_TYPE', section.offset - 1)
      return { kind: 'null' }
    case 0xd2:
      return { kind: 'function', index: readU32(section) }
    default:
      throw new WasmDecodeError('BAD_CONSTANT', section.offset - 1)
  }
}

function readExport(section: Cursor): Export {
  const offset = section.offset
  const name = readName(section)
  const kind = readKind(section)
  return { name, kind, index: readU32(section), offset }
}

/**
 * The eight forms of an element segment: bit 0 passive or declared, bit 1 declared (or, active, an explicit table), bit 2 expressions.
 */
function readElement(section: Cursor): ElementSegment {
  const offset = section.offset
  const flags = readU32(section)
  if (flags > 7) throw new WasmDecodeError('BAD_FLAGS', offset)
  const mode = (flags & 1) === 0 ? 'active' : (flags & 2) === 0 ? 'passive' : 'declared'
  let active: ActiveAt | null = null
  if (mode === 'active') {
    const target = (flags & 2) === 0 ? 0 : readU32(section)
    active = { target, at: readConstant(section) }
  }
  const expressions = (flags & 4) !== 0
  if ((flags & 3) !== 0) {
    const expected = expressions ? 0x70 : 0x00
    if (readByte(section) !== expected) throw new WasmDecodeError('BAD_KIND', section.offset - 1)
  }
  if (expressions) {
    return { mode, active, items: { kind: 'expressions', constants: readList(section, readConstant) }, offset }
  }
  return { mode, active, items: { kind: 'functions', indexes: readList(section, readU32) }, offset }
}

/** The three forms of a data segment: 0 active, 1 passive, 2 active with an explicit memory. */
function readData(section: Cursor): DataSegment {
  const offset = section.offset
  const flags = readU32(section)
  if (flags > 2) throw new WasmDecodeError('BAD_FLAGS', offset)
  let active: ActiveAt | null = null
  if (flags !== 1) {
    const target = flags === 0 ? 0 : readU32(section)
    active = { target, at: readConstant(section) }
  }
  const size = readU32(section)
  const start = section.offset
  skipBytes(section, size)
  return { active, bytes: { start, end: section.offset }, offset }
}

/** A body stays bytes; only the declaration of its locals is read here. */
function readBody(section: Cursor): Body {
  const size = readU32(section)
  const start = section.offset
  skipBytes(section, size)
  const body = openCursor(section.bytes, start, section.offset)
  const locals = readList(body, readLocalGroup)
  return { locals, code: { start: body.offset, end: body.end } }
}

function readLocalGroup(body: Cursor): LocalGroup {
  const count = readU32(body)
  return { count, type: readValueType(body) }
}
