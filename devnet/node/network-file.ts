/**
 * What a node of a larger network reads: `network.json`. All nodes have the same `genesis`; the rest is each one's own.
 *
 *   { "name": "v0", "key": "key.json", "listen": "0.0.0.0:26700",
 *     "peers": [{ "name": "v1", "url": "ws://10.0.0.2:26700" }],
 *     "snapshots": { "interval": 1000, "keep": 2 },
 *     "stateSync": { "enable": true, "trustHeight": 5000, "trustHash": "…", "trustPeriod": "168h0m0s", "discoveryTime": "5s" },
 *     "genesis": { "timeMs": …, "chainId": 31337, "accounts": 10, "balance": 10000, "baseFee": "100", "profile": "ipc",
 *                  "validators": [{ "name": "v0", "publicKey": "02…", "power": 1 }] } }
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { equalKeys, isWellFormedKey, type PrivateKey, publicKeyOf } from '../consensus/key.ts'
import { KeyFileError, parseKeyFile } from '../consensus/key-file.ts'
import type { PublicKey } from '../consensus/wire.ts'
import type { WireValidatorUpdate } from '../consensus/wire-abci.ts'
import { fromHex } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import type { MeshPeer } from './mesh.ts'
import type { SnapshotPolicy, StateSyncSettings } from './sync-settings.ts'
import { SNAPSHOTS_SCHEMA, STATE_SYNC_SCHEMA, snapshotPolicy, stateSyncSettings } from './sync-settings.ts'

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, - _ . , at most 64'))
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))

const genesis = v.strictObject({
  timeMs: whole(0, 8_640_000_000_000_000),
  chainId: whole(1, Number.MAX_SAFE_INTEGER),
  mnemonic: v.optional(v.string()),
  accounts: whole(1, 1000),
  /** FIL of each account. */
  balance: whole(0, 1_000_000_000),
  baseFee: v.pipe(v.string(), v.regex(/^\d+$/)),
  profile: v.picklist(['ipc', 'filecoin']),
  validators: v.pipe(
    v.array(
      v.strictObject({
        name,
        publicKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{66}$/, '33 bytes in hex')),
        power: whole(1, 2 ** 40),
      }),
    ),
    v.minLength(1),
    v.maxLength(255),
    v.check((all) => new Set(all.map((one) => one.name)).size === all.length, 'each validator has a name of its own'),
  ),
})

const hasPort = (listen: string): boolean => Number(/\d+$/.exec(listen)?.[0]) <= 65_535

const schema = v.strictObject({
  name,
  /** File of the validator's key, beside this one; a node without follows. */
  key: v.optional(v.string()),
  listen: v.pipe(v.string(), v.regex(/^.+:\d{1,5}$/, 'host:port'), v.check(hasPort, 'a port is at most 65535')),
  peers: v.array(v.strictObject({ name, url: v.pipe(v.string(), v.regex(/^wss?:\/\//, 'ws://host:port')) })),
  snapshots: v.optional(SNAPSHOTS_SCHEMA),
  stateSync: v.optional(STATE_SYNC_SCHEMA),
  genesis,
})

export type NetworkGenesis = v.InferOutput<typeof genesis>
export type NetworkFile = v.InferInput<typeof schema>

/** A node's file is not what it should be. */
export class NetworkFileError extends Error {
  override readonly name = 'NetworkFileError'
  readonly code = 'TRP-7109'
}

export interface NodeSetting {
  readonly name: string
  readonly key: PrivateKey | null
  readonly host: string
  readonly port: number
  readonly peers: readonly MeshPeer[]
  readonly genesis: NetworkGenesis
  readonly genesisHash: Uint8Array
  readonly validators: readonly WireValidatorUpdate[]
  /** As the file has them. */
  readonly snapshots?: SnapshotPolicy
  readonly stateSync?: StateSyncSettings
}

/** @throws NetworkFileError */
export function readNetworkFile(path: string): NodeSetting {
  const parsed = v.safeParse(schema, readJson(path))
  if (!parsed.success) {
    const { path: at, message } = parsed.issues[0]
    throw new NetworkFileError(`${path}: ${at?.map(({ key }) => String(key)).join('.') ?? 'the file'}: ${message}`)
  }
  const { output } = parsed
  const [, host, port] = /^(.+):(\d+)$/.exec(output.listen)!
  const keys = new Map(output.genesis.validators.map((validator) => [validator.name, readPublicKey(path, validator)]))
  const key = output.key === undefined ? null : readKey(resolve(dirname(path), output.key))
  checkOwnKey(path, output.name, key, keys.get(output.name))
  return {
    name: output.name,
    key,
    host: host!.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    peers: output.peers.map(({ name, url }) => {
      const settled = keys.get(name)
      return settled === undefined ? { name, url } : { name, url, key: settled }
    }),
    genesis: output.genesis,
    genesisHash: sha256(encodeUtf8(JSON.stringify(output.genesis))),
    validators: output.genesis.validators.map(({ name, power }) => ({ pubKey: keys.get(name)!, power: BigInt(power) })),
    ...(output.snapshots === undefined ? {} : { snapshots: snapshotPolicy(output.snapshots) }),
    ...(output.stateSync === undefined ? {} : { stateSync: stateSyncSettings(output.stateSync) }),
  }
}

/** @throws NetworkFileError */
function readPublicKey(path: string, { publicKey }: { readonly publicKey: string }): PublicKey {
  const pubKey = { kind: 'secp256k1', value: fromHex(publicKey) } as const
  if (!isWellFormedKey(pubKey)) throw new NetworkFileError(`${path}: ${publicKey} is no key of secp256k1`)
  return pubKey
}

/** Its peers would not let it in. @throws NetworkFileError */
function checkOwnKey(path: string, name: string, key: PrivateKey | null, settled: PublicKey | undefined): void {
  if (settled === undefined || (key !== null && equalKeys(publicKeyOf(key), settled))) return
  const what = key === null ? 'there is no key here' : 'the key here is another'
  throw new NetworkFileError(
    `${path}: ${name} is a validator of the genesis, and ${what}; give ${name} its own key.json`,
  )
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new NetworkFileError(`${path} cannot be read: ${(error as Error).message}`)
  }
}

function readKey(path: string): PrivateKey {
  try {
    return parseKeyFile(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof KeyFileError ? error.message : (error as Error).message
    throw new NetworkFileError(`the key ${path} cannot be read: ${why}`)
  }
}
