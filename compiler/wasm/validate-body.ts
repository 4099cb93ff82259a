/**
 * Complete type checking of a body, dead code included: the validation algorithm over the columns of its instructions.
 * @source WebAssembly core specification 2.0, 3.3 and appendix A.3; limits of wasmparser 0.236
 */
import type { Instructions } from './code.ts'
import type { Body, IndexSpaces, Module, ValueType } from './module.ts'
import { OP, OPCODE_SLOTS, ROW_OF_SLOT } from './opcodes.ts'

export type ValidationCode =
  | 'UNKNOWN_TYPE'
  | 'UNKNOWN_FUNCTION'
  | 'UNKNOWN_TABLE'
  | 'UNKNOWN_MEMORY'
  | 'UNKNOWN_GLOBAL'
  | 'UNKNOWN_LOCAL'
  | 'UNKNOWN_LABEL'
  | 'UNKNOWN_SEGMENT'
  | 'TYPE_MISMATCH'
  | 'IMMUTABLE_GLOBAL'
  | 'NOT_CONSTANT'
  | 'BAD_ALIGNMENT'
  | 'BAD_LIMITS'
  | 'BAD_START'
  | 'DUPLICATE_EXPORT'
  | 'NO_DATA_COUNT'
  | 'UNBALANCED'
  | 'TOO_MANY'

export interface ValidationFault {
  readonly code: ValidationCode
  readonly offset: number
}

/** The bytes are a module, but one that breaks a rule. Offsets count bytes from the module's start. */
export class WasmValidationError extends Error {
  override readonly name = 'WasmValidationError'
  readonly fault: ValidationFault
  constructor(code: ValidationCode, offset: number) {
    super(`${code} at byte ${offset}`)
    this.fault = { code, offset }
  }
}

/** Locals of a function, parameters included. */
export const LOCALS_MAX = 50_000

/** Value types as numbers; `ANY` is what unreachable code finds on the stack. */
const ANY = 0
const I32 = 1
const REF = 5
const NOTHING = 0
const NUMBER_OF_TYPE: Readonly<Record<ValueType, number>> = { i32: I32, i64: 2, f32: 3, f64: 4, funcref: REF }
const TYPE_LETTERS = ' iIfFr'

/** What a block-type byte leaves: a value type's number, or nothing. */
export function blockResult(byte: number): number {
  switch (byte) {
    case 0x7f:
      return I32
    case 0x7e:
      return 2
    case 0x7d:
      return 3
    case 0x7c:
      return 4
    case 0x70:
      return REF
    default:
      return NOTHING
  }
}

/** Stack types of the plain instructions: pops from the top downwards, then the push. `null` where it depends on more. */
const POPS: readonly (Uint8Array | null)[] = Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const stack = ROW_OF_SLOT[slot]?.[3]
  if (stack === undefined || stack === 'control') return null
  const [pops] = stack.split(':')
  return Uint8Array.from([...pops!].reverse(), (letter) => TYPE_LETTERS.indexOf(letter))
})
const PUSHES = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const push = ROW_OF_SLOT[slot]?.[3].split(':')[1]
  return push === undefined || push === '' ? NOTHING : TYPE_LETTERS.indexOf(push)
})

/** How an instruction's indices are checked. */
const CHECK = { none: 0, memoryAccess: 1, memory: 2, table: 3, segment: 4 } as const
const CHECKS = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  switch (ROW_OF_SLOT[slot]?.[2]) {
    case 'memory1':
    case 'memory2':
    case 'memory4':
    case 'memory8':
      return CHECK.memoryAccess
    case 'zero':
    case 'memory':
    case 'memoryMemory':
      return CHECK.memory
    case 'table':
    case 'tableTable':
      return CHECK.table
    case 'dataMemory':
    case 'data':
    case 'elementTable':
    case 'element':
      return CHECK.segment
    default:
      return CHECK.none
  }
})
const ALIGNMENTS = Uint8Array.from({ length: OPCODE_SLOTS }, (_, slot) => {
  const immediate = ROW_OF_SLOT[slot]?.[2] ?? 'none'
  return immediate.startsWith('memory') ? ['memory1', 'memory2', 'memory4', 'memory8'].indexOf(immediate) : 0
})

/** The algorithm's state, shared by the bodies of one module. */
export interface BodyChecker {
  readonly module: Module
  readonly spaces: IndexSpaces
  /** Types as numbers, once for each function type. */
  readonly params: readonly Uint8Array[]
  readonly results: Uint8Array
  readonly locals: Uint8Array
  values: Uint8Array
  height: number
  /** Control frames as columns. */
  readonly kinds: number[]
  readonly frameResults: number[]
  readonly frameHeights: number[]
  readonly dead: boolean[]
  offset: number
}

/** A checker for the bodies of `module`, whose definitions have been validated. */
export function createBodyChecker(module: Module, spaces: IndexSpaces): BodyChecker {
  return {
    module,
    spaces,
    params: module.types.map(({ params }) => Uint8Array.from(params, (type) => NUMBER_OF_TYPE[type])),
    results: Uint8Array.from(module.types, ({ results: [result] }) =>
      result === undefined ? NOTHING : NUMBER_OF_TYPE[result],
    ),
    locals: new Uint8Array(LOCALS_MAX),
    values: new Uint8Array(1024),
    height: 0,
    kinds: [],
    frameResults: [],
    frameHeights: [],
    dead: [],
    offset: 0,
  }
}

/** Type-checks the body of the defined function `index`. */
export function validateBody(checker: BodyChecker, index: number, body: Body, instructions: Instructions): void {
  const { spaces } = checker
  const typeIndex = spaces.functions[spaces.importedFunctions + index]!
  const localCount = declareLocals(checker, typeIndex, body)
  checker.height = 0
  checker.kinds.length = checker.frameResults.length = checker.frameHeights.length = checker.dead.length = 0
  if (checker.values.length < instructions.count + 2) checker.values = new Uint8Array(instructions.count + 2)
  pushFrame(checker, OP.block, checker.results[typeIndex]!)
  const { count, slots, starts, first } = instructions
  for (let at = 0; at < count; at++) {
    const slot = slots[at]!
    checker.offset = starts[at]!
    if (checker.kinds.length === 0) throw fault(checker, 'UNBALANCED')
    const pops = POPS[slot]!
    if (pops !== null) {
      if (CHECKS[slot] !== CHECK.none) checkIndices(checker, slot, at, instructions)
      for (let position = 0; position < pops.length; position++) pop(checker, pops[position]!)
      if (PUSHES[slot] !== NOTHING) push(checker, PUSHES[slot]!)
    } else if (slot >= OP.localGet && slot <= OP.localTee) {
      const local = first[at]! >>> 0
      if (local >= localCount) throw fault(checker, 'UNKNOWN_LOCAL')
      if (slot !== OP.localGet) pop(checker, checker.locals[local]!)
      if (slot !== OP.localSet) push(checker, checker.locals[local]!)
    } else {
      checkControl(checker, slot, at, instructions)
    }
  }
  checker.offset = body.code.end
  if (checker.kinds.length > 0) throw fault(checker, 'UNBALANCED')
}

/** Parameters, then locals group by group; their number. */
function declareLocals(checker: BodyChecker, typeIndex: number, body: Body): number {
  const params = checker.params[typeIndex]!
  checker.locals.set(params)
  let count = params.length
  for (const group of body.locals) {
    if (group.count > LOCALS_MAX - count) throw new WasmValidationError('TOO_MANY', body.code.start)
    checker.locals.fill(NUMBER_OF_TYPE[group.type], count, count + group.count)
    count += group.count
  }
  return count
}

function fault(checker: BodyChecker, code: ValidationCode): WasmValidationError {
  return new WasmValidationError(code, checker.offset)
}

function push(checker: BodyChecker, type: number): void {
  checker.values[checker.height++] = type
}

/** Takes a value of `expected` type (`ANY`: of whichever) and answers its type. */
function pop(checker: BodyChecker, expected: number): number {
  const frame = checker.kinds.length - 1
  if (checker.height === checker.frameHeights[frame]) {
    if (!checker.dead[frame]) throw fault(checker, 'TYPE_MISMATCH')
    return expected
  }
  const type = checker.values[--checker.height]!
  if (type === expected || expected === ANY) return type
  if (type !== ANY) throw fault(checker, 'TYPE_MISMATCH')
  return expected
}

function pushFrame(checker: BodyChecker, kind: number, result: number): void {
  checker.kinds.push(kind)
  checker.frameResults.push(result)
  checker.frameHeights.push(checker.height)
  checker.dead.push(false)
}

/** The frame's results must be all there is above its start. */
function popFrame(checker: BodyChecker): void {
  const frame = checker.kinds.length - 1
  const result = checker.frameResults[frame]!
  if (result !== NOTHING) pop(checker, result)
  if (checker.height !== checker.frameHeights[frame]) throw fault(checker, 'TYPE_MISMATCH')
  checker.kinds.length = checker.frameResults.length = checker.frameHeights.length = checker.dead.length = frame
}

/** Nothing after this instruction is reached: the stack may hold anything. */
function markDead(checker: BodyChecker): void {
  const frame = checker.kinds.length - 1
  checker.height = checker.frameHeights[frame]!
  checker.dead[frame] = true
}

/** What a branch to `label` carries: the frame's result, nothing for a loop. */
function labelResult(checker: BodyChecker, label: number): number {
  const frame = checker.kinds.length - 1 - (label >>> 0)
  if (frame < 0) throw fault(checker, 'UNKNOWN_LABEL')
  return checker.kinds[frame] === OP.loop ? NOTHING : checker.frameResults[frame]!
}

function checkControl(checker: BodyChecker, slot: number, at: number, instructions: Instructions): void {
  const first = instructions.first[at]!
  switch (slot) {
    case OP.unreachable:
      markDead(checker)
      break
    case OP.block:
    case OP.loop:
    case OP.if:
      if (slot === OP.if) pop(checker, I32)
      pushFrame(checker, slot, blockResult(first))
      break
    case OP.else:
      checkElse(checker)
      break
    case OP.end:
      checkEnd(checker)
      break
    case OP.br: {
      const result = labelResult(checker, first)
      if (result !== NOTHING) pop(checker, result)
      markDead(checker)
      break
    }
    case OP.brIf: {
      pop(checker, I32)
      const result = labelResult(checker, first)
      if (result !== NOTHING) {
        pop(checker, result)
        push(checker, result)
      }
      break
    }
    case OP.brTable:
      checkBranchTable(checker, first, instructions.second[at]!, instructions.labels)
      break
    case OP.return:
      if (checker.frameResults[0] !== NOTHING) pop(checker, checker.frameResults[0]!)
      markDead(checker)
      break
    case OP.call: {
      const typeIndex = checker.spaces.functions[first >>> 0]
      if (typeIndex === undefined) throw fault(checker, 'UNKNOWN_FUNCTION')
      checkCall(checker, typeIndex)
      break
    }
    case OP.callIndirect:
      if (instructions.second[at]! >>> 0 >= checker.spaces.tables.length) throw fault(checker, 'UNKNOWN_TABLE')
      if (first >>> 0 >= checker.params.length) throw fault(checker, 'UNKNOWN_TYPE')
      pop(checker, I32)
      checkCall(checker, first >>> 0)
      break
    case OP.drop:
      pop(checker, ANY)
      break
    case OP.select:
      checkSelect(checker)
      break
    default:
      checkGlobal(checker, slot, first >>> 0)
  }
}

function checkElse(checker: BodyChecker): void {
  const frame = checker.kinds.length - 1
  if (checker.kinds[frame] !== OP.if) throw fault(checker, 'UNBALANCED')
  const result = checker.frameResults[frame]!
  popFrame(checker)
  pushFrame(checker, OP.else, result)
}

/** An `if` without `else` can leave nothing. */
function checkEnd(checker: BodyChecker): void {
  const frame = checker.kinds.length - 1
  const result = checker.frameResults[frame]!
  if (checker.kinds[frame] === OP.if && result !== NOTHING) throw fault(checker, 'TYPE_MISMATCH')
  popFrame(checker)
  if (result !== NOTHING) push(checker, result)
}

/** Every label's result must fit what is on the stack; only the default's is taken. */
function checkBranchTable(checker: BodyChecker, start: number, count: number, labels: readonly number[]): void {
  pop(checker, I32)
  const expected = labelResult(checker, labels[start + count]!)
  for (let index = start; index < start + count; index++) {
    const result = labelResult(checker, labels[index]!)
    if ((result === NOTHING) !== (expected === NOTHING)) throw fault(checker, 'TYPE_MISMATCH')
    if (result !== NOTHING) peek(checker, result)
  }
  if (expected !== NOTHING) pop(checker, expected)
  markDead(checker)
}

/** Like `pop`, but leaves what it finds. */
function peek(checker: BodyChecker, expected: number): void {
  const { height } = checker
  pop(checker, expected)
  checker.height = height
}

function checkCall(checker: BodyChecker, typeIndex: number): void {
  const params = checker.params[typeIndex]!
  for (let index = params.length - 1; index >= 0; index--) pop(checker, params[index]!)
  const result = checker.results[typeIndex]!
  if (result !== NOTHING) push(checker, result)
}

/** Two numbers of one type; references need the typed form, which is a load error. */
function checkSelect(checker: BodyChecker): void {
  pop(checker, I32)
  const second = pop(checker, ANY)
  const first = pop(checker, ANY)
  if (first === REF || second === REF) throw fault(checker, 'TYPE_MISMATCH')
  if (first !== second && first !== ANY && second !== ANY) throw fault(checker, 'TYPE_MISMATCH')
  push(checker, first === ANY ? second : first)
}

function checkGlobal(checker: BodyChecker, slot: number, index: number): void {
  const global = checker.spaces.globals[index]
  if (global === undefined) throw fault(checker, 'UNKNOWN_GLOBAL')
  const type = NUMBER_OF_TYPE[global.type]
  if (slot === OP.globalGet) {
    push(checker, type)
    return
  }
  if (!global.mutable) throw fault(checker, 'IMMUTABLE_GLOBAL')
  pop(checker, type)
}

function checkIndices(checker: BodyChecker, slot: number, at: number, instructions: Instructions): void {
  const { memories, tables } = checker.spaces
  const first = instructions.first[at]! >>> 0
  const second = instructions.second[at]! >>> 0
  switch (CHECKS[slot]) {
    case CHECK.memoryAccess:
      if (memories.length === 0) throw fault(checker, 'UNKNOWN_MEMORY')
      if (second > ALIGNMENTS[slot]!) throw fault(checker, 'BAD_ALIGNMENT')
      break
    case CHECK.memory:
      checkMemory(checker, slot, first, second)
      break
    case CHECK.table:
      if (first >= tables.length) throw fault(checker, 'UNKNOWN_TABLE')
      if (ROW_OF_SLOT[slot]![2] === 'tableTable' && second >= tables.length) throw fault(checker, 'UNKNOWN_TABLE')
      break
    default:
      checkSegment(checker, slot, first, second)
  }
}

/** `memory.size` and `memory.grow` have no index, `memory.fill` one, `memory.copy` two. */
function checkMemory(checker: BodyChecker, slot: number, first: number, second: number): void {
  const immediate = ROW_OF_SLOT[slot]![2]
  const highest = immediate === 'zero' ? 0 : immediate === 'memory' ? first : Math.max(first, second)
  if (highest >= checker.spaces.memories.length) throw fault(checker, 'UNKNOWN_MEMORY')
}

function checkSegment(checker: BodyChecker, slot: number, segment: number, second: number): void {
  const { dataCount, elements } = checker.module
  if (slot === OP.memoryInit || slot === OP.dataDrop) {
    if (dataCount === null) throw fault(checker, 'NO_DATA_COUNT')
    if (segment >= dataCount) throw fault(checker, 'UNKNOWN_SEGMENT')
    if (slot === OP.memoryInit && second >= checker.spaces.memories.length) throw fault(checker, 'UNKNOWN_MEMORY')
    return
  }
  if (segment >= elements.length) throw fault(checker, 'UNKNOWN_SEGMENT')
  if (slot === OP.tableInit && second >= checker.spaces.tables.length) throw fault(checker, 'UNKNOWN_TABLE')
}
