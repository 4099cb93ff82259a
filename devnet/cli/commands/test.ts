/** `troupe test`: the project's vitest, with our flags turned into what the plugin reads. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Project } from '../../reload/project.ts'
import { GAS_VARIABLE } from '../../testing/gas-usage.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { loadProject } from '../load-project.ts'
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
export function runProjectTests(project: Project, env: Record<string, string>, isJson: boolean): Promise<number> {
  const args = [findVitest(project), 'run', '--root', project.root, ...presetOf(project)]
  return spawnVitest(args, project, env, isJson)
}

async function run(input: Input): Promise<Answer> {
  const project = await loadProject(input)
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
  const status = await spawnVitest(args, project, environment(input), input.isJson)
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

/** With `--json`, what vitest says goes to stderr: stdout has one document. */
function spawnVitest(
  args: readonly string[],
  { root }: Project,
  env: Record<string, string>,
  isJson: boolean,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['inherit', isJson ? 2 : 'inherit', 'inherit'],
    })
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
