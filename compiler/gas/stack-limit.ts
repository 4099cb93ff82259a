/**
 * Pass S: what a call of each function adds to the stack height, and the code around calls that counts it. The height is not a property
 * of the program but of the reference's algorithm, odd corners included: dead code can make a valid module fail.
 * @source fvm-wasm-instrument 0.4.0, `stack_limiter`; spec/fvm.md 8.4
 */
import type { Instructions } from '../wasm/code.ts'
import type { FunctionType, IndexSpaces, LocalGroup } from '../wasm/module.ts'
import { OP, OPCODE_SLOTS, ROW_OF_SLOT } from '../wasm/opcodes.ts'
import { InstrumentError } from './fault.ts'

/** What an activation costs before it holds anything. */
const FRAME_HEIGHT = 2

/** Values popped at once, then pushed, by instructions whose types depend on nothing but the opcode. */
const POPPED = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => stackOf(slot)[0].length)
const PUSHED = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => stackOf(slot)[1].length)

function stackOf(slot: number): readonly [pops: string, pushes: string] {
  switch (slot) {
    case OP.localGet:
    case OP.globalGet:
      return ['', '*']
    case OP.localSet:
    case OP.globalSet:
    case OP.drop:
      return ['*', '']
    case OP.localTee:
      return ['*', '*']
    default: {
      const [pops, pushes] = (ROW_OF_SLOT[slot]?.[3] ?? 'control').split(':')
      return pushes === undefined ? ['', ''] : [pops!, pushes]
    }
  }
}

const CONTROL = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const simple = slot === OP.drop || (slot >= OP.localGet && slot <= OP.globalSet)
  return ROW_OF_SLOT[slot]?.[3] === 'control' && !simple ? 1 : 0
})

interface Frame {
  polymorphic: boolean
  readonly endArity: number
  readonly branchArity: number
  readonly start: number
}

interface Stack {
  height: number
  readonly frames: Frame[]
  offset: number
}

/** What the algorithm looks up about the module. */
export interface CallTypes {
  readonly types: readonly FunctionType[]
  readonly spaces: IndexSpaces
}

/** Height a call of the function adds: local groups (not locals) and the greatest height of its value stack. */
export function stackCost(
  { types, spaces }: CallTypes,
  type: FunctionType,
  locals: readonly LocalGroup[],
  code: Instructions,
): number {
  const arity = type.results.length
  const stack: Stack = {
    height: FRAME_HEIGHT,
    frames: [{ polymorphic: false, endArity: arity, branchArity: arity, start: 0 }],
    offset: 0,
  }
  let greatest = 0
  const { count, slots, first } = code
  for (let at = 0; at < count; at++) {
    const slot = slots[at]!
    stack.offset = code.starts[at]!
    if (stack.height > greatest && !topFrame(stack).polymorphic) greatest = stack.height
    if (CONTROL[slot] === 0) {
      pop(stack, POPPED[slot]!)
      stack.height += PUSHED[slot]!
    } else if (slot === OP.call) {
      passCall(stack, types[spaces.functions[first[at]!]!]!)
    } else if (slot === OP.callIndirect) {
      pop(stack, 1)
      passCall(stack, types[first[at]!]!)
    } else {
      passControl(stack, slot, at, code)
    }
  }
  return locals.length + greatest
}

function topFrame(stack: Stack): Frame {
  return stack.frames[stack.frames.length - 1]!
}

/** At the frame's start a polymorphic frame gives whatever is asked for; below its start it takes from the frames beneath. */
function pop(stack: Stack, count: number): void {
  if (count === 0) return
  const top = topFrame(stack)
  if (stack.height === top.start) {
    if (top.polymorphic) return
    throw new InstrumentError('STACK_UNDERFLOW', stack.offset)
  }
  if (stack.height < count) throw new InstrumentError('STACK_UNDERFLOW', stack.offset)
  stack.height -= count
}

function passCall(stack: Stack, type: FunctionType): void {
  pop(stack, type.params.length)
  stack.height += type.results.length
}

function branchArity(stack: Stack, label: number): number {
  return stack.frames[stack.frames.length - 1 - label]!.branchArity
}

function passControl(stack: Stack, slot: number, at: number, code: Instructions): void {
  const first = code.first[at]!
  switch (slot) {
    case OP.block:
    case OP.loop:
    case OP.if: {
      const endArity = first === 0x40 ? 0 : 1
      if (slot === OP.if) pop(stack, 1)
      const start = stack.height
      stack.frames.push({ polymorphic: false, endArity, branchArity: slot === OP.loop ? 0 : endArity, start })
      break
    }
    case OP.end: {
      const frame = stack.frames.pop()!
      stack.height = frame.start + frame.endArity
      break
    }
    case OP.unreachable:
      topFrame(stack).polymorphic = true
      break
    case OP.br:
      pop(stack, branchArity(stack, first))
      topFrame(stack).polymorphic = true
      break
    case OP.brIf: {
      const arity = branchArity(stack, first)
      pop(stack, arity)
      pop(stack, 1)
      stack.height += arity
      break
    }
    case OP.brTable:
      pop(stack, tableArity(stack, first, code.second[at]!, code.labels))
      topFrame(stack).polymorphic = true
      break
    case OP.return:
      pop(stack, stack.frames[0]!.branchArity)
      topFrame(stack).polymorphic = true
      break
    case OP.select:
      pop(stack, 2)
      pop(stack, 1)
      stack.height += 1
  }
}

/** The index on top is not popped: so the reference. */
function tableArity(stack: Stack, start: number, count: number, labels: readonly number[]): number {
  const arity = branchArity(stack, labels[start + count]!)
  for (let index = start; index < start + count; index++) {
    if (branchArity(stack, labels[index]!) !== arity) throw new InstrumentError('BRANCH_ARITY', stack.offset)
  }
  return arity
}
