/** `troupe build`: every actor to wasm and ABI, and its debug twin with a source map. */
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { lowerFirst } from '../../../compiler/abi/words.ts'
import type { Artifact } from '../../../compiler/artifact.ts'
import { type Project, toProjectPath, writeArtifact } from '../../reload/project.ts'
import type { Command, Input } from '../command.ts'
import { type GasRun, readLastRun } from '../gas-run.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, table } from '../output.ts'
import { grouped } from '../receipts.ts'
import { compileOne, pickActors, warningsOf } from '../sources.ts'

export const build: Command = {
  name: 'build',
  usage: 'build [Actor…] [--release]',
  about:
    'Compiles actors into .troupe/build: the wasm that is deployed, its ABI, and a debug twin with names and source map. ' +
    'One line an actor: size (compressed), methods, imports, and the change since the last build.',
  example: 'troupe build --release',
  flags: { release: { type: 'boolean', about: 'only what is deployed, no debug twin' } },
  run,
}

interface Built {
  readonly actor: string
  readonly file: string
  readonly bytes: number
  readonly gzip: number
  /** Bytes more than in the last build; null when there was none. */
  readonly delta: number | null
  readonly methods: readonly { readonly name: string; readonly number: number; readonly gas: string | null }[]
  readonly imports: readonly string[]
  readonly code: string
  readonly wasm: string
  readonly abi: string
  readonly sourceMap: string | null
}

async function run(input: Input): Promise<Answer> {
  const project = await loadProject(input)
  const lastRun = readLastRun(project)
  const built: Built[] = []
  const warnings: string[] = []
  for (const source of pickActors(project, input)) {
    const artifact = await compileOne(input, project, source)
    const twin = input.flags['release'] === true ? null : await compileOne(input, project, source, 'debug')
    warnings.push(...warningsOf(artifact))
    built.push(writeBuilt(project, source.file, artifact, twin, lastRun))
  }
  return { data: { actors: built }, text: render(built), warnings }
}

function writeBuilt(
  project: Project,
  file: string,
  artifact: Artifact,
  twin: Artifact | null,
  lastRun: GasRun | null,
): Built {
  const { actor, wasm, abi } = artifact
  const path = join(project.dataFolder, 'build', `${actor}.wasm`)
  const before = existsSync(path) ? statSync(path).size : null
  const written = writeArtifact(project, artifact)
  const gasOf = (name: string) => lastRun?.gas.find(({ label }) => label === `${actor}.${name}`)?.median ?? null
  return {
    actor,
    file,
    bytes: wasm.length,
    gzip: gzipSync(wasm, { level: 9 }).length,
    delta: before === null ? null : wasm.length - before,
    methods: abi.methods.map(({ name, number }) => ({ name, number, gas: gasOf(lowerFirst(name)) })),
    imports: abi.build.imports,
    code: abi.build.codeCid,
    ...written,
    sourceMap: twin === null ? null : writeTwin(project, twin),
  }
}

/** `Counter.debug.wasm`, and its map under the name that the module has for it. */
function writeTwin(project: Project, { actor, wasm, sourceMap }: Artifact): string {
  const folder = join(project.dataFolder, 'build')
  const write = (name: string, content: Uint8Array | string): void => {
    writeFileSync(join(folder, `${name}.tmp`), content)
    renameSync(join(folder, `${name}.tmp`), join(folder, name))
  }
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>),
    'sourceMappingURL',
  )
  // The section is a length in one byte, for these short names, and the name.
  const url = section === undefined ? `${actor}.debug.wasm.map` : new TextDecoder().decode(section.slice(1))
  write(`${actor}.debug.wasm`, wasm)
  write(basename(url), sourceMap ?? '{}')
  return toProjectPath(project, join(folder, basename(url)))
}

function render(built: readonly Built[]): string {
  const rows = built.map(({ actor, bytes, gzip, delta, methods, imports }) => [
    actor,
    `${grouped(bytes)} B (${grouped(gzip)} gzip)`,
    counted(methods.length, 'method'),
    counted(imports.length, 'import'),
    delta === null ? 'new' : delta === 0 ? 'same size' : `${delta > 0 ? '+' : '−'}${grouped(Math.abs(delta))} B`,
  ])
  const gas = built.flatMap(({ actor, methods }) =>
    methods.flatMap(({ name, gas: used }) =>
      used === null ? [] : [[`  ${actor}.${lowerFirst(name)}`, `gas ${grouped(used)}`]],
    ),
  )
  return gas.length === 0 ? table(rows) : `${table(rows)}\n${table(gas)}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
