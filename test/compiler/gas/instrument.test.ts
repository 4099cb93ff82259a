import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { instrumentModule } from '../../../compiler/gas/instrument.ts'
import { indexSpaces } from '../../../compiler/wasm/module.ts'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { validateModule } from '../../../compiler/wasm/validate.ts'
import { faultOf, sections, wat } from '../wasm/modules.ts'
import { compile, runModule } from './run.ts'

const SAMPLE = wat(`(module
  (import "gas" "available" (func $available (param i32) (result i32)))
  (import "debug" "log" (func (param i32 i32) (result i32)))
  (memory (export "memory") (export "heap") 2 9) (table (export "table") 3 funcref)
  (global $g (export "state") (mut i32) (i32.const 0)) (global $f funcref (ref.func $helper))
  (func $helper (param i32) (result i32) (local f64)
    (local.set 1 (f64.div (f64.convert_i32_s (local.get 0)) (f64.const 3)))
    (drop (memory.grow (local.get 0))) (drop (table.grow (table.get (i32.const 0)) (i32.const 1)))
    (block (loop (br_if 1 (i32.eqz (local.get 0))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0)))
    (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 2)) (data.drop 1)
    (call $available (i32.const 0)))
  (func $start (global.set $g (i32.const 1)))
  (func (export "invoke") (param i32) (result i32) (i32.add (call $helper (local.get 0)) (global.get $g)))
  (start $start) (elem (i32.const 1) $helper $available) (elem declare func $helper)
  (data (i32.const 8) "abc") (data "ab"))`)

describe('the module that comes out', () => {
  const { bytes, facts } = instrumentModule(SAMPLE)
  const module = readModule(bytes)

  it('has the exports the engine knows, and no others', () => {
    expect(module.exports.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'memory memory',
      'function invoke',
      'function start',
      'global height',
      'global gas',
      'function gas_get',
      'function gas_set',
    ])
  })

  it('imports what the raw module does, then what it needs of ours', () => {
    expect(module.imports.map(({ module: from, name }) => `${from}.${name}`)).toEqual([
      'gas.available',
      'debug.log',
      'troupe.memory_grow',
      'troupe.table_grow',
    ])
  })

  it('can grow as far as an instance may', () => {
    expect(module.memories).toEqual([{ minimum: 2, maximum: 8192 }])
    expect(module.tables).toEqual([{ minimum: 3, maximum: 20_000 }])
  })

  it('is valid by our own rules and compiles', () => {
    expect(() => validateModule(module)).not.toThrow()
    expect(() => compile(bytes)).not.toThrow()
    expect(module.start).toBe(null)
    expect(indexSpaces(module).globals.at(-1)).toEqual({ type: 'i64', mutable: true })
  })

  it('moves gas as a double', () => {
    const log = () => 0
    const { exports } = runModule(instrumentModule(SAMPLE), {
      imports: { gas: { available: log }, debug: { log } },
    })
    const { gas_set, gas_get } = exports as unknown as { gas_set(milligas: number): void; gas_get(): number }
    gas_set(123_456_789_012)
    expect([exports.gas.value, gas_get()]).toEqual([123_456_789_012n, 123_456_789_012])
    gas_set(2 ** 63)
    expect(exports.gas.value).toBe(2n ** 63n - 1n)
  })

  it('comes with facts', () => {
    expect(facts).toMatchObject({
      memory: { minimum: 2, maximum: 9 },
      tableElements: 3,
      exportedTable: 3,
      invoke: { kind: 'function', imported: false, shape: { params: ['i32'], results: ['i32'] } },
      upgrade: { kind: 'missing' },
      hasStart: true,
      linearSites: 1,
    })
    expect(facts.imports.map(({ name, kind, shape }) => [name, kind, shape?.params.length])).toEqual([
      ['available', 'function', 1],
      ['log', 'function', 2],
    ])
  })
})

describe('entry points', () => {
  const entry = (text: string) => instrumentModule(wat(`(module ${text} (memory 1) (func))`)).facts.invoke

  it('may be missing, something else, an import, or of another type', () => {
    expect(entry('')).toEqual({ kind: 'missing' })
    expect(entry('(global (export "invoke") i32 (i32.const 0))')).toEqual({ kind: 'other' })
    expect(entry('(func (export "invoke") (import "a" "b") (param i32) (result i32))')).toMatchObject({
      imported: true,
    })
    expect(entry('(func (export "invoke") (param i64))')).toMatchObject({ shape: { params: ['i64'], results: [] } })
  })

  it('are memory and table under their names only', () => {
    const { facts } = instrumentModule(
      wat('(module (memory (export "m") 1) (func (export "memory")) (table 4 funcref))'),
    )
    expect([facts.memory, facts.tableElements, facts.exportedTable]).toEqual([null, 4, null])
  })
})

describe('load errors', () => {
  const type = [1, [1, 0x60, 0, 0]] as const
  const body = [10, [1, 2, 0, 0x0b]] as const
  it.each<[string, string, Uint8Array]>([
    ['BAD_MAGIC', 'text', new TextEncoder().encode('(module)')],
    ['TRUNCATED', 'no bytes', new Uint8Array()],
    ['NO_FUNCTION_SECTION', 'no function section', sections([5, [1, 0, 1]])],
    ['ACCEPTED', 'an empty function section', sections([3, [0]])],
    [
      'EXPRESSION_SEGMENT',
      'elements as expressions',
      sections(type, [3, [1, 0]], [9, [1, 5, 0x70, 1, 0xd2, 0, 0x0b]], body),
    ],
    ['ACCEPTED', 'no expressions', sections([3, [0]], [4, [1, 0x70, 0, 1]], [9, [1, 5, 0x70, 0]])],
    [
      'DATA_OFFSET',
      'data at a global',
      wat('(module (import "a" "b" (global i32)) (memory 1) (func) (data (global.get 0) "x"))'),
    ],
    [
      'INTERFACE_TYPES',
      'a last custom section of the removed kind',
      sections([0, [15, ...new TextEncoder().encode('webidl-bindings')]], type, [3, [1, 0]], body),
    ],
    [
      'IMPORTED_GLOBAL',
      'the gas counter as a global',
      wat('(module (import "gas" "gas_counter" (global (mut i64))) (func))'),
    ],
    [
      'IMPORTED_GLOBAL',
      'an imported global that is used',
      wat('(module (import "a" "b" (global i32)) (func (export "f") (drop (global.get 0))))'),
    ],
    ['BAD_OPCODE', 'ref.null in a body', wat('(module (func (drop (ref.null func))))')],
    [
      'BAD_OPCODE',
      'a typed select',
      wat('(module (func (drop (select (result i32) (i32.const 0) (i32.const 0) (i32.const 0)))))'),
    ],
    ['BAD_TYPE', 'SIMD', wat('(module (func (local v128)))')],
    ['BAD_OPCODE', 'a tail call', wat('(module (func $f return_call $f))')],
    ['TOO_MANY', 'two results', wat('(module (func (result i32 i32) i32.const 0 i32.const 0))')],
    ['BAD_CONSTANT', 'extended constants', wat('(module (global i32 (i32.add (i32.const 0) (i32.const 1))) (func))')],
    ['BAD_FLAGS', 'a shared memory', wat('(module (memory 1 1 shared) (func))')],
    ['BAD_OPCODE', 'an atomic', wat('(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))')],
    ['BAD_TYPE', 'externref', wat('(module (func (param externref)))')],
    [
      'TOO_MANY_LOCALS',
      'no room for the dynamic local',
      wat(`(module (memory 1) (func (param i32) (local ${'i32 '.repeat(49_999)}) (drop (memory.grow (local.get 0)))))`),
    ],
    [
      'ACCEPTED',
      'just enough room',
      wat(`(module (memory 1) (func (param i32) (local ${'i32 '.repeat(49_998)}) (drop (memory.grow (local.get 0)))))`),
    ],
  ])('%s: %s', (code, _, raw) => {
    expect(faultOf(() => compile(instrumentModule(raw).bytes))).toBe(code)
  })
})

it('answers hostile bytes with a coded error or a module that compiles', { timeout: 10_000 }, () => {
  const next = mulberry(20_260_217)
  for (let round = 0; round < 4000; round++) {
    const bytes = SAMPLE.slice(0, round % 3 === 0 ? 8 + (next() % (SAMPLE.length - 8)) : SAMPLE.length)
    for (let flips = next() % 4; flips > 0; flips--) bytes[8 + (next() % (bytes.length - 8 || 1))]! ^= 1 << (next() % 8)
    const fault = faultOf(() => compile(instrumentModule(bytes).bytes))
    expect(fault).toMatch(/^[A-Z][A-Z_0-9]+$/)
  }
})

/** Tommy Ettinger's mulberry32. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Metered blocks and linear sites of the genuine actors: spec/fvm.md, appendix B. */
// biome-ignore format: a table
const COUNTS: Readonly<Record<string, readonly (readonly [blocks: number, sites: number])[]>> = {
  v10: [
    [4892, 102], [9251, 176], [6802, 119], [6976, 120], [17_819, 286], [39_849, 555], [24_209, 432], [11_463, 190],
    [14_104, 254], [10_606, 193], [18_311, 304], [16_702, 376], [2, 0], [16_473, 336], [6821, 119], [3960, 78],
  ],
  v18: [
    [6130, 103], [10_513, 207], [8051, 137], [8182, 137], [17_064, 357], [47_795, 988], [28_556, 611], [12_548, 229],
    [15_579, 330], [11_248, 221], [20_968, 449], [17_119, 381], [2, 0], [19_482, 329], [6002, 144], [3347, 82],
  ],
}

const bundles = process.env['TROUPE_BUNDLES']

/** `TROUPE_BUNDLES` names a folder with `v10/builtin-actors-mainnet.car` and so on, as Lotus ships them (build/actors/v10.tar.zst). */
describe.skipIf(bundles === undefined)('genuine bundles', () => {
  const versions = bundles === undefined ? [] : readdirSync(bundles).filter((name) => /^v\d+$/.test(name))
  it.each(versions)('%s', { timeout: 120_000 }, (version) => {
    const modules = wasmBlocks(readFileSync(join(bundles!, version, 'builtin-actors-mainnet.car')))
    const counts = modules.map((raw) => {
      const { bytes, facts } = instrumentModule(raw)
      compile(bytes)
      return `${facts.blocks}/${facts.linearSites}`
    })
    const expected = COUNTS[version]?.map(([blocks, sites]) => `${blocks}/${sites}`)
    if (expected !== undefined) expect(counts.sort()).toEqual(expected.sort())
    expect(modules.length).toBe(16)
  })
})

/** The blocks of a CARv1 that are WebAssembly: length, CID (36 to 38 bytes here), data. */
function wasmBlocks(car: Uint8Array): Uint8Array[] {
  const modules: Uint8Array[] = []
  let offset = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = car[offset++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const headerSize = varint()
  offset += headerSize
  while (offset < car.length) {
    const end = varint() + offset
    const [, , , digest] = [varint(), varint(), varint(), varint()]
    const data = car.slice(offset + digest!, end)
    if (data[0] === 0x00 && data[1] === 0x61 && data[2] === 0x73 && data[3] === 0x6d) modules.push(data)
    offset = end
  }
  return modules
}
