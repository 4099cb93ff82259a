import { expect, test } from 'vitest'
import { AssertionError, assert, unreachable } from '../../../devnet/primitives/assert.ts'

test('a kept promise is silent, a broken one throws', () => {
  assert(true, 'never')
  expect(() => assert(0, 'zero')).toThrow(AssertionError)
  expect(() => unreachable('left' as never)).toThrow(AssertionError)
})
