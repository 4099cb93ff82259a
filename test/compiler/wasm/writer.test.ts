import { expect, it } from 'vitest'
import { openCursor, readS32, readU32 } from '../../../compiler/wasm/leb128.ts'
import { createSink, sinkBytes, writeS32, writeS64, writeU32 } from '../../../compiler/wasm/writer.ts'

function written(write: (sink: ReturnType<typeof createSink>) => void): number[] {
  const sink = createSink(1)
  write(sink)
  return [...sinkBytes(sink)]
}

it('writes the shortest form of 32-bit integers, which reads back', () => {
  for (const value of [0, 1, 63, 64, 127, 128, 8191, 8192, 0x7fff_ffff]) {
    for (const signed of [value, -value, -value - 1]) {
      const bytes = written((sink) => writeS32(sink, signed | 0))
      expect(readS32(openCursor(Uint8Array.from(bytes), 0, bytes.length))).toBe(signed | 0)
    }
    const bytes = written((sink) => writeU32(sink, value))
    expect(readU32(openCursor(Uint8Array.from(bytes), 0, bytes.length))).toBe(value)
  }
  expect(written((sink) => writeU32(sink, 0xffff_ffff))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f])
  expect(written((sink) => writeS32(sink, -64))).toEqual([0x40])
})

it('keeps the low 64 bits of large integers', () => {
  expect(written((sink) => writeS64(sink, 2 ** 32))).toEqual([0x80, 0x80, 0x80, 0x80, 0x10])
  expect(written((sink) => writeS64(sink, -1n))).toEqual([0x7f])
  expect(written((sink) => writeS64(sink, (1n << 64n) - 1n))).toEqual([0x7f])
  const lowest = new Array(9).fill(0x80)
  expect(written((sink) => writeS64(sink, 1n << 63n))).toEqual([...lowest, 0x7f])
})
