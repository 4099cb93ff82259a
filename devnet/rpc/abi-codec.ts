/**
 * JavaScript values ↔ params, returns and state, by ABI. Small integers are numbers; u64, i64, ids and amounts are BigInt;
 * bytes are Uint8Array; addresses and CIDs are text; classes are objects; enums are the names of their members.
 *
 * @source spec sdk §3.1–3.3
 */
import type { Abi, AbiMethod } from '../../compiler/abi/schema.ts'
import { type AbiType, formatType, type Primitive, parseField, parseType } from '../../compiler/abi/types.ts'
import { Amt } from '../ipld/amt.ts'
import type { Blockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid, parseCid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import { Hamt } from '../ipld/hamt.ts'
import { fromBinary, fromHex, toBinary } from '../primitives/bytes.ts'
import { writeVarint } from '../primitives/varint.ts'
import { type Address, addressBytes, decodeAddress, formatAddress, idAddress, parseAddress } from '../state/address.ts'
import { decodeToken, encodeToken, parseFil } from '../state/token.ts'

/** A value does not fit its type. `path` says where inside the whole: `params[1].owner`. */
export class AbiValueError extends Error {
  override readonly name = 'AbiValueError'
  readonly code = 'TRP-8301'
  readonly path: string
  constructor(path: string, message: string) {
    super(`${path}: ${message}`)
    this.path = path
  }
}

export interface CodecOptions {
  /** Turns names that are no addresses, such as `alice`, into addresses. */
  readonly resolveAddress?: (text: string) => Address | undefined
  /** Where collections of a decoded state are read from. */
  readonly store?: Blockstore
}

/** A persistent map inside a decoded state. */
export interface HamtView {
  get(key: unknown): unknown
  has(key: unknown): boolean
  entries(): IterableIterator<[Uint8Array, unknown]>
  toJSON(): unknown
}

/** A persistent array inside a decoded state. */
export interface AmtView {
  readonly length: number
  get(index: number | bigint): unknown
  entries(): IterableIterator<[bigint, unknown]>
  toJSON(): unknown
}

const INTEGERS: Readonly<Partial<Record<Primitive, readonly [min: bigint, max: bigint]>>> = {
  u8: [0n, 0xffn],
  u16: [0n, 0xffffn],
  u32: [0n, 0xffff_ffffn],
  u64: [0n, (1n << 64n) - 1n],
  actorid: [0n, (1n << 64n) - 1n],
  i8: [-0x80n, 0x7fn],
  i16: [-0x8000n, 0x7fffn],
  i32: [-0x8000_0000n, 0x7fff_ffffn],
  i64: [-(1n << 63n), (1n << 63n) - 1n],
}
const WIDE: ReadonlySet<Primitive> = new Set(['u64', 'i64', 'actorid'])

export function findMethod(abi: Abi, name: string): AbiMethod | undefined {
  const wanted = name.toLowerCase()
  return abi.methods.find((method) => method.name.toLowerCase() === wanted || String(method.number) === name)
}

/** The params of a call; empty for a method without any. @throws AbiValueError */
export function encodeParams(
  abi: Abi,
  method: AbiMethod,
  args: readonly unknown[],
  options: CodecOptions = {},
): Uint8Array {
  const fields = method.params.map(parseField)
  if (args.length !== fields.length) {
    const wanted = method.params.join(', ')
    throw new AbiValueError(method.name, `takes ${fields.length} arguments (${wanted}), not ${args.length}`)
  }
  if (fields.length === 0) return new Uint8Array(0)
  const writer = new CborWriter()
  const codec = new Codec(abi, options)
  if (method.encoding === 'raw') return codec.rawBytes(args[0], method.params[0]!)
  if (method.encoding === 'tuple') writer.array(fields.length)
  for (const [index, { name, type }] of fields.entries()) codec.write(writer, type, args[index], name)
  return writer.finish()
}

export function decodeParams(abi: Abi, method: AbiMethod, bytes: Uint8Array, options: CodecOptions = {}): unknown[] {
  if (method.params.length === 0 || bytes.length === 0) return []
  const reader = new CborReader(bytes, { lax: true })
  if (method.encoding === 'tuple') reader.tuple(method.params.length)
  const codec = new Codec(abi, options)
  return method.params.map(parseField).map(({ name, type }) => codec.read(reader, type, name))
}

/** What a method returned; undefined for nothing. */
export function decodeReturn(abi: Abi, method: AbiMethod, bytes: Uint8Array, options: CodecOptions = {}): unknown {
  if (method.returns === undefined) return undefined
  const type = parseType(method.returns)
  if (bytes.length === 0) return type.kind === 'nullable' ? null : new Uint8Array(0)
  const reader = new CborReader(bytes, { lax: true })
  const value = new Codec(abi, options).read(reader, type, 'return')
  reader.end()
  return value
}

export function encodeReturn(abi: Abi, method: AbiMethod, value: unknown, options: CodecOptions = {}): Uint8Array {
  if (method.returns === undefined) return new Uint8Array(0)
  const writer = new CborWriter()
  new Codec(abi, options).write(writer, parseType(method.returns), value, 'return')
  return writer.finish()
}

/** The fields of an actor's state block, by name. */
export function decodeState(abi: Abi, bytes: Uint8Array, options: CodecOptions = {}): Record<string, unknown> {
  return new Codec(abi, options).readFields(new CborReader(bytes, { lax: true }), abi.state, 'state')
}

/** A state block. Collections are given as views of a decoded state, as CIDs, or as arrays of entries. */
export function encodeState(
  abi: Abi,
  state: Readonly<Record<string, unknown>>,
  options: CodecOptions = {},
): Uint8Array {
  const writer = new CborWriter()
  new Codec(abi, options).writeFields(writer, abi.state, state, 'state')
  return writer.finish()
}

/** One CBOR item by type, for event entries. */
export function decodeValue(abi: Abi, type: string, bytes: Uint8Array, options: CodecOptions = {}): unknown {
  return new Codec(abi, options).read(new CborReader(bytes, { lax: true }), parseType(type), type)
}

/** A value as a person types it: integers, `1.5fil`, `0x…` bytes, text, or JSON for lists and classes. */
export function parseArgument(abi: Abi, type: AbiType, text: string): unknown {
  const primitive = type.kind === 'primitive' ? type.name : undefined
  if (type.kind === 'nullable') return text === 'null' ? null : parseArgument(abi, type.of, text)
  if (primitive === 'string' || primitive === 'address' || primitive === 'cid') return text
  if (primitive === 'bool') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new AbiValueError(text, 'is neither true nor false')
  }
  if (primitive === 'amount' && /fil$/i.test(text)) return parseFil(text)
  if (primitive === 'bytes' || primitive === 'bytes32')
    return text.startsWith('0x') ? fromHex(text) : new TextEncoder().encode(text)
  if (primitive !== undefined) {
    if (/^-?\d[\d_]*$/.test(text)) return BigInt(text.replaceAll('_', ''))
    throw new AbiValueError(text, `is no integer (${primitive})`)
  }
  if (type.kind === 'name' && abi.enums[type.name] !== undefined) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new AbiValueError(text, `is no JSON for ${formatType(type)}`)
  }
}

class Codec {
  readonly #abi: Abi
  readonly #options: CodecOptions

  constructor(abi: Abi, options: CodecOptions) {
    this.#abi = abi
    this.#options = options
  }

  write(writer: CborWriter, type: AbiType, value: unknown, path: string): void {
    switch (type.kind) {
      case 'primitive':
        this.#writePrimitive(writer, type.name, value, path)
        return
      case 'nullable':
        if (value === null || value === undefined) writer.null()
        else this.write(writer, type.of, value, path)
        return
      case 'list': {
        if (!Array.isArray(value)) throw new AbiValueError(path, `is no array of ${formatType(type.of)}`)
        writer.array(value.length)
        for (const [index, item] of value.entries()) this.write(writer, type.of, item, `${path}[${index}]`)
        return
      }
      case 'name':
        this.#writeNamed(writer, type.name, value, path)
        return
      default:
        writer.link(this.#linkOf(type, value, path))
    }
  }

  #writeNamed(writer: CborWriter, name: string, value: unknown, path: string): void {
    const members = this.#abi.enums[name]
    if (members !== undefined) {
      const number = typeof value === 'string' ? (members[value] ?? Number.NaN) : Number(value)
      if (!Number.isInteger(number)) throw new AbiValueError(path, `is none of ${Object.keys(members).join(', ')}`)
      writer.int(number)
      return
    }
    const fields = this.#abi.types[name]
    if (fields === undefined) throw new AbiValueError(path, `has type ${name}, which the ABI does not describe`)
    this.writeFields(writer, fields, value, path)
  }

  writeFields(writer: CborWriter, fields: readonly string[], value: unknown, path: string): void {
    if (value === null || typeof value !== 'object')
      throw new AbiValueError(path, `is no object with ${fields.join(', ')}`)
    writer.array(fields.length)
    const parsed = fields.map(parseField)
    for (const [index, { name, type }] of parsed.entries()) {
      const item = Array.isArray(value) ? value[index] : (value as Record<string, unknown>)[name]
      if (item === undefined && type.kind !== 'nullable') throw new AbiValueError(`${path}.${name}`, 'is missing')
      this.write(writer, type, item, `${path}.${name}`)
    }
  }

  #writePrimitive(writer: CborWriter, name: Primitive, value: unknown, path: string): void {
    const range = INTEGERS[name]
    if (range !== undefined) {
      const integer = toInteger(value, path)
      if (integer < range[0] || integer > range[1])
        throw new AbiValueError(path, `${integer} is outside of ${name} (${range[0]} to ${range[1]})`)
      writer.int(integer)
      return
    }
    switch (name) {
      case 'bool':
        if (typeof value !== 'boolean') throw new AbiValueError(path, 'is no boolean')
        writer.bool(value)
        return
      case 'string':
        if (typeof value !== 'string') throw new AbiValueError(path, 'is no string')
        writer.text(value)
        return
      case 'bytes':
      case 'bytes32': {
        const bytes = this.rawBytes(value, path)
        if (name === 'bytes32' && bytes.length !== 32)
          throw new AbiValueError(path, `has ${bytes.length} bytes, not 32`)
        writer.bytes(bytes)
        return
      }
      case 'address':
        writer.bytes(addressBytes(this.#toAddress(value, path)))
        return
      case 'amount':
      case 'u256': {
        const amount = typeof value === 'string' && /fil$/i.test(value) ? parseFil(value) : toInteger(value, path)
        if (amount < 0n || amount >= 1n << (name === 'amount' ? 128n : 256n))
          throw new AbiValueError(path, `${amount} is no ${name}`)
        writer.bytes(encodeToken(amount))
        return
      }
      default:
        writer.link(toCid(value, path))
    }
  }

  rawBytes(value: unknown, path: string): Uint8Array {
    if (value instanceof Uint8Array) return value
    if (typeof value === 'string' && value.startsWith('0x')) return fromHex(value)
    if (Array.isArray(value) && value.every((item) => Number.isInteger(item) && item >= 0 && item < 256))
      return Uint8Array.from(value)
    throw new AbiValueError(path, 'is neither a Uint8Array nor 0x… text')
  }

  #toAddress(value: unknown, path: string): Address {
    if (typeof value === 'bigint' || typeof value === 'number') return idAddress(BigInt(value))
    if (value !== null && typeof value === 'object' && 'address' in value) return this.#toAddress(value.address, path)
    if (typeof value !== 'string') throw new AbiValueError(path, 'is no address: give its text, or an actor id')
    const named = this.#options.resolveAddress?.(value)
    if (named !== undefined) return named
    try {
      return parseAddress(value)
    } catch (error) {
      throw new AbiValueError(path, (error as Error).message)
    }
  }

  read(reader: CborReader, type: AbiType, path: string): unknown {
    switch (type.kind) {
      case 'primitive':
        return this.#readPrimitive(reader, type.name, path)
      case 'nullable':
        return reader.null() ? null : this.read(reader, type.of, path)
      case 'list':
        return Array.from({ length: reader.array() }, (_, index) => this.read(reader, type.of, `${path}[${index}]`))
      case 'name':
        return this.#readNamed(reader, type.name, path)
      case 'hamt':
        return this.#hamt(type, reader.link())
      case 'amt':
        return this.#amt(type, reader.link())
      default: {
        const cid = reader.link()
        const block = this.#options.store?.get(cid)
        return block === undefined ? formatCid(cid) : this.read(new CborReader(block, { lax: true }), type.of, path)
      }
    }
  }

  #readNamed(reader: CborReader, name: string, path: string): unknown {
    const members = this.#abi.enums[name]
    if (members !== undefined) {
      const number = Number(reader.int())
      return Object.keys(members).find((member) => members[member] === number) ?? number
    }
    const fields = this.#abi.types[name]
    if (fields === undefined) throw new AbiValueError(path, `has type ${name}, which the ABI does not describe`)
    return this.readFields(reader, fields, path)
  }

  readFields(reader: CborReader, fields: readonly string[], path: string): Record<string, unknown> {
    reader.tuple(fields.length)
    const value: Record<string, unknown> = {}
    for (const { name, type } of fields.map(parseField)) value[name] = this.read(reader, type, `${path}.${name}`)
    return value
  }

  #readPrimitive(reader: CborReader, name: Primitive, path: string): unknown {
    const range = INTEGERS[name]
    if (range !== undefined) {
      const integer = reader.int()
      if (integer < range[0] || integer > range[1]) throw new AbiValueError(path, `${integer} is outside of ${name}`)
      return WIDE.has(name) ? integer : Number(integer)
    }
    switch (name) {
      case 'bool':
        return reader.bool()
      case 'string':
        return reader.text()
      case 'bytes':
      case 'bytes32':
        return reader.bytes().slice()
      case 'address': {
        const address = decodeAddress(reader.bytes())
        if (address === undefined) throw new AbiValueError(path, 'is no address')
        return formatAddress(address, 't')
      }
      case 'amount':
      case 'u256':
        return decodeToken(reader.bytes()) as bigint
      default:
        return formatCid(reader.link())
    }
  }

  #hamt(type: Extract<AbiType, { kind: 'hamt' }>, root: Cid): HamtView {
    const open = () => Hamt.load(this.#needStore(), root, type.bitWidth)
    const decode = (bytes: Uint8Array) => this.read(new CborReader(bytes, { lax: true }), type.value, 'value')
    const find = (key: unknown) => open().get(this.#keyOf(type.key, key))
    const view = {
      get(key: unknown): unknown {
        const bytes = find(key)
        return bytes === undefined ? undefined : decode(bytes)
      },
      has: (key: unknown) => find(key) !== undefined,
      *entries(): IterableIterator<[Uint8Array, unknown]> {
        for (const [key, bytes] of open().entries()) yield [fromBinary(key), decode(bytes)]
      },
      toJSON: () => ({ '/': formatCid(root) }),
    }
    roots.set(view, root)
    return view
  }

  #amt(type: Extract<AbiType, { kind: 'amt' }>, root: Cid): AmtView {
    const open = () => Amt.load(this.#needStore(), root, type.bitWidth)
    const decode = (bytes: Uint8Array) => this.read(new CborReader(bytes, { lax: true }), type.of, 'value')
    const view = {
      get length(): number {
        return Number(open().count)
      },
      get(index: number | bigint): unknown {
        const bytes = open().get(BigInt(index))
        return bytes === undefined ? undefined : decode(bytes)
      },
      *entries(): IterableIterator<[bigint, unknown]> {
        for (const [index, bytes] of open().entries()) yield [BigInt(index), decode(bytes)]
      },
      toJSON: () => ({ '/': formatCid(root) }),
    }
    roots.set(view, root)
    return view
  }

  #linkOf(type: AbiType, value: unknown, path: string): Cid {
    if (typeof value === 'object' && value !== null) {
      const known = roots.get(value)
      if (known !== undefined) return known
    }
    if (typeof value === 'string') return toCid(value, path)
    const store = this.#needStore()
    if (type.kind === 'lazy') {
      const writer = new CborWriter()
      this.write(writer, type.of, value, path)
      const bytes = writer.finish()
      const cid = cidOf(DAG_CBOR, bytes)
      store.put(cid, bytes)
      return cid
    }
    const entries = value instanceof Map ? [...value] : value
    if (!Array.isArray(entries))
      throw new AbiValueError(path, `is no collection: give an array, a Map, or what state() returned`)
    if (type.kind === 'hamt') {
      const map = Hamt.empty(store, type.bitWidth)
      for (const [key, item] of entries as [unknown, unknown][])
        map.set(this.#keyOf(type.key, key), this.#item(type.value, item, path))
      return map.flush()
    }
    if (type.kind !== 'amt') throw new AbiValueError(path, 'is no link')
    const array = Amt.empty(store, type.bitWidth)
    for (const [index, item] of entries.entries()) array.set(BigInt(index), this.#item(type.of, item, path))
    return array.flush()
  }

  #item(type: AbiType, value: unknown, path: string): Uint8Array {
    const writer = new CborWriter()
    this.write(writer, type, value, path)
    return writer.finish()
  }

  /** Integers are unsigned LEB128, bytes are themselves, classes their CBOR. */
  #keyOf(type: AbiType, key: unknown): string {
    if (type.kind === 'primitive') {
      if (INTEGERS[type.name] !== undefined) return toBinary(writeVarint(toInteger(key, 'key')))
      if (type.name === 'string') return toBinary(new TextEncoder().encode(String(key)))
      if (type.name === 'address') return this.#toAddress(key, 'key')
      if (type.name === 'cid') return toCid(key, 'key')
      if (type.name === 'bytes' || type.name === 'bytes32') return toBinary(this.rawBytes(key, 'key'))
    }
    return toBinary(this.#item(type, key, 'key'))
  }

  #needStore(): Blockstore {
    if (this.#options.store === undefined)
      throw new AbiValueError('state', 'has collections, but no block store was given')
    return this.#options.store
  }
}

/** The roots behind views, so that an unchanged collection can be written back. */
const roots = new WeakMap<object, Cid>()

function toInteger(value: unknown, path: string): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value)
  throw new AbiValueError(path, `${String(value)} is no integer`)
}

function toCid(value: unknown, path: string): Cid {
  const text = value !== null && typeof value === 'object' && '/' in value ? value['/'] : value
  try {
    return parseCid(String(text))
  } catch {
    throw new AbiValueError(path, `${String(text)} is no CID`)
  }
}
