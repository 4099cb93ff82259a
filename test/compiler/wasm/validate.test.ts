import { describe, expect, it } from 'vitest'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { validateModule } from '../../../compiler/wasm/validate.ts'
import { faultOf, sections } from './modules.ts'

const check = (bytes: Uint8Array) => faultOf(() => validateModule(readModule(bytes)))

describe('definitions', () => {
  const type = [1, [2, 0x60, 0, 0, 0x60, 1, 0x7f, 0]] as const
  it.each<[string, string, Uint8Array]>([
    ['UNKNOWN_TYPE', 'a function of no type', sections(type, [3, [1, 2]], [10, [1, 2, 0, 0x0b]])],
    ['BAD_LIMITS', 'minimum above maximum', sections([5, [1, 1, 2, 1]])],
    ['BAD_LIMITS', '65537 pages', sections([5, [1, 0, 0x81, 0x80, 0x04]])],
    ['ACCEPTED', '8192 pages', sections([5, [1, 0, 0x80, 0x40]])],
    ['TOO_MANY', '8193 pages', sections([5, [1, 0, 0x81, 0x40]])],
    ['ACCEPTED', '20000 table elements', sections([4, [1, 0x70, 0, 0xa0, 0x9c, 0x01]])],
    ['TOO_MANY', '20001 table elements', sections([4, [1, 0x70, 0, 0xa1, 0x9c, 0x01]])],
    ['TOO_MANY', 'two memories', sections([5, [2, 0, 1, 0, 1]])],
    ['TOO_MANY', 'two tables', sections([4, [2, 0x70, 0, 1, 0x70, 0, 1]])],
    ['TYPE_MISMATCH', 'an i32 global from an i64', sections([6, [1, 0x7f, 0, 0x42, 0, 0x0b]])],
    [
      'UNKNOWN_GLOBAL',
      'a global from a defined one',
      sections([6, [2, 0x7f, 0, 0x41, 0, 0x0b, 0x7f, 0, 0x23, 0, 0x0b]]),
    ],
    ['UNKNOWN_FUNCTION', 'an export of nothing', sections([7, [1, 1, 0x78, 0, 0]])],
    ['DUPLICATE_EXPORT', 'a name twice', sections([5, [1, 0, 1]], [7, [2, 1, 0x78, 2, 0, 1, 0x78, 2, 0]])],
    ['BAD_START', 'a start with a parameter', sections(type, [3, [1, 1]], [8, [0]], [10, [1, 2, 0, 0x0b]])],
    ['UNKNOWN_TABLE', 'elements without table', sections([9, [1, 0, 0x41, 0, 0x0b, 0]])],
    ['UNKNOWN_MEMORY', 'data without memory', sections([11, [1, 0, 0x41, 0, 0x0b, 0]])],
    ['TYPE_MISMATCH', 'data at an i64', sections([5, [1, 0, 1]], [11, [1, 0, 0x42, 0, 0x0b, 0]])],
  ])('%s: %s', (code, _, bytes) => {
    expect(check(bytes)).toBe(code)
  })
})
