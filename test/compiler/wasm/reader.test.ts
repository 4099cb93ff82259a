import { describe, expect, it } from 'vitest'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { faultOf, sections, wat } from './modules.ts'

describe('a whole module', () => {
  const module = readModule(
    wat(`(module
      (import "self" "root" (func (param i32 i32 i32) (result i32)))
      (memory (export "memory") 2 9) (table 3 funcref)
      (global (mut i64) (i64.const 5)) (global funcref (ref.func 1))
      (func (export "invoke") (param i32) (result i32) (local i32 i32 f64) local.get 0)
      (func $start) (start $start)
      (elem (i32.const 1) 1 2) (elem declare func 1) (elem func 2)
      (data (i32.const 8) "abc") (data "passive"))`),
  )

  it('has what the text says', () => {
    expect(module.imports[0]).toMatchObject({ module: 'self', name: 'root', extern: { kind: 'function' } })
    expect(module.memories).toEqual([{ minimum: 2, maximum: 9 }])
    expect(module.tables).toEqual([{ minimum: 3, maximum: null }])
    expect(module.globals.map(({ global, initial }) => [global.type, global.mutable, initial.kind])).toEqual([
      ['i64', true, 'number'],
      ['funcref', false, 'function'],
    ])
    expect(module.exports.map(({ name, kind, index }) => [name, kind, index])).toEqual([
      ['memory', 'memory', 0],
      ['invoke', 'function', 1],
    ])
    expect(module.start?.index).toBe(2)
    expect(module.elements.map(({ mode, active }) => [mode, active?.target])).toEqual([
      ['active', 0],
      ['declared', undefined],
      ['passive', undefined],
    ])
    expect(module.data.map(({ active, bytes }) => [active === null, bytes.end - bytes.start])).toEqual([
      [false, 3],
      [true, 7],
    ])
    expect(module.bodies?.[0]?.locals).toEqual([
      { count: 2, type: 'i32' },
      { count: 1, type: 'f64' },
    ])
  })

  it('refuses every truncation with a code', () => {
    for (let size = 0; size < module.bytes.length; size++) {
      const fault = faultOf(() => readModule(module.bytes.slice(0, size)))
      // A cut between sections can leave a module; the validator and the counts see to the rest.
      if (size > 8) expect(fault).toMatch(/^[A-Z_0-9]+$/)
      else expect(size === 8 ? 'ACCEPTED' : 'TRUNCATED').toBe(fault)
    }
  })
})

describe('refusals', () => {
  it.each<[string, Uint8Array]>([
    ['BAD_MAGIC', Uint8Array.of(0, 0x61, 0x73, 0x6e)],
    ['BAD_VERSION', Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)],
    ['BAD_VERSION', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)],
    ['BAD_SECTION_ID', sections([13, [0]])],
    ['BAD_SECTION_ID', sections([0x80, []])],
    ['SECTION_ORDER', sections([3, [0]], [1, [0]])],
    ['SECTION_ORDER', sections([1, [0]], [1, [0]])],
    ['SECTION_ORDER', sections([10, [0]], [12, [0]])],
    ['SECTION_SIZE', sections([1, [0, 0]])],
    ['TRUNCATED', sections([0, []])],
    ['BAD_TYPE', sections([1, [1, 0x60, 1, 0x7b, 0]])],
    ['BAD_TYPE', sections([1, [1, 0x60, 1, 0x6f, 0]])],
    ['BAD_TYPE', sections([1, [1, 0x60, 1, 0x63, 0x70, 0]])],
    ['BAD_TYPE', sections([1, [1, 0x50, 0, 0x60, 0, 0]])],
    ['TOO_MANY', sections([1, [1, 0x60, 0, 2, 0x7f, 0x7f]])],
    ['BAD_TYPE', sections([4, [1, 0x40, 0, 0x70, 0, 0, 0xd0, 0x70, 0x0b]])],
    ['BAD_FLAGS', sections([5, [1, 3, 1, 1]])],
    ['BAD_FLAGS', sections([5, [1, 4, 1]])],
    ['BAD_FLAGS', sections([6, [1, 0x7f, 2, 0x41, 0, 0x0b]])],
    ['BAD_CONSTANT', sections([6, [1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b]])],
    ['BAD_CONSTANT', sections([6, [1, 0x7f, 0, 0xfd, 0x0b]])],
    ['BAD_KIND', sections([7, [1, 1, 0x78, 4, 0]])],
    ['BAD_FLAGS', sections([9, [1, 8]])],
    ['COUNT_MISMATCH', sections([1, [1, 0x60, 0, 0]], [3, [1, 0]])],
    ['COUNT_MISMATCH', sections([12, [1]])],
  ])('%s', (code, bytes) => {
    expect(faultOf(() => readModule(bytes))).toBe(code)
  })
})

it('remembers the last custom section', () => {
  expect(readModule(sections([0, [1, 0x61]], [1, [0]], [0, [1, 0x62, 0xff]])).lastCustomName).toBe('b')
})
