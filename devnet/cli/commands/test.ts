/** `troupe test`: the project's vitest, with our flags turned into what the plugin reads. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { openBuildRoot, type ProjectPlace } from '../../reload/project.ts'
import { AHEAD_VARIABLE, buildForChild } from '../../testing/build-ahead.ts'
import { GAS_VARIABLE } from '../../testing/gas-usage.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { loadProject, placeOfProject } from '../load-project.ts'
import { type Answer, CliError, Exit } from '../output.ts'
import { findVitest, newReportFile, presetOf, readReport, reportFlags } from '../vitest-run.ts'

export const test: Command = {
  name: 'test',
  usage: 'test [vitest words and flags] [--gas] [--coverage] [--seed n]',
  about:
    'Runs the tests once with vitest; everything that is not listed here goes to vitest as it is. The exit status is vitest’s.',
  example: 'troupe test counter --gas\ntroupe test -t "refuses" --coverage',
  flags: {
    gas: { type: 'boolean', about: 'calls, least and most gas per method after the run, not only the median' },
    coverage: { type: 'boolean', about: 'which lines of the actors ran' },
  },
  takesRest: true,
  run,
}

/** Runs the project's tests with `env` on top of ours. Answers vitest's exit status. */
export function runProjectTests(project: ProjectPlace, env: Record<string, string>, isJson: boolean): Promise<number> {
  const args = [findVitest(project), 'run', '--root', project.root, ...presetOf(project)]
  return spawnVitest({ args, project, env, isJson })
}

async function run(input: Input): Promise<Answer> {
  const project = placeOfProject(input)
  const entry = findVitest(project)
  const report = newReportFile(project)
  const [first, ...rest] = input.words
  const isWatch = first === 'watch' || input.words.includes('--watch') || input.words.includes('-w')
  const words = first === 'run' || first === 'watch' ? rest : input.words
  const args = [
    entry,
    isWatch ? 'watch' : 'run',
    '--root',
    project.root,
    ...presetOf(project),
    ...(input.flags['coverage'] === true ? ['--coverage'] : []),
    ...(input.isJson ? ['--reporter=default', ...reportFlags(report)] : []),
    ...words,
  ]
  const stop = new AbortController()
  const { signal } = stop
  const running = spawnVitest({ args, project, env: environment(input), isJson: input.isJson, signal })
  // Nothing of the config is needed here, but a wrong one is said: before vitest has started.
  await loadProject(input).catch((error: Error) => {
    running.catch(() => {})
    stop.abort()
    throw error
  })
  const status = await running
  if (!input.isJson) return { data: null, text: '', exit: status as Exit }
  const data = readReport(report)
  rmSync(report, { force: true })
  return { data, text: '', exit: status as Exit }
}

function environment(input: Input): Record<string, string> {
  const seed = textFlag(input, 'seed')
  if (seed !== undefined && !/^\d+$/.test(seed)) {
    throw new CliError('TRP-7002', Exit.Usage, `--seed takes a whole number, not ${JSON.stringify(seed)}`)
  }
  return {
    ...(input.flags['gas'] === true ? { [GAS_VARIABLE]: '1' } : {}),
    ...(input.flags['coverage'] === true ? { TROUPE_COVERAGE: '1' } : {}),
    ...(seed === undefined ? {} : { TROUPE_SEED: seed }),
    ...(input.isJson ? { NO_COLOR: '1' } : {}),
  }
}

interface VitestRun {
  readonly args: readonly string[]
  readonly project: ProjectPlace
  readonly env: Readonly<Record<string, string>>
  readonly isJson: boolean
  readonly signal?: AbortSignal
}

/** With `--json`, what vitest says goes to stderr: stdout has one document. Actors are built while vitest starts. */
function spawnVitest({ args, project, env, isJson, signal }: VitestRun): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: project.root,
      ...(signal === undefined ? {} : { signal }),
      env: { ...process.env, ...env, [AHEAD_VARIABLE]: '1' },
      stdio: ['inherit', isJson ? 2 : 'inherit', 'inherit', 'ipc'],
    })
    void buildForChild(child, openBuildRoot(project.root, project.dataFolder))
    // Ctrl-C reaches vitest by itself; we wait for its word.
    const forward = (signal: NodeJS.Signals) => child.kill(signal)
    const ignore = () => {}
    process.on('SIGINT', ignore)
    process.on('SIGTERM', forward)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore)
      process.off('SIGTERM', forward)
      resolve(signal === null ? (code ?? Exit.Bug) : Exit.Interrupted)
    })
  })
}
