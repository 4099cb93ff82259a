import { describe, expect, it } from 'vitest'
import { RecentSet } from '../../../devnet/primitives/recent-set.ts'

describe('a set of what was added last', () => {
  it('remembers at least as many as a generation holds, and at most twice as many', () => {
    const set = new RecentSet<number>(3)
    for (let value = 0; value < 100; value++) {
      set.add(value)
      const remembered = Array.from({ length: value + 1 }, (_, earlier) => earlier).filter((earlier) =>
        set.has(earlier),
      )
      expect(remembered.length).toBeGreaterThanOrEqual(Math.min(3, value + 1))
      expect(remembered.length).toBeLessThanOrEqual(6)
      expect(remembered.at(-1)).toBe(value)
    }
  })
})
