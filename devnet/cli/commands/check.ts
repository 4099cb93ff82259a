/** `troupe check`: what the compiler has to say, and nothing else. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Abi } from '../../../compiler/abi/schema.ts'
import type { Diagnostic } from '../../../compiler/diagnostic.ts'
import { compileFile, type Project } from '../../reload/project.ts'
import type { Command, Input } from '../command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, talk, toJson } from '../output.ts'
import { startProgress } from '../progress.ts'
import { type ActorSource, compileAgainst, compileError, formatDiagnostics, pickActors } from '../sources.ts'

export const check: Command = {
  name: 'check',
  usage: 'check [Actor…] [--watch] [--against abi.json]',
  about:
    'Compiles and prints diagnostics only; exit status 4 when there are errors. --against compares the state layout with an ' +
    'older ABI file of the actor: what would be misread is an error.',
  example: 'troupe check --against published/counter.abi.json',
  flags: {
    watch: { type: 'boolean', about: 'again after every save, until Ctrl-C' },
    against: {
      type: 'string',
      value: 'abi.json',
      multiple: true,
      about: 'an older interface whose state must stay readable',
    },
  },
  run,
}

interface Older {
  readonly name: string
  readonly abi: Abi
}

async function run(input: Input): Promise<Answer> {
  const project = await loadProject(input)
  const older = readOlder(input)
  const actors = pickActors(project, input)
  for (const { name, abi } of older) {
    if (actors.some(({ actor }) => actor === abi.actor)) continue
    throw new CliError('TRP-7104', Exit.Usage, `${name} describes ${abi.actor}, which is not among the checked actors`)
  }
  if (input.flags['watch'] === true) return watch(input, project, older)
  const diagnostics = await checkAll(input, project, actors, older)
  if (hasErrors(diagnostics)) throw compileError(project, diagnostics)
  const text = `${actors.length} ${actors.length === 1 ? 'actor' : 'actors'}, no errors`
  if (diagnostics.length > 0 && !input.isJson) talk(formatDiagnostics(project, diagnostics))
  return { data: { actors: actors.map(({ actor }) => actor), diagnostics }, text }
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error')
}

async function checkAll(
  input: Input,
  project: Project,
  actors: readonly ActorSource[],
  older: readonly Older[],
): Promise<Diagnostic[]> {
  const progress = startProgress(input)
  const diagnostics: Diagnostic[] = []
  for (const { file, actor } of actors) {
    progress.sayNow(`checking ${actor}`)
    const against = older.find(({ abi }) => abi.actor === actor)
    const result =
      against === undefined ? await compileFile(project, file) : await compileAgainst(project, file, against)
    diagnostics.push(...(result.ok ? result.artifact.diagnostics : result.diagnostics))
  }
  progress.end()
  return diagnostics
}

function readOlder(input: Input): Older[] {
  const paths = input.flags['against']
  return (Array.isArray(paths) ? (paths as string[]) : []).map((name) => {
    try {
      const abi = JSON.parse(readFileSync(resolve(input.cwd, name), 'utf8')) as Abi
      if (abi.abi === 1 && Array.isArray(abi.state)) return { name, abi }
    } catch {
      // Said below.
    }
    throw new CliError('TRP-7107', Exit.Usage, `${name} is no readable ABI file`, {
      fix: '`troupe build` writes them into .troupe/build',
    })
  })
}

async function watch(input: Input, project: Project, older: readonly Older[]): Promise<Answer> {
  const { watchProject } = await import('../../reload/watcher.ts')
  const report = async (): Promise<void> => {
    const started = performance.now()
    const actors = pickActors(project, input)
    const diagnostics = await checkAll(input, project, actors, older)
    const durationMs = Math.round(performance.now() - started)
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length
    if (input.isJson)
      process.stdout.write(`${toJson({ event: 'checked', ok: errors === 0, durationMs, diagnostics })}\n`)
    else {
      if (diagnostics.length > 0) talk(formatDiagnostics(project, diagnostics))
      talk(`${errors === 0 ? 'no errors' : `${errors} errors`}, ${durationMs} ms`)
    }
  }
  const attempt = () => report().catch((error: unknown) => talk(error instanceof Error ? error.message : String(error)))
  await attempt()
  const watcher = await watchProject(project, attempt)
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done())
    process.once('SIGTERM', () => done())
  })
  await watcher.close()
  return { data: { stopped: true }, text: '', exit: Exit.Interrupted }
}
