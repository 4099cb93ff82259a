/**
 * The debug twin of an actor: the same sources, not optimised, with names and a source map. A message runs on the twins
 * again, from the same state and for nothing, to learn where it failed or which lines it reached.
 *
 * @source spec sdk §9.3, §9.4
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eachMapping, TraceMap } from '@jridgewell/trace-mapping'
import { type WatchedModule, watchModule } from '../../compiler/gas/instrument.ts'
import { readModule } from '../../compiler/wasm/reader.ts'
import { ExitSignal } from '../engine/failure.ts'
import type { Guest } from '../engine/guest.ts'
import { Linker } from '../engine/linker.ts'
import type { MachineContext, Probe, ProbedCall } from '../engine/machine-context.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import type { Cid } from '../ipld/cid.ts'
import type { ActorDescription, BuildPlace } from './actor.ts'
import { type TwinFile, twinPath, wishFolder } from './build-files.ts'
import type { Answer } from './mock.ts'

/** A message that can be run once more, from the state that it had. */
export interface Replay {
  /** What mocks answered, in order. */
  readonly answers: readonly Answer[]
  readonly isMocked: (call: ProbedCall) => boolean
  /** By code. */
  readonly descriptions: ReadonlyMap<Cid, ActorDescription>
  readonly run: (changes: Pick<MachineContext, 'modules' | 'linker' | 'probe'>) => void
}

export interface Position {
  /** Absolute. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** From `offset` in the raw module stands what was written here. */
export interface Place {
  readonly offset: number
  /** Below the root. */
  readonly source: string
  /** From 1. */
  readonly line: number
  /** From 0. */
  readonly column: number
}

export interface Twin {
  readonly watched: WatchedModule
  /** By index in the raw module, in the compiler's form: `actors/counter.actor/Counter#get`. */
  readonly names: ReadonlyMap<number, string>
  /** By ascending offset, what the source map knows of files that somebody wrote. */
  readonly places: readonly Place[]
  readonly root: string
  readonly place: BuildPlace
  /** Raw offsets at which the bodies of the module's own functions begin. */
  readonly bodies: readonly number[]
  readonly importCount: number
}

const PATIENCE_MS = 20_000
const POLL_MS = 10

/** By code of the release build. */
const twins = new Map<Cid, Twin | null>()
const twinModules = new ModuleCache({ get: (code) => twins.get(code)?.watched, put() {} })

/** The twin of an actor, which the plugin compiles when it is first asked for; null where there is no plugin. */
export function twinOf({ code, place }: ActorDescription): Twin | null {
  let twin = twins.get(code)
  if (twin === undefined) {
    const file = place === null ? undefined : waitForTwin(place)
    twin = place === null || file === undefined ? null : openTwin(file, place)
    twins.set(code, twin)
  }
  return twin
}

/** The harness is synchronous, so it waits here; the plugin works in another process or thread. */
function waitForTwin(place: BuildPlace): TwinFile | undefined {
  const path = twinPath(place)
  if (!existsSync(path)) {
    mkdirSync(wishFolder(place.folder), { recursive: true })
    writeFileSync(
      join(wishFolder(place.folder), `${place.key}.json`),
      JSON.stringify({ entry: place.entry, root: place.root }),
    )
    const clock = new Int32Array(new SharedArrayBuffer(4))
    for (let waited = 0; !existsSync(path); waited += POLL_MS) {
      if (waited > PATIENCE_MS) return undefined
      Atomics.wait(clock, 0, 0, POLL_MS)
    }
  }
  const file = JSON.parse(readFileSync(path, 'utf8')) as TwinFile
  return file.wasm === '' ? undefined : file
}

export function openTwin({ wasm, map }: TwinFile, place: BuildPlace): Twin {
  const raw = new Uint8Array(Buffer.from(wasm, 'base64'))
  const module = readModule(raw)
  return {
    watched: watchModule(raw),
    names: readNames(raw),
    places: readPlaces(map),
    place,
    root: place.root,
    bodies: (module.bodies ?? []).map(({ code }) => code.start),
    importCount: module.imports.filter(({ extern }) => extern.kind === 'function').length,
  }
}

function readPlaces(text: string): Place[] {
  const places: Place[] = []
  eachMapping(new TraceMap(text), ({ source, generatedColumn, originalLine, originalColumn }) => {
    if (source === null || originalLine === null || isLibrary(source)) return
    places.push({ offset: generatedColumn, source, line: originalLine, column: originalColumn ?? 0 })
  })
  return places
}

const FUNCTION_NAMES = 1

/** The function names of the name section. */
function readNames(raw: Uint8Array): Map<number, string> {
  const names = new Map<number, string>()
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(raw), 'name')
  if (section === undefined) return names
  const bytes = new Uint8Array(section)
  let at = 0
  const readU32 = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const kind = bytes[at++]!
    const end = readU32() + at
    if (kind === FUNCTION_NAMES) {
      for (let count = readU32(); count > 0; count--) {
        const index = readU32()
        const size = readU32()
        names.set(index, new TextDecoder().decode(bytes.subarray(at, at + size)))
        at += size
      }
    }
    at = end
  }
  return names
}

// --- running ------------------------------------------------------------------------------------------------------

/** What a run on the twins tells of. */
interface Listener {
  /** A block of a twin begins. */
  tell?(twin: Twin, block: number): void
  /** An actor ends with a code other than 0, or traps. */
  fail?(failure: RawFailure): void
}

interface RawFailure {
  readonly exitCode: number
  readonly message: string
  /** As V8 writes it. */
  readonly stack: string
  /** Who is running, outermost first. */
  readonly running: readonly (ActorDescription | undefined)[]
}

/** Knows who is running. */
class TwinLinker extends Linker {
  readonly guests: Guest[] = []

  override enter(guest: Guest | null): Guest | null {
    const isReturn = guest === (this.guests.at(-2) ?? null) && this.guests.length > 0
    if (isReturn) this.guests.pop()
    else if (guest !== null) this.guests.push(guest)
    return super.enter(guest)
  }

  /** Who runs, outermost first. */
  running(descriptions: Replay['descriptions']): (ActorDescription | undefined)[] {
    return this.guests.map(({ kernel, calls }) => {
      const actor = calls.machine.state.getActor(kernel.call.to)
      return actor === undefined ? undefined : descriptions.get(actor.code)
    })
  }
}

export function runOnTwins(replay: Replay, listener: Listener): void {
  const { descriptions } = replay
  for (const description of descriptions.values()) twinOf(description)
  const linker = new TwinLinker()
  const { imports } = linker
  let teller: Guest | undefined
  let told: Twin | null | undefined
  imports['troupe']!['tell'] = (block: number): number => {
    if (listener.tell === undefined) return 0
    const guest = linker.guests.at(-1)
    if (guest !== teller) {
      teller = guest
      const description = linker.running(descriptions).at(-1)
      told = description && twins.get(description.code)
    }
    if (told) listener.tell(told, block)
    return 0
  }
  const exit = imports['vm']!['exit'] as (...args: number[]) => number
  imports['vm']!['exit'] = (...args: number[]): number => {
    try {
      return exit(...args)
    } catch (signal) {
      if (signal instanceof ExitSignal && signal.code !== 0 && listener.fail !== undefined) {
        listener.fail({
          exitCode: signal.code,
          message: signal.message,
          stack: new Error().stack ?? '',
          running: linker.running(descriptions),
        })
      }
      throw signal
    }
  }
  let answered = 0
  const probe: Probe = {
    intercept: (call) => (replay.isMocked(call) ? replay.answers[answered++] : undefined),
    trapped: (error) =>
      listener.fail?.({
        exitCode: 4,
        message: error.message,
        stack: error.stack ?? '',
        running: linker.running(descriptions),
      }),
  }
  withPlainStacks(() => replay.run({ modules: twinModules, linker, probe }))
}

/** Long stacks in V8's own form, whatever the test runner does to them. */
function withPlainStacks(run: () => void): void {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 10_000
  // The type has no undefined, but that is what it is when nobody set it.
  ;(Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined
  try {
    run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    if (prepareStackTrace !== undefined) Error.prepareStackTrace = prepareStackTrace
  }
}

// --- failures -----------------------------------------------------------------------------------------------------

/** Where a message failed, as lines of a stack trace with the innermost frame first, and what the twin said. */
export interface Explanation {
  readonly frames: readonly string[]
  readonly message: string
}

/** Runs a failed message on the twins. */
export function explainFailure(replay: Replay): Explanation {
  const failures: RawFailure[] = []
  try {
    runOnTwins(replay, { fail: (failure) => failures.push(failure) })
  } catch {
    return { frames: [], message: '' }
  }
  const cause = findCause(failures)
  if (cause === undefined) return { frames: [], message: '' }
  const frames = readSegments(cause.stack).flatMap((frames, depth) => {
    const description = cause.running.at(-1 - depth)
    const twin = description === undefined ? null : twinOf(description)
    return twin === null
      ? []
      : formatFrames(twin, frames, depth === 0 ? abortPosition(cause.message, twin.root) : undefined)
  })
  return { frames, message: cause.message.replace(ABORT_PLACE, '') }
}

/** The failure that the outermost one handed on: the deepest of those that follow each other with one code. */
function findCause(failures: readonly RawFailure[]): RawFailure | undefined {
  let at = failures.length - 1
  while (at > 0) {
    const [inner, outer] = [failures[at - 1]!, failures[at]!]
    if (inner.running.length !== outer.running.length + 1 || inner.exitCode !== outer.exitCode) break
    at--
  }
  return failures[at]
}

interface RawFrame {
  readonly index: number
  readonly offset: number
}

/** The WebAssembly frames of a stack, split where JavaScript lies between: one segment for each running actor, innermost first. */
function readSegments(stack: string): RawFrame[][] {
  const segments: RawFrame[][] = []
  let isInside = false
  for (const line of stack.split('\n')) {
    const match = /wasm-function\[(\d+)\]:0x([0-9a-f]+)/.exec(line)
    if (match === null) {
      isInside = false
      continue
    }
    if (!isInside) segments.push([])
    isInside = true
    segments.at(-1)!.push({ index: Number(match[1]), offset: Number.parseInt(match[2]!, 16) })
  }
  return segments
}

const ABORT_PLACE = / at (\S+):(\d+):(\d+)$/

/** The standard library and `assert` tell their place in the message; it stands for the top frame, which has no mapping. */
function abortPosition(message: string, root: string): Position | undefined {
  const match = ABORT_PLACE.exec(message)
  if (match === null || isLibrary(match[1]!)) return undefined
  return { file: join(root, match[1]!), line: Number(match[2]), column: Number(match[3]) }
}

function isLibrary(source: string): boolean {
  return source.startsWith('~lib/') || source.includes('.actor.entry')
}

function formatFrames(twin: Twin, frames: readonly RawFrame[], top: Position | undefined): string[] {
  const lines: string[] = []
  for (const frame of frames) {
    const name = displayName(twin, frame)
    const position = positionOf(twin, frame)
    if (name === undefined || position === undefined) continue
    const { file, line, column } = lines.length === 0 && top !== undefined ? top : position
    lines.push(`    at ${name} (${file}:${line}:${column})`)
  }
  return lines
}

function displayName(twin: Twin, { index }: RawFrame): string | undefined {
  return sourceName(twin.names.get(index - twin.watched.functionShift))
}

/** `actors/counter.actor/Counter#get` → `Counter.get`; undefined for what nobody wrote: wrappers, the entry, the SDK. */
export function sourceName(name: string | undefined): string | undefined {
  const plain = name?.replace(/<.*>/, '')
  if (plain === undefined || plain.startsWith('~') || plain.includes('.entry/')) return undefined
  const short = plain.slice(plain.lastIndexOf('/') + 1).replace(/[#~]/g, '.')
  return short.split('.').some((part) => part.includes('__')) ? undefined : short
}

function positionOf(twin: Twin, { index, offset }: RawFrame): Position | undefined {
  const raw = twin.watched.rawOffset(offset)
  const body = index - twin.watched.functionShift - twin.importCount
  const start = twin.bodies[body]
  if (raw === undefined || start === undefined) return undefined
  return findPlace(twin, raw, start, twin.bodies[body + 1] ?? Number.POSITIVE_INFINITY)
}

/**
 * The nearest place that somebody wrote at or before `raw`, else after it, inside the function from `start` to `end`.
 * Some instructions have no place, and inlined ones one in the SDK.
 */
function findPlace({ places, root }: Twin, raw: number, start: number, end: number): Position | undefined {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (places[middle]!.offset <= raw) low = middle + 1
    else high = middle
  }
  const found = [places[low - 1], places[low]].find(
    (place) => place !== undefined && place.offset >= start && place.offset < end,
  )
  return found === undefined
    ? undefined
    : { file: join(root, found.source), line: found.line, column: found.column + 1 }
}
