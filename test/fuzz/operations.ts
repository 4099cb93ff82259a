/** Instructions by what they take and give, to choose from. What would tell one NaN from another is left out. */
import type { ValueType } from './wasm.ts'

export const TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']

type Unary = readonly (readonly [op: number, from: ValueType])[]

const from = (type: ValueType, ...ops: readonly number[]): Unary => ops.map((op) => [op, type])

/** By what they give. */
export const UNARY: Readonly<Record<ValueType, Unary>> = {
  i32: [
    ...from('i32', 0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1),
    ...from('i64', 0x50, 0xa7),
    ...from('f32', 0xa8, 0x100, 0x101),
    ...from('f64', 0xab, 0x102, 0x103),
  ],
  i64: [
    ...from('i64', 0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4),
    ...from('i32', 0xac, 0xad),
    ...from('f32', 0x104, 0x105),
    ...from('f64', 0xb0, 0x106, 0x107),
  ],
  f32: [...from('f32', 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91), ...from('i32', 0xb2, 0xb3), ...from('f64', 0xb6)],
  f64: [
    ...from('f64', 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f),
    ...from('i32', 0xb7, 0xb8),
    ...from('i64', 0xb9),
    ...from('f32', 0xbb),
  ],
}

/** Of two of a kind, the same kind. */
export const BINARY: Readonly<Record<ValueType, readonly [first: number, count: number]>> = {
  i32: [0x6a, 15],
  i64: [0x7c, 15],
  f32: [0x92, 6],
  f64: [0xa0, 6],
}

export const COMPARISONS: readonly (readonly [first: number, count: number, of: ValueType])[] = [
  [0x46, 10, 'i32'],
  [0x51, 10, 'i64'],
  [0x5b, 6, 'f32'],
  [0x61, 6, 'f64'],
]

type Access = readonly (readonly [op: number, sizeExponent: number])[]

// biome-ignore format: a table
export const LOADS: Readonly<Record<'i32' | 'i64', Access>> = {
  i32: [[0x28, 2], [0x2c, 0], [0x2d, 0], [0x2e, 1], [0x2f, 1]],
  i64: [[0x29, 3], [0x30, 0], [0x31, 0], [0x32, 1], [0x33, 1], [0x34, 2], [0x35, 2]],
}

// biome-ignore format: a table
export const STORES: Readonly<Record<'i32' | 'i64', Access>> = {
  i32: [[0x36, 2], [0x3a, 0], [0x3b, 1]],
  i64: [[0x37, 3], [0x3c, 0], [0x3d, 1], [0x3e, 2]],
}
