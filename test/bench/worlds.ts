/** Unit tests: how many fit into a second when each has a world of its own, and what a project's first run takes. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { compileActor } from '../../compiler/compile.ts'
import { findPackageRoot } from '../../devnet/node/package-root.ts'
import { makeFolder } from '../e2e/cli-process.ts'
import { report, timeOf } from './report.ts'

const root = findPackageRoot()
const COUNTER = join(root, 'templates', 'counter')
const TESTS = 3_000
const RUNS = 5

/** What `test` costs with a new world, a deployment and three calls, in the tests' own time. */
export async function benchWorlds(): Promise<void> {
  const folder = copyOfStarter()
  folder.write(
    'test/worlds.test.ts',
    `import { expect, test } from 'vitest'
import { world } from 'troupe/test'
import { Counter } from '../actors/counter.actor'

for (let index = 0; index < ${TESTS}; index++) {
  test('counts ' + index, () => {
    const counter = world().deploy(Counter, 5n)
    expect(counter.increment(3n)).toBe(8n)
  })
}
`,
  )
  const rates: number[] = []
  for (let run = 0; run < RUNS; run++) {
    runTests(folder.path, 'test/worlds.test.ts')
    const { modules } = JSON.parse(readFileSync(join(folder.path, '.troupe', 'runs', 'last.json'), 'utf8')) as {
      modules: { durationMs: number }[]
    }
    rates.push((TESTS / modules[0]!.durationMs) * 1000)
  }
  report('unit tests in one file, a world, a deployment and a call each', 'tests/s', rates)
  folder.dispose()
}

/** The starter's `npm test` without anything built before. */
export async function benchStarter(): Promise<void> {
  const folder = copyOfStarter()
  const cold: number[] = []
  for (let run = 0; run < RUNS; run++) {
    rmSync(join(folder.path, '.troupe'), { recursive: true, force: true })
    cold.push(timeOf(() => runTests(folder.path)))
  }
  const warm = Array.from({ length: RUNS }, () => timeOf(() => runTests(folder.path)))
  report('npm test of the starter, nothing built', 'ms', cold)
  report('npm test of the starter, again', 'ms', warm)
  folder.dispose()
}

/** The whole FRC-46 token for release, by a compiler that has compiled it before. */
export async function benchCompile(): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 14; run++) {
    const started = performance.now()
    const result = await compileActor({
      entry: 'actors/token.actor.ts',
      mode: 'release',
      readFile: (path) => {
        const file = join(root, 'templates', 'token', path)
        return existsSync(file) ? readFileSync(file, 'utf8') : undefined
      },
    })
    if (!result.ok) throw new Error('the token does not compile')
    times.push(performance.now() - started)
  }
  report('compile of the token for release, first', 'ms', times.slice(0, 1))
  report('compile of the token for release, warm', 'ms', times.slice(5))
}

function copyOfStarter(): ReturnType<typeof makeFolder> {
  const folder = makeFolder({})
  cpSync(COUNTER, folder.path, { recursive: true, filter: (path) => !path.includes('.troupe') })
  symlinkSync(join(root, 'node_modules', 'vitest'), join(folder.path, 'node_modules', 'vitest'))
  return folder
}

function runTests(cwd: string, ...words: string[]): void {
  const main = join(root, 'dist', 'devnet', 'cli', 'launch.cjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'test', ...words], { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
}
