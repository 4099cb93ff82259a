import { spawn } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findPackageRoot } from '../../devnet/node/package-root.ts'
import { COUNTER, counterSource } from '../devnet/reload/temporary-project.ts'
import { CliProcess, hasBuild, makeFolder } from './cli-process.ts'

/** Imports no actor, and ends once somebody has built them all the same. */
const WAITS = `import { existsSync, readdirSync } from 'node:fs'
import { expect, test, vi } from 'vitest'

test('is built by others', async () => {
  const built = () => existsSync('.troupe/build/cache') && readdirSync('.troupe/build/cache').some((name) => name.endsWith('.json'))
  await vi.waitUntil(built, { timeout: 60_000 })
}, 60_000)
`
const CONFIG = "import { troupe } from 'troupe/vitest'\nexport default { plugins: [troupe()] }\n"

let folder: ReturnType<typeof makeFolder>

beforeEach(() => {
  folder = makeFolder({ [COUNTER]: counterSource(), 'test/waits.test.ts': WAITS, 'vitest.config.mjs': CONFIG })
  symlinkSync(join(findPackageRoot(), 'node_modules', 'vitest'), join(folder.path, 'node_modules', 'vitest'))
})

afterEach(() => folder.dispose())

function runVitest(): Promise<number | null> {
  const vitest = join(folder.path, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run'], { cwd: folder.path, stdio: 'ignore' })
  return new Promise((resolve) => child.once('close', resolve))
}

describe.skipIf(!hasBuild)('actors are built while vitest starts', { timeout: 90_000 }, () => {
  test('by the command, which needs no plugin for it', async () => {
    folder.write('vitest.config.mjs', 'export default {}\n')
    expect(await new CliProcess(['test', '--json'], { cwd: folder.path }).ended).toBe(0)
  })

  test('by the plugin, where vitest was not started by the command', async () => {
    expect(await runVitest()).toBe(0)
  })

  test('what does not compile is said once, where it is imported', async () => {
    folder.write(COUNTER, counterSource().replace('u64', 'u64x'))
    folder.write('test/waits.test.ts', "import { Counter } from '../actors/counter.actor'\nCounter\n")
    const run = new CliProcess(['test', '--json'], { cwd: folder.path })
    expect(await run.ended).toBe(1)
    const { data } = run.lines.at(-1) as { data: { failures: { message: string }[] } }
    expect(data.failures).toHaveLength(1)
    expect(data.failures[0]!.message).toContain('u64x')
  })
})
