import { describe, expect, test } from 'vitest'
import { hasBuild, makeFolder } from '../../e2e/cli-process.ts'
import { runCrashes } from './crash-run.ts'

describe.skipIf(!hasBuild)('a devnet that is killed', () => {
  test('has what it acknowledged, once, and goes on', async () => {
    const { path, dispose } = makeFolder({})
    try {
      const report = await runCrashes({ kills: 3, messages: 300, seed: 7, folder: path })
      expect(report).toMatchObject({ kills: 3, lost: 0, doubled: 0, inconsistent: 0 })
      expect(report.acknowledged).toBeGreaterThan(300)
    } finally {
      dispose()
    }
  })
})
