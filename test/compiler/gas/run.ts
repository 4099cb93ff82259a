/** Runs instrumented modules the way an engine does, without one. */
import { type InstrumentedModule, instrumentModule } from '../../../compiler/gas/instrument.ts'
import { wat } from '../wasm/modules.ts'

export interface Outcome {
  /** What `invoke` returned; `null` when it trapped. */
  readonly value: number | null
  /** Milligas spent; more than the limit means that it ran out. */
  readonly spent: bigint
  readonly exports: Record<string, unknown> & { gas: { value: bigint }; memory: Memory }
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** `WebAssembly` as far as it is used: the compiler's options leave out the DOM, where it is declared. */
const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly

interface Engine {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: Outcome['exports'] }
  RuntimeError: new () => Error
}

/** Compiles for V8; throws when it does not. */
export function compile(bytes: Uint8Array): object {
  return new engine.Module(bytes)
}

/** Instruments the text and calls `start` and `invoke`. */
export function run(text: string, options: { argument?: number; limit?: bigint; imports?: object } = {}): Outcome {
  return runModule(instrumentModule(wat(text)), options)
}

/** Calls `start` and `invoke` of an instrumented module. */
export function runModule(
  { bytes, facts }: InstrumentedModule,
  { argument = 0, limit = 1_000_000_000_000n, imports = {} }: { argument?: number; limit?: bigint; imports?: object },
): Outcome {
  const grow = (delta: number): number => {
    const pages = exports.memory.buffer.byteLength / 65_536
    return pages + (delta >>> 0) > (facts.memory?.maximum ?? 8192) ? -1 : exports.memory.grow(delta)
  }
  const troupe = {
    memory_grow: grow,
    table_grow: (now: number, more: number) => ((now >>> 0) + (more >>> 0) <= 20_000 ? 1 : 0),
  }
  const { exports } = new engine.Instance(compile(bytes), { troupe, ...imports })
  exports.gas.value = limit
  let value: number | null = null
  try {
    const { start, invoke } = exports as { start?: () => void; invoke?: (argument: number) => number }
    start?.()
    value = invoke?.(argument) ?? null
  } catch (error) {
    if (!(error instanceof engine.RuntimeError)) throw error
  }
  return { value, spent: limit - exports.gas.value, exports }
}
