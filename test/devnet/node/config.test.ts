import { describe, expect, test } from 'vitest'
import { ConfigError, checkConfig } from '../../../devnet/node/config.ts'

describe('the config', () => {
  test('may be empty', () => {
    expect(checkConfig({})).toEqual({})
  })

  test('keeps what it knows', () => {
    const config = {
      port: 8600,
      chainId: 5,
      deploy: { Counter: [1], Vault: false as const },
      compiler: { optimize: 'speed' as const },
    }
    expect(checkConfig(config)).toEqual(config)
  })

  const wrong: readonly [string, unknown, string][] = [
    ['a typo', { prot: 1 }, 'prot'],
    ['a typo inside', { compiler: { optimise: 'size' } }, 'compiler.optimise'],
    ['a port beyond the last', { port: 65536 }, 'port'],
    ['text for a number', { accounts: 'ten' }, 'accounts'],
    ['an unknown profile', { profile: 'mars' }, 'profile'],
    ['something that is no object', 5, ''],
  ]

  test.each(wrong)('refuses %s and names the key', (_, value, key) => {
    expect(() => checkConfig(value)).toThrowError(
      expect.objectContaining({ name: ConfigError.name, code: 'TRP-7101', key }),
    )
  })
})
