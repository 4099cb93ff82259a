import { expect, test } from 'vitest'
import { DEFAULT_MNEMONIC, deriveAccounts, formatEthAddress } from '../../../devnet/node/accounts.ts'
import { formatAddress } from '../../../devnet/state/address.ts'

test('the default mnemonic gives the accounts that every Ethereum devnet has', () => {
  const accounts = deriveAccounts(DEFAULT_MNEMONIC, 3)
  expect(accounts.map(({ eth }) => formatEthAddress(eth))).toEqual([
    '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
  ])
  expect(accounts.map(({ name }) => name)).toEqual(['alice', 'bob', 'carol'])
  expect(formatAddress(accounts[0]!.ethAddress, 't')).toMatch(/^t410f/)
})
