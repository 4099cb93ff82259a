/** A user's project on disk: its config, its actors, and what they compile to. */
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'
import type { Artifact } from '../../compiler/artifact.ts'
import { type CompileResult, compileActor, compileLibrary } from '../../compiler/compile.ts'
import { type Config, checkConfig } from '../node/config.ts'
import { ArtifactCache, type CacheOptions } from './artifact-cache.ts'

export const CONFIG_FILE = 'troupe.config.ts'
const ACTOR_SUFFIX = '.actor.ts'

export interface Project {
  readonly root: string
  readonly config: Config
  /** Null where there is none. */
  readonly configFile: string | null
  readonly actorsFolder: string
  /** `.troupe`. */
  readonly dataFolder: string
}

export class ProjectError extends Error {
  override readonly name = 'ProjectError'
  readonly code = 'TRP-7102'
  readonly fix: string
  constructor(message: string, fix: string) {
    super(message)
    this.fix = fix
  }
}

/** The project that contains `cwd`: the nearest folder up with a config or an `actors` folder. */
export async function openProject(cwd: string, configFlag?: string): Promise<Project> {
  const place = findProject(cwd, configFlag)
  const config = place.configFile === null ? {} : await loadConfig(place.configFile)
  return { ...place, config, actorsFolder: join(place.root, config.actors ?? 'actors') }
}

/** Where a project is, whatever its config says. */
export type ProjectPlace = Pick<Project, 'root' | 'configFile' | 'dataFolder'>

/** As `openProject`, without reading anything. @throws ProjectError */
export function findProject(cwd: string, configFlag?: string): ProjectPlace {
  const configFile = configFlag === undefined ? findUp(cwd, CONFIG_FILE) : resolve(cwd, configFlag)
  if (configFlag !== undefined && (configFile === null || !existsSync(configFile))) {
    throw new ProjectError(`the config ${configFlag} does not exist`, 'leave --config out to use troupe.config.ts')
  }
  const root = configFile === null ? rootWithActors(cwd) : dirname(configFile)
  return { root, configFile, dataFolder: join(root, '.troupe') }
}

function findUp(from: string, name: string): string | null {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name)
    if (dirname(folder) === folder) return null
  }
}

function rootWithActors(cwd: string): string {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'actors')) && existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return resolve(cwd)
  }
}

/** A config imports `troupe` for its types; what it needs of it at run time is this, installed or not. */
const CONFIG_HELPER: Plugin = {
  name: 'troupe',
  setup(build) {
    build.onResolve({ filter: /^troupe$/ }, () => ({ path: 'troupe', namespace: 'troupe' }))
    build.onLoad({ filter: /.*/, namespace: 'troupe' }, () => ({
      contents: 'export const defineConfig = (config) => config',
    }))
  },
}

/** Bundles the config with what it imports and evaluates it; the result is kept until the file changes. */
async function loadConfig(file: string): Promise<Config> {
  const key = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)
  const folder = join(dirname(file), '.troupe', 'build')
  const out = join(folder, `config-${key}.mjs`)
  let url = pathToFileURL(out).href
  if (!existsSync(out)) {
    if (canMake(folder)) {
      for (const name of readdirSync(folder))
        if (name.startsWith('config-')) rmSync(join(folder, name), { force: true })
      const temporary = `${out}.${process.pid}.tmp.mjs`
      writeFileSync(temporary, await bundleConfig(file, 'external'))
      renameSync(temporary, out)
    } else {
      // Nothing can be kept in a folder that is read-only, and what is not in it finds no packages.
      url = `data:text/javascript;base64,${Buffer.from(await bundleConfig(file, 'bundle')).toString('base64')}`
    }
  }
  const loaded = (await import(url)) as { default?: unknown }
  if (loaded.default === undefined)
    throw new ProjectError('the config exports nothing', 'write `export default defineConfig({ … })`')
  return checkConfig(loaded.default)
}

async function bundleConfig(file: string, packages: 'external' | 'bundle'): Promise<Uint8Array> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [file],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages,
    logLevel: 'silent',
    plugins: [CONFIG_HELPER],
  })
  return outputFiles[0]!.contents
}

function canMake(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Project-relative paths of the actor files, sorted. */
export function listActorFiles(project: Project): string[] {
  if (!existsSync(project.actorsFolder)) return []
  return walk(project.actorsFolder)
    .filter((file) => file.endsWith(ACTOR_SUFFIX))
    .map((file) => toProjectPath(project, file))
    .sort()
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (name === 'node_modules' || name.startsWith('.')) return []
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

export function toProjectPath(project: Project, file: string): string {
  return relative(project.root, file).split(sep).join('/')
}

export type Mode = 'release' | 'debug'

/** What of a project decides what its sources compile to. */
export type BuildRoot = Pick<Project, 'root' | 'config' | 'dataFolder'>

/** The project at `root` as far as building goes; a config that cannot say anything about that is not even loaded. */
export async function openBuildRoot(root: string, dataFolder: string): Promise<BuildRoot> {
  const file = join(root, CONFIG_FILE)
  const text = readIfExists(file)
  const mayDecide = text !== undefined && (text.includes('compiler') || OTHER_IMPORT.test(text))
  return { root, dataFolder, config: mayDecide ? await loadConfig(file) : {} }
}

/** Imports of anything but `troupe`, from which a config may have its keys. */
const OTHER_IMPORT = /\b(?:from|import|require)\s*\(?\s*['"`](?!troupe['"`])/

/** The actor or library as its sources are now: from the cache, or compiled. The compiler stays loaded for the next. */
export async function compileFile(project: BuildRoot, entry: string, mode: Mode = 'release'): Promise<CompileResult> {
  const artifact = findCompiled(project, entry, mode)
  if (artifact !== undefined) return { ok: true, artifact }
  const { options, cache, readFile } = compilation(project, entry, mode)
  const compile = entry.endsWith('.lib.ts') ? compileLibrary : compileActor
  return cache.fill(options, readFile, (readSource) => compile({ ...options, readFile: readSource }))
}

/** What the cache has of the sources as they are now. */
export function findCompiled(project: BuildRoot, entry: string, mode: Mode = 'release'): Artifact | undefined {
  const { options, cache, readFile } = compilation(project, entry, mode)
  return cache.find(options, readFile)
}

/** Compiles what is known already, so that the next compilation finds everything loaded and warm. */
export async function warmCompiler(project: Project, entry: string): Promise<void> {
  const { options, readFile } = compilation(project, entry, 'release')
  await compileActor({ ...options, readFile })
}

function compilation(project: BuildRoot, entry: string, mode: Mode) {
  const { optimize, sizeLimit, strict } = project.config.compiler ?? {}
  const options: CacheOptions = {
    entry,
    mode,
    ...(optimize === undefined ? {} : { optimize }),
    ...(sizeLimit === undefined ? {} : { sizeLimit }),
    ...(strict === undefined ? {} : { strict }),
  }
  const readFile = (path: string) => readIfExists(join(project.root, path))
  return { options, readFile, cache: new ArtifactCache(join(project.dataFolder, 'build', 'cache')) }
}

export function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Writes wasm, ABI and source map into `.troupe/build`, each whole or not at all. */
export function writeArtifact(project: Project, artifact: Artifact): { readonly wasm: string; readonly abi: string } {
  const folder = join(project.dataFolder, 'build')
  mkdirSync(folder, { recursive: true })
  const write = (name: string, content: Uint8Array | string): string => {
    const file = join(folder, name)
    writeFileSync(`${file}.tmp`, content)
    renameSync(`${file}.tmp`, file)
    return toProjectPath(project, file)
  }
  if (artifact.sourceMap !== null) write(`${artifact.actor}.wasm.map`, artifact.sourceMap)
  return {
    wasm: write(`${artifact.actor}.wasm`, artifact.wasm),
    abi: write(`${artifact.actor}.abi.json`, `${JSON.stringify(artifact.abi, null, 2)}\n`),
  }
}
