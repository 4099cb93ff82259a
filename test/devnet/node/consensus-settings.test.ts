import { describe, expect, test } from 'vitest'
import type { RequestOf } from '../../../devnet/consensus/application.ts'
import { isFault } from '../../../devnet/consensus/fault.ts'
import { addressOf, publicKeyOf } from '../../../devnet/consensus/key.ts'
import { DEFAULT_PARAMS } from '../../../devnet/consensus/params.ts'
import { TOTAL_POWER_MAX } from '../../../devnet/consensus/validator-set.ts'
import type { PublicKey } from '../../../devnet/consensus/wire.ts'
import {
  type ConsensusSettings,
  changeParams,
  changeValidators,
  decodeSettings,
  encodeSettings,
  initialSettings,
  settingsUpdates,
} from '../../../devnet/node/consensus-settings.ts'

const NO_UPDATE = { block: null, evidence: null, validator: null, version: null, abci: null }
const key = (i: number): PublicKey =>
  publicKeyOf({ kind: 'secp256k1', secret: new Uint8Array(32).fill(i >> 8, 30, 31).fill(i & 255, 31) })
const [a, b, c] = [1, 2, 3].map((i) => key(i)) as [PublicKey, PublicKey, PublicKey]

const genesis: RequestOf<'initChain'> = {
  time: 0n,
  chainId: '1',
  consensusParams: DEFAULT_PARAMS,
  validators: [
    { pubKey: a, power: 10n },
    { pubKey: b, power: 20n },
  ],
  appStateBytes: new Uint8Array(0),
  initialHeight: 1n,
}
const before = initialSettings(genesis, NO_UPDATE)
const change = { before, settings: before, height: 5n }

function settled(settings: ReturnType<typeof changeValidators>): ConsensusSettings {
  if (isFault(settings)) throw new Error(settings.code)
  return settings
}

describe('validators', () => {
  test('come, change and go; the block answers with the difference', () => {
    const after = settled(
      changeValidators(change, [
        { pubKey: c, power: 5n },
        { pubKey: b, power: 21n },
        { pubKey: a, power: 0n },
      ]),
    )
    expect(settingsUpdates(before, after)).toEqual({
      validatorUpdates: [
        { pubKey: b, power: 21n },
        { pubKey: c, power: 5n },
        { pubKey: a, power: 0n },
      ],
      consensusParamUpdates: null,
    })
  })

  test('who comes and goes in one block was never there', () => {
    const joined = settled(changeValidators(change, [{ pubKey: c, power: 5n }]))
    const left = settled(changeValidators({ ...change, settings: joined }, [{ pubKey: c, power: 0n }]))
    expect(settingsUpdates(before, left).validatorUpdates).toEqual([])
  })

  test.each([
    ['a stranger that leaves', 'remove-stranger', [{ pubKey: c, power: 0n }]],
    ['a power below zero', 'negative-power', [{ pubKey: c, power: -1n }]],
    ['no key', 'malformed', [{ pubKey: null, power: 1n }]],
    ['a key of a wrong size', 'malformed', [{ pubKey: { kind: 'secp256k1', value: new Uint8Array(32) }, power: 1n }]],
    [
      'a key type that is not allowed',
      'parameter-range',
      [{ pubKey: { kind: 'ed25519', value: new Uint8Array(32) }, power: 1n }],
    ],
    ['too much power', 'power-overflow', [{ pubKey: c, power: TOTAL_POWER_MAX / 2n }]],
    [
      'nobody left',
      'empty-set',
      [
        { pubKey: a, power: 0n },
        { pubKey: b, power: 0n },
      ],
    ],
    [
      'more than a bitmap of the parent names',
      'parameter-range',
      Array.from({ length: 254 }, (_, i) => ({ pubKey: key(3 + i), power: 1n })),
    ],
  ] as const)('refuses %s', (_, code, updates) => {
    expect(changeValidators(change, updates)).toMatchObject({ code })
  })
})

describe('parameters', () => {
  test('change by section', () => {
    const after = settled(changeParams(change, { ...NO_UPDATE, block: { maxBytes: 2_000_000n, maxGas: 7n } }))
    expect(settingsUpdates(before, after).consensusParamUpdates).toEqual({
      ...NO_UPDATE,
      block: { maxBytes: 2_000_000n, maxGas: 7n },
    })
  })

  test.each([
    ['no room for a block', { block: { maxBytes: 1000n, maxGas: -1n } }],
    ['a size beyond all blocks', { block: { maxBytes: 104_857_601n, maxGas: -1n } }],
    ['unknown key types', { validator: { pubKeyTypes: ['rsa'] } }],
  ])('refuses %s', (_, update) => {
    expect(changeParams(change, { ...NO_UPDATE, ...update })).toMatchObject({ code: 'parameter-range' })
  })

  test('extensions begin at a height to come', () => {
    const enable = (at: bigint) => changeParams(change, { ...NO_UPDATE, abci: { voteExtensionsEnableHeight: at } })
    expect(enable(5n)).toMatchObject({ code: 'extension-height' })
    expect(isFault(enable(6n))).toBe(false)
  })
})

test('settings are read as they were written', () => {
  expect(decodeSettings(encodeSettings(before))).toEqual(before)
  expect([...before.validators.keys()]).toEqual([addressOf(a), addressOf(b)])
})
