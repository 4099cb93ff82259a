import { expect, it } from 'vitest'
import { indexSpaces } from '../../../compiler/wasm/module.ts'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { wat } from './modules.ts'

it('puts imports before definitions in every index space', () => {
  const spaces = indexSpaces(
    readModule(
      wat(`(module (import "a" "f" (func (param i64))) (import "a" "g" (global f32)) (import "a" "m" (memory 3))
        (table 2 5 funcref) (global (mut i32) (i32.const 0)) (func) (func (param i64)))`),
    ),
  )
  expect(spaces.functions).toEqual([0, 1, 0])
  expect(spaces.globals).toEqual([
    { type: 'f32', mutable: false },
    { type: 'i32', mutable: true },
  ])
  expect(spaces.memories).toEqual([{ minimum: 3, maximum: null }])
  expect(spaces.tables).toEqual([{ minimum: 2, maximum: 5 }])
  expect([spaces.importedFunctions, spaces.importedGlobals, spaces.importedMemories, spaces.importedTables]).toEqual([
    1, 1, 1, 0,
  ])
})
