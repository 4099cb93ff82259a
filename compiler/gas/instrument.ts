/**
 * A raw module → the module the engine compiles: validated, its stack limited, its gas metered, its NaNs canonical. Follows the
 * reference's load pipeline; whatever throws here is a load error there. How charges are written is ours, where and how much is not.
 *
 * Exports of the result: `memory`, `invoke`, `upgrade` as the raw module has them (functions through a thunk that counts their height),
 * `start` for the start function, which the engine calls; `height`, the stack's (i32); `gas`, the counter in milligas (i64), with `gas_get` and `gas_set` to move it
 * as a double; `reset`, where an instance can begin anew, puts the globals back. Raw imports keep their place; after them may follow `troupe.memory_grow` (pages → old size or −1) and
 * `troupe.table_grow` (elements now, elements more → whether the table may grow).
 * @source ref-fvm `fvm/src/engine/mod.rs` `load_raw`; spec/fvm.md 8.1–8.6
 */
import { createInstructions, decodeCode } from '../wasm/code.ts'
import {
  type Export,
  type ExternKind,
  type FunctionType,
  type IndexSpaces,
  indexSpaces,
  type Module,
  type ValueType,
} from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { PARAMS_MAX, readModule } from '../wasm/reader.ts'
import { INSTANCE_PAGES_MAX, INSTANCE_TABLE_ELEMENTS_MAX, validateDefinitions } from '../wasm/validate.ts'
import { createBodyChecker, LOCALS_MAX, validateBody } from '../wasm/validate-body.ts'
import { createSink, encodeModule, sinkBytes, writeU32 } from '../wasm/writer.ts'
import { createMetering, findBlocks } from './blocks.ts'
import { InstrumentError } from './fault.ts'
import {
  isCrowded,
  isModest,
  type Run,
  type Targets,
  type Watch,
  writeCanonicalBody,
  writeChargeBody,
  writeGasGetBody,
  writeGasSetBody,
  writeMeteredBody,
  writeResetBody,
  writeTableGrowBody,
  writeThunkBody,
} from './inject.ts'
import { NAN_F32, NAN_F64 } from './nan.ts'
import { INSTRUCTION_MILLIGAS, LIMITED_CALL_MILLIGAS } from './rules.ts'
import { stackCost } from './stack-limit.ts'

export interface FunctionShape {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** What the raw module exports under a name. */
export type EntryPoint =
  | { readonly kind: 'missing' }
  | { readonly kind: 'other' }
  | { readonly kind: 'function'; readonly shape: FunctionShape; readonly imported: boolean }

export interface ModuleFacts {
  readonly imports: readonly {
    readonly module: string
    readonly name: string
    readonly kind: ExternKind
    readonly shape?: FunctionShape
  }[]
  /** Pages of the memory exported as `memory`; `null` when there is none. */
  readonly memory: { readonly minimum: number; readonly maximum: number | null } | null
  /** Declared minimum of the module's own table, 0 without one. */
  readonly tableElements: number
  /** Elements that the table may grow to. */
  readonly tableMaximum: number
  /** Declared minimum of the table exported as `table`; `null` when there is none. */
  readonly exportedTable: number | null
  readonly invoke: EntryPoint
  readonly upgrade: EntryPoint
  readonly hasStart: boolean
  /** Whether the code can tell how large its memory is other than by growing it. */
  readonly readsMemorySize: boolean
  /**
   * Native stack in V8's baseline code, in bytes, at most: what a unit of the stack's height takes in functions that call others, and
   * what one that calls none takes at the end of them. The engine gives a call room by these.
   */
  readonly stackBytesPerHeight: number
  readonly leafStackBytes: number
  /** Metered blocks, thunks included; linear instructions priced when they run. */
  readonly blocks: number
  readonly linearSites: number
}

export interface InstrumentedModule {
  readonly bytes: Uint8Array
  readonly facts: ModuleFacts
}

export interface InstrumentOptions {
  /**
   * Where the code asks whether gas has run out. `seldom` is quicker and gives every message the same result; asking at
   * every block stops it at the same instruction as the reference, so that the last charge of a trace is the same too.
   */
  readonly asking?: 'seldom' | 'every block'
}

/**
 * Validates and instruments `raw`.
 * @throws {WasmDecodeError} not a module, or one with a feature the FVM does not know
 * @throws {WasmValidationError} a module that breaks a rule
 * @throws {InstrumentError} a valid module that the reference cannot instrument
 */
export function instrumentModule(raw: Uint8Array, options: InstrumentOptions = {}): InstrumentedModule {
  const module = readModule(raw)
  const spaces = indexSpaces(module)
  validateDefinitions(module, spaces)
  const survey = surveyBodies(module, spaces)
  refuseOddities(module, spaces, survey)
  const thunks = thunkCallees(module, spaces)
  if (spaces.functions.length + thunks.length >= FUNCTIONS_MAX) throw new InstrumentError('TOO_MANY_FUNCTIONS', 0)
  const layout = layOut(module, spaces, survey, thunks, null)
  const everywhere = (): Code | null => writeCode(layout, 'every block')
  const seldom = (): Code | null => writeCode(layout, 'seldom')
  const code = options.asking === 'every block' ? (everywhere() ?? seldom()) : (seldom() ?? everywhere())
  if (code === null) throw new InstrumentError('BODY_TOO_LARGE', 0)
  return { bytes: assemble(layout, code.bytes), facts: describe(layout, code) }
}

/** V8's limit, and the reference's for raw bodies; what the reference makes of them may be larger. */
export const BODY_BYTES_MAX = 7_654_321

const FUNCTIONS_MAX = 1_000_000

/** A module that runs as the raw one does and tells which parts of it ran; it pays for nothing and its stack has no limit. */
export interface WatchedModule extends InstrumentedModule {
  /** By block: the raw offset of its first instruction. The module calls `troupe.tell` (block) → any i32 whenever one begins. */
  readonly blocks: readonly number[]
  /** What is added to the indices of the raw module's own functions. */
  readonly functionShift: number
  /** The raw offset of the instruction that stands at `written` in `bytes`, as stack traces have it. */
  rawOffset(written: number): number | undefined
}

/** Instruments a module of our own compiler for traces and coverage. @throws as `instrumentModule` */
export function watchModule(raw: Uint8Array): WatchedModule {
  const module = readModule(raw)
  const spaces = indexSpaces(module)
  validateDefinitions(module, spaces)
  const survey = surveyBodies(module, spaces)
  const freed: Survey = { ...survey, stackCosts: survey.stackCosts.map(() => 0) }
  const blocks: number[] = []
  const runs: Run[] = []
  const layout = layOut(module, spaces, freed, thunkCallees(module, spaces), { blocks, runs })
  const code = writeCode(layout, 'seldom')
  if (code === null) throw new InstrumentError('BODY_TOO_LARGE', 0)
  const bytes = assemble(layout, code.bytes)
  const codeStart = startOfCode(bytes)
  return {
    bytes,
    blocks,
    facts: describe(layout, code),
    functionShift: layout.targets.shift,
    rawOffset(written) {
      let low = 0
      let high = runs.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (runs[middle]!.written + codeStart <= written) low = middle + 1
        else high = middle
      }
      const run = runs[low - 1]
      if (run === undefined) return undefined
      return run.isCopy ? run.raw + written - run.written - codeStart : run.raw
    },
  }
}

const HEADER_SIZE = 8
const CODE_SECTION = 10

/** Where the content of the code section begins. */
function startOfCode(bytes: Uint8Array): number {
  for (let at = HEADER_SIZE; at < bytes.length; ) {
    const id = bytes[at]!
    let size = 0
    let shift = 0
    for (at++; ; shift += 7) {
      const byte = bytes[at++]!
      size += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    if (id === CODE_SECTION) return at
    at += size
  }
  return bytes.length
}

/** What the first walk over the bodies finds. */
interface Survey {
  /** By function index; 0 for imports. */
  readonly stackCosts: readonly number[]
  readonly stackBytesPerHeight: number
  readonly leafStackBytes: number
  readonly growsMemory: boolean
  readonly readsMemorySize: boolean
  readonly growsTable: boolean
  /** Whether running it changes a table, or drops a segment. */
  readonly writesTable: boolean
  readonly usesGlobals: boolean
  /** Defined functions that functions without room for another local call, ascending. */
  readonly crowdedCallees: readonly number[]
}

/** Type-checks every body and computes its stack cost. */
function surveyBodies(module: Module, spaces: IndexSpaces): Survey {
  const checker = createBodyChecker(module, spaces)
  const instructions = createInstructions()
  const stackCosts: number[] = new Array(spaces.importedFunctions).fill(0)
  const found = {
    growsMemory: false,
    readsMemorySize: false,
    growsTable: false,
    writesTable: false,
    usesGlobals: false,
  }
  const crowdedCallees = new Set<number>()
  const entered = new Set(thunkCallees(module, spaces))
  let stackBytesPerHeight = 1
  let leafStackBytes = 0
  let allLocals = 0
  for (const [index, body] of (module.bodies ?? []).entries()) {
    const locals = localCount(module, index)
    allLocals += locals
    if (allLocals > MODULE_LOCALS_MAX) throw new InstrumentError('TOO_MANY_LOCALS', body.code.start)
    decodeCode(module.bytes, body.code, instructions)
    validateBody(checker, index, body, instructions)
    const type = module.types[module.functions![index]!]!
    const height = stackCost({ types: module.types, spaces }, type, body.locals, instructions)
    stackCosts.push(height)
    const crowded = isCrowded(locals)
    let calls = false
    for (let at = 0; at < instructions.count; at++) {
      const slot = instructions.slots[at]!
      const callee = instructions.first[at]!
      if (slot === OP.callIndirect) calls = true
      else if (slot === OP.call && callee >= spaces.importedFunctions) {
        calls = true
        if (crowded) crowdedCallees.add(callee)
      }
      if (slot === OP.memoryGrow) found.growsMemory = true
      else if (slot === OP.memorySize) found.readsMemorySize = true
      else if (slot === OP.tableGrow) found.growsTable = true
      if (TABLE_WRITES.has(slot)) found.writesTable = true
      else if (slot === OP.globalGet || slot === OP.globalSet) found.usesGlobals = true
    }
    const hasThunk = entered.has(spaces.importedFunctions + index)
    const bytes = frameBytes(locals, height) + (hasThunk ? thunkBytes(type.params.length) : 0)
    if (!calls) leafStackBytes = Math.max(leafStackBytes, bytes)
    else {
      const standIn = crowded ? thunkBytes(PARAMS_MAX) : 0
      stackBytesPerHeight = Math.max(stackBytesPerHeight, Math.ceil((bytes + standIn) / height))
    }
  }
  return {
    stackCosts,
    stackBytesPerHeight,
    leafStackBytes,
    ...found,
    crowdedCallees: [...crowdedCallees].sort((left, right) => left - right),
  }
}

/**
 * Parameters and locals of all functions together: a bound of our own, as a few bytes declare fifty thousand that take V8 a third of a
 * millisecond.
 */
const MODULE_LOCALS_MAX = 100_000_000

/** A slot of V8's frames. */
const SLOT_BYTES = 8
/** Slots of a frame beside what the function keeps: linkage (6), temporaries (4), injected values (4), alignment. */
const FRAME_SLOTS = 16
/** What a frame takes in V8's baseline code: each local has a slot, each value one, and another where it is handed to a callee. */
function frameBytes(locals: number, height: number): number {
  return SLOT_BYTES * (locals + 2 * height + FRAME_SLOTS)
}

/** The frame of a thunk or stand-in: its parameters as locals, as values, and as they are handed on. */
function thunkBytes(params: number): number {
  return SLOT_BYTES * (3 * params + FRAME_SLOTS)
}

const TABLE_WRITES: ReadonlySet<number> = new Set([
  OP.tableSet,
  OP.tableInit,
  OP.tableCopy,
  OP.tableGrow,
  OP.tableFill,
  OP.elemDrop,
  OP.dataDrop,
])

/** Parameters and locals of the defined function `index`. */
function localCount(module: Module, index: number): number {
  const { params } = module.types[module.functions![index]!]!
  return module.bodies![index]!.locals.reduce((sum, { count }) => sum + count, params.length)
}

const INTERFACE_TYPES = ['webidl-bindings', 'wasm-interface-types']

/** Valid modules that the reference's instrumentation, or the compiler behind it, does not take. */
function refuseOddities(module: Module, spaces: IndexSpaces, survey: Survey): void {
  if (module.functions === null) throw new InstrumentError('NO_FUNCTION_SECTION', 0)
  for (const { items, offset } of module.elements) {
    if (items.kind === 'expressions' && items.constants.length > 0) {
      throw new InstrumentError('EXPRESSION_SEGMENT', offset)
    }
  }
  for (const { active, offset } of module.data) {
    if (active !== null && active.at.kind !== 'number') throw new InstrumentError('DATA_OFFSET', offset)
  }
  if (module.lastCustomName !== null && INTERFACE_TYPES.includes(module.lastCustomName)) {
    throw new InstrumentError('INTERFACE_TYPES', 0)
  }
  refuseImportedGlobals(module, spaces, survey)
}

/** The reference shifts global indices as if none were imported; what uses one then no longer type-checks. Linking fails anyway. */
function refuseImportedGlobals(module: Module, spaces: IndexSpaces, survey: Survey): void {
  const counter = module.imports.find(
    ({ module: from, name, extern }) => extern.kind === 'global' && from === 'gas' && name === 'gas_counter',
  )
  const shifted = spaces.importedGlobals > 0 && (survey.usesGlobals || thunkCallees(module, spaces).length > 0)
  if (counter !== undefined || shifted) throw new InstrumentError('IMPORTED_GLOBAL', counter?.offset ?? 0)
}

/** Defined functions that can be entered other than by a direct call, ascending. */
function thunkCallees(module: Module, spaces: IndexSpaces): readonly number[] {
  const callees = new Set<number>()
  for (const { kind, index } of module.exports) {
    if (kind === 'function') callees.add(index)
  }
  for (const { items } of module.elements) {
    if (items.kind === 'functions') for (const index of items.indexes) callees.add(index)
  }
  if (module.start !== null) callees.add(module.start.index)
  return [...callees].filter((index) => index >= spaces.importedFunctions).sort((left, right) => left - right)
}

/** Unit prices that need a charging function. */
const UNITS = [26_214_400, 3200, 400]

/** Types injected functions have. */
const LENGTH: FunctionType = { params: ['i32'], results: ['i32'] }
const GROW_TABLE: FunctionType = { params: ['funcref', 'i32'], results: ['i32'] }
const ASK_TABLE: FunctionType = { params: ['i32', 'i32'], results: ['i32'] }
const CANONICAL_F32: FunctionType = { params: ['f32'], results: ['f32'] }
const CANONICAL_F64: FunctionType = { params: ['f64'], results: ['f64'] }
const GAS_GET: FunctionType = { params: [], results: ['f64'] }
const GAS_SET: FunctionType = { params: ['f64'], results: [] }
const RESET: FunctionType = { params: [], results: [] }

/**
 * Where everything goes. Functions: raw imports, private imports, raw functions, thunks, helpers,
 * stand-ins. Globals: the raw ones, height, gas.
 */
interface Layout {
  readonly module: Module
  readonly spaces: IndexSpaces
  readonly survey: Survey
  readonly thunks: readonly number[]
  readonly types: readonly FunctionType[]
  readonly privateImports: readonly { readonly name: string; readonly typeIndex: number }[]
  /** By callee. */
  readonly thunkIndex: ReadonlyMap<number, number>
  /** Type indices of the helpers, in order. */
  readonly helperTypes: readonly number[]
  readonly helpers: number
  readonly targets: Omit<Targets, 'asking'>
  /** Index of the function that asks the host about growing the table. */
  readonly tableGrowAllowed: number
}

function layOut(
  module: Module,
  spaces: IndexSpaces,
  survey: Survey,
  thunks: readonly number[],
  watch: Omit<Watch, 'tell'> | null,
): Layout {
  const types = [...module.types]
  const typeIndex = (type: FunctionType): number => types.push(type) - 1
  const lengthType = typeIndex(LENGTH)
  const privateImports: { name: string; typeIndex: number }[] = []
  const { importedFunctions } = spaces
  const importPrivately = (name: string, type: number): number =>
    importedFunctions + privateImports.push({ name, typeIndex: type }) - 1
  const memoryGrow = survey.growsMemory ? importPrivately('memory_grow', lengthType) : 0
  const tableGrowAllowed = survey.growsTable ? importPrivately('table_grow', typeIndex(ASK_TABLE)) : 0
  const tell = watch === null ? 0 : importPrivately('tell', lengthType)
  const shift = privateImports.length
  const firstThunk = spaces.functions.length + shift
  const helpers = firstThunk + thunks.length
  const helperTypes = [
    ...UNITS.map(() => lengthType),
    typeIndex(CANONICAL_F32),
    typeIndex(CANONICAL_F64),
    typeIndex(GAS_GET),
    typeIndex(GAS_SET),
    ...(survey.growsTable ? [typeIndex(GROW_TABLE)] : []),
    ...(isResettable(module, survey) ? [typeIndex(RESET)] : []),
  ]
  return {
    module,
    spaces,
    survey,
    thunks,
    types,
    privateImports,
    thunkIndex: new Map(thunks.map((callee, index) => [callee, firstThunk + index])),
    helperTypes,
    helpers,
    tableGrowAllowed,
    targets: {
      source: module.bytes,
      watch: watch === null ? null : { ...watch, tell },
      importedFunctions,
      shift,
      stackCosts: survey.stackCosts,
      heightGlobal: spaces.globals.length,
      gasGlobal: spaces.globals.length + 1,
      charges: new Map(UNITS.map((unit, index) => [unit, helpers + index])),
      canonicalF32: helpers + UNITS.length,
      canonicalF64: helpers + UNITS.length + 1,
      memoryGrow,
      tableGrow: helpers + UNITS.length + 4,
      standIns: new Map(survey.crowdedCallees.map((callee, index) => [callee, helpers + helperTypes.length + index])),
    },
  }
}

/** Whether its memory and its globals are all that running the module changes. */
function isResettable({ globals, start }: Module, { writesTable }: Survey): boolean {
  return !writesTable && start === null && globals.every(({ initial }) => initial.kind === 'number')
}

interface Code {
  readonly bytes: Uint8Array
  readonly blocks: number
  readonly linearSites: number
}

/** The code section's content; `null` when a price forbids to ask seldom, or a body becomes too large. */
function writeCode(layout: Layout, asking: Targets['asking']): Code | null {
  const { module, spaces, thunks } = layout
  const bodies = module.bodies ?? []
  const targets: Targets = { ...layout.targets, asking }
  const out = createSink(2 * module.bytes.length + 4096)
  const instructions = createInstructions()
  const metering = createMetering()
  let blocks = thunks.length
  let linearSites = 0
  writeU32(out, bodies.length + thunks.length + layout.helperTypes.length + layout.survey.crowdedCallees.length)
  for (const [index, body] of bodies.entries()) {
    decodeCode(module.bytes, body.code, instructions)
    findBlocks(instructions, spaces.importedFunctions, metering)
    if (asking === 'seldom' && targets.watch === null && !isModest(metering)) return null
    blocks += metering.costs.length
    linearSites += metering.sites.length
    const count = localCount(module, index)
    if (metering.sites.length > 0 && count === LOCALS_MAX) throw new InstrumentError('TOO_MANY_LOCALS', body.code.start)
    const start = out.size
    writeMeteredBody(out, targets, instructions, metering, { groups: body.locals, count })
    if (out.size - start > BODY_BYTES_MAX) return null
  }
  const paramsOf = (callee: number): number => module.types[spaces.functions[callee]!]!.params.length
  for (const callee of thunks) {
    const params = paramsOf(callee)
    const cost = targets.watch === null ? params * INSTRUCTION_MILLIGAS + LIMITED_CALL_MILLIGAS : 0
    writeThunkBody(out, targets, { callee, params, cost })
  }
  const { gasGlobal } = targets
  for (const unit of UNITS) writeChargeBody(out, gasGlobal, unit)
  writeCanonicalBody(out, NAN_F32)
  writeCanonicalBody(out, NAN_F64)
  writeGasGetBody(out, gasGlobal)
  writeGasSetBody(out, gasGlobal)
  if (layout.survey.growsTable) writeTableGrowBody(out, layout.tableGrowAllowed)
  if (isResettable(module, layout.survey)) writeResetBody(out, targets, module.globals)
  for (const callee of layout.survey.crowdedCallees) {
    writeThunkBody(out, targets, { callee, params: paramsOf(callee), cost: 0 })
  }
  return { bytes: sinkBytes(out), blocks, linearSites }
}

/** The module's bytes around `code`. */
function assemble(layout: Layout, code: Uint8Array): Uint8Array {
  const { module, spaces, types, thunks, targets } = layout
  const functionIndex = (index: number): number => (index < spaces.importedFunctions ? index : index + targets.shift)
  const entryIndex = (index: number): number => layout.thunkIndex.get(index) ?? index
  return encodeModule({
    source: module.bytes,
    functionIndex,
    types,
    imports: [
      ...module.imports,
      ...layout.privateImports.map(({ name, typeIndex }) => ({
        module: 'troupe',
        name,
        extern: { kind: 'function', typeIndex } as const,
      })),
    ],
    functions: [
      ...module.functions!,
      ...thunks.map((callee) => spaces.functions[callee]!),
      ...layout.helperTypes,
      ...layout.survey.crowdedCallees.map((callee) => spaces.functions[callee]!),
    ],
    tables: module.tables.map(({ minimum, maximum }) => ({
      minimum,
      maximum: Math.min(maximum ?? INSTANCE_TABLE_ELEMENTS_MAX, INSTANCE_TABLE_ELEMENTS_MAX),
    })),
    memories: module.memories.map(({ minimum }) => ({ minimum, maximum: INSTANCE_PAGES_MAX })),
    globals: [
      ...module.globals,
      { global: { type: 'i32', mutable: true }, initial: 'zero' },
      { global: { type: 'i64', mutable: true }, initial: 'zero' },
    ],
    exports: exportsOf(layout, entryIndex),
    elements: module.elements.map(({ mode, active, items }) => ({
      mode,
      active,
      functions: items.kind === 'functions' ? items.indexes.map(entryIndex) : [],
    })),
    dataCount: module.dataCount,
    data: module.data,
    code,
  })
}

function exportsOf(
  { module, survey, helpers, helperTypes, targets }: Layout,
  entryIndex: (index: number) => number,
): Pick<Export, 'name' | 'kind' | 'index'>[] {
  const exports: Pick<Export, 'name' | 'kind' | 'index'>[] = []
  for (const { name, kind, index } of module.exports) {
    if (kind === 'memory' && name === 'memory') exports.push({ name, kind, index })
    if (kind === 'function' && (name === 'invoke' || name === 'upgrade')) {
      exports.push({ name, kind, index: entryIndex(index) })
    }
  }
  if (module.start !== null) exports.push({ name: 'start', kind: 'function', index: entryIndex(module.start.index) })
  exports.push(
    { name: 'height', kind: 'global', index: targets.heightGlobal },
    { name: 'gas', kind: 'global', index: targets.gasGlobal },
    { name: 'gas_get', kind: 'function', index: helpers + UNITS.length + 2 },
    { name: 'gas_set', kind: 'function', index: helpers + UNITS.length + 3 },
  )
  if (isResettable(module, survey)) {
    exports.push({ name: 'reset', kind: 'function', index: helpers + helperTypes.length - 1 })
  }
  return exports
}

function describe({ module, spaces, survey }: Layout, { blocks, linearSites }: Code): ModuleFacts {
  const exported = (name: string, kind: ExternKind): Export | undefined =>
    module.exports.find((candidate) => candidate.name === name && candidate.kind === kind)
  const memory = exported('memory', 'memory')
  const table = exported('table', 'table')
  return {
    imports: module.imports.map(({ module: from, name, extern }) =>
      extern.kind === 'function'
        ? { module: from, name, kind: extern.kind, shape: module.types[extern.typeIndex]! }
        : { module: from, name, kind: extern.kind },
    ),
    memory: memory === undefined ? null : spaces.memories[memory.index]!,
    tableElements: module.tables[0]?.minimum ?? 0,
    tableMaximum: Math.min(module.tables[0]?.maximum ?? INSTANCE_TABLE_ELEMENTS_MAX, INSTANCE_TABLE_ELEMENTS_MAX),
    exportedTable: table === undefined ? null : spaces.tables[table.index]!.minimum,
    invoke: entryPoint(module, spaces, 'invoke'),
    upgrade: entryPoint(module, spaces, 'upgrade'),
    hasStart: module.start !== null,
    readsMemorySize: survey.readsMemorySize,
    stackBytesPerHeight: survey.stackBytesPerHeight,
    leafStackBytes: survey.leafStackBytes,
    blocks,
    linearSites,
  }
}

function entryPoint(module: Module, spaces: IndexSpaces, name: string): EntryPoint {
  const found = module.exports.find((candidate) => candidate.name === name)
  if (found === undefined) return { kind: 'missing' }
  if (found.kind !== 'function') return { kind: 'other' }
  const shape = module.types[spaces.functions[found.index]!]!
  return { kind: 'function', shape, imported: found.index < spaces.importedFunctions }
}
