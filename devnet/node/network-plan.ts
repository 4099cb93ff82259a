/** Writes the files of a new network: a folder a node, with its key and its `network.json`. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PrivateKey, publicKeyOf } from '../consensus/key.ts'
import { formatKeyFile } from '../consensus/key-file.ts'
import { toHex } from '../primitives/bytes.ts'
import type { NetworkFile, NetworkGenesis } from './network-file.ts'

export interface NetworkPlan {
  readonly genesis: Omit<NetworkGenesis, 'validators'>
  /** `host:port` of each node's mesh, as the others reach it. */
  readonly hosts: readonly string[]
  /** Where each listens, if that is not its host. */
  readonly listen?: string
  /** Fresh ones when absent. */
  readonly keys?: readonly PrivateKey[]
  /** Of every node, as a user writes them. */
  readonly settings?: Pick<NetworkFile, 'snapshots' | 'stateSync'>
}

/** Answers the paths of the files, one a node. */
export function writeNetwork(
  folder: string,
  { genesis, hosts, listen, keys, settings }: NetworkPlan,
): readonly string[] {
  const secrets = hosts.map((_, i): PrivateKey => keys?.[i] ?? { kind: 'secp256k1', secret: randomSecret() })
  const names = hosts.map((_, i) => `v${i}`)
  const validators = secrets.map((key, i) => ({ name: names[i]!, publicKey: toHex(publicKeyOf(key).value), power: 1 }))
  return hosts.map((host, i) => {
    const own = join(folder, names[i]!)
    mkdirSync(own, { recursive: true })
    const file: NetworkFile = {
      name: names[i]!,
      key: 'key.json',
      listen: listen === undefined ? host : `${listen}:${host.slice(host.lastIndexOf(':') + 1)}`,
      peers: hosts.flatMap((url, at) => (at === i ? [] : [{ name: names[at]!, url: `ws://${url}` }])),
      ...settings,
      genesis: { ...genesis, validators },
    }
    writeFileSync(join(own, 'key.json'), `${formatKeyFile(secrets[i]!)}\n`, { mode: 0o600 })
    const path = join(own, 'network.json')
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`)
    return path
  })
}

/** A scalar of the curve: almost all numbers of 32 bytes are one. */
function randomSecret(): Uint8Array {
  const secret = new Uint8Array(randomBytes(32))
  secret[0]! &= 0x7f
  return secret
}
