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

test('says what it is', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  expect([token.name(), token.symbol(), token.granularity()]).toEqual(['Gold', 'GLD', 1n])
})

test('nobody spends more than they have', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 10n)
  expect(() => token.from('bob').transfer('carol', 11n, NOTHING)).toExit(19)
  expect(() => token.from('dave').transfer('carol', 1n, NOTHING)).toExit(19)
  expect(token.balance('bob')).toBe(10n)
})

test('a transfer to oneself changes nothing', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 10n)
  expect(token.from('bob').transfer('bob', 10n, NOTHING).fromBalance).toBe(10n)
  expect(token.from('bob').transfer('bob', 0n, NOTHING).toBalance).toBe(10n)
})

test('tokens wander through many hands, and none is lost', () => {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  const hands = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy']
  token.mint('alice', 1_000n)
  for (const [index, name] of hands.entries()) {
    const next = hands[(index + 1) % hands.length]!
    token.from(name).transfer(next, token.balance(name) / 2n, NOTHING)
  }
  const held = hands.reduce((sum, name) => sum + token.balance(name), 0n)
  expect(held).toBe(1_000n)
  expect(token.totalSupply()).toBe(1_000n)
})

test('an allowance grows, shrinks and ends', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 100n)
  const bob = token.from('bob')
  expect(bob.increaseAllowance('carol', 50n)).toBe(50n)
  expect(bob.increaseAllowance('carol', 5n)).toBe(55n)
  expect(bob.decreaseAllowance('carol', 15n)).toBe(40n)
  expect(token.allowance('bob', 'carol')).toBe(40n)
  bob.revokeAllowance('carol')
  expect(() => token.from('carol').transferFrom('bob', 'carol', 1n, NOTHING)).toExit(18)
  bob.increaseAllowance('carol', 1n)
  expect(bob.decreaseAllowance('carol', 9n)).toBe(0n)
})

test('an allowance is worth no more than its owner', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 10n)
  token.from('bob').increaseAllowance('carol', 100n)
  expect(() => token.from('carol').transferFrom('bob', 'dave', 11n, NOTHING)).toExit(19)
  const moved = token.from('carol').transferFrom('bob', 'dave', 10n, NOTHING)
  expect([moved.fromBalance, moved.toBalance, moved.allowance]).toEqual([0n, 10n, 90n])
})

test('burning makes the supply smaller', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  token.mint('bob', 100n)
  expect(token.from('bob').burn(40n).balance).toBe(60n)
  expect(token.totalSupply()).toBe(60n)
  expect(() => token.from('bob').burn(61n)).toExit(19)
  token.from('bob').increaseAllowance('carol', 30n)
  const burnt = token.from('carol').burnFrom('bob', 20n)
  expect([burnt.balance, burnt.allowance]).toEqual([40n, 10n])
  expect(() => token.from('carol').burnFrom('bob', 11n)).toExit(18)
  expect(token.totalSupply()).toBe(40n)
})

test('an actor that is not asked to receive gets nothing', () => {
  const net = world()
  const gold = net.deploy(Token, 'Gold', 'GLD')
  const silver = net.deploy(Token, 'Silver', 'SLV')
  gold.mint('bob', 5n)
  // It has no hook for what it receives.
  expect(() => gold.from('bob').transfer(silver.address, 5n, NOTHING)).toExit(22)
  expect(gold.balance('bob')).toBe(5n)
})

test('five holders still cost little', () => {
  const token = world().deploy(Token, 'Gold', 'GLD')
  for (let index = 0; index < 10; index++) token.mint(['bob', 'carol', 'dave', 'erin', 'frank'][index % 5]!, 10n)
  token.from('bob').transfer('carol', 1n, NOTHING)
  expect(token.last.gas).toBeLessThan(8_000_000)
})
