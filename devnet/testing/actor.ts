/**
 * What a test gets for an actor it imports. To the type checker it is the class in the source; at run time it is this
 * description, made by the plugin, as plain data so that the module it lives in needs nothing.
 */
import type { Abi, AbiMethod } from '../../compiler/abi/schema.ts'
import { type Cid, cidOf, RAW } from '../ipld/cid.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'

/** Where the plugin keeps what it compiled, and how the debug twin is asked for. */
export interface BuildPlace {
  /** Absolute. */
  readonly root: string
  /** Below the root. */
  readonly entry: string
  /** Folder of built files, absolute. */
  readonly folder: string
  /** Names the build: a hash over the sources. */
  readonly key: string
}

/** The plain data that stands in an actor's module. */
export interface ActorModule {
  readonly troupe: 'actor'
  readonly abi: Abi
  /** Base64. */
  readonly wasm: string
  /** Names of methods in the source, by their names in the ABI, where they are not just capitalised. */
  readonly names: Readonly<Record<string, string>>
  readonly place: BuildPlace | null
}

/** The export of a library's module that is its description. */
export const LIBRARY_EXPORT = 'troupeLibrary'

export interface ActorDescription {
  readonly name: string
  readonly abi: Abi
  readonly wasm: Uint8Array
  readonly code: Cid
  /** By the name in the source. */
  readonly methods: ReadonlyMap<string, AbiMethod>
  readonly byNumber: ReadonlyMap<bigint, { readonly name: string; readonly method: AbiMethod }>
  readonly place: BuildPlace | null
}

/** What was given is no actor. */
export class NotAnActorError extends TypeError {
  override readonly name = 'NotAnActorError'
  readonly code = 'TRP-7601'
}

const described = new WeakMap<object, ActorDescription>()

/** @throws NotAnActorError */
export function describeActor(value: unknown): ActorDescription {
  if (typeof value !== 'object' || value === null || (value as Partial<ActorModule>).troupe !== 'actor') {
    throw new NotAnActorError(
      'this is no actor: import its class from a *.actor.ts file, and have the plugin of troupe/vitest in vitest.config.ts',
    )
  }
  let description = described.get(value)
  if (description === undefined) {
    description = describe(value as ActorModule)
    described.set(value, description)
  }
  return description
}

function describe({ abi, wasm, names, place }: ActorModule): ActorDescription {
  const bytes = new Uint8Array(Buffer.from(wasm, 'base64'))
  return { name: abi.actor, abi, wasm: bytes, code: cidOf(RAW, bytes), place, ...describeMethods(abi, names) }
}

/** An actor that no test imported, as far as its interface tells. */
export function describeAbi(abi: Abi): ActorDescription {
  return {
    name: abi.actor,
    abi,
    wasm: EMPTY_BYTES,
    code: cidOf(RAW, EMPTY_BYTES),
    place: null,
    ...describeMethods(abi, {}),
  }
}

function describeMethods(abi: Abi, names: ActorModule['names']): Pick<ActorDescription, 'methods' | 'byNumber'> {
  const methods = new Map<string, AbiMethod>()
  const byNumber = new Map<bigint, { name: string; method: AbiMethod }>()
  for (const method of abi.methods) {
    const name = names[method.name] ?? method.name[0]!.toLowerCase() + method.name.slice(1)
    byNumber.set(BigInt(method.number), { name, method })
    if (method.kind !== 'constructor') methods.set(name, method)
  }
  return { methods, byNumber }
}

/** The module that the plugin serves for a compiled actor, as data. */
export function actorModule(
  abi: Abi,
  wasm: Uint8Array,
  names: Readonly<Record<string, string>> = {},
  place: BuildPlace | null = null,
): ActorModule {
  return { troupe: 'actor', abi, wasm: Buffer.from(wasm).toString('base64'), names, place }
}
