import { expect, test } from 'vitest'
import { addressOf } from '../../../../devnet/consensus/key.ts'
import { makeKeyRing } from '../../../../devnet/consensus/simulation/fake-key.ts'
import { openGenesis, withLeaders } from '../../../../devnet/consensus/simulation/genesis.ts'
import { proposerAtRound } from '../../../../devnet/consensus/validator-set.ts'

test('any validators lead the first three rounds, by the rule that elects proposers everywhere', () => {
  const keys = makeKeyRing(4).keys.map(({ publicKey }) => publicKey)
  const chain = openGenesis({ powers: [10n, 10n, 10n, 10n], initialHeight: 1n }, keys)
  for (let choice = 0; choice < 64; choice++) {
    const leaders = [choice % 4, Math.floor(choice / 4) % 4, Math.floor(choice / 16)].map((i) => keys[i]!)
    const { validators, nextValidators } = withLeaders(chain, leaders)
    const elected = [0, 1, 2].map((round) => proposerAtRound(validators, round).proposer?.address)
    expect(elected).toEqual(leaders.map(addressOf))
    expect(nextValidators).toEqual(chain.nextValidators)
  }
})
