import { expect, test } from 'vitest'
import wabtInit from 'wabt'
import { watchModule } from '../../../compiler/gas/instrument.ts'

const DIVIDES = `(module
  (memory (export "memory") 1)
  (func $divide (param i32) (result i32)
    (if (result i32) (i32.gt_u (local.get 0) (i32.const 9))
      (then (i32.const 1))
      (else (i32.div_u (i32.const 100) (local.get 0)))))
  (func (export "invoke") (param i32) (result i32)
    (i32.add (call $divide (local.get 0)) (i32.const 1))))`

async function compile(wat: string): Promise<Uint8Array> {
  const wabt = await wabtInit()
  const module = wabt.parseWat('test.wat', wat)
  const { buffer } = module.toBinary({})
  module.destroy()
  return buffer
}

async function open() {
  const raw = await compile(DIVIDES)
  const watched = watchModule(raw)
  const told: number[] = []
  const instance = new WebAssembly.Instance(new WebAssembly.Module(watched.bytes), {
    troupe: { tell: (block: number) => told.push(block) },
  })
  return { raw, watched, told, exports: instance.exports as { invoke(x: number): number; gas: WebAssembly.Global } }
}

test('a watched module computes as before, for nothing, and tells of the blocks it runs', async () => {
  const { exports, told, watched } = await open()
  expect(exports.invoke(10)).toBe(2)
  const short = told.splice(0)
  expect(exports.invoke(5)).toBe(21)
  expect(told).toHaveLength(short.length)
  expect(told).not.toEqual(short)
  expect(exports.gas.value).toBe(0n)
  expect([...watched.blocks].sort((a, b) => a - b)).toEqual([...watched.blocks])
  expect(new Set([...short, ...told]).size).toBe(watched.blocks.length)
})

test('the frames of a trap lead to the instructions of the raw module', async () => {
  const { raw, exports, watched } = await open()
  let stack = ''
  try {
    exports.invoke(0)
  } catch (error) {
    stack = (error as Error).stack!
  }
  const frames = [...stack.matchAll(/wasm-function\[(\d+)\]:0x([0-9a-f]+)/g)].map(([, index, offset]) => ({
    index: Number(index) - watched.functionShift,
    instruction: raw[watched.rawOffset(Number.parseInt(offset!, 16)) ?? -1],
  }))
  const [I32_DIV_U, CALL] = [0x6e, 0x10]
  expect(frames.slice(0, 2)).toEqual([
    { index: 0, instruction: I32_DIV_U },
    { index: 1, instruction: CALL },
  ])
})
