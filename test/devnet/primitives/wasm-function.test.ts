import { expect, test } from 'vitest'
import { I64, instantiateFunction, leb, op, signedLeb } from '../../../devnet/primitives/wasm-function.ts'

test('a function reads and writes its page', () => {
  // memory[8] = memory[0] rotated left by the parameter, plus −1.
  const { memory, call } = instantiateFunction({
    parameters: 1,
    locals: [I64],
    code: [
      ...[op.i32Const, 0, op.load64, 3, 0, op.get, 0, op.extendUnsigned, op.rotateLeft, op.set, 1],
      ...[op.i32Const, 0, op.get, 1, op.i64Const, ...signedLeb(-1n), op.add64, op.store64, 3, ...leb(8)],
    ],
  })
  const words = new DataView(memory.buffer)
  words.setBigUint64(0, 0x8000_0000_0000_0001n, true)
  call(4)
  expect(words.getBigUint64(8, true)).toBe(0x17n)
})

test.each([
  [0n, [0x00]],
  [63n, [0x3f]],
  [64n, [0xc0, 0x00]],
  [-1n, [0x7f]],
  [-64n, [0x40]],
  [-65n, [0xbf, 0x7f]],
])('%s is written as %j', (value, bytes) => expect(signedLeb(value)).toEqual(bytes))
