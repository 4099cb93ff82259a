import { describe, expect, it } from 'vitest'
import { createInstructions, decodeCode } from '../../../compiler/wasm/code.ts'
import { ROW_OF_SLOT } from '../../../compiler/wasm/opcodes.ts'
import { faultOf } from './modules.ts'

function decode(...bytes: number[]) {
  const instructions = createInstructions(2)
  decodeCode(Uint8Array.from(bytes), { start: 0, end: bytes.length }, instructions)
  return instructions
}

it('finds instructions, their places and immediates', () => {
  const code = decode(0x41, 0x7f, 0x0e, 0x02, 0x00, 0x01, 0x03, 0xfc, 0x0b, 0x00, 0x29, 0x03, 0x80, 0x01, 0x0b)
  expect(Array.from(code.slots.subarray(0, code.count), (slot) => ROW_OF_SLOT[slot]?.[1])).toEqual([
    'i32.const',
    'br_table',
    'memory.fill',
    'i64.load',
    'end',
  ])
  expect([...code.starts.subarray(0, code.count + 1)]).toEqual([0, 2, 7, 10, 14, 15])
  expect(code.first[0]).toBe(-1)
  expect(code.labels).toEqual([0, 1, 3])
  expect(code.second[1]).toBe(2)
  expect(code.second[3]).toBe(3)
})

describe('refuses', () => {
  it.each<[string, number[]]>([
    ['BAD_OPCODE', [0xff]],
    ['BAD_OPCODE', [0x06, 0x40]],
    ['BAD_OPCODE', [0x12, 0x00]],
    ['BAD_OPCODE', [0x1c, 0x01, 0x7f]],
    ['BAD_OPCODE', [0xd0, 0x70]],
    ['BAD_OPCODE', [0xfd, 0x0c]],
    ['BAD_OPCODE', [0xfe, 0x03, 0x00]],
    ['BAD_OPCODE', [0xfc, 0x12]],
    ['BAD_OPCODE', [0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['BAD_TYPE', [0x02, 0x00]],
    ['BAD_TYPE', [0x02, 0xff, 0x7f]],
    ['BAD_IMMEDIATE', [0x40, 0x80, 0x00]],
    ['BAD_IMMEDIATE', [0x28, 0x20, 0x00]],
    ['TRUNCATED', [0x43, 0x00, 0x00]],
    ['TRUNCATED', [0x0e, 0x05, 0x00]],
    ['TOO_MANY', [0x0e, 0xf1, 0xff, 0x03]],
  ])('%s %j', (code, bytes) => {
    expect(faultOf(() => decode(...bytes))).toBe(code)
  })
})

it('takes an overlong table index and prefixed opcode', () => {
  expect(decode(0x11, 0x00, 0x80, 0x00).count).toBe(1)
  expect(decode(0xfc, 0x8b, 0x00, 0x00).slots[0]).toBe(0x10b)
})
