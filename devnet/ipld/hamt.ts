// The persistent map of the chain: a hash array mapped trie over blocks, in the current (v3) form of the reference.
// Node = [bitfield bytes, [pointer…]]; pointer = link to a node, or a bucket of 1–3 [key, value] sorted by key.
// Its form follows from its content alone, so equal maps have equal roots.

import { compareBytes, EMPTY_BYTES, equalBytes, fromBinary } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { type Blockstore, MissingBlockError } from './blockstore.ts'
import { type Cid, cidCodec, cidOf, DAG_CBOR, formatCid } from './cid.ts'
import { CborReader, CborWriter } from './dag-cbor.ts'

export type HamtFault =
  | 'BIT_WIDTH' // a width other than 1 to 8
  | 'POINTER_COUNT' // pointers do not match the bitfield
  | 'BUCKET_SIZE' // a bucket of none, or of more than three
  | 'KEY_ORDER' // keys of a bucket unsorted or twice
  | 'EMPTY_NODE' // a node below the root without pointers
  | 'LINK_CODEC' // a child that is not DAG-CBOR
  | 'DEPTH' // the hash has no bits left
  | 'KEY_PLACE' // a key where its hash does not lead

/** The blocks are not a HAMT. */
export class HamtError extends Error {
  override readonly name = 'HamtError'
  readonly code: HamtFault
  constructor(code: HamtFault, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
  }
}

const BUCKET_SIZE_MAX = 3
const HASH_BITS = 256
/** CBOR's major type of a link. */
const TAG = 6

interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** Entries, sorted by key. Replaced as a whole, never changed. */
interface Bucket {
  readonly entries: readonly Entry[]
}

/** A child node: `cid` is known while it is unchanged, `node` once it was touched. */
interface Child {
  cid: Cid | undefined
  node: Node | undefined
}

type Pointer = Bucket | Child

/**
 * One slot per value of the next `bitWidth` bits of the hash. A number is a pointer nobody has touched yet: where it
 * starts in `raw`; `ends` says where it ends.
 */
interface Node {
  readonly slots: (Pointer | number | undefined)[]
  readonly raw: Uint8Array
  readonly ends: readonly number[]
  count: number
}

export class Hamt {
  readonly #store: Blockstore
  readonly #bitWidth: number
  readonly #root: Child
  readonly #writer = new CborWriter(2048)

  private constructor(store: Blockstore, bitWidth: number, root: Child) {
    if (!Number.isInteger(bitWidth) || bitWidth < 1 || bitWidth > 8) throw new HamtError('BIT_WIDTH', String(bitWidth))
    this.#store = store
    this.#bitWidth = bitWidth
    this.#root = root
  }

  /** The map whose root node is the block `root`, which must be there. */
  static load(store: Blockstore, root: Cid, bitWidth = 5): Hamt {
    const hamt = new Hamt(store, bitWidth, { cid: root, node: undefined })
    hamt.#open(hamt.#root, true)
    return hamt
  }

  static empty(store: Blockstore, bitWidth = 5): Hamt {
    return new Hamt(store, bitWidth, { cid: undefined, node: newNode(bitWidth) })
  }

  /** The value of `key`, still CBOR. */
  get(key: string): Uint8Array | undefined {
    const hash = new HashBits(key, this.#bitWidth)
    for (let node = this.#rootNode(); ; ) {
      const pointer = touch(node, hash.next())
      if (pointer === undefined) return undefined
      if ('entries' in pointer) return findValue(pointer, key)
      node = this.#open(pointer)
    }
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** Maps `key` to `value`, one CBOR item. */
  set(key: string, value: Uint8Array): void {
    if (this.#set(this.#rootNode(), new HashBits(key, this.#bitWidth), { key, value })) this.#root.cid = undefined
  }

  /** Whether the key was there. */
  delete(key: string): boolean {
    const deleted = this.#delete(this.#rootNode(), new HashBits(key, this.#bitWidth), key)
    if (deleted) this.#root.cid = undefined
    return deleted
  }

  /** Writes changed nodes, children first, and names the root. */
  flush(): Cid {
    return this.#flush(this.#root)
  }

  /** Every pair, in the order of the keys' hashes. */
  *entries(): Generator<[string, Uint8Array]> {
    yield* this.#walk(this.#rootNode(), [])
  }

  isEmpty(): boolean {
    return this.#rootNode().count === 0
  }

  #rootNode(): Node {
    return this.#open(this.#root, true)
  }

  #open(child: Child, isRoot = false): Node {
    if (child.node !== undefined) return child.node
    const cid = child.cid!
    const bytes = this.#store.get(cid)
    if (bytes === undefined) throw new MissingBlockError(cid, `HAMT node ${formatCid(cid)}`)
    const node = decodeNode(bytes, this.#bitWidth)
    if (node.count === 0 && !isRoot) throw new HamtError('EMPTY_NODE', formatCid(cid))
    child.node = node
    return node
  }

  /** Whether anything changed. */
  #set(node: Node, hash: HashBits, entry: Entry): boolean {
    const index = hash.next()
    const pointer = touch(node, index)
    if (pointer === undefined) {
      node.slots[index] = { entries: [entry] }
      node.count++
      return true
    }
    if (!('entries' in pointer)) {
      if (!this.#set(this.#open(pointer), hash, entry)) return false
      pointer.cid = undefined
      return true
    }
    const { entries } = pointer
    const at = entries.findIndex(({ key }) => key >= entry.key)
    const found = entries[at]
    if (found?.key === entry.key) {
      if (equalBytes(found.value, entry.value)) return false
      node.slots[index] = { entries: entries.with(at, entry) }
    } else if (entries.length < BUCKET_SIZE_MAX) {
      node.slots[index] = { entries: entries.toSpliced(at < 0 ? entries.length : at, 0, entry) }
    } else {
      node.slots[index] = { cid: undefined, node: this.#split(entries, entry, hash) }
    }
    return true
  }

  /** A full bucket becomes a node one level down. */
  #split(entries: readonly Entry[], entry: Entry, hash: HashBits): Node {
    const node = newNode(this.#bitWidth)
    const depth = hash.consumed
    this.#set(node, hash, entry)
    for (const each of entries) this.#set(node, new HashBits(each.key, this.#bitWidth, depth), each)
    return node
  }

  #delete(node: Node, hash: HashBits, key: string): boolean {
    const index = hash.next()
    const pointer = touch(node, index)
    if (pointer === undefined) return false
    if ('entries' in pointer) {
      const rest = pointer.entries.filter((entry) => entry.key !== key)
      if (rest.length === pointer.entries.length) return false
      if (rest.length === 0) {
        node.slots[index] = undefined
        node.count--
      } else node.slots[index] = { entries: rest }
      return true
    }
    const child = this.#open(pointer)
    if (!this.#delete(child, hash, key)) return false
    const folded = foldNode(child)
    if (folded === undefined) pointer.cid = undefined
    else node.slots[index] = folded
    return true
  }

  #flush(child: Child): Cid {
    if (child.cid !== undefined) return child.cid
    const { slots, raw, ends, count } = child.node!
    for (const pointer of slots) if (isChild(pointer)) this.#flush(pointer)
    const writer = this.#writer.array(2).bytes(encodeBitfield(slots, this.#bitWidth)).array(count)
    for (let i = 0; i < slots.length; i++) {
      const pointer = slots[i]
      if (pointer === undefined) continue
      if (typeof pointer === 'number') {
        // Untouched pointers that follow one another in `raw` are copied in one go.
        let end = ends[i]!
        for (; i + 1 < slots.length; i++) {
          if (slots[i + 1] === end) end = ends[i + 1]!
          else if (slots[i + 1] !== undefined) break
        }
        writer.raw(raw, pointer, end)
      } else if ('entries' in pointer) {
        writer.array(pointer.entries.length)
        for (const { key, value } of pointer.entries) writer.array(2).binary(key).raw(value)
      } else writer.link(pointer.cid!)
    }
    const bytes = writer.finish()
    child.cid = cidOf(DAG_CBOR, bytes)
    this.#store.put(child.cid, bytes)
    return child.cid
  }

  /**
   * `path` leads from the root to `node`. Below the root, keys must lie where their hashes lead: else a few nodes that link
   * to one another would hold more entries than there is time for.
   */
  *#walk(node: Node, path: readonly number[]): Generator<[string, Uint8Array]> {
    if (path.length * this.#bitWidth >= HASH_BITS) throw new HamtError('DEPTH', 'nodes below the last bit of a hash')
    for (let i = 0; i < node.slots.length; i++) {
      const pointer = touch(node, i)
      if (pointer === undefined) continue
      if (!('entries' in pointer)) yield* this.#walk(this.#open(pointer), [...path, i])
      else {
        if (path.length > 0) this.#checkPlace(pointer.entries[0]!.key, path)
        for (const { key, value } of pointer.entries) yield [key, value]
      }
    }
  }

  #checkPlace(key: string, path: readonly number[]): void {
    const hash = new HashBits(key, this.#bitWidth)
    if (path.some((index) => hash.next() !== index)) throw new HamtError('KEY_PLACE', 'its hash leads elsewhere')
  }
}

function newNode(bitWidth: number): Node {
  return { slots: new Array(1 << bitWidth), raw: EMPTY_BYTES, ends: [], count: 0 }
}

/** The pointer in a slot, decoded now if it was not before. */
function touch(node: Node, index: number): Pointer | undefined {
  const slot = node.slots[index]
  if (typeof slot !== 'number') return slot
  const pointer = decodePointer(new CborReader(node.raw, { offset: slot }))
  node.slots[index] = pointer
  return pointer
}

function findValue({ entries }: Bucket, key: string): Uint8Array | undefined {
  for (const entry of entries) if (entry.key === key) return entry.value
  return undefined
}

function isChild(slot: Pointer | number | undefined): slot is Child {
  return typeof slot === 'object' && 'cid' in slot
}

/** The bucket that a node's content fits into after a deletion; undefined while it has to stay a node. */
function foldNode(node: Node): Bucket | undefined {
  if (node.count === 0) throw new HamtError('EMPTY_NODE', 'deletion left a node without pointers')
  if (node.count > BUCKET_SIZE_MAX) return undefined
  const entries: Entry[] = []
  for (let i = 0; i < node.slots.length; i++) {
    const pointer = touch(node, i)
    if (pointer === undefined) continue
    if (!('entries' in pointer)) return undefined
    entries.push(...pointer.entries)
  }
  if (entries.length > BUCKET_SIZE_MAX) return undefined
  return { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)) }
}

/** Takes the bits of a key's hash, most significant first; the last step may have fewer than `bitWidth` left. */
class HashBits {
  readonly #hash: string
  readonly #bitWidth: number
  consumed: number

  constructor(key: string, bitWidth: number, consumed = 0) {
    this.#hash = sha256Binary(fromBinary(key))
    this.#bitWidth = bitWidth
    this.consumed = consumed
  }

  next(): number {
    const at = this.consumed
    const width = Math.min(this.#bitWidth, HASH_BITS - at)
    if (width <= 0) throw new HamtError('DEPTH', 'the hash is used up')
    this.consumed = at + width
    const byte = at >> 3
    const pair = (this.#hash.charCodeAt(byte) << 8) | (byte < 31 ? this.#hash.charCodeAt(byte + 1) : 0)
    return (pair >> (16 - (at & 7) - width)) & ((1 << width) - 1)
  }
}

/** Big-endian bits without leading zero bytes: bit i is set when slot i is. */
function encodeBitfield(slots: Node['slots'], bitWidth: number): Uint8Array {
  const size = Math.max(1, (1 << bitWidth) >> 3)
  const bits = new Uint8Array(size)
  for (let i = 0; i < slots.length; i++) if (slots[i] !== undefined) bits[size - 1 - (i >> 3)]! |= 1 << (i & 7)
  let start = 0
  while (start < size && bits[start] === 0) start++
  return bits.subarray(start)
}

/** Checks a whole node, and remembers where its pointers are. */
function decodeNode(bytes: Uint8Array, bitWidth: number): Node {
  const reader = new CborReader(bytes)
  reader.tuple(2)
  const bitfield = reader.bytes()
  const count = reader.array()
  const slots: (number | undefined)[] = new Array(1 << bitWidth)
  const ends: number[] = new Array(1 << bitWidth)
  let set = 0
  for (let byte = bitfield.length - 1; byte >= 0; byte--) {
    for (let bits = bitfield[byte]!, bit = 0; bits !== 0; bits >>= 1, bit++) {
      if ((bits & 1) === 0) continue
      const index = (bitfield.length - 1 - byte) * 8 + bit
      if (index >= slots.length || ++set > count) throw new HamtError('POINTER_COUNT', 'more bits than pointers')
      slots[index] = reader.offset
      checkPointer(reader)
      ends[index] = reader.offset
    }
  }
  if (set !== count) throw new HamtError('POINTER_COUNT', `${set} bits, ${count} pointers`)
  reader.end()
  return { slots, raw: bytes, ends, count }
}

function checkPointer(reader: CborReader): void {
  if (reader.peek() === TAG) {
    if (!reader.skipStateLink()) readChildLink(reader)
    return
  }
  const size = reader.array()
  if (size < 1 || size > BUCKET_SIZE_MAX) throw new HamtError('BUCKET_SIZE', String(size))
  let last: Uint8Array | undefined
  for (let i = 0; i < size; i++) {
    reader.tuple(2)
    const key = reader.bytes()
    if (last !== undefined && compareBytes(last, key) >= 0) throw new HamtError('KEY_ORDER', `bucket entry ${i}`)
    last = key
    reader.skip()
  }
}

/** Decodes what `checkPointer` has found sound. */
function decodePointer(reader: CborReader): Pointer {
  if (reader.peek() === TAG) return { cid: readChildLink(reader), node: undefined }
  const size = reader.array()
  const entries: Entry[] = []
  for (let i = 0; i < size; i++) {
    reader.tuple(2)
    const key = reader.binary()
    entries.push({ key, value: reader.raw() })
  }
  return { entries }
}

function readChildLink(reader: CborReader): Cid {
  const cid = reader.link()
  if (cidCodec(cid) !== DAG_CBOR) throw new HamtError('LINK_CODEC', formatCid(cid))
  return cid
}
