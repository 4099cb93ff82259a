import { expect, test } from 'vitest'
import { GAS_MARKET, nextBaseFee } from '../../../devnet/node/gas-market.ts'

const target = GAS_MARKET.blockGasLimit / 2n

test.each([
  ['a block at the target keeps the fee', 100n, target, 100n],
  ['an empty block takes an eighth off', 100n, 0n, 88n],
  ['a full block adds an eighth', 100n, GAS_MARKET.blockGasLimit, 112n],
  ['a block just above the target adds one at least', 7n, target + 1n, 8n],
  ['idle chains stop at seven', 7n, 0n, 7n],
])('%s', (_, fee, used, next) => {
  expect(nextBaseFee(fee, used)).toBe(next)
})
