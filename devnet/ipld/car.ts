// CARv1, an archive of blocks: varint size ‖ header {roots, version: 1}, then varint size ‖ CID ‖ bytes per block.

import { concatBytes } from '../primitives/bytes.ts'
import { readVarint, writeVarint } from '../primitives/varint.ts'
import { type Cid, cidBytes, readCid } from './cid.ts'
import { type CborInput, decodeCbor, encodeCbor, isLink } from './dag-cbor.ts'

export type CarFault =
  | 'TRUNCATED' // the archive ends inside a section
  | 'HEADER' // not {roots: [link…], version: 1}
  | 'CID' // a block without a CID before it

/** The bytes are not a CARv1. */
export class CarError extends Error {
  override readonly name = 'CarError'
  readonly code: CarFault
  readonly offset: number
  constructor(code: CarFault, offset: number) {
    super(`${code} at byte ${offset}`)
    this.code = code
    this.offset = offset
  }
}

/**
 * Opens an archive. The header is read at once, blocks while iterating (again for each iteration); they are views of
 * `bytes`, and nobody has compared them with their CIDs yet.
 */
export function readCar(bytes: Uint8Array): { roots: Cid[]; blocks: Iterable<[Cid, Uint8Array]> } {
  const header = readSection(bytes, 0)
  const roots = decodeHeader(bytes.subarray(header.start, header.end))
  return { roots, blocks: { [Symbol.iterator]: () => readBlocks(bytes, header.end) } }
}

export function writeCar(roots: readonly Cid[], blocks: Iterable<readonly [Cid, Uint8Array]>): Uint8Array {
  const header: CborInput = new Map<string, CborInput>([
    ['roots', roots.map((link) => ({ link }))],
    ['version', 1],
  ])
  const parts: Uint8Array[] = []
  const section = (...contents: readonly Uint8Array[]) => {
    parts.push(writeVarint(contents.reduce((size, part) => size + part.length, 0)), ...contents)
  }
  section(encodeCbor(header))
  for (const [cid, block] of blocks) section(cidBytes(cid), block)
  return concatBytes(...parts)
}

function* readBlocks(bytes: Uint8Array, first: number): Generator<[Cid, Uint8Array]> {
  for (let at = first; at < bytes.length; ) {
    const { start, end } = readSection(bytes, at)
    const read = readCid(bytes.subarray(start, end), 0)
    if (read === undefined) throw new CarError('CID', start)
    yield [read.cid, bytes.subarray(start + read.next, end)]
    at = end
  }
}

function readSection(bytes: Uint8Array, at: number): { start: number; end: number } {
  const size = readVarint(bytes, at)
  if (size === undefined || size.value > bytes.length - size.next) throw new CarError('TRUNCATED', at)
  return { start: size.next, end: size.next + Number(size.value) }
}

function decodeHeader(bytes: Uint8Array): Cid[] {
  try {
    const header = decodeCbor(bytes)
    if (header instanceof Map && header.get('version') === 1n) {
      const roots = header.get('roots')
      if (Array.isArray(roots) && roots.every(isLink)) return roots.map(({ link }) => link)
    }
  } catch {
    // Whatever else it is, it is no header.
  }
  throw new CarError('HEADER', 0)
}
