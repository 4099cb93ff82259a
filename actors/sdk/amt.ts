// A persistent, sparse array over blocks: AMT v3. One engine on bytes for all arrays; the generic class only turns values
// into bytes. Layout as in ref-fvm's `fvm_ipld_amt`: root `[bitWidth, height, count, node]`, node `[bitmap, links, values]`.

import * as cbor from './cbor'
import { ExitCode, exit, fault } from './abort'
import { decodeAt, encodeTo } from './codec'
import { CID_SIZE, openBlock, putBlock } from './state'

const BIT_WIDTH_MAX: u32 = 8
const INDEX_MAX: u64 = ~(<u64>1)

/** `slots` are 2^width pointers: to values at height 0, to children above. */
@unmanaged
class Node {
  slots: usize
}

/** A child, by CID, loaded, or both. A loaded child without CID has changed. */
@unmanaged
class Child {
  cid: usize
  node: Node | null
}

@unmanaged
class Value {
  at: usize
  length: u32
}

function newNode(width: u32): Node {
  const size = <usize>4 << width
  const node = changetype<Node>(__alloc(offsetof<Node>()))
  node.slots = __alloc(size)
  memory.fill(node.slots, 0, size)
  return node
}

function newChild(cid: usize, node: Node | null): Child {
  const child = changetype<Child>(__alloc(offsetof<Child>()))
  child.cid = cid
  child.node = node
  return child
}

@inline
function slotOf(node: Node, index: u64): usize {
  return node.slots + (<usize>index << 2)
}

function malformed(): void {
  fault(ExitCode.Serialization, 'malformed AMT node')
}

/** Reads a node at the cursor. */
function parse(width: u32, height: u32): Node {
  cbor.readTuple(3)
  const bitmap = cbor.readBytes()
  if (cbor.lastLength != bitmapSize(width)) malformed()
  const node = newNode(width)
  const links = cbor.readList()
  if ((links > 0 && height == 0) || links > 1 << width) malformed()
  const at = __alloc(<usize>links << 2)
  for (let i = 0; i < links; i++) {
    const cid = cbor.readCid()
    if (cbor.lastLength != CID_SIZE) malformed()
    store<usize>(at + (<usize>i << 2), cid)
  }
  const values = cbor.readList()
  if (values > 0 && height > 0) malformed()
  let next = 0
  for (let i: u32 = 0; i < <u32>1 << width; i++) {
    if (!(load<u8>(bitmap + (i >> 3)) & (1 << (i & 7)))) continue
    if (height) {
      if (next >= links) malformed()
      store<usize>(slotOf(node, i), changetype<usize>(newChild(load<usize>(at + (<usize>next << 2)), null)))
    } else {
      if (next >= values) malformed()
      store<usize>(slotOf(node, i), changetype<usize>(parseValue()))
    }
    next++
  }
  if (next != links + values) malformed()
  return node
}

function parseValue(): Value {
  const value = changetype<Value>(__alloc(offsetof<Value>()))
  value.at = cbor.readerAt()
  cbor.skip()
  value.length = <u32>(cbor.readerAt() - value.at)
  return value
}

function bitmapSize(width: u32): u32 {
  return max<u32>(1, (<u32>1 << width) >> 3)
}

function nodeOf(child: Child, width: u32, height: u32): Node {
  let node = child.node
  if (node === null) {
    const at = cbor.readerAt()
    const end = cbor.readerEnd()
    openBlock(child.cid)
    node = parse(width, height)
    cbor.readDone()
    cbor.openReader(at, end - at)
    child.node = node
  }
  return node
}

function isEmpty(node: Node, width: u32): bool {
  for (let i: u32 = 0; i < <u32>1 << width; i++) {
    if (load<usize>(slotOf(node, i))) return false
  }
  return true
}

/** Whether only the first slot is taken. */
function hasOnlyFirst(node: Node, width: u32): bool {
  for (let i: u32 = 1; i < <u32>1 << width; i++) {
    if (load<usize>(slotOf(node, i))) return false
  }
  return load<usize>(node.slots) != 0
}

/** Writes a node at the cursor, its changed children as blocks before. */
function write(node: Node, width: u32, height: u32): void {
  const bitmap = __alloc(bitmapSize(width))
  memory.fill(bitmap, 0, bitmapSize(width))
  let count = 0
  for (let i: u32 = 0; i < <u32>1 << width; i++) {
    const slot = load<usize>(slotOf(node, i))
    if (!slot) continue
    count++
    store<u8>(bitmap + (i >> 3), load<u8>(bitmap + (i >> 3)) | (<u8>1 << <u8>(i & 7)))
    if (!height) continue
    const child = changetype<Child>(slot)
    if (!child.cid) child.cid = flush(nodeOf(child, width, height - 1), width, height - 1)
  }
  cbor.writeHead(4, 3)
  cbor.writeBytes(bitmap, bitmapSize(width))
  cbor.writeHead(4, height ? count : 0)
  if (height) writeSlots(node, width, height)
  cbor.writeHead(4, height ? 0 : count)
  if (!height) writeSlots(node, width, height)
}

function writeSlots(node: Node, width: u32, height: u32): void {
  for (let i: u32 = 0; i < <u32>1 << width; i++) {
    const slot = load<usize>(slotOf(node, i))
    if (!slot) continue
    if (height) cbor.writeCid(changetype<Child>(slot).cid, CID_SIZE)
    else cbor.writeRaw(changetype<Value>(slot).at, changetype<Value>(slot).length)
  }
}

function flush(node: Node, width: u32, height: u32): usize {
  const at = cbor.writerAt()
  const start = cbor.writerStart()
  const end = cbor.writerEnd()
  cbor.openWriter()
  write(node, width, height)
  const cid = putBlock()
  cbor.restoreWriter(at, start, end)
  return cid
}

/** The array behind the generic class. */
class Tree {
  width: u32 = 3
  height: u32 = 0
  count: u64 = 0
  root: Node | null = null
  cid: usize = 0

  open(): Node {
    let root = this.root
    if (root === null) {
      const at = cbor.readerAt()
      const end = cbor.readerEnd()
      openBlock(this.cid)
      cbor.readTuple(4)
      this.width = <u32>cbor.readUint(BIT_WIDTH_MAX)
      if (!this.width) malformed()
      this.height = <u32>cbor.readUint(64 / this.width)
      this.count = cbor.readHead(0)
      root = parse(this.width, this.height)
      cbor.readDone()
      cbor.openReader(at, end - at)
      this.root = root
    }
    return root
  }

  /** Whether `index` lies within a tree of this height. */
  private holds(index: u64): bool {
    const shift = this.width * (this.height + 1)
    return shift >= 64 || index >> shift == 0
  }

  find(index: u64): Value | null {
    let node = this.open()
    if (!this.holds(index)) return null
    for (let height = this.height; height > 0; height--) {
      const slot = load<usize>(slotOf(node, this.digit(index, height)))
      if (!slot) return null
      node = nodeOf(changetype<Child>(slot), this.width, height - 1)
    }
    return changetype<Value | null>(load<usize>(slotOf(node, this.digit(index, 0))))
  }

  private digit(index: u64, height: u32): u64 {
    return (index >> (this.width * height)) & ((1 << this.width) - 1)
  }

  put(index: u64, value: Value): void {
    if (index > INDEX_MAX) fault(ExitCode.IllegalArgument, 'index too large')
    let root = this.open()
    while (!this.holds(index)) {
      const above = newNode(this.width)
      if (!isEmpty(root, this.width)) store<usize>(above.slots, changetype<usize>(newChild(0, root)))
      this.root = root = above
      this.height++
    }
    const old = this.find(index)
    if (old === null) this.count++
    else if (old.length == value.length && memory.compare(old.at, value.at, value.length) == 0) return
    let node = root
    for (let height = this.height; height > 0; height--) {
      const at = slotOf(node, this.digit(index, height))
      if (!load<usize>(at)) store<usize>(at, changetype<usize>(newChild(0, newNode(this.width))))
      const child = changetype<Child>(load<usize>(at))
      node = nodeOf(child, this.width, height - 1)
      child.cid = 0
    }
    store<usize>(slotOf(node, this.digit(index, 0)), changetype<usize>(value))
    this.cid = 0
  }

  /** Removes an index, and the nodes that are empty then. */
  remove(index: u64): bool {
    if (this.find(index) === null) return false
    this.drop(this.open(), this.height, index)
    this.count--
    this.cid = 0
    let root = this.open()
    if (isEmpty(root, this.width)) this.height = 0
    while (this.height > 0 && hasOnlyFirst(root, this.width)) {
      this.height--
      root = nodeOf(changetype<Child>(load<usize>(root.slots)), this.width, this.height)
      this.root = root
    }
    return true
  }

  private drop(node: Node, height: u32, index: u64): void {
    const at = slotOf(node, this.digit(index, height))
    if (height) {
      const child = changetype<Child>(load<usize>(at))
      const inner = nodeOf(child, this.width, height - 1)
      this.drop(inner, height - 1, index)
      child.cid = 0
      if (!isEmpty(inner, this.width)) return
    }
    store<usize>(at, 0)
  }

  /** One more than the highest index that is set. */
  end(): u64 {
    let node = this.open()
    let index: u64 = 0
    for (let height = this.height; ; height--) {
      let digit = <i32>(1 << this.width) - 1
      while (digit >= 0 && !load<usize>(slotOf(node, digit))) digit--
      if (digit < 0) return 0
      index = (index << this.width) | digit
      if (!height) return index + 1
      node = nodeOf(changetype<Child>(load<usize>(slotOf(node, digit))), this.width, height - 1)
    }
    return 0
  }

  /** The first index at or after `from` that is set, or the maximum. */
  next(from: u64): u64 {
    const root = this.open()
    return this.holds(from) ? this.seek(root, this.height, from, true) : u64.MAX_VALUE
  }

  /** The same below `node`. `isEdge`: `from` lies within, else everything there is after it. */
  private seek(node: Node, height: u32, from: u64, isEdge: bool): u64 {
    const first = isEdge ? this.digit(from, height) : 0
    for (let digit = first; digit < <u64>1 << this.width; digit++) {
      const slot = load<usize>(slotOf(node, digit))
      if (!slot) continue
      if (!height) return digit
      const child = nodeOf(changetype<Child>(slot), this.width, height - 1)
      const found = this.seek(child, height - 1, from, isEdge && digit == first)
      if (found != u64.MAX_VALUE) return (digit << (this.width * height)) | found
    }
    return u64.MAX_VALUE
  }
}

/** An element and where it is. */
@final
export class Item<V> {
  constructor(public index: u64, public value: V) {}
}

@final
export class Amt<V> {
  private tree: Tree = new Tree()

  constructor(bitWidth: u32 = 3) {
    if (bitWidth < 1 || bitWidth > BIT_WIDTH_MAX) fault(ExitCode.IllegalArgument, 'bit width must be 1 to 8')
    this.tree.width = bitWidth
    this.tree.root = newNode(bitWidth)
  }

  /** How many elements there are. */
  get length(): u64 {
    this.tree.open()
    return this.tree.count
  }

  has(index: u64): bool {
    return this.tree.find(index) !== null
  }

  /** The element at `index`; exits 17 when there is none. */
  get(index: u64): V {
    const value = this.tree.find(index)
    if (value === null) exit(ExitCode.NotFound)
    return decodeAt<V>(value!.at, value!.length)
  }

  /** The element at `index`, or `otherwise`. */
  getOr(index: u64, otherwise: V): V {
    const value = this.tree.find(index)
    return value === null ? otherwise : decodeAt<V>(value.at, value.length)
  }

  set(index: u64, value: V): void {
    const entry = changetype<Value>(__alloc(offsetof<Value>()))
    entry.at = encodeTo<V>(value)
    entry.length = cbor.lastLength
    this.tree.put(index, entry)
  }

  /** Appends behind the last element and answers its index. */
  push(value: V): u64 {
    const index = this.tree.end()
    this.set(index, value)
    return index
  }

  /** Removes the element at `index`; whether it was there. */
  delete(index: u64): bool {
    return this.tree.remove(index)
  }

  /** Up to `limit` elements at or after `from`. */
  slice(from: u64, limit: u32): Array<Item<V>> {
    const items = new Array<Item<V>>()
    let index = from
    for (let i: u32 = 0; i < limit; i++) {
      index = this.tree.next(index)
      if (index == u64.MAX_VALUE) break
      items.push(new Item<V>(index, this.get(index)))
      index++
    }
    return items
  }

  __encode(): void {
    const tree = this.tree
    if (!tree.cid) {
      const root = tree.open()
      const at = cbor.writerAt()
      const start = cbor.writerStart()
      const end = cbor.writerEnd()
      cbor.openWriter()
      cbor.writeHead(4, 4)
      cbor.writeHead(0, tree.width)
      cbor.writeHead(0, tree.height)
      cbor.writeHead(0, tree.count)
      write(root, tree.width, tree.height)
      tree.cid = putBlock()
      cbor.restoreWriter(at, start, end)
    }
    cbor.writeCid(tree.cid, CID_SIZE)
  }

  __decode(): void {
    const tree = new Tree()
    tree.cid = cbor.readCid()
    if (cbor.lastLength != CID_SIZE) malformed()
    this.tree = tree
  }
}
