import { expect, it } from 'vitest'
import { FIXED_MILLIGAS, UNIT_MILLIGAS } from '../../../compiler/gas/rules.ts'
import { OPCODES, opcodeSlot } from '../../../compiler/wasm/opcodes.ts'

it('charges 4 gas for everything but the eight free instructions', () => {
  const free = OPCODES.filter(([code]) => FIXED_MILLIGAS[opcodeSlot(code)] === 0).map(([, name]) => name)
  expect(free).toEqual(['unreachable', 'nop', 'block', 'loop', 'else', 'end', 'return', 'drop'])
  expect(OPCODES.every(([code]) => [0, 4000].includes(FIXED_MILLIGAS[opcodeSlot(code)]!))).toBe(true)
})

it('has a price by length for eight instructions', () => {
  const linear = OPCODES.filter(([code]) => UNIT_MILLIGAS[opcodeSlot(code)] !== 0)
  expect(Object.fromEntries(linear.map(([code, name]) => [name, UNIT_MILLIGAS[opcodeSlot(code)]]))).toEqual({
    'memory.grow': 26_214_400,
    'memory.init': 400,
    'memory.copy': 400,
    'memory.fill': 400,
    'table.init': 3200,
    'table.copy': 3200,
    'table.grow': 3200,
    'table.fill': 3200,
  })
})
