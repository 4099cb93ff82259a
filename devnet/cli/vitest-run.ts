/** Which vitest runs a project's tests, with which preset, and what its report says. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findPackageRoot } from '../node/package-root.ts'
import type { ProjectPlace } from '../reload/project.ts'
import { CliError, Exit } from './output.ts'

/** The project's own, else the one that came with this package. */
export function findVitest({ root }: ProjectPlace): string {
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
export function presetOf({ root, dataFolder }: ProjectPlace): string[] {
  if (CONFIGS.some((name) => existsSync(join(root, name)))) return []
  const file = join(dataFolder, 'build', 'vitest.config.mjs')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, "import { troupe } from 'troupe/vitest'\n\nexport default { plugins: [troupe()] }\n")
  return ['--config', file]
}

/** What a run says of itself. */
export interface TestReport {
  readonly total: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** `test` is null for a file that could not be run. */
  readonly failures: readonly { readonly file: string; readonly test: string | null; readonly message: string }[]
}

/** Where a run is to write what it has to say. */
export function newReportFile({ dataFolder }: ProjectPlace): string {
  mkdirSync(join(dataFolder, 'runs'), { recursive: true })
  return join(dataFolder, 'runs', `report-${process.pid}-${process.hrtime.bigint()}.json`)
}

export function reportFlags(file: string): string[] {
  return ['--reporter=json', `--outputFile.json=${file}`]
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

export function readReport(file: string): TestReport {
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
