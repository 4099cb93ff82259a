/**
 * The newcomer's path with the package as npm would deliver it: pack, install elsewhere, scaffold, test, run, call, edit
 * while it runs, kill, restart, and find the state.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPackageRoot } from '../../devnet/node/package-root.ts'

const root = findPackageRoot()
const isBuilt =
  existsSync(join(root, 'dist', 'devnet', 'cli', 'launch.cjs')) && existsSync(join(root, 'dist', 'actors.car'))

/** Lines of a `--json` command, waited for one by one. */
class Lines {
  readonly child: ChildProcess
  readonly #seen: Record<string, unknown>[] = []
  #waiting: {
    matches: (line: Record<string, unknown>) => boolean
    resolve: (line: Record<string, unknown>) => void
  } | null = null

  constructor(child: ChildProcess) {
    this.child = child
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as Record<string, unknown>
      this.#seen.push(line)
      if (this.#waiting?.matches(line) === true) this.#waiting.resolve(line)
    })
  }

  until(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const known = this.#seen.find(matches)
    return known !== undefined
      ? Promise.resolve(known)
      : new Promise((resolve) => (this.#waiting = { matches, resolve }))
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return new Promise((resolve) => {
      this.child.once('exit', () => resolve())
      this.child.kill(signal)
    })
  }
}

describe.skipIf(!isBuilt)(`a newcomer${isBuilt ? '' : ' (dist/ is missing: npm run build)'}`, () => {
  let home: string
  let project: string
  let running: Lines | null = null

  const env = () => ({ ...process.env, CI: 'true', FORCE_COLOR: '0', NODE_OPTIONS: '' })
  const troupe = (...args: string[]) =>
    JSON.parse(
      execFileSync(process.execPath, [join(project, 'node_modules/troupe/dist/devnet/cli/launch.cjs'), ...args], {
        cwd: project,
        env: env(),
        encoding: 'utf8',
      }),
    )
  const dev = (): Lines =>
    new Lines(
      spawn(
        process.execPath,
        [join(project, 'node_modules/troupe/dist/devnet/cli/launch.cjs'), 'dev', '--json', '--port', '0'],
        {
          cwd: project,
          env: env(),
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      ),
    )

  beforeAll(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'troupe-newcomer-')))
    // What the tarball holds, unpacked beside the dependencies that are installed here: no network is needed.
    const tarball = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home], {
      cwd: root,
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .at(-1)!
    mkdirSync(join(home, 'unpacked'))
    execFileSync('tar', ['xzf', join(home, tarball), '-C', join(home, 'unpacked')])
    project = join(home, 'hello')
    execFileSync(process.execPath, [join(home, 'unpacked/package/dist/devnet/cli/launch.cjs'), 'init', 'hello'], {
      cwd: home,
      env: { ...env(), NODE_PATH: join(root, 'node_modules') },
      encoding: 'utf8',
    })
    symlinkSync(join(root, 'node_modules'), join(home, 'unpacked', 'node_modules'))
    mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true })
    symlinkSync(join(home, 'unpacked/package'), join(project, 'node_modules/troupe'))
    symlinkSync(join(root, 'node_modules/vitest'), join(project, 'node_modules/vitest'))
  })

  afterAll(async () => {
    await running?.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })

  test('gets a project whose tests pass', () => {
    const out = execFileSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], {
      cwd: project,
      env: env(),
      encoding: 'utf8',
    })
    expect(out).toMatch(/5 passed/)
  })

  test('runs it, calls it without a key or an address, edits it while it runs, and keeps the state', async () => {
    running = dev()
    await running.until(({ event }) => event === 'ready')
    const first = troupe('call', 'Counter.increment', '41', '--json')
    expect(first).toMatchObject({ ok: true, command: 'call', data: { value: '41', exitCode: 0 } })

    const file = join(project, 'actors/counter.actor.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('this.count += by', 'this.count += by * 2'))
    await running.until(({ kind }) => kind === 'upgraded')
    expect(troupe('call', 'Counter.increment', '1', '--json').data.value).toBe('43')

    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('u64', 'u32'))
    const refused = await running.until(({ kind }) => kind === 'refused')
    expect(refused).toMatchObject({
      actor: 'Counter',
      change: { index: 0, before: 'count: u64', after: 'count: u32' },
      live: '43',
    })
    expect(troupe('view', 'Counter.get', '--json').data.value).toBe('43')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('u32', 'u64'))

    await running.kill('SIGKILL')
    running = dev()
    await running.until(({ event }) => event === 'ready')
    expect(troupe('view', 'Counter.get', '--json').data.value).toBe('43')
  })
})
