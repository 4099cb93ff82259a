import { expect, test } from 'vitest'
import { DEFAULT_MNEMONIC, deriveAccounts } from '../../../devnet/node/accounts.ts'
import { GENESIS_ACCOUNTS, genesisOf, ownBundlePath } from '../../../devnet/testing/genesis.ts'

test('the accounts of a world are those of the devnet', () => {
  const derived = deriveAccounts(DEFAULT_MNEMONIC, 10).map(({ name, address, ethAddress }) => ({
    name,
    address,
    ethAddress,
  }))
  expect(GENESIS_ACCOUNTS).toEqual(derived)
})

test.skipIf(ownBundlePath() === undefined)('a genesis is made once for each kind', () => {
  expect(genesisOf('/r1', 5n)).toBe(genesisOf('/r1', 5n))
  expect(genesisOf('/r1', 6n)).not.toBe(genesisOf('/r1', 5n))
  expect(genesisOf('/r1', 6n).root).not.toBe(genesisOf('/r1', 5n).root)
})
