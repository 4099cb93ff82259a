/** The setup file of the plugin: matchers for vitest's `expect`, and what is handed over when a test file ends. */
import { afterAll, beforeAll, expect } from 'vitest'
import { isCovering, writeCoverage } from './coverage.ts'
import { MATCHERS } from './expectations.ts'
import { takeGasUsage } from './gas-usage.ts'

expect.extend(MATCHERS)

beforeAll(() => {
  takeGasUsage()
})

// biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures the hook wants: none
afterAll(({}, suite) => {
  const gas = takeGasUsage()
  if (Object.keys(gas).length > 0) Object.assign(suite.meta, { troupe: { gas } })
  if (isCovering()) writeCoverage()
})
