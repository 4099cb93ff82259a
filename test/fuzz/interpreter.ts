/** Runs metered code one instruction after the other, and counts what it pays. */
import { type Arithmetic, OPERATIONS } from './arithmetic.ts'
import type { MeteredModule } from './reference-metering.ts'
import type { Instruction, WasmModule } from './wasm.ts'

const PAGE = 65_536
const TABLE_MAX = 20_000

/** The code cannot go on. */
export class Trap extends Error {}
/** What the trap says when the stack is higher than the reference allows. */
export const TOO_HIGH = 'height'

/** It cannot pay for going on. */
export class Empty extends Error {}

export type Value = number | bigint

interface Label {
  /** Where a branch goes. */
  readonly to: number
  readonly height: number
  readonly arity: number
}

export class Interpreter {
  memory: Uint8Array<ArrayBuffer>
  spent = 0n
  readonly #module: WasmModule
  readonly #metered: MeteredModule
  readonly #limit: bigint
  readonly #globals: Value[]
  readonly #table: (number | null)[]
  #passive: Uint8Array
  readonly #jumps: readonly (Int32Array | null)[]

  /** `limit` in milligas. Begins as instantiation leaves it. @throws {Trap} segments out of range */
  constructor(module: WasmModule, metered: MeteredModule, limit: bigint) {
    this.#module = module
    this.#metered = metered
    this.#limit = limit
    this.#globals = [...module.globals.map(({ type, value }) => (type === 'i64' ? BigInt(value) : value)), 0]
    this.memory = new Uint8Array(module.memory[0] * PAGE)
    this.#table = new Array<number | null>(module.table[0]).fill(null)
    this.#jumps = metered.functions.map((each) => (each === null ? null : jumpsOf(each.code)))
    for (const [i, index] of module.elements.entries()) this.#table[i] = metered.entry(index)
    this.memory.set(module.data[0]!.bytes, module.data[0]!.at!)
    this.#passive = module.data[1]!.bytes
  }

  /** Calls the export of function `index`. @throws Trap, Empty */
  invoke(index: number, args: readonly Value[]): Value | undefined {
    return this.#call(this.#metered.entry(index), args)
  }

  #pay(milligas: bigint): void {
    this.spent += milligas
    if (this.spent > this.#limit) throw new Empty()
  }

  #call(index: number, args: readonly Value[]): Value | undefined {
    const { code, costs, sites } = this.#metered.functions[index]!
    const jumps = this.#jumps[index]!
    const type = this.#module.types[this.#metered.types[index]!]!
    const own = this.#module.functions[index - this.#module.imports.length]
    const locals: Value[] = [...args]
    for (const [count, of] of own?.locals ?? []) {
      for (let i = 0; i < count; i++) locals.push(of === 'i64' ? 0n : 0)
    }
    const stack: Value[] = []
    const labels: Label[] = [{ to: code.length - 1, height: 0, arity: type.results.length }]
    for (let pc = 0; pc < code.length; pc++) {
      const cost = costs.get(pc)
      if (cost !== undefined) this.#pay(cost)
      const unit = sites.get(pc)
      if (unit !== undefined) this.#pay(unit * BigInt((stack.at(-1) as number) >>> 0))
      const instruction = code[pc]!
      const { op } = instruction
      const a = Number(instruction.a)
      const branch = (label: number): void => {
        const at = labels.length - 1 - label
        const { to, height, arity } = labels[at]!
        const carried = arity === 0 ? undefined : stack.pop()!
        stack.length = height
        if (carried !== undefined) stack.push(carried)
        // The end that is met next closes the label; a loop stays open and goes on behind its first instruction.
        labels.length = at + 1
        pc = code[to]!.op === 0x03 ? to : to - 1
      }
      switch (op) {
        case 0x00:
          throw new Trap(instruction.a === undefined ? 'unreachable' : TOO_HIGH)
        case 0x01:
          break
        case 0x02:
          labels.push({ to: jumps[pc]!, height: stack.length, arity: a === 0x40 ? 0 : 1 })
          break
        case 0x03:
          labels.push({ to: pc, height: stack.length, arity: 0 })
          break
        case 0x04: {
          const holds = stack.pop() !== 0
          const end = jumps[pc]! < 0 ? -jumps[pc]! : jumps[jumps[pc]!]!
          const other = jumps[pc]! < 0 ? null : jumps[pc]!
          if (holds || other !== null) labels.push({ to: end, height: stack.length, arity: a === 0x40 ? 0 : 1 })
          if (!holds) pc = other ?? end
          break
        }
        case 0x05:
          pc = jumps[pc]! - 1
          break
        case 0x0b:
          labels.pop()
          break
        case 0x0c:
          branch(a)
          break
        case 0x0d:
          if (stack.pop() !== 0) branch(a)
          break
        case 0x0e: {
          const at = (stack.pop() as number) >>> 0
          branch(instruction.labels![at] ?? a)
          break
        }
        case 0x0f:
          branch(labels.length - 1)
          break
        case 0x10:
          this.#pass(stack, a)
          break
        case 0x11:
          this.#pass(stack, this.#indirect(stack.pop() as number, a))
          break
        case 0x1a:
          stack.pop()
          break
        case 0x1b: {
          const [first, second, condition] = stack.splice(-3) as [Value, Value, number]
          stack.push(condition !== 0 ? first : second)
          break
        }
        case 0x20:
          stack.push(locals[a]!)
          break
        case 0x21:
          locals[a] = stack.pop()!
          break
        case 0x22:
          locals[a] = stack.at(-1)!
          break
        case 0x23:
          stack.push(this.#globals[a]!)
          break
        case 0x24:
          this.#globals[a] = stack.pop()!
          break
        case 0x42:
          stack.push(BigInt.asIntN(64, BigInt(instruction.a!)))
          break
        case 0x41:
          stack.push(a | 0)
          break
        case 0x43:
          stack.push(Math.fround(a))
          break
        case 0x44:
          stack.push(a)
          break
        default:
          if (OPERATIONS[op] !== undefined) apply(stack, OPERATIONS[op])
          else this.#effect(stack, instruction)
      }
    }
    return stack.pop()
  }

  #pass(stack: Value[], index: number): void {
    const { params } = this.#module.types[this.#metered.types[index]!]!
    const result = this.#call(index, stack.splice(stack.length - params.length))
    if (result !== undefined) stack.push(result)
  }

  #indirect(at: number, type: number): number {
    const index = this.#table[at >>> 0]
    if (index === undefined || index === null) throw new Trap('table')
    const [is, wanted] = [this.#module.types[this.#metered.types[index]!]!, this.#module.types[type]!]
    if (is.params.join() !== wanted.params.join() || is.results.join() !== wanted.results.join())
      throw new Trap('signature')
    return index
  }

  /** Instructions on memory and table. */
  #effect(stack: Value[], { op, b }: Instruction): void {
    const pop = () => (stack.pop() as number) >>> 0
    if (op >= 0x28 && op <= 0x3e) {
      this.#access(stack, op, b!)
      return
    }
    switch (op) {
      case 0x25: {
        const at = pop()
        if (at >= this.#table.length) throw new Trap('table')
        stack.push((this.#table[at] ?? -1) as number)
        break
      }
      case 0x26: {
        const [at, value] = stack.splice(-2) as [number, number]
        this.#fillTable(at >>> 0, value, 1)
        break
      }
      case 0x3f:
        stack.push(this.memory.length / PAGE)
        break
      case 0x40:
        stack.push(this.#grow(pop()))
        break
      case 0x108: {
        const [size, from, to] = [pop(), pop(), pop()]
        if (from + size > this.#passive.length || to + size > this.memory.length) throw new Trap('memory')
        this.memory.set(this.#passive.subarray(from, from + size), to)
        break
      }
      case 0x109:
        this.#passive = new Uint8Array(0)
        break
      case 0x10a: {
        const [size, from, to] = [pop(), pop(), pop()]
        if (from + size > this.memory.length || to + size > this.memory.length) throw new Trap('memory')
        this.memory.copyWithin(to, from, from + size)
        break
      }
      case 0x10b: {
        const [size, value, to] = [pop(), pop(), pop()]
        if (to + size > this.memory.length) throw new Trap('memory')
        this.memory.fill(value, to, to + size)
        break
      }
      case 0x10e: {
        const [count, from, to] = [pop(), pop(), pop()]
        if (from + count > this.#table.length || to + count > this.#table.length) throw new Trap('table')
        this.#table.copyWithin(to, from, from + count)
        break
      }
      case 0x10f: {
        const count = pop()
        const value = stack.pop() as number
        const size = this.#table.length
        const fits = size + count <= Math.min(this.#module.table[1], TABLE_MAX)
        if (fits) for (let i = 0; i < count; i++) this.#table.push(value < 0 ? null : value)
        stack.push(fits ? size : -1)
        break
      }
      case 0x110:
        stack.push(this.#table.length)
        break
      case 0x111: {
        const count = pop()
        const value = stack.pop() as number
        this.#fillTable(pop(), value, count)
        break
      }
      default:
        throw new Error(`no rule for instruction ${op}`)
    }
  }

  #fillTable(at: number, value: number, count: number): void {
    if (at + count > this.#table.length) throw new Trap('table')
    this.#table.fill(value < 0 ? null : value, at, at + count)
  }

  #grow(pages: number): number {
    const now = this.memory.length / PAGE
    if (now + pages > this.#module.memory[1]) return -1
    const grown = new Uint8Array((now + pages) * PAGE)
    grown.set(this.memory)
    this.memory = grown
    return now
  }

  #access(stack: Value[], op: number, offset: number): void {
    const isStore = op >= 0x36
    const value = isStore ? stack.pop()! : 0
    const [size, isSigned, isWide] = ACCESS[op]!
    const at = ((stack.pop() as number) >>> 0) + offset
    if (at + size > this.memory.length) throw new Trap('memory')
    if (isStore) {
      for (let i = 0, rest = BigInt(value); i < size; i++, rest >>= 8n) this.memory[at + i] = Number(rest & 0xffn)
      return
    }
    let loaded = 0n
    for (let i = size - 1; i >= 0; i--) loaded = (loaded << 8n) | BigInt(this.memory[at + i]!)
    if (isSigned) loaded = BigInt.asIntN(8 * size, loaded)
    stack.push(isWide ? BigInt.asIntN(64, loaded) : Number(BigInt.asIntN(32, loaded)))
  }
}

function apply(stack: Value[], { arity, run }: Arithmetic): void {
  const result = arity === 1 ? run(stack.pop()!, 0) : run(...(stack.splice(-2) as [Value, Value]))
  if (result === undefined) throw new Trap('arithmetic')
  stack.push(result)
}

/** Bytes, whether the sign is kept, whether it is of 64 bits. */
// biome-ignore format: a table
const ACCESS: Readonly<Record<number, readonly [size: number, isSigned: boolean, isWide: boolean]>> = {
  40: [4, false, false], 41: [8, false, true],
  44: [1, true, false], 45: [1, false, false], 46: [2, true, false], 47: [2, false, false],
  48: [1, true, true], 49: [1, false, true], 50: [2, true, true], 51: [2, false, true],
  52: [4, true, true], 53: [4, false, true],
  54: [4, false, false], 55: [8, false, true], 58: [1, false, false], 59: [2, false, false],
  60: [1, false, true], 61: [2, false, true], 62: [4, false, true],
}

/** For `block` and `else` where they end; for `if` its `else`, or minus its end. */
function jumpsOf(code: readonly Instruction[]): Int32Array {
  const jumps = new Int32Array(code.length)
  const open: number[] = []
  for (const [at, { op }] of code.entries()) {
    if (op >= 0x02 && op <= 0x04) open.push(at)
    else if (op === 0x05) {
      jumps[open.at(-1)!] = at
      open[open.length - 1] = at
    } else if (op === 0x0b && open.length > 0) {
      const start = open.pop()!
      jumps[start] = code[start]!.op === 0x04 ? -at : at
    }
  }
  return jumps
}
