import { expect, it } from 'vitest'
import { OP, OPCODES, opcodeSlot, ROW_OF_SLOT } from '../../../compiler/wasm/opcodes.ts'

it('gives each instruction one row, one slot and one name', () => {
  expect(new Set(OPCODES.map(([code]) => opcodeSlot(code))).size).toBe(OPCODES.length)
  expect(new Set(OPCODES.map(([, name]) => name)).size).toBe(OPCODES.length)
  for (const row of OPCODES) expect(ROW_OF_SLOT[opcodeSlot(row[0])]).toBe(row)
})

it('names the slots that code asks for as the table does', () => {
  const bare = (name: string | undefined) => name?.replace(/[._]/g, '').toLowerCase()
  for (const [name, slot] of Object.entries(OP)) expect(bare(ROW_OF_SLOT[slot]?.[1])).toBe(bare(name))
})
