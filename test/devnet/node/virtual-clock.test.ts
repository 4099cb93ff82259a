import { expect, test } from 'vitest'
import { VirtualClock } from '../../../devnet/node/virtual-clock.ts'

test('timers run in the order of their time, then of their setting, and time stands still between', () => {
  const clock = new VirtualClock(1000)
  const ran: string[] = []
  clock.after(20, () => ran.push(`b ${clock.now()}`))
  clock.after(10, () => {
    ran.push(`a ${clock.now()}`)
    clock.after(0, () => ran.push(`a2 ${clock.now()}`))
  })
  clock.after(20, () => ran.push(`c ${clock.now()}`))
  const stop = clock.after(15, () => ran.push('stopped'))
  stop()
  expect(clock.now()).toBe(1000)
  expect(clock.nextMs()).toBe(1010)
  while (clock.advance(1050));
  expect(ran).toEqual(['a 1010', 'a2 1010', 'b 1020', 'c 1020'])
  expect(clock.now()).toBe(1050)
  expect(clock.nextMs()).toBeNull()
})

test('what is later than asked for waits', () => {
  const clock = new VirtualClock(0)
  clock.after(100, () => expect.unreachable())
  expect(clock.advance(99)).toBe(false)
  expect(clock.now()).toBe(99)
})
