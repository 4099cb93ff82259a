/**
 * What each instruction costs, in milligas.
 * @source spec/fvm.md 7.8 and appendix C (HYGGE and later; the same in every network version of those lines)
 */
import { OPCODE_SLOTS, OPCODES, opcodeSlot } from '../wasm/opcodes.ts'

export const INSTRUCTION_MILLIGAS = 4000

const FREE = new Set(['nop', 'block', 'loop', 'else', 'end', 'return', 'unreachable', 'drop'])

/** Milligas a page, a byte or an element, beside the instruction's own price. */
const LINEAR: Readonly<Record<string, number>> = {
  'memory.grow': 26_214_400,
  'memory.init': 400,
  'memory.copy': 400,
  'memory.fill': 400,
  'table.init': 3200,
  'table.copy': 3200,
  'table.fill': 3200,
  'table.grow': 3200,
}

/** By slot: the fixed price. */
export const FIXED_MILLIGAS: Float64Array = new Float64Array(OPCODE_SLOTS)
/** By slot: the price of a unit, 0 for instructions of fixed price. */
export const UNIT_MILLIGAS: Float64Array = new Float64Array(OPCODE_SLOTS)

for (const [code, name] of OPCODES) {
  FIXED_MILLIGAS[opcodeSlot(code)] = FREE.has(name) ? 0 : INSTRUCTION_MILLIGAS
  UNIT_MILLIGAS[opcodeSlot(code)] = LINEAR[name] ?? 0
}

/** The stack limiter's thirteen metered instructions around a direct call, the call itself included. */
export const LIMITED_CALL_MILLIGAS = 13 * INSTRUCTION_MILLIGAS

/** Height, in the limiter's units, above which a call traps. */
export const STACK_HEIGHT_MAX = 2048
