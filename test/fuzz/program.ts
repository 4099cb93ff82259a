/**
 * Valid modules out of choices. They end by themselves: every loop and every function pays from a counter in global 0 and
 * leaves when it is used up. Floats become integers before anything can see which NaN they are.
 */
import { BINARY, COMPARISONS, LOADS, STORES, TYPES, UNARY } from './operations.ts'
import type { Choices } from './random.ts'
import { constantOf, type Func, type FunctionType, type Instruction, type ValueType, type WasmModule } from './wasm.ts'

const STEPS = 60
const INSTRUCTIONS_MAX = 900
const FUEL = 0
const NUMBERS = [0, 1, 2, -1, 7, 8, 31, 64, 255, 65_532, 65_535, 65_536, 131_072, 0x7fff_ffff, -0x8000_0000, 1000, 2047]

/** A function that a program may call from outside; its arguments are integers and it answers an i32. */
export interface Imported {
  readonly module: string
  readonly name: string
  readonly params: readonly ValueType[]
}

export interface ProgramOptions {
  readonly imports?: readonly Imported[]
  /** Put at 0 of memory. */
  readonly data?: Uint8Array
}

/** `invoke` is the last function, (i32) → i32. */
export function makeProgram(choices: Choices, { imports = [], data }: ProgramOptions = {}): WasmModule {
  const types: FunctionType[] = imports.map(({ params }) => ({ params, results: ['i32'] }))
  const own = 1 + choices.below(4)
  for (let i = 0; i < own; i++) {
    types.push({
      params: Array.from({ length: choices.below(4) }, () => choices.pick(TYPES)),
      results: choices.below(3) === 0 ? [] : [choices.pick(TYPES)],
    })
  }
  types.push({ params: ['i32'], results: ['i32'] })
  const context: Context = {
    choices,
    types,
    functions: types.map((_, i) => i),
    importedCount: imports.length,
    globals: [
      { type: 'i32', mutable: true, value: STEPS },
      { type: 'i32', mutable: true, value: 5 },
      { type: 'i64', mutable: true, value: -3 },
      { type: 'f64', mutable: true, value: 1.5 },
      { type: 'i32', mutable: false, value: 100 },
    ],
    left: INSTRUCTIONS_MAX,
  }
  const functions: Func[] = []
  for (let i = imports.length; i < types.length; i++) functions.push(makeFunction(context, i))
  const last = types.length - 1
  return {
    types,
    imports: imports.map(({ module, name }, type) => ({ module, name, type })),
    functions,
    memory: [1 + choices.below(2), 2 + choices.below(4)],
    table: [4, 4 + choices.below(4)],
    globals: context.globals,
    exports: [
      { name: 'invoke', kind: 0, index: last },
      { name: 'memory', kind: 2, index: 0 },
      ...(choices.below(4) === 0 ? [{ name: 'table', kind: 1, index: 0 }] : []),
    ],
    elements: Array.from({ length: choices.below(4) }, () => choices.below(types.length)),
    data: [
      { at: 0, bytes: data ?? choices.take(choices.below(20)) },
      { at: null, bytes: choices.take(choices.below(12)) },
    ],
  }
}

interface Context {
  readonly choices: Choices
  readonly types: readonly FunctionType[]
  /** Type of each function. */
  readonly functions: readonly number[]
  readonly importedCount: number
  readonly globals: { readonly type: ValueType; readonly mutable: boolean; readonly value: number }[]
  left: number
}

/** What a branch to it carries: nothing, or one value. */
type Label = ValueType | null

function makeFunction(context: Context, index: number): Func {
  const { choices } = context
  const type = context.types[index]!
  const groups = Array.from({ length: choices.below(4) }, () => [1 + choices.below(3), choices.pick(TYPES)] as const)
  const locals = [...type.params, ...groups.flatMap(([count, of]) => new Array<ValueType>(count).fill(of))]
  const writer = new BodyWriter(context, locals, type.results[0] ?? null)
  return { type: index, locals: groups, code: writer.finish() }
}

class BodyWriter {
  readonly #context: Context
  readonly #choices: Choices
  readonly #locals: readonly ValueType[]
  readonly #result: Label
  readonly #labels: Label[]
  readonly #code: Instruction[] = []

  constructor(context: Context, locals: readonly ValueType[], result: Label) {
    this.#context = context
    this.#choices = context.choices
    this.#locals = locals
    this.#result = result
    this.#labels = [result]
  }

  finish(): readonly Instruction[] {
    this.#pay()
    this.#emit(0x04, 0x40)
    if (this.#result !== null) this.#constant(this.#result, 0)
    this.#emit(0x0f)
    this.#emit(0x0b)
    this.#statements(4)
    if (this.#result !== null) this.#value(this.#result, 4)
    this.#emit(0x0b)
    return this.#code
  }

  #emit(op: number, a?: number | bigint, b?: number): void {
    this.#context.left--
    this.#code.push({ op, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })
  }

  #constant(type: ValueType, value: number): void {
    this.#context.left--
    this.#code.push(constantOf(type, value))
  }

  /** Leaves whether the counter is used up. */
  #pay(): void {
    this.#emit(0x23, FUEL)
    this.#constant('i32', 1)
    this.#emit(0x6b)
    this.#emit(0x24, FUEL)
    this.#emit(0x23, FUEL)
    this.#constant('i32', 0)
    this.#emit(0x48)
  }

  #statements(depth: number): void {
    for (let count = this.#choices.below(6); count > 0 && this.#context.left > 0; count--) this.#statement(depth)
  }

  #statement(depth: number): void {
    const choices = this.#choices
    if (depth === 0) {
      this.#value('i32', 0)
      this.#emit(0x1a)
      return
    }
    switch (choices.below(18)) {
      case 0:
      case 1:
        this.#setLocal(depth)
        break
      case 2: {
        const index = 1 + choices.below(3)
        this.#value(this.#context.globals[index]!.type, depth - 1)
        this.#emit(0x24, index)
        break
      }
      case 3:
      case 4:
        this.#store(depth)
        break
      case 5:
        this.#nest(0x02, null, () => this.#statements(depth - 1))
        break
      case 6:
        this.#loop(depth)
        break
      case 7:
      case 8:
        this.#value('i32', depth - 1)
        this.#nest(0x04, null, () => {
          this.#statements(depth - 1)
          if (choices.below(2) === 0) {
            this.#emit(0x05)
            this.#statements(depth - 1)
          }
        })
        break
      case 9:
        this.#branch(depth)
        break
      case 10:
        this.#branchIf(depth)
        break
      case 11:
        this.#branchTable(depth)
        break
      case 12:
        this.#call(depth, choices.below(this.#context.functions.length))
        break
      case 13:
        this.#bulk(depth)
        break
      case 14:
        this.#table(depth)
        break
      case 15:
        if (this.#context.importedCount > 0) this.#call(depth, choices.below(this.#context.importedCount))
        else this.#emit(0x01)
        break
      case 16:
        this.#emit(choices.below(8) === 0 ? 0x00 : 0x01)
        break
      default:
        this.#value(choices.pick(TYPES), depth - 1)
        this.#emit(0x1a)
    }
  }

  #setLocal(depth: number): void {
    if (this.#locals.length === 0) return
    const index = this.#choices.below(this.#locals.length)
    this.#value(this.#locals[index]!, depth - 1)
    this.#emit(0x21, index)
  }

  #store(depth: number): void {
    const type = this.#choices.pick(['i32', 'i64'] as const)
    const [op, size] = this.#choices.pick<readonly [number, number]>(STORES[type])
    this.#address(depth)
    this.#value(type, depth - 1)
    this.#emit(op, this.#choices.below(size + 1), this.#offset())
  }

  /** Mostly inside of memory. */
  #address(depth: number): void {
    if (this.#choices.below(4) !== 0) this.#constant('i32', this.#choices.below(70_000))
    else this.#value('i32', depth - 1)
  }

  #offset(): number {
    return this.#choices.below(8) === 0 ? 0xffff_fffc : this.#choices.below(16)
  }

  #nest(op: number, label: Label, write: () => void, branches: Label = label): void {
    this.#emit(op, label === null ? 0x40 : { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }[label])
    this.#labels.push(branches)
    write()
    this.#labels.pop()
    this.#emit(0x0b)
  }

  #loop(depth: number): void {
    this.#nest(0x02, null, () =>
      this.#nest(0x03, null, () => {
        this.#pay()
        this.#emit(0x0d, 1)
        this.#statements(depth - 1)
        if (this.#choices.below(2) === 0) this.#emit(0x0c, 0)
        else {
          this.#value('i32', depth - 1)
          this.#emit(0x0d, 0)
        }
      }),
    )
  }

  #target(): number {
    return this.#choices.below(this.#labels.length)
  }

  #labelAt(target: number): Label {
    return this.#labels[this.#labels.length - 1 - target]!
  }

  /** What follows is dead. */
  #branch(depth: number): void {
    const target = this.#target()
    const label = this.#labelAt(target)
    if (label !== null) this.#value(label, depth - 1)
    this.#emit(0x0c, target)
  }

  #branchIf(depth: number): void {
    const target = this.#target()
    const label = this.#labelAt(target)
    if (label !== null) this.#value(label, depth - 1)
    this.#value('i32', depth - 1)
    this.#emit(0x0d, target)
    if (label !== null) this.#emit(0x1a)
  }

  #branchTable(depth: number): void {
    const target = this.#target()
    const label = this.#labelAt(target)
    const same = this.#labels.map((_, i) => i).filter((i) => this.#labelAt(i) === label)
    const labels = Array.from({ length: this.#choices.below(5) }, () => this.#choices.pick(same))
    if (label !== null) this.#value(label, depth - 1)
    this.#value('i32', depth - 1)
    this.#context.left--
    this.#code.push({ op: 0x0e, a: target, labels })
  }

  #call(depth: number, index: number): void {
    const { params, results } = this.#context.types[this.#context.functions[index]!]!
    for (const param of params) this.#value(param, depth - 1)
    this.#emit(0x10, index)
    if (results.length > 0) this.#emit(0x1a)
  }

  #bulk(depth: number): void {
    const op = this.#choices.pick([0x10a, 0x10b, 0x108, 0x109])
    if (op === 0x109) {
      if (this.#choices.below(4) === 0) this.#emit(op, 1)
      return
    }
    this.#address(depth)
    if (op === 0x10a) this.#address(depth)
    else if (op === 0x108) this.#constant('i32', this.#choices.below(12))
    else this.#value('i32', depth - 1)
    this.#length(depth)
    if (op === 0x10b) this.#emit(op, 0)
    else this.#emit(op, op === 0x108 ? 1 : 0, 0)
  }

  /** A constant right before the instruction is paid with the block; anything else when it runs. */
  #length(depth: number): void {
    if (this.#choices.below(2) === 0) this.#constant('i32', this.#choices.below(200))
    else this.#value('i32', depth - 1)
    if (this.#choices.below(4) === 0) this.#emit(0x01)
  }

  #table(depth: number): void {
    const index = () => this.#constant('i32', this.#choices.below(6))
    switch (this.#choices.below(5)) {
      case 0:
        index()
        index()
        this.#emit(0x25, 0)
        this.#emit(0x26, 0)
        break
      case 1:
        index()
        index()
        this.#constant('i32', this.#choices.below(5))
        this.#emit(0x10e, 0, 0)
        break
      case 2:
        index()
        index()
        this.#emit(0x25, 0)
        this.#constant('i32', this.#choices.below(4))
        this.#emit(0x111, 0)
        break
      case 3:
        index()
        this.#emit(0x25, 0)
        this.#value('i32', depth - 1)
        this.#emit(0x10f, 0)
        this.#emit(0x1a)
        break
      default: {
        const type = this.#choices.below(this.#context.types.length)
        const { params, results } = this.#context.types[type]!
        for (const param of params) this.#value(param, depth - 1)
        index()
        this.#emit(0x11, type, 0)
        if (results.length > 0) this.#emit(0x1a)
      }
    }
  }

  /** Pushes one value of `type`. */
  #value(type: ValueType, depth: number): void {
    const choices = this.#choices
    if (depth <= 0 || this.#context.left <= 0) {
      this.#leaf(type)
      return
    }
    switch (choices.below(13)) {
      case 0:
      case 1:
      case 2:
        this.#leaf(type)
        break
      case 3: {
        const [op, from] = choices.pick(UNARY[type])
        this.#value(from, depth - 1)
        this.#emit(op)
        break
      }
      case 4:
      case 5: {
        const [first, count] = BINARY[type]
        this.#value(type, depth - 1)
        this.#value(type, depth - 1)
        this.#emit(first + choices.below(count))
        break
      }
      case 6:
        this.#special(type, depth)
        break
      case 7:
        this.#nest(0x02, type, () => {
          this.#statements(depth - 1)
          this.#value(type, depth - 1)
        })
        break
      case 8:
        this.#value('i32', depth - 1)
        this.#nest(0x04, type, () => {
          this.#value(type, depth - 1)
          this.#emit(0x05)
          this.#value(type, depth - 1)
        })
        break
      case 9:
        this.#value(type, depth - 1)
        this.#value(type, depth - 1)
        this.#value('i32', depth - 1)
        this.#emit(0x1b)
        break
      case 10: {
        const callees = this.#context.functions.filter((i) => this.#context.types[i]!.results[0] === type)
        if (callees.length === 0) this.#leaf(type)
        else {
          const callee = choices.pick(callees)
          for (const param of this.#context.types[callee]!.params) this.#value(param, depth - 1)
          this.#emit(0x10, callee)
        }
        break
      }
      case 11: {
        const local = this.#locals.indexOf(type)
        this.#value(type, depth - 1)
        if (local >= 0) this.#emit(0x22, local)
        break
      }
      default:
        this.#loopValue(type, depth)
    }
  }

  /** A loop that leaves a value; a branch back carries none. */
  #loopValue(type: ValueType, depth: number): void {
    const body = () => {
      this.#pay()
      this.#emit(0x04, 0x40)
      this.#constant(type, 1)
      this.#emit(0x0c, 2)
      this.#emit(0x0b)
      this.#value(type, depth - 1)
      this.#statements(depth - 1)
    }
    this.#nest(0x02, type, () => this.#nest(0x03, type, body, null))
  }

  #special(type: ValueType, depth: number): void {
    const choices = this.#choices
    const kind = type === 'i32' ? choices.below(4) : type === 'i64' ? 0 : 4
    switch (kind) {
      case 0: {
        const [op, size] = choices.pick<readonly [number, number]>(LOADS[type as 'i32' | 'i64'])
        this.#address(depth)
        this.#emit(op, choices.below(size + 1), this.#offset())
        break
      }
      case 1: {
        const [first, count, of] = choices.pick(COMPARISONS)
        this.#value(of, depth - 1)
        this.#value(of, depth - 1)
        this.#emit(first + choices.below(count))
        break
      }
      case 2:
        this.#emit(choices.pick([0x3f, 0x110]), 0)
        break
      case 3:
        if (choices.below(2) === 0) this.#constant('i32', choices.below(3))
        else this.#value('i32', depth - 1)
        this.#emit(0x40, 0)
        break
      default:
        this.#leaf(type)
    }
  }

  #leaf(type: ValueType): void {
    const choices = this.#choices
    const locals = this.#locals.flatMap((of, i) => (of === type ? [i] : []))
    const globals = this.#context.globals.flatMap((global, i) => (global.type === type && i > 0 ? [i] : []))
    const kind = choices.below(4)
    if (kind === 1 && locals.length > 0) this.#emit(0x20, choices.pick(locals))
    else if (kind === 2 && globals.length > 0) this.#emit(0x23, choices.pick(globals))
    else if (type === 'i32' || type === 'i64')
      this.#constant(type, kind === 3 ? choices.u32() | 0 : choices.pick(NUMBERS))
    else this.#constant(type, choices.pick([0, 0.5, -1.25, 3, 1e9, -3e9, 1e19, 1 / 0, -1 / 0]))
  }
}
