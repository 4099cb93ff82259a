/**
 * Compiled actors on disk, in `.troupe/build/cache`, for the commands, `troupe dev` and the tests: what did not change since
 * the last compilation is found there, and AssemblyScript is not even loaded. Entries are written aside and renamed, so
 * that several processes may share the folder. An entry names every file that the compiler asked for, also those it did not find:
 * one that appears later may be imported instead.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Artifact } from '../../compiler/artifact.ts'
import type { CompileOptions, CompileResult } from '../../compiler/compile.ts'
import { findPackageRoot } from '../node/package-root.ts'
import { VERSION } from '../primitives/version.ts'

/** What decides the artifact beside the sources. */
export type CacheOptions = Pick<CompileOptions, 'entry' | 'mode' | 'optimize' | 'strict' | 'sizeLimit'>

interface Stored extends Omit<Artifact, 'wasm'> {
  readonly toolchain: string
  /** Hash of each file; null where there was none. */
  readonly files: Readonly<Record<string, string | null>>
  /** Base64. */
  readonly wasm: string
}

export class ArtifactCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The artifact, when each of its sources is as it was. */
  find(options: CacheOptions, readFile: CompileOptions['readFile']): Artifact | undefined {
    try {
      const stored = JSON.parse(readFileSync(this.#path(options), 'utf8')) as Stored
      const { toolchain, files, wasm, ...rest } = stored
      if (toolchain !== toolchainStamp()) return undefined
      for (const [path, hash] of Object.entries(files)) if (hashOf(readFile(path)) !== hash) return undefined
      return { ...rest, wasm: new Uint8Array(Buffer.from(wasm, 'base64')) }
    } catch {
      return undefined
    }
  }

  /** Compiles, and keeps what compiled. `compile` must read through the function that it is given. */
  async fill(
    options: CacheOptions,
    readFile: CompileOptions['readFile'],
    compile: (readFile: CompileOptions['readFile']) => Promise<CompileResult>,
  ): Promise<CompileResult> {
    const files: Record<string, string | null> = {}
    const result = await compile((path) => {
      const text = readFile(path)
      files[path] = hashOf(text)
      return text
    })
    if (result.ok) this.#put(options, result.artifact, files)
    return result
  }

  /** A cache that cannot be written is no reason to stop. */
  #put(options: CacheOptions, artifact: Artifact, files: Stored['files']): void {
    const stored: Stored = {
      ...artifact,
      files,
      toolchain: toolchainStamp(),
      wasm: Buffer.from(artifact.wasm).toString('base64'),
    }
    const path = this.#path(options)
    const aside = `${path}.${process.pid}.${process.hrtime.bigint()}`
    try {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(aside, JSON.stringify(stored))
      renameSync(aside, path)
    } catch {
      // read-only or full: the actor is compiled again next time
    }
  }

  #path({ entry, mode, optimize = 'size', strict = false, sizeLimit = 0 }: CacheOptions): string {
    return join(this.#folder, `${hashOf([entry, mode, optimize, strict, sizeLimit].join(' '))}.json`)
  }
}

let stamp: string | undefined

/** Changes with the release, and for those who work on it, with every change of the SDK and every build. */
export function toolchainStamp(): string {
  if (stamp === undefined) {
    const root = findPackageRoot()
    const here = fileURLToPath(import.meta.url)
    const compiler = here.startsWith(join(root, 'dist')) ? statSync(here).mtimeMs : sourceTime(root)
    stamp = [VERSION, newest(join(root, 'actors', 'sdk')), compiler].join(' ')
  }
  return stamp
}

function sourceTime(root: string): number {
  return Math.max(newest(join(root, 'compiler')), statSync(join(root, 'asconfig.json')).mtimeMs)
}

function newest(folder: string): number {
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

function hashOf(text: string): string
function hashOf(text: string | undefined): string | null
function hashOf(text: string | undefined): string | null {
  return text === undefined ? null : createHash('sha256').update(text).digest('hex').slice(0, 32)
}
