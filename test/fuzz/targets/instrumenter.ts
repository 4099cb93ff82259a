/** A random program: raw in V8, instrumented in V8, and metered by the reference's rules in an interpreter. */
import { InstrumentError } from '../../../compiler/gas/fault.ts'
import { type InstrumentOptions, instrumentModule } from '../../../compiler/gas/instrument.ts'
import { stackCost } from '../../../compiler/gas/stack-limit.ts'
import { createInstructions, decodeCode } from '../../../compiler/wasm/code.ts'
import { indexSpaces } from '../../../compiler/wasm/module.ts'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { equalBytes } from '../../../devnet/primitives/bytes.ts'
import { Empty, Interpreter, TOO_HIGH, Trap } from '../interpreter.ts'
import { makeProgram } from '../program.ts'
import { Choices } from '../random.ts'
import { type MeteredModule, meterAsReference } from '../reference-metering.ts'
import { attempt, demand, type Target } from '../target.ts'
import { encodeWasm, type WasmModule } from '../wasm.ts'

const LIMIT = 1_000_000_000_000n
const PAGE = 65_536
/** A program is valid; these say that the reference refuses it all the same, for its dead code or its constants. */
const REFUSALS = ['STACK_UNDERFLOW', 'BRANCH_ARITY', 'NEGATIVE_LENGTH', 'COST_OVERFLOW']

export const instrumenter: Target = {
  name: 'instrumenter',
  generate: (random) => random.bytes(16 + random.below(600)),
  run(input) {
    const choices = new Choices(input)
    const argument = choices.below(5)
    const part = BigInt(choices.below(100))
    const program = makeProgram(choices)
    const bytes = encodeWasm(program)
    const instrumented = attempt(() => instrumentModule(bytes), InstrumentError)
    if (!('value' in instrumented)) {
      const { code } = (instrumented.error as InstrumentError).fault
      demand(REFUSALS.includes(code), `a valid program is refused: ${code}`)
      new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
      return code
    }
    const metered = meterAsReference(program, heightsOf(bytes))
    const model = interpret(program, metered, argument, LIMIT)
    compare(runInstrumented(bytes, argument, LIMIT, 'seldom'), model, LIMIT)
    compare(runInstrumented(bytes, argument, LIMIT, 'every block'), model, LIMIT)
    if (model.end !== 'empty' && model.end !== TOO_HIGH) {
      const raw = runRaw(bytes, argument)
      demand(raw.end === endOf(model), `the raw program ends with ${raw.end}, not ${endOf(model)}`)
      demand(equalBytes(raw.memory, model.memory), 'the raw program leaves another memory')
    }
    const less = (model.spent * part) / 100n
    const short = interpret(program, metered, argument, less)
    compare(runInstrumented(bytes, argument, less, 'seldom'), short, less)
    compare(runInstrumented(bytes, argument, less, 'every block'), short, less)
    return `${model.end} ${model.spent}`
  },
}

interface Ended {
  /** `value n`, `trap`, `empty`, or `height` for the trap of the stack limiter. */
  readonly end: string
  readonly spent: bigint
  readonly memory: Uint8Array
}

function endOf({ end }: Ended): string {
  return end === TOO_HIGH ? 'trap' : end
}

/** What was spent is exact, but for programs that ran out and are not asked at every block. */
function compare(ours: Ended & { readonly asking: string }, model: Ended, limit: bigint): void {
  const where = `${ours.asking}, limit ${limit}`
  if (model.end === 'empty') {
    demand(ours.spent > limit, `the gas does not run out (${where})`)
    if (ours.asking === 'every block') {
      demand(ours.spent === model.spent, `runs out at ${ours.spent}, the reference at ${model.spent} (${where})`)
    }
    return
  }
  demand(ours.end === endOf(model), `ends with ${ours.end}, not ${endOf(model)} (${where})`)
  demand(ours.spent === model.spent, `spends ${ours.spent}, the reference ${model.spent} (${where})`)
  demand(equalBytes(ours.memory, model.memory), `leaves another memory (${where})`)
}

function heightsOf(bytes: Uint8Array): readonly number[] {
  const module = readModule(bytes)
  const spaces = indexSpaces(module)
  const code = createInstructions()
  const own = module.bodies!.map((body, i) => {
    decodeCode(bytes, body.code, code)
    return stackCost({ types: module.types, spaces }, module.types[module.functions![i]!]!, body.locals, code)
  })
  return [...new Array<number>(spaces.importedFunctions).fill(0), ...own]
}

function interpret(program: WasmModule, metered: MeteredModule, argument: number, limit: bigint): Ended {
  const machine = new Interpreter(program, metered, limit)
  let end: string
  try {
    end = `value ${machine.invoke(program.imports.length + program.functions.length - 1, [argument])}`
  } catch (error) {
    if (error instanceof Empty) end = 'empty'
    else if (error instanceof Trap) end = error.message === TOO_HIGH ? TOO_HIGH : 'trap'
    else throw error
  }
  return { end, spent: machine.spent, memory: machine.memory }
}

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly gas: WebAssembly.Global
  readonly invoke: (argument: number) => number
}

function runInstrumented(
  raw: Uint8Array,
  argument: number,
  limit: bigint,
  asking: NonNullable<InstrumentOptions['asking']>,
): Ended & { readonly asking: string } {
  const { bytes, facts } = instrumentModule(raw, { asking })
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const troupe = {
    memory_grow(pages: number): number {
      const now = exports.memory.buffer.byteLength / PAGE
      return now + (pages >>> 0) > facts.memory!.maximum! ? -1 : exports.memory.grow(pages)
    },
    table_grow: (now: number, more: number) => ((now >>> 0) + (more >>> 0) <= facts.tableMaximum ? 1 : 0),
  }
  const exports = new WebAssembly.Instance(module, { troupe }).exports as unknown as Exports
  exports.gas.value = limit
  const end = call(exports, argument)
  return {
    end,
    spent: limit - (exports.gas.value as unknown as bigint),
    memory: new Uint8Array(exports.memory.buffer),
    asking,
  }
}

function runRaw(bytes: Uint8Array, argument: number): { readonly end: string; readonly memory: Uint8Array } {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports
  const end = call(exports, argument)
  return { end, memory: new Uint8Array(exports.memory.buffer) }
}

function call({ invoke }: Exports, argument: number): string {
  try {
    return `value ${invoke(argument)}`
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return 'trap'
    throw error
  }
}
