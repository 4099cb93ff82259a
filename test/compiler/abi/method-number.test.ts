import { describe, expect, it } from 'vitest'
import { isMethodName, methodNumber } from '../../../compiler/abi/method-number.ts'

describe('method numbers', () => {
  it.each([
    ['Constructor', 1],
    ['InvokeEVM', 3844450837],
    ['Receive', 3726118371],
    ['Transfer', 80475954],
    ['Balance', 3261979605],
    ['FRC46', 2233613279],
  ])('of %s is %i', (name, number) => {
    expect(methodNumber(name)).toBe(number)
  })

  it('exist for names of FRC-0042 only', () => {
    expect(['Run', '_run9', 'run', '9Run', ''].map(isMethodName)).toEqual([true, true, false, false, false])
    expect(() => methodNumber('run')).toThrow(RangeError)
  })
})
