import { describe, expect, it } from 'vitest'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { validateModule } from '../../../compiler/wasm/validate.ts'
import { faultOf, sections } from './modules.ts'

/** A module of one function () → `results` with these instructions, a memory, a table and a global of each mutability. */
function withBody(results: readonly number[], ...code: number[]): Uint8Array {
  const body = [1, 2, 0x7f, ...code, 0x0b]
  return sections(
    [1, [2, 0x60, 0, results.length, ...results, 0x60, 1, 0x7e, 1, 0x7d]],
    [3, [1, 0]],
    [4, [1, 0x70, 0, 1]],
    [5, [1, 0, 1]],
    [6, [2, 0x7f, 0, 0x41, 0, 0x0b, 0x7e, 1, 0x42, 0, 0x0b]],
    [10, [1, body.length, ...body]],
  )
}

const I32 = [0x7f]
const check = (bytes: Uint8Array) => faultOf(() => validateModule(readModule(bytes)))

describe('bodies', () => {
  it.each<[string, string, readonly number[], number[]]>([
    ['ACCEPTED', 'a result', I32, [0x41, 0]],
    ['TYPE_MISMATCH', 'a missing result', I32, []],
    ['TYPE_MISMATCH', 'a result of another type', I32, [0x42, 0]],
    ['TYPE_MISMATCH', 'a value too many', [], [0x41, 0]],
    ['TYPE_MISMATCH', 'operands of another type', I32, [0x41, 0, 0x42, 0, 0x6a]],
    ['TYPE_MISMATCH', 'a value from outside the block', I32, [0x41, 0, 0x02, 0x40, 0x1a, 0x0b, 0x41, 0]],
    ['ACCEPTED', 'anything from dead code', I32, [0x00, 0x6a]],
    ['TYPE_MISMATCH', 'a wrong type in dead code', I32, [0x00, 0x42, 0, 0x6a]],
    ['ACCEPTED', 'a select of unknowns', I32, [0x00, 0x1b]],
    ['TYPE_MISMATCH', 'a select of two types', I32, [0x41, 0, 0x42, 0, 0x41, 0, 0x1b]],
    ['TYPE_MISMATCH', 'a select of references', [], [0x41, 0, 0x25, 0, 0x41, 0, 0x25, 0, 0x41, 0, 0x1b, 0x1a]],
    ['ACCEPTED', 'both arms leaving a value', I32, [0x41, 0, 0x04, 0x7f, 0x41, 0, 0x05, 0x41, 1, 0x0b]],
    ['TYPE_MISMATCH', 'an if with a value and no else', I32, [0x41, 0, 0x04, 0x7f, 0x41, 0, 0x0b]],
    ['UNBALANCED', 'an else without if', [], [0x02, 0x40, 0x05, 0x0b]],
    ['UNBALANCED', 'two elses', [], [0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b]],
    ['UNBALANCED', 'an open block', [], [0x02, 0x40]],
    ['UNBALANCED', 'code after the end', [], [0x0b, 0x01]],
    ['ACCEPTED', 'a branch with its value', I32, [0x41, 0, 0x0c, 0]],
    ['TYPE_MISMATCH', 'a branch without its value', I32, [0x0c, 0]],
    ['ACCEPTED', 'a loop label without value', I32, [0x03, 0x7f, 0x0c, 0, 0x0b]],
    ['UNKNOWN_LABEL', 'a label too far out', [], [0x0c, 1]],
    ['ACCEPTED', 'a table of labels', I32, [0x41, 0, 0x41, 0, 0x0e, 1, 0, 0]],
    ['TYPE_MISMATCH', 'labels of two arities', I32, [0x02, 0x40, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x41, 0]],
    ['ACCEPTED', 'labels of two types, unreached', I32, [0x02, 0x7e, 0x00, 0x0e, 1, 0, 1, 0x0b, 0x1a, 0x41, 0]],
    ['TYPE_MISMATCH', 'labels of two types', I32, [0x02, 0x7e, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x1a, 0x41, 0]],
    ['UNKNOWN_FUNCTION', 'a call of nothing', [], [0x10, 1]],
    ['UNKNOWN_TYPE', 'an indirect call of no type', [], [0x41, 0, 0x11, 2, 0]],
    ['UNKNOWN_TABLE', 'an indirect call through no table', [], [0x41, 0, 0x11, 0, 1]],
    ['TYPE_MISMATCH', 'an indirect call without arguments', [], [0x41, 0, 0x11, 1, 0, 0x1a]],
    ['ACCEPTED', 'an indirect call', [], [0x42, 0, 0x41, 0, 0x11, 1, 0, 0x1a]],
    ['UNKNOWN_LOCAL', 'a local too many', [], [0x20, 2, 0x1a]],
    ['UNKNOWN_GLOBAL', 'a global too many', [], [0x23, 2, 0x1a]],
    ['IMMUTABLE_GLOBAL', 'an immutable global set', [], [0x41, 0, 0x24, 0]],
    ['ACCEPTED', 'a mutable global set', [], [0x42, 0, 0x24, 1]],
    ['BAD_ALIGNMENT', 'more than natural alignment', I32, [0x41, 0, 0x28, 3, 0]],
    ['UNKNOWN_MEMORY', 'a second memory', [], [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 1]],
    ['UNKNOWN_TABLE', 'a second table', I32, [0xfc, 0x10, 1]],
    ['NO_DATA_COUNT', 'data.drop without data count', [], [0xfc, 0x09, 0]],
    ['UNKNOWN_SEGMENT', 'elem.drop of nothing', [], [0xfc, 0x0d, 0]],
  ])('%s: %s', (code, _, results, instructions) => {
    expect(check(withBody(results, ...instructions))).toBe(code)
  })
})

it('counts parameters among the 50000 locals', () => {
  const locals = (count: number) => [(count & 0x7f) | 0x80, ((count >> 7) & 0x7f) | 0x80, count >> 14]
  const module = (count: number) =>
    sections([1, [1, 0x60, 1, 0x7f, 0]], [3, [1, 0]], [10, [1, 6, 1, ...locals(count), 0x7f, 0x0b]])
  expect(check(module(49_999))).toBe('ACCEPTED')
  expect(check(module(50_000))).toBe('TOO_MANY')
})
