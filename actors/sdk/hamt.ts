// A persistent map over blocks: HAMT v3, SHA-256 of the key, buckets of up to three. One engine on bytes for all maps;
// the generic class only turns keys and values into bytes. Layout as in ref-fvm's `fvm_ipld_hamt`.

import * as crypto from './sys/crypto'
import * as cbor from './cbor'
import { ExitCode, check, exit, fault } from './abort'
import { Bytes, putVarint } from './bytes'
import { decodeAt, encodeTo } from './codec'
import { CID_SIZE, openBlock, putBlock } from './state'

const SHA2_256: u64 = 0x12
const HASH_BITS: u32 = 256
const BUCKET_MAX: i32 = 3
const PAIR_SIZE: usize = 16
const SLOT_SIZE: usize = 16

const DIGEST: usize = memory.data(40)
const OUT: usize = memory.data(8)

/** `slots` are `count` times a pointer to a slot, in order of the bits set. */
@unmanaged
class Node {
  bits: u32
  count: i32
  slots: usize
}

/** Either a bucket (`count` pairs) or a child, by CID, loaded, or both. A loaded child without CID has changed. */
@unmanaged
class Slot {
  count: i32
  pairs: usize
  cid: usize
  node: Node | null
}

/** Where a key and its value are. */
@unmanaged
class Pair {
  key: usize
  keyLength: u32
  value: usize
  valueLength: u32
}

function newNode(): Node {
  const node = changetype<Node>(__alloc(offsetof<Node>()))
  node.bits = 0
  node.count = 0
  return node
}

function newSlot(): Slot {
  const slot = __alloc(SLOT_SIZE)
  store<u64>(slot, 0)
  store<u64>(slot, 0, 8)
  return changetype<Slot>(slot)
}

@inline
function slotAt(node: Node, index: i32): Slot {
  return changetype<Slot>(load<usize>(node.slots + (<usize>index << 2)))
}

@inline
function pairAt(slot: Slot, index: i32): Pair {
  return changetype<Pair>(slot.pairs + (<usize>index << 4))
}

/** Orders spans of bytes: by their first difference, then by length. */
function compare(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const end = a + min(aLength, bLength)
  while (a < end) {
    const difference = <i32>load<u8>(a++) - <i32>load<u8>(b++)
    if (difference) return difference
  }
  return <i32>aLength - <i32>bLength
}

/** Leaves the key's hash in `DIGEST`. */
function hash(key: usize, length: u32): void {
  check(crypto.hash(OUT, SHA2_256, key, length, DIGEST, 32))
}

/** The bits of the hash that choose a slot at this depth, as a mask. */
function maskAt(depth: u32, width: u32): u32 {
  const offset = depth * width
  if (offset >= HASH_BITS) fault(ExitCode.IllegalState, 'HAMT is too deep')
  const bits = min(width, HASH_BITS - offset)
  const word = bswap<u32>(load<u32>(DIGEST + (offset >> 3))) << (offset & 7)
  return 1 << (word >> (32 - bits))
}

function indexOf(node: Node, mask: u32): i32 {
  return popcnt(node.bits & (mask - 1))
}

function malformed(): void {
  fault(ExitCode.Serialization, 'malformed HAMT node')
}

function parse(cid: usize): Node {
  const at = cbor.readerAt()
  const end = cbor.readerEnd()
  openBlock(cid)
  cbor.readTuple(2)
  const field = cbor.readBytes()
  const size = cbor.lastLength
  if (size > 4) malformed()
  let bits: u32 = 0
  for (let i: u32 = 0; i < size; i++) bits = (bits << 8) | load<u8>(field + i)
  const count = cbor.readList()
  if (count != popcnt(bits)) malformed()
  const node = newNode()
  node.bits = bits
  node.count = count
  node.slots = __alloc(<usize>count << 2)
  for (let i = 0; i < count; i++) store<usize>(node.slots + (<usize>i << 2), changetype<usize>(parseSlot()))
  cbor.openReader(at, end - at)
  return node
}

function parseSlot(): Slot {
  const slot = newSlot()
  if (cbor.peekMajor() == 6) {
    slot.cid = cbor.readCid()
    if (cbor.lastLength != CID_SIZE) malformed()
    return slot
  }
  const count = cbor.readList()
  if (count < 1 || count > BUCKET_MAX) malformed()
  slot.count = count
  slot.pairs = __alloc(<usize>BUCKET_MAX * PAIR_SIZE)
  for (let i = 0; i < count; i++) {
    const pair = pairAt(slot, i)
    cbor.readTuple(2)
    pair.key = cbor.readBytes()
    pair.keyLength = cbor.lastLength
    pair.value = cbor.readerAt()
    cbor.skip()
    pair.valueLength = <u32>(cbor.readerAt() - pair.value)
  }
  return slot
}

function childOf(slot: Slot): Node {
  let node = slot.node
  if (node === null) {
    node = parse(slot.cid)
    slot.node = node
  }
  return node
}

/** The pair of a key, or null. */
function find(node: Node, width: u32, key: usize, length: u32): Pair | null {
  hash(key, length)
  for (let depth: u32 = 0; ; depth++) {
    const mask = maskAt(depth, width)
    if (!(node.bits & mask)) break
    const slot = slotAt(node, indexOf(node, mask))
    if (slot.count) {
      for (let i = 0; i < slot.count; i++) {
        const pair = pairAt(slot, i)
        if (compare(pair.key, pair.keyLength, key, length) == 0) return pair
      }
      break
    }
    node = childOf(slot)
  }
  return null
}

function addSlot(node: Node, index: i32, mask: u32, slot: Slot): void {
  const grown = __alloc(<usize>(node.count + 1) << 2)
  const at = <usize>index << 2
  memory.copy(grown, node.slots, at)
  store<usize>(grown + at, changetype<usize>(slot))
  memory.copy(grown + at + 4, node.slots + at, (<usize>node.count << 2) - at)
  node.slots = grown
  node.bits |= mask
  node.count++
}

/** Stores a pair whose key's hash is in `DIGEST`; whether anything changed. */
function put(node: Node, depth: u32, width: u32, entry: Pair): bool {
  const mask = maskAt(depth, width)
  const index = indexOf(node, mask)
  if (!(node.bits & mask)) {
    const fresh = newSlot()
    fresh.count = 1
    fresh.pairs = __alloc(<usize>BUCKET_MAX * PAIR_SIZE)
    memory.copy(fresh.pairs, changetype<usize>(entry), PAIR_SIZE)
    addSlot(node, index, mask, fresh)
    return true
  }
  const slot = slotAt(node, index)
  if (!slot.count) {
    if (!put(childOf(slot), depth + 1, width, entry)) return false
    slot.cid = 0
    return true
  }
  let i = 0
  for (; i < slot.count; i++) {
    const pair = pairAt(slot, i)
    const order = compare(pair.key, pair.keyLength, entry.key, entry.keyLength)
    if (order > 0) break
    if (order) continue
    if (compare(pair.value, pair.valueLength, entry.value, entry.valueLength) == 0) return false
    pair.value = entry.value
    pair.valueLength = entry.valueLength
    return true
  }
  if (slot.count < BUCKET_MAX) {
    insertPair(slot, i, entry)
    return true
  }
  split(slot, depth, width, entry)
  return true
}

function insertPair(slot: Slot, index: i32, entry: Pair): void {
  const at = changetype<usize>(pairAt(slot, index))
  memory.copy(at + PAIR_SIZE, at, <usize>(slot.count - index) << 4)
  memory.copy(at, changetype<usize>(entry), PAIR_SIZE)
  slot.count++
}

/** A full bucket becomes a child with its pairs and the new one. */
function split(slot: Slot, depth: u32, width: u32, entry: Pair): void {
  const child = newNode()
  put(child, depth + 1, width, entry)
  for (let i = 0; i < slot.count; i++) {
    const pair = pairAt(slot, i)
    hash(pair.key, pair.keyLength)
    put(child, depth + 1, width, pair)
  }
  slot.count = 0
  slot.cid = 0
  slot.node = child
}

/** Removes the key whose hash is in `DIGEST`; whether it was there. */
function remove(node: Node, depth: u32, width: u32, key: usize, length: u32): bool {
  const mask = maskAt(depth, width)
  if (!(node.bits & mask)) return false
  const index = indexOf(node, mask)
  const slot = slotAt(node, index)
  if (!slot.count) {
    if (!remove(childOf(slot), depth + 1, width, key, length)) return false
    slot.cid = 0
    fold(slot)
    return true
  }
  for (let i = 0; i < slot.count; i++) {
    const pair = pairAt(slot, i)
    if (compare(pair.key, pair.keyLength, key, length)) continue
    slot.count--
    const at = changetype<usize>(pair)
    memory.copy(at, at + PAIR_SIZE, <usize>(slot.count - i) << 4)
    if (!slot.count) {
      node.bits ^= mask
      node.count--
      const hole = node.slots + (<usize>index << 2)
      memory.copy(hole, hole + 4, <usize>(node.count - index) << 2)
    }
    return true
  }
  return false
}

/** A child with buckets only, three pairs at most in all, is pulled up into its slot: the canonical shape. */
function fold(slot: Slot): void {
  const child = childOf(slot)
  let total = 0
  for (let i = 0; i < child.count; i++) {
    const inner = slotAt(child, i)
    if (!inner.count) return
    total += inner.count
  }
  if (total > BUCKET_MAX) return
  slot.node = null
  slot.pairs = __alloc(<usize>BUCKET_MAX * PAIR_SIZE)
  for (let i = 0; i < child.count; i++) {
    const inner = slotAt(child, i)
    for (let j = 0; j < inner.count; j++) {
      const pair = pairAt(inner, j)
      let at = slot.count
      while (at > 0) {
        const before = pairAt(slot, at - 1)
        if (compare(before.key, before.keyLength, pair.key, pair.keyLength) < 0) break
        at--
      }
      insertPair(slot, at, pair)
    }
  }
}

/** Writes the changed nodes, children first; where the CID is. */
function flush(node: Node): usize {
  for (let i = 0; i < node.count; i++) {
    const slot = slotAt(node, i)
    if (!slot.count && !slot.cid) slot.cid = flush(childOf(slot))
  }
  const at = cbor.writerAt()
  const start = cbor.writerStart()
  const end = cbor.writerEnd()
  cbor.openWriter()
  cbor.writeHead(4, 2)
  const size: u32 = (39 - clz(node.bits)) >> 3
  store<u32>(OUT, bswap<u32>(node.bits))
  cbor.writeBytes(OUT + 4 - size, size)
  cbor.writeHead(4, node.count)
  for (let i = 0; i < node.count; i++) writeSlot(slotAt(node, i))
  const cid = putBlock()
  cbor.restoreWriter(at, start, end)
  return cid
}

function writeSlot(slot: Slot): void {
  const count = slot.count
  if (!count) {
    cbor.writeCid(slot.cid, CID_SIZE)
    return
  }
  cbor.writeHead(4, count)
  for (let i = 0; i < count; i++) {
    const pair = pairAt(slot, i)
    cbor.writeHead(4, 2)
    cbor.writeBytes(pair.key, pair.keyLength)
    cbor.writeRaw(pair.value, pair.valueLength)
  }
}

/** Where a walk goes on: after this key, while its hash is in `DIGEST`. */
let resumeKey: usize = 0
let resumeLength: u32 = 0
let wanted: i32 = 0
let foundPairs: StaticArray<usize> = []

/** Collects pairs in order of the tree. `resuming`: only what comes after the cursor's key. */
function collect(node: Node, depth: u32, width: u32, resuming: bool): void {
  const from: u32 = resuming ? maskAt(depth, width) : 1
  for (let i = resuming ? indexOf(node, from) : 0; i < node.count && wanted > 0; i++) {
    const slot = slotAt(node, i)
    const onPath = resuming && i == indexOf(node, from) && (node.bits & from) != 0
    if (!slot.count) {
      collect(childOf(slot), depth + 1, width, onPath)
      continue
    }
    for (let j = 0; j < slot.count && wanted > 0; j++) {
      const pair = pairAt(slot, j)
      if (onPath && compare(pair.key, pair.keyLength, resumeKey, resumeLength) <= 0) continue
      foundPairs[foundPairs.length - wanted] = changetype<usize>(pair)
      wanted--
    }
  }
}

let keyAt: usize = 0
let keyLength: u32 = 0

/** Leaves the bytes of a key in `keyAt`: integers as unsigned varints, byte-like as they are, classes as CBOR. */
function openKey<K>(key: K): void {
  if (isInteger<K>()) {
    keyAt = __alloc(10)
    keyLength = <u32>(putVarint(keyAt, <u64>key) - keyAt)
  } else if (isString<K>()) {
    const bytes = Bytes.from(changetype<string>(key))
    keyAt = bytes.ptr
    keyLength = bytes.length
  } else if (isDefined(key.ptr)) {
    keyAt = key.ptr
    keyLength = key.length
  } else {
    keyAt = encodeTo<K>(key)
    keyLength = cbor.lastLength
  }
}

/** The key behind its bytes. */
function keyOf<K>(at: usize, length: u32): K {
  if (isInteger<K>()) {
    let value: u64 = 0
    for (let i: u32 = 0; i < length; i++) value |= <u64>(load<u8>(at + i) & 127) << (7 * i)
    return <K>value
  }
  if (isString<K>()) return changetype<K>(String.UTF8.decodeUnsafe(at, length))
  if (isDefined(changetype<K>(0).ptr)) {
    const copy = changetype<K>(__new(offsetof<K>(), idof<K>()))
    copy.ptr = at
    if (isDefined(copy.__decode)) store<u32>(changetype<usize>(copy), length, 4)
    return copy
  }
  return decodeAt<K>(at, length)
}

@final
export class Entry<K, V> {
  constructor(public key: K, public value: V) {}
}

/** A stretch of a map, and the cursor for the next (empty at the end). */
@final
export class Page<K, V> {
  constructor(public entries: Array<Entry<K, V>>, public next: Bytes) {}
}

@final
export class Hamt<K, V> {
  private cid: usize = 0
  private root: Node | null = newNode()
  private isDirty: bool = true

  constructor(public __width: u32 = 5) {}

  private open(): Node {
    let root = this.root
    if (root === null) {
      root = parse(this.cid)
      this.root = root
    }
    return root
  }

  private find(key: K): Pair | null {
    openKey<K>(key)
    return find(this.open(), this.__width, keyAt, keyLength)
  }

  get isEmpty(): bool {
    return this.open().count == 0
  }

  has(key: K): bool {
    return this.find(key) !== null
  }

  /** The value of `key`; exits 17 when there is none. */
  get(key: K): V {
    const pair = this.find(key)
    if (pair === null) exit(ExitCode.NotFound)
    return decodeAt<V>(pair!.value, pair!.valueLength)
  }

  /** The value of `key`, or `otherwise`. */
  getOr(key: K, otherwise: V): V {
    const pair = this.find(key)
    return pair === null ? otherwise : decodeAt<V>(pair.value, pair.valueLength)
  }

  set(key: K, value: V): void {
    openKey<K>(key)
    const entry = changetype<Pair>(__alloc(PAIR_SIZE))
    entry.key = keyAt
    entry.keyLength = keyLength
    entry.value = encodeTo<V>(value)
    entry.valueLength = cbor.lastLength
    hash(entry.key, entry.keyLength)
    if (put(this.open(), 0, this.__width, entry)) this.isDirty = true
  }

  /** Removes `key`; whether it was there. */
  delete(key: K): bool {
    openKey<K>(key)
    hash(keyAt, keyLength)
    if (!remove(this.open(), 0, this.__width, keyAt, keyLength)) return false
    this.isDirty = true
    return true
  }

  /** Up to `limit` entries after `cursor` (empty: from the start). Cursors hold while the map is unchanged. */
  entries(cursor: Bytes, limit: u32): Page<K, V> {
    foundPairs = new StaticArray<usize>(limit)
    wanted = limit
    resumeKey = cursor.ptr
    resumeLength = cursor.length
    const resuming = cursor.length > 0
    if (resuming) hash(cursor.ptr, cursor.length)
    collect(this.open(), 0, this.__width, resuming)
    const count = <i32>limit - wanted
    const list = new Array<Entry<K, V>>()
    let next = new Bytes()
    for (let i = 0; i < count; i++) {
      const pair = changetype<Pair>(foundPairs[i])
      list.push(new Entry<K, V>(keyOf<K>(pair.key, pair.keyLength), decodeAt<V>(pair.value, pair.valueLength)))
      if (wanted == 0) next = new Bytes(pair.key, pair.keyLength)
    }
    return new Page<K, V>(list, next)
  }

  __encode(): void {
    if (this.isDirty) {
      this.cid = flush(this.open())
      this.isDirty = false
    }
    cbor.writeCid(this.cid, CID_SIZE)
  }

  __decode(): void {
    this.cid = cbor.readCid()
    if (cbor.lastLength != CID_SIZE) malformed()
    this.__width = 5
  }
}
