/**
 * Filecoin's official vectors of network version 18, with the genuine actors v10. `TROUPE_VECTORS` names the folder
 * (`corpus/extracted/0002-hygge-01` of filecoin-project/fvm-test-vectors), `TROUPE_BUNDLE` the bundle.
 */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runInThread } from './thread.ts'

const folder = process.env['TROUPE_VECTORS']
const bundle = process.env['TROUPE_BUNDLE_V10'] ?? process.env['TROUPE_BUNDLE']
const isThere = folder !== undefined && bundle !== undefined && existsSync(folder) && existsSync(bundle)

describe.skipIf(!isThere)(
  `official vectors (${isThere ? 'network version 18' : 'set TROUPE_VECTORS and TROUPE_BUNDLE'})`,
  () => {
    test('give what the network gave', async () => {
      const { passed, failed } = await runInThread(folder!, bundle)
      expect(failed).toEqual([])
      expect(passed).toBe(189)
    }, 120_000)
  },
)
