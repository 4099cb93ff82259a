import { expect, test } from 'vitest'
import { expectNone, range, SHARE, TIMEOUT_MS } from './expect-none.ts'

/** Every rule, and each way in which it can end that honest replicas meet. */
const COVERED = [
  ...['R0 propose', 'R0 repropose', 'R0 wait', 'R1 block', 'R1 nil', 'R1 nil-locked', 'R2 block', 'R3 wait'],
  ...['R4 lock', 'R4 relock', 'R4 move', 'R4 valid-only', 'R5 unlocked', 'R6 wait', 'R7 current', 'R7 past'],
  ...['R8 later', 'R9 nil', 'R10 nil', 'R11 next'],
]

test('300 mixtures of faults, up to a third faulty: no promise is broken, and every rule was needed', {
  timeout: TIMEOUT_MS,
}, () => {
  const { coverage } = expectNone('mixed', range(300, 1))
  if (SHARE >= 1) expect(COVERED.filter((name) => !coverage.has(name))).toEqual([])
})
