/**
 * Whether the reference would take a module: indices, types and limits of its definitions; bodies are checked beside. V8 accepts more, so
 * that its judgement is never asked.
 * @source WebAssembly core specification 2.0, 3.4; limits of wasmparser 0.236 and of wasmtime's pooling allocator as the FVM configures it
 *   (spec/fvm.md 8.2, 8.3)
 */
import { createInstructions, decodeCode } from './code.ts'
import {
  type Constant,
  type FunctionType,
  type IndexSpaces,
  indexSpaces,
  type Limits,
  type Module,
  type ValueType,
} from './module.ts'
import { createBodyChecker, validateBody, WasmValidationError } from './validate-body.ts'

/** Functions, types, globals, imports, exports. */
const ITEMS_MAX = 1_000_000
const SEGMENTS_MAX = 100_000
const SEGMENT_ELEMENTS_MAX = 10_000_000
/** Sum over imports and exports of what their types weigh. */
const TYPE_WEIGHT_MAX = 1_000_000
/** Pages a 32-bit memory can have; and what an instance of the FVM may declare. */
const MEMORY_PAGES_MAX = 65_536
export const INSTANCE_PAGES_MAX = 8192
export const INSTANCE_TABLE_ELEMENTS_MAX = 20_000

/** Checks definitions and bodies of `module`. */
export function validateModule(module: Module): void {
  const spaces = indexSpaces(module)
  validateDefinitions(module, spaces)
  const checker = createBodyChecker(module, spaces)
  const instructions = createInstructions()
  for (const [index, body] of (module.bodies ?? []).entries()) {
    decodeCode(module.bytes, body.code, instructions)
    validateBody(checker, index, body, instructions)
  }
}

/** Everything but the bodies. */
export function validateDefinitions(module: Module, spaces: IndexSpaces): void {
  limitCount(module.types.length, ITEMS_MAX)
  limitCount(module.imports.length, ITEMS_MAX)
  limitCount(spaces.functions.length, ITEMS_MAX)
  limitCount(spaces.globals.length, ITEMS_MAX)
  limitCount(module.exports.length, ITEMS_MAX)
  limitCount(module.elements.length, SEGMENTS_MAX)
  limitCount(module.data.length, SEGMENTS_MAX)
  limitCount(spaces.memories.length, 1)
  limitCount(spaces.tables.length, 100)
  limitCount(module.tables.length, 1)
  for (const typeIndex of spaces.functions) typeAt(module, typeIndex, 0)
  for (const limits of spaces.memories) validateLimits(limits, MEMORY_PAGES_MAX)
  for (const limits of spaces.tables) validateLimits(limits, 0xffff_ffff)
  for (const limits of module.memories) limitCount(limits.minimum, INSTANCE_PAGES_MAX)
  for (const limits of module.tables) limitCount(limits.minimum, INSTANCE_TABLE_ELEMENTS_MAX)
  for (const { global, initial } of module.globals) validateConstant(initial, global.type, spaces)
  validateExports(module, spaces)
  validateStart(module, spaces)
  validateSegments(module, spaces)
}

function limitCount(count: number, maximum: number): void {
  if (count > maximum) throw new WasmValidationError('TOO_MANY', 0)
}

function validateLimits({ minimum, maximum }: Limits, greatest: number): void {
  if (minimum > greatest || (maximum !== null && (maximum > greatest || minimum > maximum))) {
    throw new WasmValidationError('BAD_LIMITS', 0)
  }
}

function typeAt(module: Module, typeIndex: number, offset: number): FunctionType {
  const type = module.types[typeIndex]
  if (type === undefined) throw new WasmValidationError('UNKNOWN_TYPE', offset)
  return type
}

/** Without the GC proposal a constant may read imported globals only, and those only when immutable. */
function validateConstant(constant: Constant, expected: ValueType, spaces: IndexSpaces): void {
  if (constantType(constant, spaces) !== expected) throw new WasmValidationError('TYPE_MISMATCH', constant.start)
}

function constantType(constant: Constant, spaces: IndexSpaces): ValueType {
  switch (constant.kind) {
    case 'number':
      return constant.type
    case 'null':
      return 'funcref'
    case 'function':
      if (constant.index >= spaces.functions.length) throw new WasmValidationError('UNKNOWN_FUNCTION', constant.start)
      return 'funcref'
    case 'global': {
      const global = constant.index < spaces.importedGlobals ? spaces.globals[constant.index] : undefined
      if (global === undefined) throw new WasmValidationError('UNKNOWN_GLOBAL', constant.start)
      if (global.mutable) throw new WasmValidationError('NOT_CONSTANT', constant.start)
      return global.type
    }
  }
}

function validateExports(module: Module, spaces: IndexSpaces): void {
  const counts = {
    function: spaces.functions.length,
    table: spaces.tables.length,
    memory: spaces.memories.length,
    global: spaces.globals.length,
  }
  const codes = {
    function: 'UNKNOWN_FUNCTION',
    table: 'UNKNOWN_TABLE',
    memory: 'UNKNOWN_MEMORY',
    global: 'UNKNOWN_GLOBAL',
  } as const
  const names = new Set<string>()
  let weight = 1
  for (const { extern } of module.imports) {
    weight += extern.kind === 'function' ? typeWeight(module, extern.typeIndex) : 1
  }
  for (const { name, kind, index, offset } of module.exports) {
    if (index >= counts[kind]) throw new WasmValidationError(codes[kind], offset)
    if (names.has(name)) throw new WasmValidationError('DUPLICATE_EXPORT', offset)
    names.add(name)
    weight += kind === 'function' ? typeWeight(module, spaces.functions[index]!) : 1
  }
  if (weight >= TYPE_WEIGHT_MAX) throw new WasmValidationError('TOO_MANY', 0)
}

function typeWeight(module: Module, typeIndex: number): number {
  const { params, results } = module.types[typeIndex]!
  return 2 + params.length + results.length
}

function validateStart({ start, types }: Module, spaces: IndexSpaces): void {
  if (start === null) return
  const typeIndex = spaces.functions[start.index]
  if (typeIndex === undefined) throw new WasmValidationError('UNKNOWN_FUNCTION', start.offset)
  const { params, results } = types[typeIndex]!
  if (params.length > 0 || results.length > 0) throw new WasmValidationError('BAD_START', start.offset)
}

function validateSegments(module: Module, spaces: IndexSpaces): void {
  for (const { active, items, offset } of module.elements) {
    if (active !== null) {
      if (active.target >= spaces.tables.length) throw new WasmValidationError('UNKNOWN_TABLE', offset)
      validateConstant(active.at, 'i32', spaces)
    }
    if (items.kind === 'functions') {
      limitCount(items.indexes.length, SEGMENT_ELEMENTS_MAX)
      for (const index of items.indexes) {
        if (index >= spaces.functions.length) throw new WasmValidationError('UNKNOWN_FUNCTION', offset)
      }
    } else {
      limitCount(items.constants.length, SEGMENT_ELEMENTS_MAX)
      for (const constant of items.constants) validateConstant(constant, 'funcref', spaces)
    }
  }
  for (const { active, offset } of module.data) {
    if (active === null) continue
    if (active.target >= spaces.memories.length) throw new WasmValidationError('UNKNOWN_MEMORY', offset)
    validateConstant(active.at, 'i32', spaces)
  }
}
