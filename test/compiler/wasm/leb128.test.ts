import { describe, expect, it } from 'vitest'
import { openCursor, readName, readS32, readU32, skipS64, WasmDecodeError } from '../../../compiler/wasm/leb128.ts'

function cursorOf(...bytes: number[]) {
  return openCursor(Uint8Array.from(bytes), 0, bytes.length)
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof WasmDecodeError) return error.fault.code
    throw error
  }
  return 'NONE'
}

describe('unsigned 32 bits', () => {
  it.each([
    [[0x00], 0],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0x80, 0x80, 0x80, 0x80, 0x00], 0],
    [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffff_ffff],
  ])('reads %j', (bytes, value) => {
    expect(readU32(cursorOf(...bytes))).toBe(value)
  })

  it.each([
    [[], 'TRUNCATED'],
    [[0x80], 'TRUNCATED'],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 'OVERLONG_LEB128'],
    [[0x80, 0x80, 0x80, 0x80, 0x10], 'LEB128_OUT_OF_RANGE'],
  ])('refuses %j', (bytes, code) => {
    expect(codeOf(() => readU32(cursorOf(...bytes)))).toBe(code)
  })
})

describe('signed integers', () => {
  it.each([
    [[0x7f], -1],
    [[0x3f], 63],
    [[0x40], -64],
    [[0xff, 0x00], 127],
    [[0x80, 0x80, 0x80, 0x80, 0x78], -0x8000_0000],
    [[0xff, 0xff, 0xff, 0xff, 0x07], 0x7fff_ffff],
    [[0xff, 0xff, 0xff, 0xff, 0x7f], -1],
  ])('reads %j', (bytes, value) => {
    expect(readS32(cursorOf(...bytes))).toBe(value)
  })

  it('wants the unused bits to repeat the sign', () => {
    expect(codeOf(() => readS32(cursorOf(0xff, 0xff, 0xff, 0xff, 0x4f)))).toBe('LEB128_OUT_OF_RANGE')
    expect(codeOf(() => readS32(cursorOf(0x80, 0x80, 0x80, 0x80, 0x08)))).toBe('LEB128_OUT_OF_RANGE')
    const nine = new Array(9).fill(0x80)
    expect(codeOf(() => skipS64(cursorOf(...nine, 0x7f)))).toBe('NONE')
    expect(codeOf(() => skipS64(cursorOf(...nine, 0x01)))).toBe('LEB128_OUT_OF_RANGE')
    expect(codeOf(() => skipS64(cursorOf(...nine, 0x80, 0x00)))).toBe('OVERLONG_LEB128')
  })
})

describe('names', () => {
  it('are UTF-8 inside the bounds', () => {
    expect(readName(cursorOf(2, 0x6f, 0x6b))).toBe('ok')
    expect(readName(cursorOf(3, 0xef, 0xbb, 0xbf))).toBe('\ufeff')
    expect(codeOf(() => readName(cursorOf(1, 0xff)))).toBe('BAD_UTF8')
    expect(codeOf(() => readName(cursorOf(2, 0x6f)))).toBe('TRUNCATED')
    expect(codeOf(() => readName(cursorOf(0xa1, 0x8d, 0x06)))).toBe('NAME_TOO_LONG')
  })
})
