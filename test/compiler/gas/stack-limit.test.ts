import { describe, expect, it } from 'vitest'
import { stackCost } from '../../../compiler/gas/stack-limit.ts'
import { createInstructions, decodeCode } from '../../../compiler/wasm/code.ts'
import { indexSpaces } from '../../../compiler/wasm/module.ts'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { validateModule } from '../../../compiler/wasm/validate.ts'
import { faultOf, wat } from '../wasm/modules.ts'

/** Cost of the first function of a module that also has functions of one to four parameters, a memory and a table. */
function costOf(first: string): number {
  const module = readModule(
    wat(`(module (memory 1) (table 1 funcref) ${first}
      (func $one (param i32)) (func $two (param i32 i32)) (func $three (param i32 i32 i32)) (func $four (param i32 i32 i32 i32)))`),
  )
  validateModule(module)
  const code = createInstructions()
  decodeCode(module.bytes, module.bodies![0]!.code, code)
  const type = module.types[module.functions![0]!]!
  return stackCost({ types: module.types, spaces: indexSpaces(module) }, type, module.bodies![0]!.locals, code)
}

describe('the cost of a function', () => {
  it.each([
    ['an empty function', '(func)', 2],
    ['its value stack on top of two', '(func i32.const 1 i32.const 2 drop drop)', 4],
    ['parameters for nothing', '(func (param i32 i32 i32))', 2],
    ['groups of locals, not locals', '(func (local i32 i32 i32 i64 i32))', 5],
    ['a result as it lies on the stack', '(func (result i32) i32.const 1)', 3],
    ['arguments before the call', '(func i32.const 1 i32.const 2 call $two)', 4],
    [
      'the result of a block above what lay before',
      '(func (result i32) i32.const 1 (block (result i32) i32.const 2) i32.add)',
      4,
    ],
    ['no value of dead code', '(func unreachable i32.const 1 i32.const 1 i32.const 1 drop drop drop)', 2],
    ['values of a block opened in dead code', '(func unreachable (block i32.const 1 drop))', 3],
    [
      'dead code after else as before it',
      '(func i32.const 1 (if (then unreachable) (else i32.const 1 i32.const 1 drop drop)))',
      3,
    ],
  ])('counts %s', (_, text, cost) => {
    expect(costOf(text)).toBe(cost)
  })
})

describe('dead code at function level begins at height two', () => {
  it.each([
    ['a call of two ends at zero', 'unreachable call $two', 'ACCEPTED'],
    ['a call of three underflows', 'unreachable call $three', 'STACK_UNDERFLOW'],
    ['at zero, nothing is popped any more', 'unreachable call $two call $three', 'ACCEPTED'],
    ['memory.fill underflows', 'unreachable memory.fill', 'STACK_UNDERFLOW'],
    ['select pops two and one', 'unreachable select drop', 'ACCEPTED'],
    ['a store after a drop underflows', 'unreachable drop i32.store', 'STACK_UNDERFLOW'],
    ['drops take one at a time', 'unreachable drop drop drop drop', 'ACCEPTED'],
    ['three more lie below a block with one value', 'i32.const 1 (block unreachable call $three) drop', 'ACCEPTED'],
    ['but not four', 'i32.const 1 (block unreachable call $four) drop', 'ACCEPTED'],
    ['br_table leaves its index behind', 'i32.const 0 br_table 0 call $three', 'ACCEPTED'],
  ])('%s', (_, body, fault) => {
    expect(faultOf(() => costOf(`(func ${body})`))).toBe(fault)
  })
})
