/** Property tests: values made up from the ABI, run by fast-check, with a seed that brings a failure back. */
import { createRequire } from 'node:module'
import type * as FastCheck from 'fast-check'
import type { Abi } from '../../compiler/abi/schema.ts'
import { type AbiType, formatType, type Primitive, parseField, parseType } from '../../compiler/abi/types.ts'
import { formatAddress } from '../state/address.ts'
import { describeActor } from './actor.ts'
import { GENESIS_ACCOUNTS } from './genesis.ts'
import type { ActorClass, Js, MethodKeys } from './js.ts'

type Arbitrary<T> = FastCheck.Arbitrary<T>

let loaded: typeof FastCheck | undefined

/** Loaded when the first property asks for it: most tests have none. */
function fastCheck(): typeof FastCheck {
  loaded ??= createRequire(import.meta.url)('fast-check') as typeof FastCheck
  return loaded
}

const WIDTHS: Readonly<Partial<Record<Primitive, readonly [min: bigint, max: bigint]>>> = {
  u64: [0n, (1n << 64n) - 1n],
  i64: [-(1n << 63n), (1n << 63n) - 1n],
  actorid: [0n, (1n << 63n) - 1n],
  amount: [0n, (1n << 128n) - 1n],
  u256: [0n, (1n << 256n) - 1n],
}
const SMALL: Readonly<Partial<Record<Primitive, readonly [min: number, max: number]>>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffff_ffff],
  i8: [-0x80, 0x7f],
  i16: [-0x8000, 0x7fff],
  i32: [-0x8000_0000, 0x7fff_ffff],
}
const LIST_MAX = 8
const DEPTH_MAX = 3

/** Values of a type in an actor's ABI, such as `u64`, `[Grant]` or `string?`; bounds come up often. */
export function arbitraryOf(actor: unknown, type: string): Arbitrary<unknown> {
  return arbitrary(describeActor(actor).abi, parseType(type), 0)
}

/** Arguments of a method, or of `constructor`. */
export function argumentsOf(actor: unknown, method: string): Arbitrary<unknown[]> {
  const { abi, methods, name } = describeActor(actor)
  const found = method === 'constructor' ? abi.methods.find(({ kind }) => kind === 'constructor') : methods.get(method)
  if (found === undefined) throw new TypeError(`${name} has no method ${method}`)
  return fastCheck().tuple(...found.params.map((field) => arbitrary(abi, parseField(field).type, 0)))
}

function arbitrary(abi: Abi, type: AbiType, depth: number): Arbitrary<unknown> {
  const fc = fastCheck()
  switch (type.kind) {
    case 'primitive':
      return primitive(type.name)
    case 'nullable':
      return depth > DEPTH_MAX ? fc.constant(null) : fc.option(arbitrary(abi, type.of, depth + 1), { nil: null })
    case 'list':
      return fc.array(arbitrary(abi, type.of, depth + 1), { maxLength: depth > DEPTH_MAX ? 0 : LIST_MAX })
    case 'name': {
      const members = abi.enums[type.name]
      if (members !== undefined) return fc.constantFrom(...Object.keys(members))
      const fields = (abi.types[type.name] ?? []).map(parseField)
      return fc.record(Object.fromEntries(fields.map((field) => [field.name, arbitrary(abi, field.type, depth + 1)])))
    }
    default:
      throw new TypeError(`values of ${formatType(type)} cannot be made up: they live in blocks`)
  }
}

function primitive(name: Primitive): Arbitrary<unknown> {
  const fc = fastCheck()
  const wide = WIDTHS[name]
  if (wide !== undefined) return fc.bigInt({ min: wide[0], max: wide[1] })
  const small = SMALL[name]
  if (small !== undefined) return fc.integer({ min: small[0], max: small[1] })
  switch (name) {
    case 'bool':
      return fc.boolean()
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 64 })
    case 'bytes32':
      return fc.uint8Array({ minLength: 32, maxLength: 32 })
    case 'address':
      return fc.constantFrom(...GENESIS_ACCOUNTS.map(({ address }) => formatAddress(address, 't')))
    case 'cid':
      return fc.constant(EMPTY_CID)
    default:
      return fc.uint8Array({ maxLength: 64 })
  }
}

/** The CID of an empty array: one that every store has. */
const EMPTY_CID = 'bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a'

export interface ForAllOptions {
  /** How many times; 100 when absent. */
  readonly runs?: number
  /** Brings back a run; the environment's TROUPE_SEED when absent, else a new one. */
  readonly seed?: number
  /** Where in the run the failure was, as a failed run prints it. */
  readonly path?: string
}

/** What a method's or the constructor's arguments are to the property. */
type PropertyArgs<C extends ActorClass, M> = M extends 'constructor'
  ? { [I in keyof ConstructorParameters<C>]: Js<ConstructorParameters<C>[I]> }
  : M extends keyof InstanceType<C>
    ? InstanceType<C>[M] extends (...args: infer A) => unknown
      ? { [I in keyof A]: Js<A[I]> }
      : never
    : never

/**
 * Runs `property` with arguments made up for a method of the actor. It fails by throwing; then the arguments are made
 * as small as they can be, and the error says which they are and the seed.
 */
export function forAll<C extends ActorClass, M extends (MethodKeys<InstanceType<C>> & string) | 'constructor'>(
  actor: C,
  method: M,
  property: (...args: PropertyArgs<C, M> extends infer A extends unknown[] ? A : never) => void,
  options: ForAllOptions = {},
): void {
  const fc = fastCheck()
  const seed = options.seed ?? seedOfEnvironment()
  const body = property as (...args: unknown[]) => void
  fc.assert(
    fc.property(argumentsOf(actor, method), (args) => {
      body(...args)
    }),
    {
      numRuns: options.runs ?? 100,
      ...(seed === undefined ? {} : { seed }),
      ...(options.path === undefined ? {} : { path: options.path }),
      includeErrorInReport: true,
    },
  )
}

function seedOfEnvironment(): number | undefined {
  const text = process.env['TROUPE_SEED']
  return text === undefined || text === '' ? undefined : Number(text)
}
