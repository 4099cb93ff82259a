/** Modules as data: instructions with their immediates, and the bytes they are written as. Shares nothing with the reader. */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64'

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** Prefixed opcodes are 0x100 and more. `a` and `b` are what follows, `labels` those of a `br_table`, its default in `a`. */
export interface Instruction {
  readonly op: number
  readonly a?: number | bigint
  readonly b?: number
  readonly labels?: readonly number[]
}

export interface Func {
  readonly type: number
  readonly locals: readonly (readonly [count: number, type: ValueType])[]
  readonly code: readonly Instruction[]
}

export interface WasmModule {
  readonly types: readonly FunctionType[]
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: number }[]
  readonly functions: readonly Func[]
  readonly memory: readonly [minimum: number, maximum: number]
  readonly table: readonly [minimum: number, maximum: number]
  readonly globals: readonly { readonly type: ValueType; readonly mutable: boolean; readonly value: number }[]
  readonly exports: readonly { readonly name: string; readonly kind: number; readonly index: number }[]
  /** Active at 0. */
  readonly elements: readonly number[]
  /** Active at `at`, passive when it is null. */
  readonly data: readonly { readonly at: number | null; readonly bytes: Uint8Array }[]
}

export const TYPE_BYTES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

export function unsigned(value: number): number[] {
  const out: number[] = []
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...out, rest]
    out.push((rest & 0x7f) | 0x80)
  }
}

export function signed(value: bigint): number[] {
  const out: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn)
    if ((rest >> 6n === 0n && low < 0x40) || (rest >> 6n === -1n && low >= 0x40)) return [...out, low]
    out.push(low | 0x80)
  }
}

export function encodeWasm(module: WasmModule): Uint8Array {
  const out = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  const section = (id: number, items: readonly (readonly number[])[]) => {
    const content = [...unsigned(items.length), ...items.flat()]
    out.push(id, ...unsigned(content.length), ...content)
  }
  const types = (list: readonly ValueType[]) => [...unsigned(list.length), ...list.map((type) => TYPE_BYTES[type])]
  const constant = (type: ValueType, value: number) => [...encode(constantOf(type, value)), 0x0b]
  section(
    1,
    module.types.map(({ params, results }) => [0x60, ...types(params), ...types(results)]),
  )
  section(
    2,
    module.imports.map(({ module: from, name, type }) => [...text(from), ...text(name), 0, ...unsigned(type)]),
  )
  section(
    3,
    module.functions.map(({ type }) => unsigned(type)),
  )
  section(4, [[0x70, 1, ...unsigned(module.table[0]), ...unsigned(module.table[1])]])
  section(5, [[1, ...unsigned(module.memory[0]), ...unsigned(module.memory[1])]])
  section(
    6,
    module.globals.map(({ type, mutable, value }) => [TYPE_BYTES[type], mutable ? 1 : 0, ...constant(type, value)]),
  )
  section(
    7,
    module.exports.map(({ name, kind, index }) => [...text(name), kind, ...unsigned(index)]),
  )
  section(9, [[0, ...constant('i32', 0), ...unsigned(module.elements.length), ...module.elements.flatMap(unsigned)]])
  out.push(12, 1, module.data.length)
  section(10, module.functions.map(encodeBody))
  section(
    11,
    module.data.map(({ at, bytes }) => [
      ...(at === null ? [1] : [0, ...constant('i32', at)]),
      ...unsigned(bytes.length),
      ...bytes,
    ]),
  )
  return Uint8Array.from(out)
}

export function constantOf(type: ValueType, value: number): Instruction {
  if (type === 'i64') return { op: 0x42, a: BigInt(Math.trunc(value)) }
  return { op: { i32: 0x41, f32: 0x43, f64: 0x44 }[type], a: value }
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...new TextEncoder().encode(value)]
}

function encodeBody({ locals, code }: Func): number[] {
  const groups = locals.flatMap(([count, type]) => [...unsigned(count), TYPE_BYTES[type]])
  const body = [...unsigned(locals.length), ...groups, ...code.flatMap(encode)]
  return [...unsigned(body.length), ...body]
}

function encode({ op, a, b, labels }: Instruction): number[] {
  const code = op < 0x100 ? [op] : [0xfc, ...unsigned(op - 0x100)]
  if (a === undefined) return code
  switch (op) {
    case 0x41:
      return [...code, ...signed(BigInt(Number(a) | 0))]
    case 0x42:
      return [...code, ...signed(BigInt.asIntN(64, BigInt(a)))]
    case 0x43:
    case 0x44: {
      const view = new DataView(new ArrayBuffer(8))
      if (op === 0x43) view.setFloat32(0, Number(a), true)
      else view.setFloat64(0, Number(a), true)
      return [...code, ...new Uint8Array(view.buffer, 0, op === 0x43 ? 4 : 8)]
    }
    case 0x0e:
      return [...code, ...unsigned(labels!.length), ...labels!.flatMap(unsigned), ...unsigned(Number(a))]
    default:
      return [...code, ...unsigned(Number(a)), ...(b === undefined ? [] : unsigned(b))]
  }
}
