/**
 * Compiled actors on disk, in `.troupe/build`: what a test run needs is found there without loading the compiler when
 * nothing changed since. Files are written aside and renamed, so that several runs may share the folder.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Abi } from '../../compiler/abi/schema.ts'
import type { Artifact } from '../../compiler/artifact.ts'
import { compileActor, compileLibrary } from '../../compiler/compile.ts'
import type { Diagnostic } from '../../compiler/diagnostic.ts'
import { findSdkRoot } from '../../compiler/transform/sdk.ts'
import type { BuildPlace } from './actor.ts'
import { type TwinFile, twinPath } from './twin.ts'

export interface BuiltActor {
  readonly key: string
  readonly abi: Abi
  /** Base64. */
  readonly wasm: string
  /** Below the root. */
  readonly sources: readonly string[]
  /** As in `ActorModule`. */
  readonly names: Readonly<Record<string, string>>
  /** Exported enums of the actor's file. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** What stands on disk for an entry: the build, and the sources it was made of. */
interface Stored extends BuiltActor {
  readonly toolchain: string
  readonly hashes: Readonly<Record<string, string>>
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

/** Builds `entry`, or finds it built. `folder` is absolute. @throws BuildFailedError */
export async function buildActor(root: string, entry: string, folder: string): Promise<BuiltActor> {
  const stored = findBuilt(root, entry, folder)
  if (stored !== undefined) return stored

  const toolchain = toolchainStamp()
  const artifact = await compile(root, entry, 'release')
  const hashes = Object.fromEntries(
    artifact.sources.map((source) => [source, hashOf(readFileSync(join(root, source)))]),
  )
  const built: Stored = {
    key: hashOf(JSON.stringify([entry, toolchain, hashes])),
    abi: artifact.abi,
    wasm: Buffer.from(artifact.wasm).toString('base64'),
    sources: artifact.sources,
    names: sourceNames(artifact.abi, root),
    enums: exportedEnums(readFileSync(join(root, entry), 'utf8')),
    toolchain,
    hashes,
  }
  writeAside(builtPath(entry, folder), JSON.stringify(built))
  return built
}

/** What is on disk for `entry`, unless something changed since. */
export function findBuilt(root: string, entry: string, folder: string): BuiltActor | undefined {
  const stored = readStored(builtPath(entry, folder))
  return stored !== undefined && stored.toolchain === toolchainStamp() && isCurrent(stored, root) ? stored : undefined
}

function builtPath(entry: string, folder: string): string {
  return join(folder, `${hashOf(entry)}.test.json`)
}

/** Compiles the debug twin of a build that is on disk. One that does not compile is written too, empty. */
export async function buildTwin(place: BuildPlace): Promise<void> {
  const path = twinPath(place)
  if (existsSync(path)) return
  let file: TwinFile = { wasm: '', map: '' }
  try {
    const { wasm, sourceMap } = await compile(place.root, place.entry, 'debug')
    file = { wasm: Buffer.from(wasm).toString('base64'), map: sourceMap ?? '' }
  } finally {
    writeAside(path, JSON.stringify(file))
  }
}

async function compile(root: string, entry: string, mode: 'release' | 'debug'): Promise<Artifact> {
  const readFile = (path: string): string | undefined => {
    try {
      return readFileSync(join(root, path), 'utf8')
    } catch {
      return undefined
    }
  }
  const compileEntry = entry.endsWith('.lib.ts') ? compileLibrary : compileActor
  const result = await compileEntry({ entry, mode, readFile })
  if (!result.ok) throw new BuildFailedError(result.diagnostics)
  return result.artifact
}

function readStored(path: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stored
  } catch {
    return undefined
  }
}

function isCurrent({ hashes }: Stored, root: string): boolean {
  return Object.entries(hashes).every(([source, hash]) => {
    const path = join(root, source)
    return existsSync(path) && hashOf(readFileSync(path)) === hash
  })
}

let stamp: string | undefined

/** Changes with the compiler and the SDK: by the newest change of their files, which the version of a package does not tell. */
function toolchainStamp(): string {
  if (stamp === undefined) {
    const here = fileURLToPath(import.meta.url)
    const sdk = findSdkRoot()
    const times = [
      newest(sdk),
      here.endsWith('.ts') ? newest(join(dirname(dirname(sdk)), 'compiler')) : statSync(here).mtimeMs,
    ]
    stamp = times.join(' ')
  }
  return stamp
}

function newest(folder: string): number {
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs)
  }
  return time
}

export function writeAside(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${process.pid}.${process.hrtime.bigint()}`
  writeFileSync(aside, text)
  renameSync(aside, path)
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 20)
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
