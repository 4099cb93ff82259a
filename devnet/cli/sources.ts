/** The project's actors by name, and compiling one for a command: what does not compile ends the command with status 4. */
import { readFileSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import type { Artifact } from '../../compiler/artifact.ts'
import { type CompileOptions, type CompileResult, compileActor } from '../../compiler/compile.ts'
import { type Diagnostic, formatDiagnostic } from '../../compiler/diagnostic.ts'
import { compileFile, listActorFiles, type Mode, type Project, readIfExists } from '../reload/project.ts'
import { type Input, nearest } from './command.ts'
import { CliError, Exit, isColour } from './output.ts'
import { startProgress } from './progress.ts'

export interface ActorSource {
  /** Relative to the project. */
  readonly file: string
  /** The class that stands below `@actor`; the file's name where there is none. */
  readonly actor: string
}

/** Read off the text, so that listing costs no compilation. */
export function listActors(project: Project): ActorSource[] {
  return listActorFiles(project).map((file) => sourceOf(project, file))
}

function sourceOf(project: Project, file: string): ActorSource {
  const text = readFileSync(join(project.root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
  const actor = /@actor\b[^{]*?\bclass\s+([A-Za-z_$][\w$]*)/.exec(text)?.[1]
  return { file, actor: actor ?? basename(file, '.actor.ts') }
}

/** All actors of the project. @throws CliError when there is none, or two with one name */
export function needActors(project: Project): ActorSource[] {
  const actors = listActors(project)
  if (actors.length === 0) {
    throw new CliError('TRP-7106', Exit.Project, `there is no *.actor.ts in ${project.actorsFolder}`, {
      fix: 'write one, or begin with `troupe init`',
    })
  }
  for (const [index, { actor, file }] of actors.entries()) {
    const other = actors.findIndex((one) => one.actor === actor)
    if (other === index) continue
    throw new CliError('TRP-7105', Exit.Project, `${actors[other]!.file} and ${file} both have an actor ${actor}`, {
      place: { file },
      fix: 'rename one of them: files, calls and reloads go by the name',
    })
  }
  return actors
}

/** By class name, whatever its case, or by path. */
export function pickActor(project: Project, cwd: string, word: string): ActorSource {
  const actors = needActors(project)
  if (word.endsWith('.actor.ts')) {
    const file = relative(project.root, resolve(cwd, word)).split(sep).join('/')
    const found = actors.find((actor) => actor.file === file || actor.file === word)
    if (found !== undefined) return found
    throw new CliError('TRP-7104', Exit.Usage, `the project has no file ${word}`, {
      fix: `its actors are ${actors.map((actor) => actor.file).join(', ')}`,
    })
  }
  const found =
    actors.find(({ actor }) => actor === word) ?? actors.find(({ actor }) => actor.toLowerCase() === word.toLowerCase())
  if (found !== undefined) return found
  const names = actors.map(({ actor }) => actor)
  const near = nearest(word, names)
  throw new CliError('TRP-7104', Exit.Usage, `the project has no actor ${JSON.stringify(word)}`, {
    fix: near === undefined ? `its actors are ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

/** Those that the words name; all of them when there are no words. */
export function pickActors(project: Project, { cwd, words }: Input): ActorSource[] {
  return words.length === 0 ? needActors(project) : words.map((word) => pickActor(project, cwd, word))
}

/** @throws CliError with all diagnostics */
export async function compileOne(
  input: Input,
  project: Project,
  { file, actor }: ActorSource,
  mode: Mode = 'release',
): Promise<Artifact> {
  const progress = startProgress(input)
  progress.sayNow(`compiling ${actor}`)
  try {
    const result = await compileFile(project, file, mode)
    if (result.ok) return result.artifact
    throw compileError(project, result.diagnostics)
  } finally {
    progress.end()
  }
}

/** With an older interface beside it: a state that would be misread is an error. */
export function compileAgainst(
  project: Project,
  entry: string,
  against: NonNullable<CompileOptions['against']>,
): Promise<CompileResult> {
  const { strict } = project.config.compiler ?? {}
  return compileActor({
    entry,
    mode: 'release',
    against,
    readFile: (path) => readIfExists(join(project.root, path)),
    ...(strict === undefined ? {} : { strict }),
  })
}

/** The first error stands for all; people see each, programs find them in `data`. */
export function compileError(project: Project, diagnostics: readonly Diagnostic[]): CliError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const first = errors[0] ?? diagnostics[0]
  if (first === undefined) return new CliError('TRP-9999', Exit.Bug, 'the compiler failed and said nothing')
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new CliError(first.code, Exit.Compile, `${first.message}${more}`, {
    place: first.file === '' ? {} : { file: first.file, line: first.line, column: first.column },
    ...(first.fix === undefined ? {} : { fix: first.fix }),
    details: formatDiagnostics(project, diagnostics),
    data: { diagnostics },
  })
}

export function formatDiagnostics(project: Project, diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map((one) => formatDiagnostic(one, readIfExists(join(project.root, one.file)), { color: isColour() }))
    .join('\n')
}

/** Warnings and notes for the answer's `warnings`. */
export function warningsOf({ diagnostics }: Artifact): string[] {
  return diagnostics.map(({ code, message, file, line, column }) => `${code} ${message} ${file}:${line}:${column}`)
}
