/**
 * Where events happened: for each key and value, the transactions (or blocks) with such an attribute. Kept among a chain store's
 * records, so that it becomes durable with the block, and goes when the block goes. Blocks in which nothing happened cost
 * nothing; heights need no index, since blocks have them.
 *
 *   Xt tag 0 size value height     where: transaction index, event number …
 *   Xb tag 0 size value height     the same of a block's own events; the index is 0
 *   Xh hash                        inclusions of the transaction: height, index, 1 when it succeeded …
 *   Xd height index                hash of a transaction that is in several places
 *   Xs                             the index covers all blocks that are kept
 *
 * `size` is that of the value, two bytes. A long value is its hash in the key, its size 0xffff, and follows the places.
 *
 * @source CometBFT v0.38.25 `state/txindex/kv`, `state/indexer/block/kv`; spec consensus §5.5
 */

import type { FinalizeBlockResponse } from '../consensus/application.ts'
import { txHash } from '../consensus/hash.ts'
import type { Block } from '../consensus/wire.ts'
import { concatBytes, fromBinary, toBinary } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { decodeUtf8, encodeUtf8 } from '../primitives/utf8.ts'
import { readVarint, writeVarint } from '../primitives/varint.ts'
import { heightBytes, uint32Bytes } from './height-keys.ts'
import type { ChainStore } from './ports.ts'

type WireEvents = FinalizeBlockResponse['events']

/** A transaction of a block. */
export interface TxPlace {
  readonly height: bigint
  readonly index: number
}

/** An event: `number` counts those of its transaction, or of the block's own. */
export interface EventPlace extends TxPlace {
  readonly number: number
}

export type IndexKind = 'tx' | 'block'

/** What a search reads: values of one key. */
export interface IndexEntry {
  readonly value: string
  readonly height: bigint
  /** Reads them. */
  places(): readonly EventPlace[]
}

export interface IndexRange {
  readonly kind: IndexKind
  readonly tag: string
  /** Only this value; else all. */
  readonly value: string | null
  readonly lowest: bigint
  readonly highest: bigint
}

const TAG = /^[_\p{L}][._\-\p{L}\p{Nd}]*$/u
/** Bytes of UTF-8. Longer keys cannot be asked for, longer values are kept by their hash. */
const TAG_SIZE_MAX = 512
const VALUE_SIZE_MAX = 400
const LONG = '\xff\xff'
const RESERVED = new Set(['tx.hash', 'tx.height', 'block.height', 'tm.event'])
const COMPLETE_KEY = 'Xs'
const HEIGHT_SIZE = 8

export class EventIndex {
  readonly #store: ChainStore

  constructor(store: ChainStore) {
    this.#store = store
  }

  /** Whether it has every block that is kept; otherwise `put` has to be called for all of them. */
  get isComplete(): boolean {
    return this.#store.getRecord(COMPLETE_KEY) !== undefined
  }

  markComplete(): void {
    this.#store.putRecord(COMPLETE_KEY, new Uint8Array(0))
  }

  /** Blocks come that it is not told of. */
  markIncomplete(): void {
    if (this.isComplete) this.#store.deleteRecord(COMPLETE_KEY)
  }

  put(block: Block, response: FinalizeBlockResponse): void {
    const { height } = block.header
    for (const [index, tx] of block.data.txs.entries()) {
      const hash = txHash(tx)
      const others = this.#inclusions(hash).filter((one) => one.height !== height || one.index !== index)
      const isOk = response.txResults[index]?.code === 0
      this.#putInclusions(hash, [...others, { height, index, isOk }])
    }
    for (const [key, bytes] of entriesOf(block, response)) this.#store.putRecord(key, bytes)
  }

  delete(block: Block, response: FinalizeBlockResponse): void {
    const { height } = block.header
    for (const [index, tx] of block.data.txs.entries()) {
      const hash = txHash(tx)
      this.#store.deleteRecord(sharedKey({ height, index }))
      const others = this.#inclusions(hash).filter((one) => one.height !== height || one.index !== index)
      this.#putInclusions(hash, others)
    }
    for (const key of entriesOf(block, response).keys()) this.#store.deleteRecord(key)
  }

  /** The last inclusion that succeeded, or the last one, up to a height. `hash` is a binary string. */
  txAt(hash: string, highest: bigint): TxPlace | undefined {
    if (hash.length !== 32) return undefined
    let found: Inclusion | undefined
    for (const inclusion of this.#inclusions(hash)) {
      if (inclusion.height > highest || (found?.isOk === true && !inclusion.isOk)) continue
      found = inclusion
    }
    return found === undefined ? undefined : { height: found.height, index: found.index }
  }

  #inclusions(hash: string): readonly Inclusion[] {
    const bytes = this.#store.getRecord(`Xh${hash}`)
    return bytes === undefined ? [] : readInclusions(toBinary(bytes))
  }

  /** In the order of the chain. */
  #putInclusions(hash: string, inclusions: readonly Inclusion[]): void {
    const key = `Xh${hash}`
    if (inclusions.length === 0) return this.#store.deleteRecord(key)
    this.#store.putRecord(key, fromBinary(inclusions.map(writeInclusion).join('')))
    for (const inclusion of inclusions) {
      if (inclusions.length > 1) this.#store.putRecord(sharedKey(inclusion), fromBinary(hash))
      else this.#store.deleteRecord(sharedKey(inclusion))
    }
  }

  /** Hashes of the transactions between two heights that are in several places, by `placeName`. A page at a time. */
  readShared(lowest: bigint, highest: bigint, size: number, after: string | null) {
    const to = sharedKey({ height: highest + 1n, index: 0 })
    const keys = [...this.#store.recordKeys(after ?? sharedKey({ height: lowest, index: 0 }), to, size)]
    const shared = keys.map((key) => {
      const place = { height: readHeight(key, 2), index: readUint32(key, 2 + HEIGHT_SIZE) }
      return [placeName(place), toBinary(this.#store.getRecord(key)!)] as const
    })
    return { shared, next: keys.length < size ? null : `${keys.at(-1)!}\0` }
  }

  /** Entries in the order of their keys, a page at a time. `after` is the `next` of the page before. */
  readPage(range: IndexRange, size: number, after: string | null): IndexPage {
    const { kind, tag, value, lowest, highest } = range
    const prefix = `${kind === 'tx' ? 'Xt' : 'Xb'}${toBinary(encodeUtf8(tag))}\0`
    const exact = value === null ? prefix : prefix + valueKey(encodeUtf8(value))
    const from = after ?? (value === null ? prefix : exact + heightBytes(lowest))
    const to = value === null ? `${prefix.slice(0, -1)}\x01` : exact + heightBytes(highest + 1n)
    const keys = [...this.#store.recordKeys(from, to, size)]
    const entries: IndexEntry[] = []
    for (const key of keys) {
      const height = readHeight(key, key.length - HEIGHT_SIZE)
      if (height < lowest || height > highest) continue
      entries.push({ value: this.#valueAt(key, prefix.length), height, places: () => this.#placesAt(key, height) })
    }
    return { entries, read: keys.length, next: keys.length < size ? null : `${keys.at(-1)!}\0` }
  }

  #valueAt(key: string, at: number): string {
    const bytes =
      key.slice(at, at + 2) === LONG
        ? readPlaces(this.#store.getRecord(key)!).rest
        : fromBinary(key.slice(at + 2, key.length - HEIGHT_SIZE))
    return decodeUtf8(bytes) ?? ''
  }

  #placesAt(key: string, height: bigint): readonly EventPlace[] {
    const bytes = this.#store.getRecord(key)
    return bytes === undefined ? [] : readPlaces(bytes).places.map((place) => ({ ...place, height }))
  }
}

export interface IndexPage {
  readonly entries: readonly IndexEntry[]
  /** How many keys were looked at, in the range of heights or not. */
  readonly read: number
  /** Where the next page begins; null after the last. */
  readonly next: string | null
}

/** What a block adds: keys of records, and their bytes. */
function entriesOf(block: Block, { events, txResults }: FinalizeBlockResponse): Map<string, Uint8Array> {
  const found = new Map<string, FoundPlaces>()
  const { height } = block.header
  collect(found, 'Xb', height, 0, events)
  for (const [index, { events: own }] of txResults.entries()) collect(found, 'Xt', height, index, own)
  return new Map([...found].map(([key, { places, rest }]) => [key, writePlaces(places, rest)]))
}

interface FoundPlaces {
  readonly places: number[]
  readonly rest: Uint8Array
}

const NO_BYTES = new Uint8Array(0)

function collect(
  found: Map<string, FoundPlaces>,
  prefix: 'Xt' | 'Xb',
  height: bigint,
  index: number,
  events: WireEvents,
): void {
  for (const [number, { type, attributes }] of events.entries()) {
    if (type === '') continue
    for (const { key: name, value, index: isIndexed } of attributes) {
      const tag = `${type}.${name}`
      if (!isIndexed || name === '' || RESERVED.has(tag) || !TAG.test(tag)) continue
      const tagBytes = encodeUtf8(tag)
      if (tagBytes.length > TAG_SIZE_MAX) continue
      const valueBytes = encodeUtf8(value)
      const key = `${prefix}${toBinary(tagBytes)}\0${valueKey(valueBytes)}${heightBytes(height)}`
      const known = found.get(key)
      if (known === undefined) {
        found.set(key, { places: [index, number], rest: valueBytes.length > VALUE_SIZE_MAX ? valueBytes : NO_BYTES })
      } else known.places.push(index, number)
    }
  }
}

function valueKey(value: Uint8Array): string {
  const { length } = value
  return length > VALUE_SIZE_MAX
    ? LONG + sha256Binary(value)
    : String.fromCharCode(length >> 8, length & 255) + toBinary(value)
}

/** How many numbers, the numbers, and what else there is. */
function writePlaces(numbers: readonly number[], rest: Uint8Array): Uint8Array {
  return concatBytes(writeVarint(numbers.length), ...numbers.map(writeVarint), rest)
}

function readPlaces(bytes: Uint8Array) {
  const numbers: number[] = []
  let at = 0
  const next = (): number => {
    const varint = readVarint(bytes, at)
    if (varint === undefined) throw new RangeError('a place in the index is malformed: restore the state folder')
    at = varint.next
    return Number(varint.value)
  }
  for (let left = next(); left > 0; left--) numbers.push(next())
  const places = Array.from({ length: numbers.length / 2 }, (_, i) => ({
    index: numbers[2 * i]!,
    number: numbers[2 * i + 1]!,
  }))
  return { places, rest: bytes.subarray(at) }
}

interface Inclusion extends TxPlace {
  readonly isOk: boolean
}

const INCLUSION_SIZE = HEIGHT_SIZE + 5

function writeInclusion({ height, index, isOk }: Inclusion): string {
  return `${heightBytes(height)}${uint32Bytes(index)}${isOk ? '\x01' : '\0'}`
}

function readInclusions(bytes: string): readonly Inclusion[] {
  return Array.from({ length: bytes.length / INCLUSION_SIZE }, (_, i) => {
    const at = i * INCLUSION_SIZE
    const index = readUint32(bytes, at + HEIGHT_SIZE)
    return { height: readHeight(bytes, at), index, isOk: bytes.charCodeAt(at + INCLUSION_SIZE - 1) === 1 }
  })
}

function sharedKey({ height, index }: TxPlace): string {
  return `Xd${heightBytes(height)}${uint32Bytes(index)}`
}

export function placeName({ height, index }: TxPlace): string {
  return `${height} ${index}`
}

function readHeight(key: string, at: number): bigint {
  return (BigInt(readUint32(key, at)) << 32n) | BigInt(readUint32(key, at + 4))
}

function readUint32(key: string, at: number): number {
  let value = 0
  for (let i = at; i < at + 4; i++) value = value * 256 + key.charCodeAt(i)
  return value
}
