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
