/**
 * The state every world begins with, made once per process and kind: built-in actors, and the devnet's ten accounts with
 * both their faces. No keys: in a world, nobody has to sign.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadManifest, type Manifest } from '../engine/manifest.ts'
import { MemoryBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR } from '../ipld/cid.ts'
import { encodeCbor } from '../ipld/dag-cbor.ts'
import { type Bundle, putBundle, readBundle } from '../node/bundle.ts'
import { fromHex } from '../primitives/bytes.ts'
import { type Address, decodeAddress, ethAddressToDelegated } from '../state/address.ts'
import { createGenesis } from '../state/genesis.ts'
import type { TokenAmount } from '../state/token.ts'

/** Name, payload of the `t1…` address, Ethereum address: the devnet's accounts, so that nothing has to be derived here. */
const ACCOUNTS: readonly (readonly [string, string, string])[] = [
  ['alice', '6c12e505392681a6df7e567ce877966cb96ea456', 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266'],
  ['bob', 'a16cc54c9dcae3f72ae0578e7614f42e1d79e65c', '70997970c51812dc3a010c7d01b50e0d17dc79c8'],
  ['carol', '82b130f9aec716db925e04c95e2ba696f22a7b04', '3c44cdddb6a900fa2b585dd299e03d12fa4293bc'],
  ['dave', 'eeef769ed9b54d364864b2c17274c00803e6a82d', '90f79bf6eb2c4f870365e785982e1f101e93b906'],
  ['erin', '7f50aba530cc76f10f897041f2fa83b6ee2533f5', '15d34aaf54267db7d7c367839aaf71a00a2c6a65'],
  ['frank', '9dbda68a414881c8a3da29fedb5d92f083f6398d', '9965507d1a55bcc2695c58ba16fb37d819b0a4dc'],
  ['grace', 'd2e8b65302fcfcab4d56f27a612229688710c8c1', '976ea74026e726554db657fa54763abd0c3a0aa9'],
  ['heidi', 'b9e11dae4fd0a93df33a0816d7bb1a12d2c9e8d4', '14dc79964da2c08b23698b3d3cc7ca32193d9955'],
  ['ivan', '0dde4464a3af3338fa850a504fccb23c23224de9', '23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f'],
  ['judy', 'c3247a6368ec17b5183032f5d70f744d9464082c', 'a0ee7a142d267c1f36714e4a8f75612f20a79720'],
]

export interface GenesisAccountName {
  readonly name: string
  readonly address: Address
  readonly ethAddress: Address
}

export const GENESIS_ACCOUNTS: readonly GenesisAccountName[] = ACCOUNTS.map(([name, payload, eth]) => ({
  name,
  address: decodeAddress(fromHex(`01${payload}`))!,
  ethAddress: ethAddressToDelegated(fromHex(eth)),
}))

export interface Genesis {
  readonly store: MemoryBlockstore
  readonly root: Cid
  readonly manifest: Manifest
}

export class GenesisMissingError extends Error {
  override readonly name = 'GenesisMissingError'
  readonly code = 'TRP-7602'
}

const kinds = new Map<string, Genesis>()

/** The genesis in which every account has `balance` attoFIL on each face. */
export function genesisOf(networkName: string, balance: bigint): Genesis {
  const kind = `${networkName} ${balance}`
  let genesis = kinds.get(kind)
  if (genesis === undefined) {
    genesis = makeGenesis(networkName, balance as TokenAmount)
    kinds.set(kind, genesis)
  }
  return genesis
}

let bundle: Bundle | null = null

function makeGenesis(networkName: string, balance: TokenAmount): Genesis {
  bundle ??= readBundle(readOwnBundle())
  const store = new MemoryBlockstore()
  putBundle(store, bundle)
  const root = createGenesis(store, {
    networkName,
    manifest: bundle.manifest,
    accounts: GENESIS_ACCOUNTS.flatMap(({ address, ethAddress }) => [
      { address, balance },
      { address: ethAddress, balance },
    ]),
  })
  const data = cidOf(DAG_CBOR, encodeCbor(bundle.manifest.map(({ name, code }) => [name, { link: code }])))
  return { store, root, manifest: loadManifest(store, data) }
}

function readOwnBundle(): Uint8Array {
  const path = ownBundlePath()
  if (path === undefined)
    throw new GenesisMissingError('the bundle of built-in actors is missing: run `npm run build` in troupe')
  return readFileSync(path)
}

/** The bundle that the environment names, else the one built with the package: `actors.car` of a folder above, or of its `dist`. */
export function ownBundlePath(): string | undefined {
  const named = process.env['TROUPE_OWN_BUNDLE']
  if (named !== undefined) return named
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = [join(folder, 'actors.car'), join(folder, 'dist', 'actors.car')].find((file) => existsSync(file))
    if (path !== undefined || dirname(folder) === folder) return path
  }
}
