/**
 * `troupe/vitest`: the plugin that lets a test import an actor from its source.
 *
 * ```ts
 * // vitest.config.ts
 * import { defineConfig } from 'vitest/config'
 * import { troupe } from 'troupe/vitest'
 *
 * export default defineConfig({ plugins: [troupe()] })
 * ```
 *
 * It compiles `*.actor.ts` on import, adds the matchers, prints gas per method at the end, compiles debug twins when a
 * test wants a stack trace, and gives the coverage of actors to the report.
 */
import { existsSync, type FSWatcher, mkdirSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import type { Plugin } from 'vitest/config'
import { type Diagnostic, formatDiagnostic } from '../../compiler/diagnostic.ts'
import { type BuildRoot, openBuildRoot } from '../reload/project.ts'
import { actorModule, type BuildPlace, describeActor, LIBRARY_EXPORT } from './actor.ts'
import { BuildFailedError, type BuiltActor, buildActor, buildTwin } from './build.ts'
import { type Ahead, builtAhead } from './build-ahead.ts'
import { COVERAGE_VARIABLE, coverageFolder, wishFolder } from './build-files.ts'
import { GasReporter } from './gas-reporter.ts'
import { GAS_VARIABLE } from './gas-usage.ts'
import { harnessFile, isSource } from './harness-file.ts'

export interface PluginOptions {
  /** Where builds and runs are kept, below the project's root. */
  readonly folder?: string
  /**
   * What is printed of gas after a run: the median of each method when absent; with true, as with `troupe test --gas`,
   * also how often it was called, its least and its most; with false nothing.
   */
  readonly gas?: boolean
}

const COMPILED = /\.(actor|lib)\.ts$/

export function troupe(options: PluginOptions = {}): Plugin {
  let root = process.cwd()
  let builds = ''
  let wishes: FSWatcher | undefined
  let project: Promise<BuildRoot> | undefined
  let ahead: Promise<Ahead> | undefined
  return {
    name: 'troupe',
    enforce: 'pre',

    config(user) {
      const home = resolve(user.root ?? '')
      project = openBuildRoot(home, join(home, options.folder ?? '.troupe'))
      // What is wrong with the config is said where an actor is imported.
      project.catch(() => {})
      ahead = builtAhead(project)
      return {
        ...(isSource ? { resolve: { alias: { 'troupe/test': harnessFile('test') } } } : {}),
        test: {
          setupFiles: [harnessFile('matchers')],
          // Threads have the stack that 1,024 nested calls need; processes do not. They start sooner, too.
          ...(user.test?.pool === undefined ? { pool: 'threads' as const } : {}),
          // Vite rewrites what does not lie in node_modules, and so all of a package that is linked: half of a small run.
          ...(!isSource && sharesVitest(home) ? { server: { deps: { external: [inside(harnessFile('test'))] } } } : {}),
          ...(hasProvider(home, user.test?.coverage)
            ? {}
            : { coverage: { provider: 'custom' as const, customProviderModule: harnessFile('coverage-provider') } }),
        },
      }
    },

    configResolved(config) {
      root = config.root
      builds = join(root, options.folder ?? '.troupe', 'build')
    },

    configureVitest({ vitest, project }) {
      const runs = join(root, options.folder ?? '.troupe', 'runs')
      const reporter = new GasReporter({ runs, shown: shownGas(options), tie: (run) => tieCoverage(run, builds) })
      vitest.config.reporters.push(reporter as never)
      if (vitest.config.coverage.enabled) {
        rmSync(coverageFolder(builds), { recursive: true, force: true })
        project.config.env = { ...project.config.env, [COVERAGE_VARIABLE]: '1' }
      }
      wishes ??= grantWishes(builds)
      vitest.onClose(() => wishes?.close())
    },

    async load(id) {
      const path = id.split('?')[0]!
      if (!COMPILED.test(path)) return undefined
      const entry = relative(root, path).replaceAll('\\', '/')
      try {
        await (await ahead)?.get(entry)
        const built = await buildActor(await project!, entry)
        for (const source of built.sources) this.addWatchFile(join(root, source))
        return { code: moduleText(built, { root, entry, folder: builds, key: built.key }), map: { mappings: '' } }
      } catch (error) {
        if (error instanceof BuildFailedError) {
          this.addWatchFile(path)
          throw suiteError(error, root, path)
        }
        throw error
      }
    },
  }
}

function shownGas({ gas }: PluginOptions): 'none' | 'medians' | 'all' {
  if (process.env[GAS_VARIABLE] === '1') return 'all'
  return gas === undefined ? 'medians' : gas ? 'all' : 'none'
}

/** Whether this package, loaded by Node, finds the vitest that runs: our matchers must extend that one. */
function sharesVitest(home: string): boolean {
  const find = (from: string): string | undefined => {
    try {
      return createRequire(from).resolve('vitest/package.json')
    } catch {
      return undefined
    }
  }
  const theirs = find(join(home, 'package.json'))
  return theirs !== undefined && theirs === find(harnessFile('test'))
}

/** Files in the folder of `file`, and of the bundles that it shares with others, two folders up. */
function inside(file: string): RegExp {
  const folder = resolve(file, '..', '..', '..')
  return new RegExp(`^${folder.replaceAll('\\', '/').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/`)
}

/** Whether the user chose how coverage is made, or installed one of vitest's own ways. */
function hasProvider(root: string, coverage: { provider?: string } | undefined): boolean {
  if (coverage?.provider !== undefined) return true
  const require = createRequire(join(root, 'package.json'))
  try {
    require.resolve('@vitest/coverage-v8')
    return true
  } catch {
    return false
  }
}

/** What stands in the place of the source: the actor under its class's name, or a library and its functions. */
function moduleText({ abi, wasm, names, enums }: BuiltActor, place: BuildPlace): string {
  const module = actorModule(abi, wasm, names, place)
  const exports: [string, string][] = place.entry.endsWith('.lib.ts')
    ? [
        [LIBRARY_EXPORT, JSON.stringify(module)],
        ...[...describeActor(module).methods.keys()].map((name): [string, string] => [name, UNBOUND]),
      ]
    : [[abi.actor, JSON.stringify(module)]]
  exports.push(...Object.entries(enums).map(([name, members]): [string, string] => [name, JSON.stringify(members)]))
  return exports.map(([name, value]) => `export const ${name} = ${value}\n`).join('')
}

/** A library's functions take and give the actor's types, which JavaScript has not. */
const UNBOUND = "() => { throw new TypeError('call it through library(…) of troupe/test') }"

/** An error in the form that Vite and vitest print with the user's own line. */
function suiteError({ diagnostics }: BuildFailedError, root: string, id: string): Error {
  const first = diagnostics.find(({ severity, file }) => severity === 'error' && file !== '') ?? diagnostics[0]
  const text = (file: string): string | undefined => {
    const path = join(root, file)
    return file !== '' && existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }
  const all = diagnostics
    .filter(({ severity }) => severity === 'error')
    .map((diagnostic) => formatDiagnostic(diagnostic, text(diagnostic.file)))
  const error = new Error(all.join('\n\n'))
  error.name = 'ActorCompileError'
  error.stack = `${error.name}: ${error.message}\n    at ${id}${first === undefined ? '' : `:${first.line}:${first.column}`}`
  return Object.assign(error, first === undefined ? {} : placeOf(first, root, id, text(first.file)))
}

function placeOf(
  { code, file, line, column }: Diagnostic,
  root: string,
  id: string,
  source: string | undefined,
): object {
  return {
    code,
    id,
    plugin: 'troupe',
    loc: { file: file === '' ? id : join(root, file), line, column: column - 1 },
    frame:
      source
        ?.split('\n')
        .slice(Math.max(0, line - 3), line + 2)
        .join('\n') ?? '',
  }
}

/** Compiles the twins that tests wait for. */
function grantWishes(builds: string): FSWatcher {
  const folder = wishFolder(builds)
  mkdirSync(folder, { recursive: true })
  const grant = async (): Promise<void> => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      try {
        const { entry, root } = JSON.parse(readFileSync(path, 'utf8')) as { entry: string; root: string }
        rmSync(path, { force: true })
        await buildTwin({ entry, root, folder: builds, key: name.replace(/\.json$/, '') })
      } catch {
        // Not written to its end yet, or taken by another run: the next event comes.
      }
    }
  }
  const watcher = watch(folder, () => void grant())
  watcher.unref()
  return watcher
}

type CoverageHost = ConstructorParameters<typeof GasReporter>[0]['tie'] extends (run: infer R) => void ? R : never

/** vitest's own providers know nothing of actors: what they answer gets the actors' part added. */
function tieCoverage(vitest: CoverageHost, builds: string): void {
  const provider = vitest.coverageProvider as CoverageProviderLike | null
  if (!provider || provider.name === 'troupe' || tied.has(provider)) return
  tied.add(provider)
  const generate = provider.generateCoverage.bind(provider)
  provider.generateCoverage = async (context) => {
    const { mergeActorCoverage } = await import('./coverage-map.ts')
    return mergeActorCoverage(await generate(context), builds)
  }
}

interface CoverageProviderLike {
  readonly name: string
  generateCoverage(context: unknown): Promise<unknown>
}

const tied = new WeakSet<object>()
