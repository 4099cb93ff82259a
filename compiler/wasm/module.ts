/** A WebAssembly module as readonly data: only what the accepted features can say, bodies still as byte ranges. */

/** The value types; funcref is the only reference. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'funcref'

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** Pages of a memory or elements of a table. */
export interface Limits {
  readonly minimum: number
  readonly maximum: number | null
}

export interface GlobalType {
  readonly type: ValueType
  readonly mutable: boolean
}

export type Extern =
  | { readonly kind: 'function'; readonly typeIndex: number }
  | { readonly kind: 'table'; readonly limits: Limits }
  | { readonly kind: 'memory'; readonly limits: Limits }
  | { readonly kind: 'global'; readonly global: GlobalType }

export type ExternKind = Extern['kind']

export interface Import {
  readonly module: string
  readonly name: string
  readonly extern: Extern
  readonly offset: number
}

export interface Export {
  readonly name: string
  readonly kind: ExternKind
  readonly index: number
  readonly offset: number
}

/** Bytes `[start, end)` of the module. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A constant expression: one instruction and `end`; the range holds both. */
export type Constant = ByteRange &
  (
    | { readonly kind: 'number'; readonly type: 'i32' | 'i64' | 'f32' | 'f64' }
    | { readonly kind: 'global'; readonly index: number }
    | { readonly kind: 'null' }
    | { readonly kind: 'function'; readonly index: number }
  )

export interface Global {
  readonly global: GlobalType
  readonly initial: Constant
}

/** Where an active segment goes; `null` for a passive one. */
export interface ActiveAt {
  readonly target: number
  readonly at: Constant
}

export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declared'
  readonly active: ActiveAt | null
  readonly items:
    | { readonly kind: 'functions'; readonly indexes: readonly number[] }
    | { readonly kind: 'expressions'; readonly constants: readonly Constant[] }
  readonly offset: number
}

export interface DataSegment {
  readonly active: ActiveAt | null
  readonly bytes: ByteRange
  readonly offset: number
}

/** `count` locals of one type, as declared. */
export interface LocalGroup {
  readonly count: number
  readonly type: ValueType
}

/** A function body: its local groups, and the range of its instructions. */
export interface Body {
  readonly locals: readonly LocalGroup[]
  readonly code: ByteRange
}

/** `functions` and `bodies` are `null` when their section is absent: the reference's instrumentation wants the first, even empty. */
export interface Module {
  readonly bytes: Uint8Array
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  readonly functions: readonly number[] | null
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  readonly globals: readonly Global[]
  readonly exports: readonly Export[]
  readonly start: { readonly index: number; readonly offset: number } | null
  readonly elements: readonly ElementSegment[]
  readonly dataCount: number | null
  readonly bodies: readonly Body[] | null
  readonly data: readonly DataSegment[]
  readonly lastCustomName: string | null
}

/** Imported and defined items in one list each: what an index means. */
export interface IndexSpaces {
  readonly functions: readonly number[]
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  readonly globals: readonly GlobalType[]
  readonly importedFunctions: number
  readonly importedTables: number
  readonly importedMemories: number
  readonly importedGlobals: number
}

/** Joins the imports of `module` with its definitions. */
export function indexSpaces(module: Module): IndexSpaces {
  const functions: number[] = []
  const tables: Limits[] = []
  const memories: Limits[] = []
  const globals: GlobalType[] = []
  for (const { extern } of module.imports) {
    if (extern.kind === 'function') functions.push(extern.typeIndex)
    else if (extern.kind === 'table') tables.push(extern.limits)
    else if (extern.kind === 'memory') memories.push(extern.limits)
    else globals.push(extern.global)
  }
  const imported = {
    importedFunctions: functions.length,
    importedTables: tables.length,
    importedMemories: memories.length,
    importedGlobals: globals.length,
  }
  for (const typeIndex of module.functions ?? []) functions.push(typeIndex)
  for (const limits of module.tables) tables.push(limits)
  for (const limits of module.memories) memories.push(limits)
  for (const { global } of module.globals) globals.push(global)
  return { functions, tables, memories, globals, ...imported }
}
