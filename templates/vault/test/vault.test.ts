import { world } from 'troupe/test'
import { expect, test } from 'vitest'
import { Token } from '../actors/token.actor'
import { Vault } from '../actors/vault.actor'

function setUp() {
  const net = world()
  const token = net.deploy(Token, 'Gold', 'GLD')
  const vault = net.deploy(Vault, token.address)
  token.mint(vault.address, 100n)
  return { net, token, vault }
}

test('pays out what it was asked to', () => {
  const { token, vault } = setUp()
  expect(vault.payout('bob', 40n)).toBe(40n)
  expect(token.balance('bob')).toBe(40n)
  expect(vault.total()).toBe(40n)
})

test('listens to its owner only', () => {
  const { vault } = setUp()
  expect(() => vault.from('bob').payout('bob', 1n)).toExit(18)
})

test('passes on why the token refused', () => {
  const { vault } = setUp()
  expect(() => vault.payout('bob', 1000n)).toExit(19)
  expect(vault.total()).toBe(0n)
})

test('keeps tokens that its users send', () => {
  const { token, vault } = setUp()
  token.mint('bob', 30n)
  token.from('bob').transfer(vault.address, 30n, new Uint8Array())
  expect(token.balance(vault.address)).toBe(130n)
  expect(token.balance('bob')).toBe(0n)
})

test('pays until it is empty, and not once more', () => {
  const { token, vault } = setUp()
  for (const name of ['bob', 'carol', 'dave', 'erin']) expect(vault.payout(name, 25n)).toBe(25n)
  expect(() => vault.payout('frank', 1n)).toExit(19)
  expect(vault.total()).toBe(100n)
  expect(token.totalSupply()).toBe(100n)
})

test('a payout to the vault itself gains nothing', () => {
  const { vault } = setUp()
  expect(vault.payout(vault.address, 10n)).toBe(0n)
})
