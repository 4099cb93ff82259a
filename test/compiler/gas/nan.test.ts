import { expect, it } from 'vitest'
import { NAN_F32, NAN_F64, NAN_RESULT } from '../../../compiler/gas/nan.ts'
import { OPCODES, opcodeSlot } from '../../../compiler/wasm/opcodes.ts'

it('canonicalises computed results of either width, and nothing that only moves bits', () => {
  const named = (result: number) =>
    OPCODES.filter(([code]) => NAN_RESULT[opcodeSlot(code)] === result).map(([, name]) => name.slice(4))
  const computed = ['ceil', 'floor', 'trunc', 'nearest', 'sqrt', 'add', 'sub', 'mul', 'div', 'min', 'max']
  expect(named(NAN_F32)).toEqual([...computed, 'demote_f64'])
  expect(named(NAN_F64)).toEqual([...computed, 'promote_f32'])
})
