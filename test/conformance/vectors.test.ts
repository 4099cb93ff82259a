/**
 * Every vector made with the reference FVM, through our engine: receipts, each gas charge in order, events, gas outputs,
 * roots and written blocks. Runs in a thread with the stack that 1,024 nested calls need.
 */
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runInThread } from './thread.ts'

const folder = resolve(process.env['TROUPE_ORACLE_VECTORS'] ?? '../shared/oracle/vectors')
const topics = existsSync(folder) ? readdirSync(folder).sort() : []

describe.skipIf(topics.length === 0)(
  `reference vectors (${topics.length === 0 ? `no folder ${folder}: set TROUPE_ORACLE_VECTORS` : 'V4'})`,
  () => {
    test('every vector gives what the reference gave', async () => {
      const { passed, failed } = await runInThread(folder)
      expect(failed).toEqual([])
      expect(passed).toBeGreaterThan(2_000)
    }, 400_000)
  },
)
