import { world } from 'troupe/test'
import { expect, test } from 'vitest'
import { Wallet } from '../actors/wallet.actor'

function setUp() {
  const net = world()
  const wallet = net.deploy(Wallet, ['alice', 'bob', 'carol'], 2)
  wallet.with({ value: 1_000n }).deposit()
  return { net, wallet }
}

test('pays when two of three agree', () => {
  const { net, wallet } = setUp()
  const dave = net.account('dave')
  const id = wallet.propose(dave.address, 400n)
  expect(wallet.balance()).toBe(1_000n)
  expect(() => wallet.from('bob').approve(id)).toChangeBalance(dave, 400n)
  expect(wallet.balance()).toBe(600n)
})

test('nobody approves twice', () => {
  const { wallet } = setUp()
  const id = wallet.propose('dave', 1n)
  expect(() => wallet.approve(id)).toExit('AlreadyApproved')
})

test('strangers have no say', () => {
  const { wallet } = setUp()
  expect(() => wallet.from('dave').propose('dave', 1n)).toExit('NotAnOwner')
})

test('a payment is made once', () => {
  const { wallet } = setUp()
  const id = wallet.propose('dave', 10n)
  expect(wallet.from('bob').approve(id)).toBe(true)
  expect(() => wallet.from('carol').approve(id)).toExit('AlreadyPaid')
  expect(wallet.balance()).toBe(990n)
})

test('payments wait side by side', () => {
  const { wallet } = setUp()
  const ids = [1n, 2n, 3n].map((amount) => wallet.propose('dave', amount))
  expect(ids).toEqual([0n, 1n, 2n])
  for (const id of ids.reverse()) expect(wallet.from('carol').approve(id)).toBe(true)
  expect(wallet.balance()).toBe(994n)
})

test('what cannot be paid stays open until it can', () => {
  const { wallet } = setUp()
  const id = wallet.propose('dave', 1_001n)
  expect(() => wallet.from('bob').approve(id)).toThrow()
  wallet.with({ value: 1n }).deposit()
  expect(wallet.from('bob').approve(id)).toBe(true)
  expect(wallet.balance()).toBe(0n)
})

test('one owner is enough where the threshold says so', () => {
  const wallet = world().deploy(Wallet, ['alice'], 1)
  wallet.with({ value: 5n }).deposit()
  wallet.propose('dave', 5n)
  expect(wallet.balance()).toBe(0n)
})

test.each([0, 4])('a threshold of %s does not fit three owners', (threshold) => {
  expect(() => world().deploy(Wallet, ['alice', 'bob', 'carol'], threshold)).toThrow()
})
