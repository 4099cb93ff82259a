// The persistent array of the chain: a trie over indices 0 to 2^64 − 2, in the current (v3) form of the reference.
// Root = [bitWidth, height, count, node]; node = [bitmap, [links], [values]], one of the lists empty. Bits of the
// bitmap are least significant first. Trees grow at the root: height h spans 2^(bitWidth·(h + 1)) indices.

import { type Blockstore, MissingBlockError } from './blockstore.ts'
import { type Cid, cidCodec, cidOf, DAG_CBOR, formatCid } from './cid.ts'
import { CborReader, CborWriter } from './dag-cbor.ts'

export type AmtFault =
  | 'BIT_WIDTH' // not 1 to 8, or not the one expected
  | 'HEIGHT' // higher than 64 bits of index need
  | 'INDEX' // not an integer from 0 to 2^64 − 2
  | 'COUNT' // an empty node above an entry count, or the other way round
  | 'NODE' // bitmap and lists do not match
  | 'LINK_CODEC'

/** The blocks are not an AMT, or the index is none. */
export class AmtError extends Error {
  override readonly name = 'AmtError'
  readonly code: AmtFault
  constructor(code: AmtFault, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
  }
}

const INDEX_MAX = 0xffff_ffff_ffff_fffen

interface Child {
  cid: Cid | undefined
  node: Node | undefined
}

/** A leaf holds values, any other node children. */
interface Node {
  readonly values: (Uint8Array | undefined)[]
  readonly children: (Child | undefined)[]
  size: number
}

export class Amt {
  readonly #store: Blockstore
  readonly #bitWidth: number
  #height: number
  #count: bigint
  #node: Node
  #root: Cid | undefined

  private constructor(store: Blockstore, bitWidth: number) {
    if (!Number.isInteger(bitWidth) || bitWidth < 1 || bitWidth > 8) throw new AmtError('BIT_WIDTH', String(bitWidth))
    this.#store = store
    this.#bitWidth = bitWidth
    this.#height = 0
    this.#count = 0n
    this.#node = newNode()
  }

  static empty(store: Blockstore, bitWidth: number): Amt {
    return new Amt(store, bitWidth)
  }

  /** The array whose root is the block `root`; `bitWidth`, when given, is what it must have. */
  static load(store: Blockstore, root: Cid, bitWidth?: number): Amt {
    const bytes = store.get(root)
    if (bytes === undefined) throw new MissingBlockError(root, `AMT root ${formatCid(root)}`)
    const reader = new CborReader(bytes)
    reader.tuple(4)
    const width = reader.number()
    const height = reader.number()
    const count = reader.uint()
    if (bitWidth !== undefined && width !== bitWidth) throw new AmtError('BIT_WIDTH', `${width}, expected ${bitWidth}`)
    const amt = new Amt(store, width)
    if (height > Math.floor(64 / width)) throw new AmtError('HEIGHT', String(height))
    amt.#height = height
    amt.#count = count
    amt.#node = decodeNode(reader, width, height)
    reader.end()
    if ((amt.#node.size === 0) !== (count === 0n)) throw new AmtError('COUNT', String(count))
    amt.#root = root
    return amt
  }

  /** How many values it holds. */
  get count(): bigint {
    return this.#count
  }

  get(index: number | bigint): Uint8Array | undefined {
    let rest = toIndex(index)
    if (rest >= this.#span(this.#height + 1)) return undefined
    let node = this.#node
    for (let height = this.#height; height > 0; height--) {
      const span = this.#span(height)
      const child = node.children[Number(rest / span)]
      if (child === undefined) return undefined
      node = this.#open(child, height - 1)
      rest %= span
    }
    return node.values[Number(rest)]
  }

  /** Puts `value`, one CBOR item, at `index`. */
  set(index: number | bigint, value: Uint8Array): void {
    const at = toIndex(index)
    while (at >= this.#span(this.#height + 1)) {
      const lower = this.#node
      this.#node = newNode()
      if (lower.size > 0) {
        this.#node.children[0] = { cid: undefined, node: lower }
        this.#node.size = 1
      }
      this.#height++
    }
    this.#set(this.#node, this.#height, at, value)
    this.#root = undefined
  }

  /** Whether there was a value. */
  delete(index: number | bigint): boolean {
    const at = toIndex(index)
    if (at >= this.#span(this.#height + 1) || !this.#delete(this.#node, this.#height, at)) return false
    this.#count--
    this.#root = undefined
    while (this.#height > 0 && this.#node.size === 1 && this.#node.children[0] !== undefined) {
      this.#node = this.#open(this.#node.children[0], --this.#height)
    }
    if (this.#node.size === 0) this.#height = 0
    return true
  }

  /** Writes changed nodes, children first, and names the root. */
  flush(): Cid {
    if (this.#root !== undefined) return this.#root
    const writer = new CborWriter(512).array(4)
    writer.uint(this.#bitWidth).uint(this.#height).uint(this.#count)
    this.#encode(writer, this.#node, this.#height)
    this.#root = this.#put(writer.finish())
    return this.#root
  }

  /** Every value with its index, ascending. */
  *entries(): Generator<[bigint, Uint8Array]> {
    yield* this.#walk(this.#node, this.#height, 0n)
  }

  #span(height: number): bigint {
    return 1n << BigInt(this.#bitWidth * height)
  }

  #set(node: Node, height: number, index: bigint, value: Uint8Array): void {
    if (height === 0) {
      const at = Number(index)
      if (node.values[at] === undefined) {
        node.size++
        this.#count++
      }
      node.values[at] = value
      return
    }
    const span = this.#span(height)
    const at = Number(index / span)
    let child = node.children[at]
    if (child === undefined) {
      child = { cid: undefined, node: newNode() }
      node.children[at] = child
      node.size++
    }
    this.#set(this.#open(child, height - 1), height - 1, index % span, value)
    child.cid = undefined
  }

  #delete(node: Node, height: number, index: bigint): boolean {
    const span = this.#span(height)
    const at = Number(index / span)
    if (height === 0) {
      if (node.values[at] === undefined) return false
      node.values[at] = undefined
      node.size--
      return true
    }
    const child = node.children[at]
    if (child === undefined) return false
    const below = this.#open(child, height - 1)
    if (!this.#delete(below, height - 1, index % span)) return false
    child.cid = undefined
    if (below.size === 0) {
      node.children[at] = undefined
      node.size--
    }
    return true
  }

  #open(child: Child, height: number): Node {
    if (child.node !== undefined) return child.node
    const cid = child.cid!
    const bytes = this.#store.get(cid)
    if (bytes === undefined) throw new MissingBlockError(cid, `AMT node ${formatCid(cid)}`)
    const reader = new CborReader(bytes)
    const node = decodeNode(reader, this.#bitWidth, height)
    reader.end()
    if (node.size === 0) throw new AmtError('NODE', 'an empty node below the root')
    child.node = node
    return node
  }

  #encode(writer: CborWriter, node: Node, height: number): void {
    const items: readonly unknown[] = height === 0 ? node.values : node.children
    const bitmap = new Uint8Array(bitmapSize(this.#bitWidth))
    for (let i = 0; i < items.length; i++) if (items[i] !== undefined) bitmap[i >> 3]! |= 1 << (i & 7)
    writer.array(3).bytes(bitmap)
    writer.array(height === 0 ? 0 : node.size)
    for (const child of node.children) if (child !== undefined) writer.link(this.#flush(child, height - 1))
    writer.array(height === 0 ? node.size : 0)
    for (const value of node.values) if (value !== undefined) writer.raw(value)
  }

  #flush(child: Child, height: number): Cid {
    if (child.cid === undefined) {
      const writer = new CborWriter(512)
      this.#encode(writer, child.node!, height)
      child.cid = this.#put(writer.finish())
    }
    return child.cid
  }

  #put(bytes: Uint8Array): Cid {
    const cid = cidOf(DAG_CBOR, bytes)
    this.#store.put(cid, bytes)
    return cid
  }

  *#walk(node: Node, height: number, first: bigint): Generator<[bigint, Uint8Array]> {
    for (const [i, value] of node.values.entries()) if (value !== undefined) yield [first + BigInt(i), value]
    for (const [i, child] of node.children.entries()) {
      if (child === undefined) continue
      yield* this.#walk(this.#open(child, height - 1), height - 1, first + BigInt(i) * this.#span(height))
    }
  }
}

/** The root of the array of `values`, CBOR items, at indices from 0: as `set` and `flush` would give, kept nowhere. */
export function amtRoot(bitWidth: number, values: readonly Uint8Array[]): Cid {
  const width = 1 << bitWidth
  let height = 0
  let links: Cid[] | null = null
  for (let count = values.length; count > width; count = Math.ceil(count / width)) {
    const below: Cid[] | null = links
    links = []
    for (let from = 0; from < count; from += width) {
      const writer = new CborWriter(4096)
      encodeFullNode(writer, bitWidth, below ?? values, from)
      links.push(cidOf(DAG_CBOR, writer.finish()))
    }
    height++
  }
  const writer = new CborWriter(4096).array(4).uint(bitWidth).uint(height).uint(values.length)
  encodeFullNode(writer, bitWidth, links ?? values, 0)
  return cidOf(DAG_CBOR, writer.finish())
}

/** The node of the items from `from` on: links above the leaves, values in them, and no gap before the last. */
function encodeFullNode(
  writer: CborWriter,
  bitWidth: number,
  items: readonly (Uint8Array | Cid)[],
  from: number,
): void {
  const count = Math.min(1 << bitWidth, items.length - from)
  const bitmap = new Uint8Array(bitmapSize(bitWidth))
  for (let i = 0; i < count; i++) bitmap[i >> 3]! |= 1 << (i & 7)
  const isLeaf = typeof items[from] !== 'string'
  writer
    .array(3)
    .bytes(bitmap)
    .array(isLeaf ? 0 : count)
  if (isLeaf) writer.array(count)
  for (let i = from; i < from + count; i++) {
    const item = items[i]!
    if (typeof item === 'string') writer.link(item)
    else writer.raw(item)
  }
  if (!isLeaf) writer.array(0)
}

function newNode(): Node {
  return { values: [], children: [], size: 0 }
}

function toIndex(index: number | bigint): bigint {
  if (typeof index === 'number' && !Number.isSafeInteger(index)) throw new AmtError('INDEX', String(index))
  const value = BigInt(index)
  if (value < 0n || value > INDEX_MAX) throw new AmtError('INDEX', String(index))
  return value
}

function bitmapSize(bitWidth: number): number {
  return Math.max(1, (1 << bitWidth) >> 3)
}

function decodeNode(reader: CborReader, bitWidth: number, height: number): Node {
  reader.tuple(3)
  const bitmap = reader.bytes()
  if (bitmap.length !== bitmapSize(bitWidth)) throw new AmtError('NODE', `bitmap of ${bitmap.length} bytes`)
  const indices: number[] = []
  for (let i = 0; i < bitmap.length * 8; i++) if ((bitmap[i >> 3]! >> (i & 7)) & 1) indices.push(i)
  if ((indices.at(-1) ?? 0) >= 1 << bitWidth) throw new AmtError('NODE', 'a bit beyond the width')
  const node = newNode()
  const linkCount = reader.array()
  if (linkCount !== (height === 0 ? 0 : indices.length)) throw new AmtError('NODE', `${linkCount} links`)
  for (let i = 0; i < linkCount; i++) {
    const cid = reader.link()
    if (cidCodec(cid) !== DAG_CBOR) throw new AmtError('LINK_CODEC', formatCid(cid))
    node.children[indices[i]!] = { cid, node: undefined }
  }
  const valueCount = reader.array()
  if (valueCount !== (height === 0 ? indices.length : 0)) throw new AmtError('NODE', `${valueCount} values`)
  for (let i = 0; i < valueCount; i++) node.values[indices[i]!] = reader.raw()
  node.size = indices.length
  return node
}
