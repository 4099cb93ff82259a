import { test } from 'vitest'
import { expectNone, range, TIMEOUT_MS } from './expect-none.ts'

test('300 mixtures of faults, up to a third faulty: no promise is broken, and every rule was needed', {
  timeout: TIMEOUT_MS,
}, () => {
  expectNone('mixed', range(300, 1))
})
