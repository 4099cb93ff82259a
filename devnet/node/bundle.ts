/** A bundle of built-in actors: a CAR whose one root is the manifest `[1, data]`. */

import { decompress } from 'fzstd'
import type { Blockstore } from '../ipld/blockstore.ts'
import { readCar } from '../ipld/car.ts'
import { type Cid, cidOf, formatCid } from '../ipld/cid.ts'
import { decodeCbor, isLink } from '../ipld/dag-cbor.ts'
import type { ManifestEntry } from '../state/genesis.ts'

const MAINNET_CAR = 'builtin-actors-mainnet.car'
const ZSTANDARD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
const TAR_BLOCK = 512

export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly code = 'TRP-7201'
}

export interface Bundle {
  readonly root: Cid
  readonly manifest: readonly ManifestEntry[]
  readonly blocks: readonly (readonly [Cid, Uint8Array])[]
}

/** @throws BundleError */
export function readBundle(bytes: Uint8Array): Bundle {
  try {
    const car = readCar(bytes)
    const [root] = car.roots
    if (root === undefined || car.roots.length !== 1) throw new Error(`a bundle has one root, not ${car.roots.length}`)
    const blocks = [...car.blocks].map(([cid, block]) => [cid, block.slice()] as const)
    const byCid = new Map(blocks)
    for (const [cid, block] of blocks) {
      if (cidOf(cid.charCodeAt(1), block) !== cid) throw new Error(`${formatCid(cid)} does not name its block`)
    }
    const manifest = readList(byCid, root)
    for (const { name, code } of manifest) if (!byCid.has(code)) throw new Error(`the code of ${name} is missing`)
    return { root, manifest, blocks }
  } catch (error) {
    throw new BundleError(`not a bundle of built-in actors: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * A bundle as it is shipped: the CAR itself, or a Zstandard archive of it, or of a tar with one CAR a network, of which
 * mainnet's is taken. @throws BundleError
 */
export function readBundleFile(bytes: Uint8Array): Bundle {
  const plain = isZstandard(bytes) ? decompressZstandard(bytes) : bytes
  return readBundle(findInTar(plain, MAINNET_CAR) ?? plain)
}

function isZstandard(bytes: Uint8Array): boolean {
  return ZSTANDARD_MAGIC.every((byte, index) => bytes[index] === byte)
}

function decompressZstandard(bytes: Uint8Array): Uint8Array {
  try {
    return decompress(bytes)
  } catch (error) {
    throw new BundleError(`damaged Zstandard data: ${(error as Error).message}`, { cause: error })
  }
}

/** The contents of `name` in a tar archive; undefined when the bytes are none. @throws BundleError */
function findInTar(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const text = (from: number, size: number): string =>
    new TextDecoder('latin1').decode(bytes.subarray(from, from + size)).split('\0')[0]!
  if (text(257, 5) !== 'ustar') return undefined
  for (let at = 0; at + TAR_BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim(), 8)
    if (!(size >= 0 && size <= bytes.length - at - TAR_BLOCK)) throw new BundleError('a damaged tar archive')
    const start = at + TAR_BLOCK
    if (text(at, 100).split('/').at(-1) === name) return bytes.subarray(start, start + size)
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  }
  throw new BundleError(`the archive has no ${name}`)
}

function readList(blocks: ReadonlyMap<Cid, Uint8Array>, root: Cid): ManifestEntry[] {
  const head = decodeCbor(need(blocks, root))
  if (!Array.isArray(head) || head.length !== 2 || head[0] !== 1n || !isLink(head[1]))
    throw new Error('the root is not [1, data]')
  const data = decodeCbor(need(blocks, head[1].link))
  if (!Array.isArray(data)) throw new Error('the manifest data is no list')
  return data.map((entry) => {
    const [name, code] = Array.isArray(entry) ? entry : []
    if (typeof name !== 'string' || !isLink(code)) throw new Error('a manifest entry is not [name, code]')
    return { name, code: code.link }
  })
}

function need(blocks: ReadonlyMap<Cid, Uint8Array>, cid: Cid): Uint8Array {
  const block = blocks.get(cid)
  if (block === undefined) throw new Error(`block ${formatCid(cid)} is missing`)
  return block
}

export function putBundle(store: Blockstore, { blocks }: Bundle): void {
  for (const [cid, block] of blocks) store.put(cid, block)
}
