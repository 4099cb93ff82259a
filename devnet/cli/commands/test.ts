/** `troupe test`: the project's vitest, with our flags turned into what the plugin reads. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findPackageRoot } from '../../node/package-root.ts'
import type { Project } from '../../reload/project.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit } from '../output.ts'

export const test: Command = {
  name: 'test',
  usage: 'test [vitest words and flags] [--gas] [--coverage] [--seed n]',
  about:
    'Runs the tests once with vitest; everything that is not listed here goes to vitest as it is. The exit status is vitest’s.',
  example: 'troupe test counter --gas\ntroupe test -t "refuses" --coverage',
  flags: {
    gas: { type: 'boolean', about: 'gas per method after the run' },
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
  const report = join(project.dataFolder, 'runs', `report-${process.pid}.json`)
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
    ...(input.isJson ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []),
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
    ...(input.flags['gas'] === true ? { TROUPE_GAS: '1' } : {}),
    ...(input.flags['coverage'] === true ? { TROUPE_COVERAGE: '1' } : {}),
    ...(seed === undefined ? {} : { TROUPE_SEED: seed }),
    ...(input.isJson ? { NO_COLOR: '1' } : {}),
  }
}

/** The project's own, else the one that came with this package. */
function findVitest({ root }: Project): string {
  for (const from of [join(root, 'package.json'), join(findPackageRoot(), 'package.json')]) {
    try {
      const manifest = createRequire(from).resolve('vitest/package.json')
      return join(dirname(manifest), 'vitest.mjs')
    } catch {
      // The next place.
    }
  }
  throw new CliError('TRP-7501', Exit.Project, 'vitest is not installed', { fix: 'npm install' })
}

const CONFIGS = ['vitest', 'vite'].flatMap((name) =>
  ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((end) => `${name}.config.${end}`),
)

/** A project without a config gets one with the plugin. */
function presetOf({ root, dataFolder }: Project): string[] {
  if (CONFIGS.some((name) => existsSync(join(root, name)))) return []
  const file = join(dataFolder, 'build', 'vitest.config.mjs')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, "import { troupe } from 'troupe/vitest'\n\nexport default { plugins: [troupe()] }\n")
  return ['--config', file]
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

interface VitestReport {
  readonly numTotalTests: number
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[] | null
    }[]
  }[]
}

function readReport(file: string): unknown {
  let report: VitestReport
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return { total: 0, passed: 0, failed: 0, skipped: 0, failures: [] }
  }
  const failures = report.testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const ofFile = failed.length === 0 && message !== '' ? [{ file: name, test: null, message }] : []
    return [
      ...ofFile,
      ...failed.map((one) => ({ file: name, test: one.fullName, message: one.failureMessages?.join('\n') ?? '' })),
    ]
  })
  const { numTotalTests: total, numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report
  return { total, passed, failed, skipped, failures }
}
