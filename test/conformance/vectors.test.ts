/**
 * Vectors made with the reference FVM, through our engine: receipts, each gas charge in order, events, gas outputs,
 * roots and written blocks. They run in a thread with the stack that 1,024 nested calls need.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runInThread } from './thread.ts'

const sample = fileURLToPath(new URL('./cases', import.meta.url))
const whole = resolve(process.env['TROUPE_ORACLE_VECTORS'] ?? '../shared/oracle/vectors')

test('the vectors of this repository give what the reference gave', async () => {
  const { passed, failed } = await runInThread(sample)
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThan(80)
}, 120_000)

describe.skipIf(!existsSync(whole))(
  `all vectors (${existsSync(whole) ? 'V4' : 'no such folder: set TROUPE_ORACLE_VECTORS'})`,
  () => {
    test('give what the reference gave', async () => {
      const { passed, failed } = await runInThread(whole)
      expect(failed).toEqual([])
      expect(passed).toBeGreaterThan(2_000)
    }, 400_000)
  },
)
