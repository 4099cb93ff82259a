/**
 * What a test needs of an actor beside its artifact: the names that the source has for methods and enums. Artifacts come
 * from the project's build cache, so a run does not load the compiler when nothing changed since.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Abi } from '../../compiler/abi/schema.ts'
import type { Artifact } from '../../compiler/artifact.ts'
import type { Diagnostic } from '../../compiler/diagnostic.ts'
import { toolchainStamp } from '../reload/artifact-cache.ts'
import { type BuildRoot, compileFile, findCompiled } from '../reload/project.ts'
import type { BuildPlace } from './actor.ts'
import { type TwinFile, twinPath } from './build-files.ts'

export interface BuiltActor {
  /** Names the build and its twin: a hash over the sources. */
  readonly key: string
  readonly abi: Abi
  readonly wasm: Uint8Array
  /** Below the root. */
  readonly sources: readonly string[]
  /** As in `ActorModule`. */
  readonly names: Readonly<Record<string, string>>
  /** Exported enums of the actor's file. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** The actor does not compile. */
export class BuildFailedError extends Error {
  override readonly name = 'BuildFailedError'
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'))
    this.diagnostics = diagnostics
  }
}

/** Builds `entry`, or finds it built. @throws BuildFailedError */
export async function buildActor(project: BuildRoot, entry: string): Promise<BuiltActor> {
  const result = await compileFile(project, entry)
  if (!result.ok) throw new BuildFailedError(result.diagnostics)
  return describeBuild(project, entry, result.artifact)
}

export function isBuilt(project: BuildRoot, entry: string): boolean {
  return findCompiled(project, entry) !== undefined
}

function describeBuild({ root }: BuildRoot, entry: string, { abi, wasm, sources }: Artifact): BuiltActor {
  const texts = sources.map((source) => [source, readFileSync(join(root, source), 'utf8')])
  return {
    abi,
    wasm,
    sources,
    key: createHash('sha256')
      .update(JSON.stringify([entry, toolchainStamp(), texts]))
      .digest('hex')
      .slice(0, 20),
    names: sourceNames(abi, root),
    enums: exportedEnums(readFileSync(join(root, entry), 'utf8')),
  }
}

/** Compiles the debug twin of a build. One that does not compile is written too, empty. */
export async function buildTwin(place: BuildPlace): Promise<void> {
  const path = twinPath(place)
  if (existsSync(path)) return
  let file: TwinFile = { wasm: '', map: '' }
  try {
    const project = { root: place.root, dataFolder: dirname(place.folder), config: {} }
    const result = await compileFile(project, place.entry, 'debug')
    if (result.ok) {
      const { wasm, sourceMap } = result.artifact
      file = { wasm: Buffer.from(wasm).toString('base64'), map: sourceMap ?? '' }
    }
  } finally {
    writeAside(path, JSON.stringify(file))
  }
}

export function writeAside(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${process.pid}.${process.hrtime.bigint()}`
  writeFileSync(aside, text)
  renameSync(aside, path)
}

/** Methods whose name in the ABI is not their name in the source: the ABI knows where the latter stands. */
function sourceNames(abi: Abi, root: string): Record<string, string> {
  const names: Record<string, string> = {}
  for (const { name, at, kind } of abi.methods) {
    const match = at === undefined || kind === 'constructor' ? null : /^(.*):(\d+):(\d+)$/.exec(at)
    if (match === null || !existsSync(join(root, match[1]!))) continue
    const line = readFileSync(join(root, match[1]!), 'utf8').split('\n')[Number(match[2]) - 1] ?? ''
    const written = /^[A-Za-z_$][\w$]*/.exec(line.slice(Number(match[3]) - 1))?.[0]
    if (written !== undefined && written !== name[0]!.toLowerCase() + name.slice(1)) names[name] = written
  }
  return names
}

/** Enums of integers, so that a test can say `Err.Closed`. */
function exportedEnums(source: string): Record<string, Record<string, number>> {
  const enums: Record<string, Record<string, number>> = {}
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  for (const [, name, body] of code.matchAll(/\bexport\s+(?:const\s+)?enum\s+(\w+)\s*\{([^}]*)\}/g)) {
    const members: Record<string, number> = {}
    let next = 0
    for (const [, member, value] of body!.matchAll(/(\w+)\s*(?:=\s*(-?\w+))?\s*(?:,|$)/g)) {
      members[member!] = value === undefined ? next : Number(value)
      next = members[member!]! + 1
    }
    enums[name!] = members
  }
  return enums
}
