import { expect, test } from 'vitest'
import { GOOD_LINK, Network, partitionOf } from '../../../../devnet/consensus/simulation/network.ts'
import { Random } from '../../../../devnet/consensus/simulation/random.ts'

const open = (): Network => new Network(new Random(1, 'network'), GOOD_LINK)
const small = { nowMs: 0, size: () => 100 }

test('links that two faults cut are whole when both have ended', () => {
  const network = open()
  const mendFirst = network.cut(partitionOf([['a'], ['b', 'c']]))
  const mendSecond = network.cut([['a', 'b']])
  expect(network.route('a', 'b', small)).toEqual([])
  expect(network.route('b', 'c', small)).toHaveLength(1)
  mendFirst()
  expect(network.route('a', 'b', small)).toEqual([])
  expect(network.route('b', 'a', small)).toHaveLength(1)
  mendSecond()
  expect(network.route('a', 'b', small)).toHaveLength(1)
})

test('a narrow link sends one message after the other, and loses what would wait too long', () => {
  const network = open()
  network.bytesPerMs = 1
  const [first, second, third] = [1000, 1500, 1000].map((size) =>
    network.route('a', 'b', { nowMs: 0, size: () => size }),
  )
  expect(first![0]).toBeGreaterThan(1000)
  expect(second![0]).toBeGreaterThan(2500)
  expect(third).toEqual([])
  // Other links are their own, and what was sent makes room.
  expect(network.route('a', 'c', small)[0]).toBeLessThan(110)
  expect(network.route('a', 'b', { nowMs: 2500, size: () => 10 })[0]).toBeLessThan(20)
})
