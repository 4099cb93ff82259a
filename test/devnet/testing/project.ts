/** Runs vitest over the fixture project, which uses the plugin as a user's project does. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const PROJECT = fileURLToPath(new URL('../../fixtures/project', import.meta.url))
const VITEST = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))

export interface Run {
  readonly status: number | null
  /** Both streams, without colours. */
  readonly output: string
}

/** `tests` is a pattern below the project. */
export function runProject(tests: string, env: Record<string, string> = {}, ...flags: string[]): Promise<Run> {
  return run(VITEST, ['run', '--no-color', '--root', PROJECT, ...flags], { FIXTURE_TESTS: tests, ...env })
}

export function readProjectFile(path: string): string | undefined {
  const file = join(PROJECT, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Runs a script of Node's with arguments. */
export function run(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: PROJECT,
      env: { ...cleanEnvironment(), ...env, NO_COLOR: '1' },
    })
    let output = ''
    const add = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

/** This run is itself one of vitest's: its marks would confuse the other. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(VITEST|TEST$|FORCE_COLOR)/.test(name),
  )
  return Object.fromEntries(entries) as Record<string, string>
}
