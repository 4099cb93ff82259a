import { world } from 'troupe/test'
import { expect, test } from 'vitest'
import { Counter } from '../actors/counter.actor'

test('counts from where it starts', () => {
  const counter = world().deploy(Counter, 5n)
  expect(counter.increment(3n)).toBe(8n)
  expect(counter.get()).toBe(8n)
  expect(counter.state().count).toBe(8n)
})

test('takes no money', () => {
  const counter = world().deploy(Counter, 0n)
  expect(() => counter.with({ value: 1n }).increment(1n)).toExit(26)
})

test('stays cheap', () => {
  const counter = world().deploy(Counter, 0n)
  counter.increment(1n)
  expect(counter.last.gas).toBeLessThan(2_200_000)
})

test('counts for everybody', () => {
  const counter = world().deploy(Counter, 0n)
  for (const name of ['alice', 'bob', 'carol']) counter.from(name).increment(10n)
  expect(counter.get()).toBe(30n)
})

test('two counters do not know of each other', () => {
  const net = world()
  const [left, right] = [net.deploy(Counter, 1n), net.deploy(Counter, 100n)]
  left.increment(1n)
  expect([left.get(), right.get()]).toEqual([2n, 100n])
})
