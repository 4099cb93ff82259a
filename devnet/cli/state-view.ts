/** An actor's state over RPC: its block and, for collections, the blocks below, fetched when a reader comes to them. */
import type { Abi } from '../../compiler/abi/schema.ts'
import { type AbiType, parseField } from '../../compiler/abi/types.ts'
import type { Blockstore } from '../ipld/blockstore.ts'
import { type Cid, formatCid } from '../ipld/cid.ts'
import { readVarint } from '../primitives/varint.ts'
import { type AmtView, decodeState, decodeValue, type HamtView } from '../rpc/abi-codec.ts'
import { type Address, decodeAddress, formatAddress } from '../state/address.ts'
import type { Book, Network } from './network.ts'

/** A reader needs a block that is not here yet. */
class BlockWanted extends Error {
  override readonly name = 'BlockWanted'
  readonly cid: Cid
  constructor(cid: Cid) {
    super(formatCid(cid))
    this.cid = cid
  }
}

/** Blocks that were fetched, and those that a change makes. */
export class FetchedBlocks implements Blockstore {
  readonly #blocks = new Map<Cid, Uint8Array>()
  /** What `put` brought, for sending. */
  readonly made: Uint8Array[] = []

  get(cid: Cid): Uint8Array {
    const block = this.#blocks.get(cid)
    if (block === undefined) throw new BlockWanted(cid)
    return block
  }

  has(cid: Cid): boolean {
    return this.#blocks.has(cid)
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.#blocks.set(cid, bytes)
    this.made.push(bytes)
  }

  keep(cid: Cid, bytes: Uint8Array): void {
    this.#blocks.set(cid, bytes)
  }
}

/** Runs `read`, and again each time that it wanted a block which had to be fetched first. */
export async function readWith<T>(network: Network, store: FetchedBlocks, read: () => T): Promise<T> {
  for (;;) {
    try {
      return read()
    } catch (error) {
      const wanted = wantedBy(error)
      if (wanted === undefined) throw error
      const base64 = await network.request<string>('Filecoin.ChainReadObj', { '/': formatCid(wanted) })
      store.keep(wanted, Buffer.from(base64, 'base64'))
    }
  }
}

function wantedBy(error: unknown): Cid | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof BlockWanted) return cause.cid
  return undefined
}

/** Entries of one collection that are shown. */
const ENTRIES_MAX = 1000

/** The fields with collections opened: maps as [key, value] pairs, arrays as lists. `cut` names those that are longer. */
export function openState(
  abi: Abi,
  block: Uint8Array,
  store: Blockstore,
  book: Book,
  cut: Set<string>,
): Record<string, unknown> {
  const state = decodeState(abi, block, { ...book.codec, store })
  return Object.fromEntries(
    abi.state.map(parseField).map(({ name, type }) => [name, opened(abi, type, state[name], name, cut)]),
  )
}

function opened(abi: Abi, type: AbiType, value: unknown, path: string, cut: Set<string>): unknown {
  switch (type.kind) {
    case 'nullable':
      return value === null ? null : opened(abi, type.of, value, path, cut)
    case 'list':
      return (value as unknown[]).map((item) => opened(abi, type.of, item, path, cut))
    case 'hamt':
      return take((value as HamtView).entries(), path, cut).map(([key, item]) => [
        readKey(abi, type.key, key),
        opened(abi, type.value, item, path, cut),
      ])
    case 'amt':
      return take((value as AmtView).entries(), path, cut).map(([, item]) => opened(abi, type.of, item, path, cut))
    case 'name': {
      const fields = abi.types[type.name]
      if (fields === undefined) return value
      const object = value as Record<string, unknown>
      return Object.fromEntries(
        fields.map(parseField).map((field) => [field.name, opened(abi, field.type, object[field.name], path, cut)]),
      )
    }
    case 'lazy':
      return opened(abi, type.of, value, path, cut)
    default:
      return value
  }
}

function take<T>(entries: Iterable<T>, path: string, cut: Set<string>): T[] {
  const list: T[] = []
  for (const entry of entries) {
    if (list.length === ENTRIES_MAX) {
      cut.add(path)
      break
    }
    list.push(entry)
  }
  return list
}

/** The other way of the codec: integers are unsigned LEB128, text and bytes are themselves, classes their CBOR. */
function readKey(abi: Abi, type: AbiType, key: Uint8Array): unknown {
  if (type.kind !== 'primitive') return decodeValue(abi, (type as { name: string }).name, key)
  switch (type.name) {
    case 'string':
      return new TextDecoder().decode(key)
    case 'address': {
      const address: Address | undefined = decodeAddress(key)
      return address === undefined ? key : formatAddress(address, 't')
    }
    case 'bytes':
    case 'bytes32':
      return key
    default:
      return readVarint(key, 0)?.value ?? key
  }
}
