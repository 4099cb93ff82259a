import { expect, test } from 'vitest'
import { eventName, watchMessages } from '../../../devnet/testing/record.ts'

test.each([
  ['Transfer', 'transfer'],
  ['TransferFrom', 'transfer-from'],
  ['transfer-from', 'transfer-from'],
  ['Erc20Paid', 'erc20-paid'],
])('an event may be called %s or %s', (name, wire) => {
  expect(eventName(name)).toBe(wire)
})

test('a function that is async is refused: its messages would come too late', () => {
  const { error, hasFailed } = watchMessages(async () => {})
  expect(hasFailed).toBe(true)
  expect((error as Error).message).toContain('not async')
})
