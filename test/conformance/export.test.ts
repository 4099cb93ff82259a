/** A vector that was written by us holds what a vector of the reference holds. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { encodeVector } from '../../devnet/conformance/export.ts'
import { runVector } from '../../devnet/conformance/run.ts'
import { Suite } from '../../devnet/conformance/suite.ts'
import { isComplete, readVector } from '../../devnet/conformance/vector.ts'

const folder = fileURLToPath(new URL('./cases/executor', import.meta.url))
const read = (file: string) => readVector(gunzipSync(readFileSync(join(folder, file))).toString('utf8'))

test('state, machine and messages survive, and give the same receipts and roots', () => {
  let run = 0
  for (const file of readdirSync(folder)) {
    const original = read(file)
    if (!isComplete(original) || original.expect.machineError !== undefined) continue
    const bytes = encodeVector({ ...original, store: original.openState() })
    const copy = readVector(gunzipSync(bytes).toString('utf8'))
    expect(copy.messages).toEqual(original.messages)
    expect(copy.machine).toEqual(original.machine)
    expect(runVector({ ...copy, expect: original.expect }).differences).toEqual([])
    run++
  }
  expect(run).toBeGreaterThan(3)
})

test('what the reference has not completed is skipped, not passed', () => {
  const original = read(readdirSync(folder)[0]!)
  const [result] = new Suite({}).run(encodeVector({ ...original, store: original.openState() }))
  expect(result).toEqual({ name: original.name, skipped: expect.stringContaining('no expectations') })
})
