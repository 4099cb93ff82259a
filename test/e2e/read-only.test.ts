/** A project on a disk that is read-only: what only reads works, what would write says what it cannot. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPackageRoot } from '../../devnet/node/package-root.ts'
import { CliProcess, hasBuild, type Line } from './cli-process.ts'

const root = findPackageRoot()
const disk = mkdtempSync(join(tmpdir(), 'troupe-read-only-'))
const canMount =
  process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]).status === 0
const reason = !canMount ? ' (skipped: this user may not mount)' : hasBuild ? '' : ' (skipped: run npm run build)'

beforeAll(() => {
  if (!canMount) return
  cpSync(join(root, 'templates', 'counter'), disk, { recursive: true, filter: (path) => !path.includes('.troupe') })
  mkdirSync(join(disk, 'node_modules'))
  symlinkSync(root, join(disk, 'node_modules', 'troupe'))
  symlinkSync(join(root, 'node_modules', 'vitest'), join(disk, 'node_modules', 'vitest'))
  spawnSync('mount', ['-o', 'remount,ro', disk])
})

afterAll(() => {
  if (canMount) spawnSync('umount', [disk])
  rmSync(disk, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<{ readonly status: number | null; readonly answer: Line }> {
  const command = new CliProcess([...args, '--json'], { cwd: disk })
  const status = await command.ended
  return { status, answer: command.lines.at(-1)! }
}

describe.skipIf(reason !== '')(`a read-only project${reason}`, () => {
  test.each([
    ['check', { actors: ['Counter'], diagnostics: [] }],
    ['inspect Counter methods', {}],
  ])('lets `troupe %s` read it', async (words, data) => {
    const { status, answer } = await run(...words.split(' '))
    expect(status).toBe(0)
    expect(answer).toMatchObject({ ok: true, data })
  })

  test.each([['build'], ['test'], ['init sub'], ['dev --port 0 --no-persist'], ['node --port 0 --no-persist']])(
    'is refused by `troupe %s`, with the path and the next step',
    async (words) => {
      const { status, answer } = await run(...words.split(' '))
      expect(status).toBe(3)
      expect(answer['error']).toMatchObject({
        code: 'TRP-7304',
        message: expect.stringContaining(disk),
        fix: expect.stringContaining('write'),
      })
    },
  )

  test.each(['dev', 'node'])('has no place for the state of `troupe %s`', async (command) => {
    const { status, answer } = await run(command, '--port', '0')
    expect(status).toBe(3)
    expect(answer['error']).toMatchObject({ code: 'TRP-8205' })
  })
})
