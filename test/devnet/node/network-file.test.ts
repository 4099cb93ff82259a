import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { publicKeyOf } from '../../../devnet/consensus/key.ts'
import { type NetworkFile, NetworkFileError, readNetworkFile } from '../../../devnet/node/network-file.ts'
import { writeNetwork } from '../../../devnet/node/network-plan.ts'

let folder: string
let files: readonly string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-network-file-'))
  const genesis = { timeMs: 1, chainId: 31337, accounts: 1, balance: 1, baseFee: '100', profile: 'ipc' } as const
  files = writeNetwork(folder, { genesis, hosts: ['10.0.0.1:26700', '10.0.0.2:26700', '[::1]:26700'] })
})
afterEach(() => rmSync(folder, { recursive: true }))

function change(index: number, edit: (file: Mutable) => void): string {
  const path = files[index]!
  const file = JSON.parse(readFileSync(path, 'utf8')) as Mutable
  edit(file)
  writeFileSync(path, JSON.stringify(file))
  return path
}

// biome-ignore lint/suspicious/noExplicitAny: files that are wrong on purpose
type Mutable = NetworkFile & Record<string, any>

describe('the file of a node', () => {
  test('says who it is, where it listens, and which key each peer must have', () => {
    const settings = files.map(readNetworkFile)
    const [v0, v1, v2] = settings.map(({ key }) => publicKeyOf(key!))
    expect(settings[0]).toMatchObject({ name: 'v0', host: '10.0.0.1', port: 26700 })
    expect(settings[2]).toMatchObject({ name: 'v2', host: '::1', port: 26700 })
    expect(settings[1]!.peers).toEqual([
      { name: 'v0', url: 'ws://10.0.0.1:26700', key: v0 },
      { name: 'v2', url: 'ws://[::1]:26700', key: v2 },
    ])
    expect(settings[0]!.validators).toEqual([v0, v1, v2].map((pubKey) => ({ pubKey, power: 1n })))
    expect(new Set(settings.map(({ genesisHash }) => Buffer.from(genesisHash).toString('hex'))).size).toBe(1)
  })

  test('of a node that only follows needs no key, and its name none either', () => {
    const path = change(0, (file) => {
      file.name = 'watcher'
      delete file.key
      file.peers = [...file.peers, { name: 'other', url: 'ws://10.0.0.9:26700' }]
    })
    const setting = readNetworkFile(path)
    expect(setting.key).toBeNull()
    expect(setting.peers.at(-1)).toEqual({ name: 'other', url: 'ws://10.0.0.9:26700' })
  })

  test("beside another validator's key is refused: peers would not let it in", () => {
    copyFileSync(join(folder, 'v1', 'key.json'), join(folder, 'v0', 'key.json'))
    expect(() => readNetworkFile(files[0]!)).toThrow(/v0 is a validator of the genesis, and the key here is another/)
    const path = change(1, (file) => delete file.key)
    expect(() => readNetworkFile(path)).toThrow(/v1 is a validator of the genesis, and there is no key here/)
  })

  test.each<[string, (file: Mutable) => void, RegExp]>([
    ['an unknown field', (file) => (file['extra'] = 1), /extra/],
    ['a port that no host has', (file) => (file.listen = '10.0.0.1:70000'), /listen: a port is at most 65535/],
    ['a name that is none', (file) => (file.name = '../v0'), /name/],
    ['a peer that is no WebSocket', (file) => (file.peers[0]!.url = 'http://10.0.0.1'), /peers\.0\.url/],
    ['two validators of one name', (file) => (file.genesis.validators[1]!.name = 'v0'), /a name of its own/],
    ['a key that is too short', (file) => (file.genesis.validators[1]!.publicKey = '02'), /validators\.1\.publicKey/],
    ['a key file that is not there', (file) => (file.key = 'none.json'), /none\.json cannot be read/],
    ['no validators', (file) => (file.genesis.validators = []), /genesis\.validators/],
  ])('with %s is refused, and says where', (_, edit, message) => {
    const path = change(0, edit)
    expect(() => readNetworkFile(path)).toThrow(NetworkFileError)
    expect(() => readNetworkFile(path)).toThrow(message)
  })

  test('that is no JSON, or not there, is refused', () => {
    writeFileSync(files[0]!, '{')
    expect(() => readNetworkFile(files[0]!)).toThrow(NetworkFileError)
    expect(() => readNetworkFile(join(folder, 'none'))).toThrow(/cannot be read/)
  })
})
