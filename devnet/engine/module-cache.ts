/**
 * Code CID → validated, limited, metered and compiled module. Compiling is expensive and pure, so results are kept for
 * the life of the process and shared by every chain in it; a store of instrumented bytes may sit behind.
 */
import { type InstrumentedModule, instrumentModule, type ModuleFacts } from '../../compiler/gas/instrument.ts'
import type { Cid } from '../ipld/cid.ts'
import { rethrowOverflow } from '../primitives/assert.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { EngineExhausted } from './failure.ts'
import type { Manifest } from './manifest.ts'

export interface LoadedModule {
  readonly module: WebAssembly.Module
  readonly facts: ModuleFacts
  /** Instrumented bytes, for tools. */
  readonly size: number
  /** Whether a memory may be larger than the code was told: it neither reaches past what it has nor can tell. */
  readonly toleratesLargerMemory: boolean
}

/** The code cannot run: malformed, refused feature, or over a limit. `reason` has the byte offset. */
export interface LoadFailure {
  readonly reason: string
}

/**
 * `traced` modules stop at the very instruction where gas runs out, so that the last charge of a trace is exact too. `baseline` is the
 * same in code that V8 never optimises, whose frames are as large as `ModuleFacts` says.
 */
export type ModuleVariant = 'plain' | 'traced' | 'baseline'

/** Where instrumented modules outlive the process. Losing an entry costs time only. */
export interface InstrumentedStore {
  get(code: Cid): InstrumentedModule | undefined
  put(code: Cid, module: InstrumentedModule): void
}

export class ModuleCache {
  readonly #modules = {
    plain: new Map<Cid, LoadedModule | LoadFailure>(),
    traced: new Map<Cid, LoadedModule | LoadFailure>(),
    baseline: new Map<Cid, LoadedModule | LoadFailure>(),
  }
  /** By the state of a system actor: manifests of which all code has been loaded here. */
  readonly manifests = new Map<Cid, Manifest>()
  readonly #store: InstrumentedStore | undefined
  readonly #trusted = new Set<Cid>()

  constructor(store?: InstrumentedStore) {
    this.#store = store
  }

  /** Built-in actors, which never reach past their memory: their instances are kept even after they grew. */
  trust(codes: Iterable<Cid>): void {
    for (const code of codes) this.#trusted.add(code)
  }

  /** `code` names `bytes`; the caller has checked that. */
  load(code: Cid, bytes: Uint8Array, variant: ModuleVariant = 'plain'): LoadedModule | LoadFailure {
    const modules = this.#modules[variant]
    let loaded = modules.get(code)
    if (loaded === undefined) {
      loaded = this.#compile(code, bytes, variant)
      modules.set(code, loaded)
    }
    return loaded
  }

  find(code: Cid, variant: ModuleVariant = 'plain'): LoadedModule | LoadFailure | undefined {
    return this.#modules[variant].get(code)
  }

  #compile(code: Cid, bytes: Uint8Array, variant: ModuleVariant): LoadedModule | LoadFailure {
    try {
      const instrumented =
        variant === 'plain' ? this.#instrument(code, bytes) : instrumentModule(bytes, { asking: 'every block' })
      const compile = variant === 'baseline' ? compileBaseline : compileModule
      const module = compile(instrumented.bytes)
      const { facts } = instrumented
      const toleratesLargerMemory = this.#trusted.has(code) && !facts.readsMemorySize
      return { module, facts, size: instrumented.bytes.length, toleratesLargerMemory }
    } catch (error) {
      // Where memory or stack ran out, nothing is known about the code.
      rethrowOverflow(error)
      if (error instanceof RangeError) throw new EngineExhausted('memory')
      return { reason: error instanceof Error ? error.message : String(error) }
    }
  }

  #instrument(code: Cid, bytes: Uint8Array): InstrumentedModule {
    const stored = this.#store?.get(code)
    if (stored !== undefined) return stored
    const instrumented = instrumentModule(bytes)
    this.#store?.put(code, instrumented)
    return instrumented
  }
}

export function isLoaded(module: LoadedModule | LoadFailure): module is LoadedModule {
  return 'module' in module
}

function compileModule(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
}

/** An empty custom section named `baseline`: V8 shares code between modules of the same bytes. */
const BASELINE_SECTION = Uint8Array.from([0, 9, 8, ...Array.from('baseline', (letter) => letter.charCodeAt(0))])

/** Whether V8 optimises is a setting of the process; a module that another thread compiles meanwhile is slower, and else the same. */
function compileBaseline(bytes: Uint8Array): WebAssembly.Module {
  const v8 = process.getBuiltinModule('node:v8')
  try {
    for (const flag of OPTIMISING_FLAGS) v8.setFlagsFromString(`--no-${flag}`)
    return compileModule(concatBytes(bytes, BASELINE_SECTION))
  } finally {
    for (const flag of OPTIMISING_FLAGS) v8.setFlagsFromString(`--${flag}`)
  }
}

/** The last lets code wait for its first call, and with it the decision. */
const OPTIMISING_FLAGS = ['wasm-tier-up', 'wasm-dynamic-tiering', 'wasm-lazy-compilation']
