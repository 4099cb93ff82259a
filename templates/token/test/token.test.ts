import { world } from 'troupe/test'
import { expect, test } from 'vitest'
import { Token } from '../actors/token.actor'

const NOTHING = new Uint8Array()

test('the deployer mints', () => {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  const bob = net.account('bob')
  token.mint(bob.address, 100n)
  expect(token.totalSupply()).toBe(100n)
  expect(token.balance(bob.address)).toBe(100n)
})

test('nobody else does', () => {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  expect(() => token.from('bob').mint('bob', 1n)).toExit(18)
})

test('a transfer moves tokens and says so', () => {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 100n)
  const moved = token.from('bob').transfer('carol', 30n, NOTHING)
  expect(moved.fromBalance).toBe(70n)
  expect(moved.toBalance).toBe(30n)
  expect(token).toEmit('transfer')
})

test('an allowance is used up', () => {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 100n)
  token.from('bob').increaseAllowance('carol', 50n)
  token.from('carol').transferFrom('bob', 'dave', 50n, NOTHING)
  expect(token.balance('dave')).toBe(50n)
  expect(() => token.from('carol').transferFrom('bob', 'dave', 1n, NOTHING)).toExit(18)
})
