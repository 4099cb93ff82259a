/**
 * A function body's bytes → its instructions, as columns: an instruction is an index into all of them. One buffer serves one body
 * after another, so that decoding a large module makes no garbage.
 * @source WebAssembly core specification 2.0, 5.4
 */
import { type Cursor, openCursor, readByte, readS32, readU32, skipBytes, skipS64, WasmDecodeError } from './leb128.ts'
import type { ByteRange } from './module.ts'
import { type Immediate, OPCODE_SLOTS, ROW_OF_SLOT } from './opcodes.ts'

/** Labels without the default; V8's limit, which the reference shares in effect. */
const BR_TABLE_LABELS_MAX = 65_520

/** Columns. `starts` has one entry more than there are instructions: the end of the last. */
export interface Instructions {
  count: number
  slots: Uint16Array
  starts: Uint32Array
  /** The index, label or i32 the instruction names; for `labels` where they begin in the list of labels; for a block type its byte. */
  first: Int32Array
  /** A second index (type and table, segment and memory); for `labels` their number without the default; for loads the alignment. */
  second: Int32Array
  /** Targets of all `br_table`s; the default follows its labels. */
  labels: number[]
}

/** Columns with room for `capacity` instructions. */
export function createInstructions(capacity = 1024): Instructions {
  return {
    count: 0,
    slots: new Uint16Array(capacity),
    starts: new Uint32Array(capacity + 1),
    first: new Int32Array(capacity),
    second: new Int32Array(capacity),
    labels: [],
  }
}

const IMMEDIATES: readonly Immediate[] = [
  'none',
  'local',
  'memory4',
  'i32',
  'blockType',
  'label',
  'function',
  'global',
  'memory1',
  'memory2',
  'memory8',
  'i64',
  'typeTable',
  'labels',
  'table',
  'zero',
  'f32',
  'f64',
  'dataMemory',
  'data',
  'memoryMemory',
  'memory',
  'elementTable',
  'element',
  'tableTable',
]
const NOT_ACCEPTED = 255
const IMMEDIATE_OF_SLOT = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const row = ROW_OF_SLOT[slot]
  return row === undefined ? NOT_ACCEPTED : IMMEDIATES.indexOf(row[2])
})

/** Decodes the instructions in `range` into `into`, replacing what it held. */
export function decodeCode(bytes: Uint8Array, range: ByteRange, into: Instructions): void {
  reserve(into, range.end - range.start)
  into.labels.length = 0
  const cursor = openCursor(bytes, range.start, range.end)
  const { slots, starts, first } = into
  let count = 0
  while (cursor.offset < cursor.end) {
    const at = cursor.offset
    let slot = bytes[cursor.offset++]!
    if (slot === 0xfc) {
      const sub = readU32(cursor)
      slot = sub < OPCODE_SLOTS - 0x100 ? 0x100 + sub : 0xfc
    }
    const immediate = IMMEDIATE_OF_SLOT[slot]!
    starts[count] = at
    slots[count] = slot
    if (immediate !== 0) {
      if (immediate === NOT_ACCEPTED) throw new WasmDecodeError('BAD_OPCODE', at)
      if (immediate === 1) first[count] = readU32(cursor)
      else readImmediate(cursor, IMMEDIATES[immediate]!, into, count)
    }
    count++
  }
  starts[count] = range.end
  into.count = count
}

/** Makes room for as many instructions as `size` bytes can hold. */
function reserve(into: Instructions, size: number): void {
  if (into.slots.length >= size) return
  const capacity = Math.max(size, 2 * into.slots.length)
  into.slots = new Uint16Array(capacity)
  into.starts = new Uint32Array(capacity + 1)
  into.first = new Int32Array(capacity)
  into.second = new Int32Array(capacity)
}

function readImmediate(cursor: Cursor, immediate: Immediate, into: Instructions, index: number): void {
  const { first, second } = into
  switch (immediate) {
    case 'none':
      return
    case 'local':
    case 'label':
    case 'function':
    case 'global':
    case 'table':
    case 'data':
    case 'element':
    case 'memory':
      first[index] = readU32(cursor)
      return
    case 'i32':
      first[index] = readS32(cursor)
      return
    case 'memory1':
    case 'memory2':
    case 'memory4':
    case 'memory8':
      readMemoryAccess(cursor, second, index)
      return
    case 'i64':
      skipS64(cursor)
      return
    case 'f32':
      skipBytes(cursor, 4)
      return
    case 'f64':
      skipBytes(cursor, 8)
      return
    case 'blockType':
      first[index] = readBlockType(cursor)
      return
    case 'labels':
      readLabels(cursor, into, index)
      return
    case 'zero':
      if (readByte(cursor) !== 0) throw new WasmDecodeError('BAD_IMMEDIATE', cursor.offset - 1)
      return
    case 'typeTable':
    case 'dataMemory':
    case 'memoryMemory':
    case 'elementTable':
    case 'tableTable':
      first[index] = readU32(cursor)
      second[index] = readU32(cursor)
  }
}

/** The exponent of the alignment (kept), and the offset. */
function readMemoryAccess(cursor: Cursor, second: Int32Array, index: number): void {
  const at = cursor.offset
  const align = readU32(cursor)
  if (align > 31) throw new WasmDecodeError('BAD_IMMEDIATE', at)
  second[index] = align
  readU32(cursor)
}

/** Empty or a value type, as its byte. A type index would be a block type of several values: refused. */
function readBlockType(cursor: Cursor): number {
  const byte = readByte(cursor)
  switch (byte) {
    case 0x40:
    case 0x7f:
    case 0x7e:
    case 0x7d:
    case 0x7c:
    case 0x70:
      return byte
    default:
      throw new WasmDecodeError('BAD_TYPE', cursor.offset - 1)
  }
}

function readLabels(cursor: Cursor, into: Instructions, index: number): void {
  const at = cursor.offset
  const count = readU32(cursor)
  if (count > BR_TABLE_LABELS_MAX) throw new WasmDecodeError('TOO_MANY', at)
  into.first[index] = into.labels.length
  into.second[index] = count
  for (let label = 0; label <= count; label++) into.labels.push(readU32(cursor))
}
