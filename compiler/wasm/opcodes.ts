/**
 * The instructions the FVM accepts, one row each. Reader, validator, stack limiter and gas rules derive from this table, so that an
 * opcode is in all of them or in none.
 * @source WebAssembly core specification 2.0, 5.4; spec/fvm.md 8.2 (typed select and reference instructions are load errors)
 */

/** What follows the opcode. `memory1` … `memory8` are an alignment and an offset; the digit is the natural size in bytes. */
export type Immediate =
  | 'none'
  | 'blockType'
  | 'label'
  | 'labels'
  | 'function'
  | 'typeTable'
  | 'local'
  | 'global'
  | 'table'
  | 'memory1'
  | 'memory2'
  | 'memory4'
  | 'memory8'
  | 'zero'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'dataMemory'
  | 'data'
  | 'memoryMemory'
  | 'memory'
  | 'elementTable'
  | 'element'
  | 'tableTable'

export type OpcodeRow = readonly [code: number, name: string, immediate: Immediate, stack: string]

/**
 * Code (prefixed ones as 0xfcNN), name, immediates, and what is popped and pushed: `i` i32, `I` i64, `f` f32, `F` f64, `r` funcref.
 * `control` means that the types depend on more than the opcode.
 */
// biome-ignore format: aligned
export const OPCODES: readonly OpcodeRow[] = [
  [0x00, 'unreachable',          'none',         'control'],
  [0x01, 'nop',                  'none',         ':'],
  [0x02, 'block',                'blockType',    'control'],
  [0x03, 'loop',                 'blockType',    'control'],
  [0x04, 'if',                   'blockType',    'control'],
  [0x05, 'else',                 'none',         'control'],
  [0x0b, 'end',                  'none',         'control'],
  [0x0c, 'br',                   'label',        'control'],
  [0x0d, 'br_if',                'label',        'control'],
  [0x0e, 'br_table',             'labels',       'control'],
  [0x0f, 'return',               'none',         'control'],
  [0x10, 'call',                 'function',     'control'],
  [0x11, 'call_indirect',        'typeTable',    'control'],
  [0x1a, 'drop',                 'none',         'control'],
  [0x1b, 'select',               'none',         'control'],
  [0x20, 'local.get',            'local',        'control'],
  [0x21, 'local.set',            'local',        'control'],
  [0x22, 'local.tee',            'local',        'control'],
  [0x23, 'global.get',           'global',       'control'],
  [0x24, 'global.set',           'global',       'control'],
  [0x25, 'table.get',            'table',        'i:r'],
  [0x26, 'table.set',            'table',        'ir:'],
  [0x28, 'i32.load',             'memory4',      'i:i'],
  [0x29, 'i64.load',             'memory8',      'i:I'],
  [0x2a, 'f32.load',             'memory4',      'i:f'],
  [0x2b, 'f64.load',             'memory8',      'i:F'],
  [0x2c, 'i32.load8_s',          'memory1',      'i:i'],
  [0x2d, 'i32.load8_u',          'memory1',      'i:i'],
  [0x2e, 'i32.load16_s',         'memory2',      'i:i'],
  [0x2f, 'i32.load16_u',         'memory2',      'i:i'],
  [0x30, 'i64.load8_s',          'memory1',      'i:I'],
  [0x31, 'i64.load8_u',          'memory1',      'i:I'],
  [0x32, 'i64.load16_s',         'memory2',      'i:I'],
  [0x33, 'i64.load16_u',         'memory2',      'i:I'],
  [0x34, 'i64.load32_s',         'memory4',      'i:I'],
  [0x35, 'i64.load32_u',         'memory4',      'i:I'],
  [0x36, 'i32.store',            'memory4',      'ii:'],
  [0x37, 'i64.store',            'memory8',      'iI:'],
  [0x38, 'f32.store',            'memory4',      'if:'],
  [0x39, 'f64.store',            'memory8',      'iF:'],
  [0x3a, 'i32.store8',           'memory1',      'ii:'],
  [0x3b, 'i32.store16',          'memory2',      'ii:'],
  [0x3c, 'i64.store8',           'memory1',      'iI:'],
  [0x3d, 'i64.store16',          'memory2',      'iI:'],
  [0x3e, 'i64.store32',          'memory4',      'iI:'],
  [0x3f, 'memory.size',          'zero',         ':i'],
  [0x40, 'memory.grow',          'zero',         'i:i'],
  [0x41, 'i32.const',            'i32',          ':i'],
  [0x42, 'i64.const',            'i64',          ':I'],
  [0x43, 'f32.const',            'f32',          ':f'],
  [0x44, 'f64.const',            'f64',          ':F'],
  [0x45, 'i32.eqz',              'none',         'i:i'],
  [0x46, 'i32.eq',               'none',         'ii:i'],
  [0x47, 'i32.ne',               'none',         'ii:i'],
  [0x48, 'i32.lt_s',             'none',         'ii:i'],
  [0x49, 'i32.lt_u',             'none',         'ii:i'],
  [0x4a, 'i32.gt_s',             'none',         'ii:i'],
  [0x4b, 'i32.gt_u',             'none',         'ii:i'],
  [0x4c, 'i32.le_s',             'none',         'ii:i'],
  [0x4d, 'i32.le_u',             'none',         'ii:i'],
  [0x4e, 'i32.ge_s',             'none',         'ii:i'],
  [0x4f, 'i32.ge_u',             'none',         'ii:i'],
  [0x50, 'i64.eqz',              'none',         'I:i'],
  [0x51, 'i64.eq',               'none',         'II:i'],
  [0x52, 'i64.ne',               'none',         'II:i'],
  [0x53, 'i64.lt_s',             'none',         'II:i'],
  [0x54, 'i64.lt_u',             'none',         'II:i'],
  [0x55, 'i64.gt_s',             'none',         'II:i'],
  [0x56, 'i64.gt_u',             'none',         'II:i'],
  [0x57, 'i64.le_s',             'none',         'II:i'],
  [0x58, 'i64.le_u',             'none',         'II:i'],
  [0x59, 'i64.ge_s',             'none',         'II:i'],
  [0x5a, 'i64.ge_u',             'none',         'II:i'],
  [0x5b, 'f32.eq',               'none',         'ff:i'],
  [0x5c, 'f32.ne',               'none',         'ff:i'],
  [0x5d, 'f32.lt',               'none',         'ff:i'],
  [0x5e, 'f32.gt',               'none',         'ff:i'],
  [0x5f, 'f32.le',               'none',         'ff:i'],
  [0x60, 'f32.ge',               'none',         'ff:i'],
  [0x61, 'f64.eq',               'none',         'FF:i'],
  [0x62, 'f64.ne',               'none',         'FF:i'],
  [0x63, 'f64.lt',               'none',         'FF:i'],
  [0x64, 'f64.gt',               'none',         'FF:i'],
  [0x65, 'f64.le',               'none',         'FF:i'],
  [0x66, 'f64.ge',               'none',         'FF:i'],
  [0x67, 'i32.clz',              'none',         'i:i'],
  [0x68, 'i32.ctz',              'none',         'i:i'],
  [0x69, 'i32.popcnt',           'none',         'i:i'],
  [0x6a, 'i32.add',              'none',         'ii:i'],
  [0x6b, 'i32.sub',              'none',         'ii:i'],
  [0x6c, 'i32.mul',              'none',         'ii:i'],
  [0x6d, 'i32.div_s',            'none',         'ii:i'],
  [0x6e, 'i32.div_u',            'none',         'ii:i'],
  [0x6f, 'i32.rem_s',            'none',         'ii:i'],
  [0x70, 'i32.rem_u',            'none',         'ii:i'],
  [0x71, 'i32.and',              'none',         'ii:i'],
  [0x72, 'i32.or',               'none',         'ii:i'],
  [0x73, 'i32.xor',              'none',         'ii:i'],
  [0x74, 'i32.shl',              'none',         'ii:i'],
  [0x75, 'i32.shr_s',            'none',         'ii:i'],
  [0x76, 'i32.shr_u',            'none',         'ii:i'],
  [0x77, 'i32.rotl',             'none',         'ii:i'],
  [0x78, 'i32.rotr',             'none',         'ii:i'],
  [0x79, 'i64.clz',              'none',         'I:I'],
  [0x7a, 'i64.ctz',              'none',         'I:I'],
  [0x7b, 'i64.popcnt',           'none',         'I:I'],
  [0x7c, 'i64.add',              'none',         'II:I'],
  [0x7d, 'i64.sub',              'none',         'II:I'],
  [0x7e, 'i64.mul',              'none',         'II:I'],
  [0x7f, 'i64.div_s',            'none',         'II:I'],
  [0x80, 'i64.div_u',            'none',         'II:I'],
  [0x81, 'i64.rem_s',            'none',         'II:I'],
  [0x82, 'i64.rem_u',            'none',         'II:I'],
  [0x83, 'i64.and',              'none',         'II:I'],
  [0x84, 'i64.or',               'none',         'II:I'],
  [0x85, 'i64.xor',              'none',         'II:I'],
  [0x86, 'i64.shl',              'none',         'II:I'],
  [0x87, 'i64.shr_s',            'none',         'II:I'],
  [0x88, 'i64.shr_u',            'none',         'II:I'],
  [0x89, 'i64.rotl',             'none',         'II:I'],
  [0x8a, 'i64.rotr',             'none',         'II:I'],
  [0x8b, 'f32.abs',              'none',         'f:f'],
  [0x8c, 'f32.neg',              'none',         'f:f'],
  [0x8d, 'f32.ceil',             'none',         'f:f'],
  [0x8e, 'f32.floor',            'none',         'f:f'],
  [0x8f, 'f32.trunc',            'none',         'f:f'],
  [0x90, 'f32.nearest',          'none',         'f:f'],
  [0x91, 'f32.sqrt',             'none',         'f:f'],
  [0x92, 'f32.add',              'none',         'ff:f'],
  [0x93, 'f32.sub',              'none',         'ff:f'],
  [0x94, 'f32.mul',              'none',         'ff:f'],
  [0x95, 'f32.div',              'none',         'ff:f'],
  [0x96, 'f32.min',              'none',         'ff:f'],
  [0x97, 'f32.max',              'none',         'ff:f'],
  [0x98, 'f32.copysign',         'none',         'ff:f'],
  [0x99, 'f64.abs',              'none',         'F:F'],
  [0x9a, 'f64.neg',              'none',         'F:F'],
  [0x9b, 'f64.ceil',             'none',         'F:F'],
  [0x9c, 'f64.floor',            'none',         'F:F'],
  [0x9d, 'f64.trunc',            'none',         'F:F'],
  [0x9e, 'f64.nearest',          'none',         'F:F'],
  [0x9f, 'f64.sqrt',             'none',         'F:F'],
  [0xa0, 'f64.add',              'none',         'FF:F'],
  [0xa1, 'f64.sub',              'none',         'FF:F'],
  [0xa2, 'f64.mul',              'none',         'FF:F'],
  [0xa3, 'f64.div',              'none',         'FF:F'],
  [0xa4, 'f64.min',              'none',         'FF:F'],
  [0xa5, 'f64.max',              'none',         'FF:F'],
  [0xa6, 'f64.copysign',         'none',         'FF:F'],
  [0xa7, 'i32.wrap_i64',         'none',         'I:i'],
  [0xa8, 'i32.trunc_f32_s',      'none',         'f:i'],
  [0xa9, 'i32.trunc_f32_u',      'none',         'f:i'],
  [0xaa, 'i32.trunc_f64_s',      'none',         'F:i'],
  [0xab, 'i32.trunc_f64_u',      'none',         'F:i'],
  [0xac, 'i64.extend_i32_s',     'none',         'i:I'],
  [0xad, 'i64.extend_i32_u',     'none',         'i:I'],
  [0xae, 'i64.trunc_f32_s',      'none',         'f:I'],
  [0xaf, 'i64.trunc_f32_u',      'none',         'f:I'],
  [0xb0, 'i64.trunc_f64_s',      'none',         'F:I'],
  [0xb1, 'i64.trunc_f64_u',      'none',         'F:I'],
  [0xb2, 'f32.convert_i32_s',    'none',         'i:f'],
  [0xb3, 'f32.convert_i32_u',    'none',         'i:f'],
  [0xb4, 'f32.convert_i64_s',    'none',         'I:f'],
  [0xb5, 'f32.convert_i64_u',    'none',         'I:f'],
  [0xb6, 'f32.demote_f64',       'none',         'F:f'],
  [0xb7, 'f64.convert_i32_s',    'none',         'i:F'],
  [0xb8, 'f64.convert_i32_u',    'none',         'i:F'],
  [0xb9, 'f64.convert_i64_s',    'none',         'I:F'],
  [0xba, 'f64.convert_i64_u',    'none',         'I:F'],
  [0xbb, 'f64.promote_f32',      'none',         'f:F'],
  [0xbc, 'i32.reinterpret_f32',  'none',         'f:i'],
  [0xbd, 'i64.reinterpret_f64',  'none',         'F:I'],
  [0xbe, 'f32.reinterpret_i32',  'none',         'i:f'],
  [0xbf, 'f64.reinterpret_i64',  'none',         'I:F'],
  [0xc0, 'i32.extend8_s',        'none',         'i:i'],
  [0xc1, 'i32.extend16_s',       'none',         'i:i'],
  [0xc2, 'i64.extend8_s',        'none',         'I:I'],
  [0xc3, 'i64.extend16_s',       'none',         'I:I'],
  [0xc4, 'i64.extend32_s',       'none',         'I:I'],
  [0xfc00, 'i32.trunc_sat_f32_s',  'none',         'f:i'],
  [0xfc01, 'i32.trunc_sat_f32_u',  'none',         'f:i'],
  [0xfc02, 'i32.trunc_sat_f64_s',  'none',         'F:i'],
  [0xfc03, 'i32.trunc_sat_f64_u',  'none',         'F:i'],
  [0xfc04, 'i64.trunc_sat_f32_s',  'none',         'f:I'],
  [0xfc05, 'i64.trunc_sat_f32_u',  'none',         'f:I'],
  [0xfc06, 'i64.trunc_sat_f64_s',  'none',         'F:I'],
  [0xfc07, 'i64.trunc_sat_f64_u',  'none',         'F:I'],
  [0xfc08, 'memory.init',          'dataMemory',   'iii:'],
  [0xfc09, 'data.drop',            'data',         ':'],
  [0xfc0a, 'memory.copy',          'memoryMemory', 'iii:'],
  [0xfc0b, 'memory.fill',          'memory',       'iii:'],
  [0xfc0c, 'table.init',           'elementTable', 'iii:'],
  [0xfc0d, 'elem.drop',            'element',      ':'],
  [0xfc0e, 'table.copy',           'tableTable',   'iii:'],
  [0xfc0f, 'table.grow',           'table',        'ri:i'],
  [0xfc10, 'table.size',           'table',        ':i'],
  [0xfc11, 'table.fill',           'table',        'iri:'],
]

/** Opcodes as small numbers: single bytes as they are, 0xfcNN as 0x100 + NN. */
export const OPCODE_SLOTS = 0x120

/** The slot of a code of the table. */
export function opcodeSlot(code: number): number {
  return code > 0xff ? 0x100 + (code & 0xff) : code
}

/** The row of each slot, `undefined` where the FVM accepts no instruction. */
export const ROW_OF_SLOT: readonly (OpcodeRow | undefined)[] = rowsBySlot()

function rowsBySlot(): (OpcodeRow | undefined)[] {
  const rows: (OpcodeRow | undefined)[] = new Array(OPCODE_SLOTS).fill(undefined)
  for (const row of OPCODES) rows[opcodeSlot(row[0])] = row
  return rows
}

/** Slots that code asks for by name. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64ExtendI32U: 0xad,
  f64ConvertI64S: 0xb9,
  memoryInit: 0x108,
  dataDrop: 0x109,
  tableInit: 0x10c,
  elemDrop: 0x10d,
  tableCopy: 0x10e,
  tableGrow: 0x10f,
  tableFill: 0x111,
} as const

/** Bytes that only make sense inside an encoding. */
export const BYTE = { empty: 0x40, i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, funcref: 0x70, function: 0x60 } as const
