import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SECOND } from '../../../devnet/consensus/time.ts'
import { ConfigError, checkConfig } from '../../../devnet/node/config.ts'
import { NetworkFileError, readNetworkFile } from '../../../devnet/node/network-file.ts'
import { writeNetwork } from '../../../devnet/node/network-plan.ts'
import {
  DEFAULT_STATE_SYNC,
  formatStateSync,
  snapshotPolicy,
  stateSyncSettings,
} from '../../../devnet/node/sync-settings.ts'

const HASH = 'AB'.repeat(32)
const genesis = { timeMs: 1, chainId: 5, accounts: 1, balance: 1, baseFee: '100', profile: 'ipc' } as const

describe('state sync as a user writes it', () => {
  test('has CometBFT’s meaning', () => {
    expect(
      stateSyncSettings({
        enable: true,
        trustHeight: 9,
        trustHash: HASH,
        trustPeriod: '168h0m1s',
        discoveryTime: '15s',
      }),
    ).toEqual({
      isEnabled: true,
      trusted: { height: 9n, hash: '\xab'.repeat(32) },
      trustingPeriod: (168n * 3600n + 1n) * SECOND,
      discoveryMs: 15_000,
    })
    expect(stateSyncSettings({ enable: false })).toEqual(DEFAULT_STATE_SYNC)
    expect(snapshotPolicy({ interval: 50 })).toEqual({ interval: 50, keep: 2 })
  })

  test.each([
    DEFAULT_STATE_SYNC,
    { ...DEFAULT_STATE_SYNC, isEnabled: true, trusted: { height: 7n, hash: '\x01'.repeat(32) } },
  ])('is written as it is read', (settings) => {
    expect(stateSyncSettings(formatStateSync(settings))).toEqual(settings)
  })

  const wrong: readonly [string, object, string][] = [
    ['a height without its hash', { stateSync: { enable: true, trustHeight: 5 } }, 'stateSync'],
    ['a hash without its height', { stateSync: { enable: true, trustHash: HASH } }, 'stateSync'],
    ['half a hash', { stateSync: { enable: true, trustHeight: 5, trustHash: 'ab' } }, 'stateSync.trustHash'],
    ['height 0', { stateSync: { enable: true, trustHeight: 0, trustHash: HASH } }, 'stateSync.trustHeight'],
    ['a period without a unit', { stateSync: { enable: true, trustPeriod: '168' } }, 'stateSync.trustPeriod'],
    ['no period', { stateSync: { enable: true, trustPeriod: '' } }, 'stateSync.trustPeriod'],
    ['nothing said', { stateSync: {} }, 'stateSync.enable'],
    ['a typo', { stateSync: { enable: true, trust_height: 5 } }, 'stateSync.trust_height'],
    ['eleven snapshots', { snapshots: { interval: 10, keep: 11 } }, 'snapshots.keep'],
    ['none that is kept', { snapshots: { interval: 10, keep: 0 } }, 'snapshots.keep'],
    ['a negative interval', { snapshots: { interval: -1 } }, 'snapshots.interval'],
  ]
  test.each(wrong)('is refused with %s, in the config and in a node’s file', (_, keys, key) => {
    expect(() => checkConfig(keys)).toThrowError(
      expect.objectContaining({ name: ConfigError.name, code: 'TRP-7101', key }),
    )
    const folder = mkdtempSync(join(tmpdir(), 'troupe-network-'))
    try {
      const [path] = writeNetwork(folder, { genesis, hosts: ['127.0.0.1:1'] })
      writeFileSync(path!, JSON.stringify({ ...JSON.parse(readFileSync(path!, 'utf8')), ...keys }))
      expect(() => readNetworkFile(path!)).toThrowError(expect.objectContaining({ name: NetworkFileError.name }))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('comes to every node of a network that is written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-network-'))
    try {
      const settings = { snapshots: { interval: 7 }, stateSync: { enable: true, discoveryTime: '6s' } }
      const paths = writeNetwork(folder, { genesis, hosts: ['127.0.0.1:1', '127.0.0.1:2'], settings })
      const hashes = paths.map((path) => {
        const read = readNetworkFile(path)
        expect(read.snapshots).toEqual({ interval: 7, keep: 2 })
        expect(read.stateSync).toEqual({ ...DEFAULT_STATE_SYNC, isEnabled: true, discoveryMs: 6000 })
        return Buffer.from(read.genesisHash).toString('hex')
      })
      expect(hashes[0]).toBe(hashes[1])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
