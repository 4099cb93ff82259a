/** Code → the CAR that a chain begins with: a manifest `[1, data]`, its data `[[name, code]…]`, and the modules. */
import { CarBufferWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { blake2b } from '@noble/hashes/blake2.js'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

const RAW = 0x55
const BLAKE2B_256 = 0xb220
const MANIFEST_VERSION = 1

/** The sixteen names in the order of their type numbers. @source spec fvm §11 */
export const BUILTIN_NAMES = [
  'system',
  'init',
  'cron',
  'account',
  'storagepower',
  'storageminer',
  'storagemarket',
  'paymentchannel',
  'multisig',
  'reward',
  'verifiedregistry',
  'datacap',
  'placeholder',
  'evm',
  'eam',
  'ethaccount',
] as const
export type BuiltinName = (typeof BUILTIN_NAMES)[number]

export interface NamedCode {
  readonly name: string
  readonly wasm: Uint8Array
}

function cidOf(codec: number, bytes: Uint8Array): CID {
  return CID.createV1(codec, Digest.create(BLAKE2B_256, blake2b(bytes, { dkLen: 32 })))
}

/** The CID of a module's code, as text. */
export function codeCid(wasm: Uint8Array): string {
  return cidOf(RAW, wasm).toString()
}

/** A CARv1 with the manifest as its only root. Names keep their order: positions are type numbers. */
export function writeBundle(codes: readonly NamedCode[]): Uint8Array {
  const modules = codes.map(({ name, wasm }) => ({ name, cid: cidOf(RAW, wasm), bytes: wasm }))
  const data = dagCbor.encode(modules.map(({ name, cid }) => [name, cid]))
  const dataCid = cidOf(dagCbor.code, data)
  const root = dagCbor.encode([MANIFEST_VERSION, dataCid])
  const rootCid = cidOf(dagCbor.code, root)
  const unique = new Map(modules.map(({ cid, bytes }) => [cid.toString(), { cid, bytes }]))
  const blocks = [{ cid: rootCid, bytes: root }, { cid: dataCid, bytes: data }, ...unique.values()]
  return writeCar([rootCid], blocks)
}

/** Modules alone, each a root. */
export function writeCodeCar(wasms: readonly Uint8Array[]): Uint8Array {
  const blocks = wasms.map((bytes) => ({ cid: cidOf(RAW, bytes), bytes }))
  return writeCar(
    blocks.map(({ cid }) => cid),
    blocks,
  )
}

type Blocks = readonly { readonly cid: CID; readonly bytes: Uint8Array }[]
type Roots = NonNullable<NonNullable<Parameters<typeof CarBufferWriter.createWriter>[1]>['roots']>

function writeCar(roots: readonly CID[], blocks: Blocks): Uint8Array {
  const size = blocks.reduce((sum, { bytes }) => sum + bytes.length + 64, 256 + roots.length * 64)
  const writer = CarBufferWriter.createWriter(new ArrayBuffer(size), { roots: [...roots] as unknown as Roots })
  for (const block of blocks) writer.write(block as unknown as Parameters<typeof writer.write>[0])
  return writer.close({ resize: true })
}
