/**
 * Actor source to artifact. Files arrive through an argument; nothing is written. AssemblyScript is loaded with the first
 * compilation and stays.
 */
import { setFlagsFromString } from 'node:v8'
import type { Abi } from './abi/schema.ts'
import type { Artifact } from './artifact.ts'
import { type Target, targetOptions } from './asconfig.ts'
import { type Diagnostic, sortDiagnostics } from './diagnostic.ts'

export interface CompileOptions {
  /** Project-relative path of the `*.actor.ts`. */
  readonly entry: string
  /** Project-relative. The SDK's own sources do not come from here. */
  readonly readFile: (path: string) => string | undefined
  /** `debug` is the twin for traces and coverage: same sources, no optimisation, names and a source map. */
  readonly mode: 'release' | 'debug'
  readonly optimize?: 'size' | 'balanced' | 'speed'
  /** Unchecked arithmetic on state becomes an error. */
  readonly strict?: boolean
  /** In bytes. */
  readonly sizeLimit?: number
  /** An older interface whose state this actor must be able to read; `name` is for the message. */
  readonly against?: { readonly name: string; readonly abi: Abi }
  /** The folder `actors/sdk`; found beside the compiler by default. */
  readonly sdkRoot?: string
}

export type CompileResult =
  | { readonly ok: true; readonly artifact: Artifact }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/**
 * Compiles one actor. Calls may overlap: each runs from start to end without giving way, once AssemblyScript is loaded.
 */
export function compileActor(options: CompileOptions): Promise<CompileResult> {
  return compile(options, false)
}

/**
 * Compiles a `*.lib.ts`: its exported functions become views of an actor without state, `gcd` being called `Gcd`, so that
 * a test runs them as it runs methods.
 */
export function compileLibrary(options: CompileOptions): Promise<CompileResult> {
  return compile(options, true)
}

async function compile(options: CompileOptions, isLibrary: boolean): Promise<CompileResult> {
  const [{ runPipeline }, { findSdkRoot, loadSdk }] = await Promise.all([
    (pipeline ??= loadPipeline()),
    import('./transform/sdk.ts'),
  ])
  const { mode } = options
  const { report, output, sources } = runPipeline({
    entry: options.entry,
    readFile: options.readFile,
    sdk: loadSdk(options.sdkRoot ?? findSdkRoot(), mode),
    mode,
    isStrict: options.strict ?? false,
    isLibrary,
    sizeLimit: options.sizeLimit,
    against: options.against,
    target: targetOptions(targetOf(options)),
  })
  const diagnostics = sortDiagnostics(report.diagnostics)
  if (!output || report.hasErrors) return { ok: false, diagnostics }
  return {
    ok: true,
    artifact: {
      actor: output.abi.actor,
      wasm: output.wasm,
      abi: output.abi,
      sourceMap: output.sourceMap,
      sources,
      diagnostics,
    },
  }
}

function targetOf({ mode, optimize = 'size' }: CompileOptions): Target {
  if (mode === 'debug') return 'debug'
  return optimize === 'size' ? 'release' : optimize
}

let pipeline: ReturnType<typeof loadPipeline> | undefined

/**
 * Binaryen is ten megabytes of WebAssembly of which each compilation runs a little: V8's optimising compiler would take
 * longer over it than all that we compile. Modules keep the tier that was allowed when they were loaded.
 */
async function loadPipeline(): Promise<typeof import('./transform/pipeline.ts')> {
  setFlagsFromString('--liftoff-only')
  try {
    return await import('./transform/pipeline.ts')
  } finally {
    setFlagsFromString('--no-liftoff-only')
  }
}
