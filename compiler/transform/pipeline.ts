/**
 * The asc pipeline with our steps between its own: parse, generate, initialise, check, compile, optimise, emit.
 * Loaded lazily, since it brings the whole of AssemblyScript with it.
 */
import * as asc from 'assemblyscript'
import { version as ASC_VERSION, libraryFiles } from 'assemblyscript/asc'
import binaryen from 'assemblyscript/binaryen'
import type { Abi } from '../abi/schema.ts'
import type { TargetOptions } from '../asconfig.ts'
import { buildAbi } from './abi.ts'
import { type ActorDescription, describeActor, findActor } from './actor.ts'
import { ActorCompiler } from './actor-compiler.ts'
import { featureOf, runtimeOf } from './asc.ts'
import { Clients } from './client.ts'
import { addCodec, addEventCodec, addStateCodec, describeEvent, type EventDescription } from './codec.ts'
import { checkDecorators, hasDecorator } from './decorators.ts'
import { type CodecSlot, generateDispatch } from './dispatch.ts'
import { foldSource } from './fold.ts'
import { frameSizes } from './frames.ts'
import { wrapLibrary } from './library.ts'
import { forgetLibrary, parseLibrary } from './library-syntax.ts'
import { linkModule } from './link.ts'
import { lintSource } from './lint.ts'
import { Report } from './report.ts'
import { COMPONENTS, Scope, SDK_PATH } from './scope.ts'
import type { Mode, SdkSources } from './sdk.ts'
import { SdkNames } from './sdk-names.ts'
import { startOf } from './snippet.ts'

export interface PipelineOptions {
  readonly entry: string
  readonly readFile: (path: string) => string | undefined
  readonly sdk: SdkSources
  readonly mode: Mode
  readonly target: TargetOptions
  readonly isStrict: boolean
  /** The entry is a `*.lib.ts`: its exported functions become the methods of an actor without state. */
  readonly isLibrary: boolean
  readonly sizeLimit: number | undefined
  readonly against: { readonly name: string; readonly abi: Abi } | undefined
}

export interface PipelineResult {
  readonly report: Report
  readonly sources: readonly string[]
  readonly output: { readonly wasm: Uint8Array; readonly sourceMap: string | null; readonly abi: Abi } | null
}

/** Part of the ABI's `build`, and of every cache key. */
export const SDK_VERSION = '0.1.0'

const LIBRARY = '~lib/'
const SDK_LIBRARY = `${SDK_PATH}/`
/** The source that dispatch fills with the actor's class. */
const FILLED = `${SDK_LIBRARY}current`

export function runPipeline(options: PipelineOptions): PipelineResult {
  try {
    return compileEntry(options)
  } catch (error) {
    forgetLibrary()
    throw error
  }
}

function compileEntry(options: PipelineOptions): PipelineResult {
  const report = new Report()
  const program = asc.newProgram(makeOptions(options))
  const files = new Files(options)
  const fail = (): PipelineResult => {
    collect(program, report)
    return { report, sources: files.read, output: null }
  }

  for (const [path, text] of Object.entries(libraryFiles)) {
    if (!path.includes('/')) parseLibrary(program, text, `${LIBRARY}${path}.ts`)
  }
  parseLibrary(program, options.sdk.get('runtime') ?? '', `${SDK_LIBRARY}runtime.ts`)
  const actorPath = options.entry.replace(/\.ts$/, '')
  const entryPath = `${actorPath}.entry.ts`
  asc.parse(
    program,
    `import '${SDK_PATH.slice(LIBRARY.length)}/glue'\nimport './${actorPath.split('/').pop()}'\n`,
    entryPath,
    true,
  )
  parseBacklog(program, files)
  if (collect(program, report)) return fail()

  const scope = new Scope(program.parser)
  scope.entryPath = entryPath
  const plan = generate(scope, actorPath, entryPath, options, report)
  if (!plan || report.hasErrors) return fail()
  parseBacklog(program, files)
  if (collect(program, report)) return fail()

  asc.initializeProgram(program)
  if (collect(program, report)) return fail()
  const abi = buildAbi({ program, scope, report, against: options.against, ...plan })
  if (collect(program, report) || report.hasErrors) return fail()

  const module = new ActorCompiler(program, options.mode).compile()
  if (collect(program, report)) return fail()
  const { target } = options
  callStart(module, target.exportStart)
  asc.optimize(module, target.optimizeLevel, target.shrinkLevel, target.debug, false)
  const wrapped = binaryen.wrapModule(module.ref as unknown as number)
  reportRecursion(wrapped, report)
  const map = target.sourceMap ? `./${actorPath.split('/').pop()}.wasm.map` : null
  const emitted = wrapped.emitBinary(map) as unknown as Uint8Array | { binary: Uint8Array; sourceMap: string }
  const { binary, sourceMap } = emitted instanceof Uint8Array ? { binary: emitted, sourceMap: '' } : emitted
  wrapped.dispose()
  const build = linkModule({
    wasm: binary,
    report,
    range: plan.actor.ref.declaration.name.range,
    sizeLimit: options.sizeLimit,
    versions: { sdk: SDK_VERSION, asc: ASC_VERSION },
  })
  return { report, sources: files.read, output: { wasm: binary, sourceMap: sourceMap || null, abi: { ...abi, build } } }
}

interface Plan {
  readonly actor: ActorDescription
  readonly events: readonly EventDescription[]
  readonly slots: readonly CodecSlot[]
}

/** Everything that is done on the syntax tree. */
function generate(
  scope: Scope,
  actorPath: string,
  entryPath: string,
  options: PipelineOptions,
  report: Report,
): Plan | undefined {
  const source = scope.source(actorPath)
  const entry = scope.sources.find((s) => s.normalizedPath === entryPath)
  if (!source || !entry) return undefined
  if (options.isLibrary) wrapLibrary(source)
  for (const user of scope.userSources) {
    checkDecorators(user, report)
    lintSource({ source: user, names: new SdkNames(user), scope, report, isStrict: options.isStrict })
  }
  const ref = findActor(source, scope, report, startOf(source))
  if (!ref || report.hasErrors) return undefined
  const actor = describeActor(ref, scope, report)

  const events: EventDescription[] = []
  for (const authored of scope.authored) {
    for (const statement of [...authored.statements]) {
      if (!(statement instanceof asc.ClassDeclaration)) continue
      const found = { source: authored, declaration: statement }
      addCodec(found, scope)
      if (hasDecorator(statement, 'event')) {
        const event = describeEvent(found, scope, report)
        events.push(event)
        addEventCodec(event)
      }
    }
  }
  const clients = new Clients(scope, report)
  for (const authored of scope.authored) {
    const names = new SdkNames(authored)
    clients.rewrite(authored, names)
    foldSource(authored, names, options.mode, report)
  }
  addStateCodec(ref, scope)
  const { slots } = generateDispatch(actor, entry, scope)
  return { actor, events, slots: [...slots, ...clients.slots] }
}

function makeOptions({ mode, target }: PipelineOptions): asc.Options {
  const compiler = asc.newOptions()
  asc.setTarget(compiler, 0)
  asc.setRuntime(compiler, runtimeOf(target.runtime))
  asc.setInitialMemory(compiler, target.initialMemory)
  asc.setExportMemory(compiler, true)
  asc.setExportStart(compiler, target.exportStart)
  asc.setDebugInfo(compiler, target.debug)
  asc.setSourceMap(compiler, target.sourceMap)
  asc.setStackSize(compiler, target.stackSize)
  asc.setBundleVersion(compiler, 0, 28, 20)
  asc.addGlobalAlias(compiler, 'abort', mode === 'debug' ? `${SDK_LIBRARY}abort/onAbort` : '')
  for (const name of target.enable) asc.setFeature(compiler, featureOf(name), true)
  asc.setOptimizeLevelHints(compiler, target.optimizeLevel, target.shrinkLevel)
  return compiler
}

/** Missing from the types of binaryen.js. */
const setBody = (binaryen as unknown as { _BinaryenFunctionSetBody(fn: number, body: number): void })
  ._BinaryenFunctionSetBody

/** Runs module initialisation first thing inside the exports: the FVM has no memory yet when a start section runs. */
function callStart(module: asc.Module, name: string): void {
  const wrapped = binaryen.wrapModule(module.ref as unknown as number)
  const start = wrapped.getExport(name)
  if (!start) return
  const target = binaryen.getExportInfo(start).value
  for (const entrypoint of ['invoke', 'upgrade']) {
    const exported = wrapped.getExport(entrypoint)
    if (!exported) continue
    const fn = wrapped.getFunction(binaryen.getExportInfo(exported).value)
    const { body } = binaryen.getFunctionInfo(fn)
    const call = wrapped.call(target, [], binaryen.none)
    setBody(fn, wrapped.block(null, [call, body], binaryen.i32))
  }
  wrapped.removeExport(name)
}

/** Names what a level of each recursive function takes. */
function reportRecursion(module: binaryen.Module, report: Report): void {
  if (!report.recursive.length) return
  const hadNames = binaryen.getDebugInfo()
  binaryen.setDebugInfo(true)
  const sizes = frameSizes(module.emitBinary())
  binaryen.setDebugInfo(hadNames)
  for (const { range, name, internalName } of report.recursive) {
    report.add(6005, range, name, String(sizes.get(internalName) ?? 'some'))
  }
}

/** Moves asc's messages into the report; whether errors were among them. */
function collect(program: asc.Program, report: Report): boolean {
  let failed = false
  for (let message = asc.nextDiagnostic(program); message; message = asc.nextDiagnostic(program)) {
    report.addForeign(message)
    failed ||= asc.isError(message)
  }
  return failed
}

function parseBacklog(program: asc.Program, files: Files): void {
  for (let path = asc.nextFile(program); path !== null; path = asc.nextFile(program)) {
    const file = files.find(path)
    if (file !== undefined && isLibrary(path)) parseLibrary(program, file.text, file.path)
    else asc.parse(program, file?.text ?? null, file?.path ?? `${path}.ts`, false)
  }
}

/** Sources in which nothing is generated, so that all programs can have the same. */
function isLibrary(internalPath: string): boolean {
  return internalPath.startsWith(LIBRARY) && !COMPONENTS.has(internalPath) && internalPath !== FILLED
}

/** Serves sources by asc's internal path, and remembers which of the project's were read. */
class Files {
  readonly read: string[] = []
  private readonly options: PipelineOptions

  constructor(options: PipelineOptions) {
    this.options = options
  }

  find(internalPath: string): { readonly path: string; readonly text: string } | undefined {
    if (internalPath === SDK_PATH) return this.library(`${SDK_LIBRARY}index`, this.options.sdk.get('index'))
    if (internalPath.startsWith(SDK_LIBRARY)) {
      return this.library(internalPath, this.options.sdk.get(internalPath.slice(SDK_LIBRARY.length)))
    }
    if (internalPath.startsWith(LIBRARY)) {
      const name = internalPath.slice(LIBRARY.length)
      const index = `${name}/index`
      return name in libraryFiles
        ? this.library(internalPath, libraryFiles[name])
        : this.library(`${internalPath}/index`, libraryFiles[index])
    }
    for (const path of [`${internalPath}.ts`, `${internalPath}/index.ts`]) {
      const text = this.options.readFile(path)
      if (text === undefined) continue
      this.read.push(path)
      return { path, text }
    }
    return undefined
  }

  private library(path: string, text: string | undefined): { path: string; text: string } | undefined {
    return text === undefined ? undefined : { path: `${path}.ts`, text }
  }
}
