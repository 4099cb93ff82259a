/**
 * The reference's two passes over a module, word by word as its source has them: code is rewritten, then cut into blocks. Slow, and
 * written from the rules alone, so that it says what the instrumented module must do without sharing a line with it.
 * @source spec/fvm.md 8.4, 8.5
 */
import type { Instruction, WasmModule } from './wasm.ts'

const FREE = new Set([0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a])
const LIMIT = 2048

/** Milligas a unit of instructions whose price depends on a length. */
const UNITS: Readonly<Record<number, bigint>> = {
  64: 26_214_400n,
  264: 400n,
  266: 400n,
  267: 400n,
  268: 3200n,
  270: 3200n,
  271: 3200n,
  273: 3200n,
}

/** What runs: the code after both passes, and where it pays. */
export interface MeteredFunction {
  readonly code: readonly Instruction[]
  /** Milligas paid before the instruction. */
  readonly costs: ReadonlyMap<number, bigint>
  /** Milligas a unit of the operand on top, paid before the instruction. */
  readonly sites: ReadonlyMap<number, bigint>
}

export interface MeteredModule {
  /** By index: null for imports; thunks follow the module's own functions. */
  readonly functions: readonly (MeteredFunction | null)[]
  readonly types: readonly number[]
  /** By index of the raw module: what stands for it in tables and exports. */
  entry(index: number): number
}

/** Meters `module`; a call of its function `index` adds `heights[index]` to the stack, 0 for imports. */
export function meterAsReference(module: WasmModule, heights: readonly number[]): MeteredModule {
  const imported = module.imports.length
  const heightGlobal = module.globals.length
  const types = [...module.imports.map(({ type }) => type), ...module.functions.map(({ type }) => type)]
  const entered = [...module.elements, ...module.exports.filter(({ kind }) => kind === 0).map(({ index }) => index)]
  const thunked = [...new Set(entered)].filter((index) => index >= imported).sort((a, b) => a - b)
  const thunks = new Map(thunked.map((index, i) => [index, types.length + i]))
  const limited = (callee: number) => limitedCall(callee, heights[callee]!, heightGlobal)
  const bodies = module.functions.map(({ code }) =>
    code.flatMap((each) => (each.op === 0x10 && heights[Number(each.a)]! > 0 ? limited(Number(each.a)) : [each])),
  )
  for (const index of thunked) {
    const params = module.types[types[index]!]!.params.map((_, i) => ({ op: 0x20, a: i }))
    bodies.push([...params, ...limited(index), { op: 0x0b }])
  }
  return {
    functions: [...module.imports.map(() => null), ...bodies.map(meter)],
    types: [...types, ...thunked.map((index) => types[index]!)],
    entry: (index) => thunks.get(index) ?? index,
  }
}

/** Its `unreachable` has an immediate, which tells it from the program's own. */
function limitedCall(callee: number, height: number, global: number): Instruction[] {
  const get = { op: 0x23, a: global }
  const set = { op: 0x24, a: global }
  const constant = { op: 0x41, a: height }
  const check = [get, { op: 0x41, a: LIMIT }, { op: 0x4b }, { op: 0x04, a: 0x40 }, { op: 0x00, a: 1 }, { op: 0x0b }]
  return [get, constant, { op: 0x6a }, set, ...check, { op: 0x10, a: callee }, get, constant, { op: 0x6b }, set]
}

interface Block {
  start: number
  cost: bigint
}

interface Control {
  low: number
  active: Block
  readonly isLoop: boolean
}

function meter(code: readonly Instruction[]): MeteredFunction {
  const costs = new Map<number, bigint>()
  const sites = new Map<number, bigint>()
  const stack: Control[] = []
  const begin = (start: number, isLoop: boolean) =>
    stack.push({ low: stack.length, active: { start, cost: 0n }, isLoop })
  const finishMetered = (at: number) => {
    const top = stack.at(-1)!
    const { start, cost } = top.active
    top.active = { start: at + 1, cost: 0n }
    const parent = stack.at(-2)
    if (parent !== undefined && parent.active.start === start) parent.active.cost += cost
    else if (cost > 0n) costs.set(start, cost)
  }
  const finishControl = (at: number) => {
    finishMetered(at)
    const closed = stack.pop()!
    const index = stack.length
    if (index === 0) return
    const top = stack[index - 1]!
    top.low = Math.min(top.low, closed.low)
    if (closed.low < index) finishMetered(at)
  }
  const branch = (at: number, labels: readonly number[]) => {
    const depth = stack.length
    finishMetered(at)
    for (const label of labels) {
      const index = depth - 1 - label
      if (!stack[index]!.isLoop) stack[depth - 1]!.low = Math.min(stack[depth - 1]!.low, index)
    }
  }
  begin(0, false)
  for (const [at, { op, a, labels }] of code.entries()) {
    const before = code[at - 1]
    const unit = UNITS[op]
    let price = FREE.has(op) ? 0n : 4000n
    if (unit !== undefined) {
      if (before?.op === 0x41) price += BigInt(Number(before.a) | 0) * unit
      else sites.set(at, unit)
    }
    if (op !== 0x05 && op !== 0x0b) stack.at(-1)!.active.cost += price
    if (op === 0x02) begin(stack.at(-1)!.active.start, false)
    else if (op === 0x04) begin(at + 1, false)
    else if (op === 0x03) begin(at + 1, true)
    else if (op === 0x05) finishMetered(at)
    else if (op === 0x0b) finishControl(at)
    else if (op === 0x0c || op === 0x0d) branch(at, [Number(a)])
    else if (op === 0x0e) branch(at, labels!)
    else if (op === 0x0f) branch(at, [stack.length - 1])
  }
  return { code, costs, sites }
}
