import { expect, test } from 'vitest'
import { wat } from '../../compiler/wasm/modules.ts'
import { coldStart, FIRST_ACTOR, messageOf, openWorld } from '../../fuzz/world.ts'

test.each([
  [0, 2, 3],
  [4, 1, 0],
  [0, 9, -4],
  [7, 3, -5],
])('reading from %i of five bytes into %i leaves %i', (offset, size, left) => {
  const code = wat(`(module
    (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
    (import "ipld" "block_read" (func $read (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 8) "hello")
    (func (export "invoke") (param i32) (result i32)
      (drop (call $create (i32.const 0) (i64.const 0x55) (i32.const 8) (i32.const 5)))
      (drop (call $read (i32.const 64) (i32.load (i32.const 0)) (i32.const ${offset}) (i32.const 96) (i32.const ${size})))
      (drop (call $create (i32.const 0) (i64.const 0x55) (i32.const 64) (i32.const 4)))
      (i32.load (i32.const 0))))`)
  const world = openWorld({ networkVersion: 21, debugging: false, codes: [code] }, coldStart(21))
  const message = { to: FIRST_ACTOR, method: 2n, params: new Uint8Array(), value: 0n, gasLimit: 50_000_000n }
  const { returnData } = world.applyMessage(messageOf(message, 0), 'explicit')
  expect(new DataView(returnData.buffer, returnData.byteOffset, 4).getInt32(0, true)).toBe(left)
})
