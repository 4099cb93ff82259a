/**
 * What an actor's types are to a test. The import of an actor is its class, whose integers remember their width; these
 * types read that off and say what JavaScript gives and takes.
 *
 * @source spec sdk §3.1, §8, §9.1
 */
import type { Address, Amt, Bytes, Bytes32, Cid, Hamt, Lazy } from 'troupe/actor'
import type { AmtView, HamtView } from '../rpc/abi-codec.ts'

type IsAny<T> = 0 extends 1 & T ? true : false
/** What a number of the SDK remembers: its widths, or the name of its kind. */
type Kind<T> = T extends { readonly ' as'?: infer K } ? NonNullable<K> : never
/** A call, whatever it takes. */
// biome-ignore lint/suspicious/noExplicitAny: only `any` matches the parameters of every method
type Method = (...args: any[]) => any
// biome-ignore lint/suspicious/noExplicitAny: as above, for classes
export type ActorClass = abstract new (...args: any[]) => any

type BigKind = 64 | 'TokenAmount' | 'U256'
/** Enums arrive by the names of their members. A number without a memory is one: AssemblyScript has no plain numbers. */
type JsNumber<T> = ' as' extends keyof T ? ([Extract<Kind<T>, BigKind>] extends [never] ? number : bigint) : string
/** Enums go in by name or by number. */
type ArgNumber<T> = ' as' extends keyof T ? JsNumber<T> : string | number

/** Whom a message may name: an address as text, an actor's ID, or anything that has an address. */
export type Who = string | bigint | { readonly address: string }

/** What comes out of an actor for a value of type `T`. */
export type Js<T> =
  IsAny<T> extends true
    ? unknown
    : T extends boolean
      ? boolean
      : T extends string
        ? string
        : T extends number
          ? JsNumber<T>
          : T extends null
            ? null
            : T extends Bytes | Bytes32
              ? Uint8Array
              : T extends Address | Cid
                ? string
                : T extends Hamt<infer K, infer V>
                  ? JsMap<K, V>
                  : T extends Amt<infer V>
                    ? JsArray<V>
                    : T extends Lazy<infer V>
                      ? Js<V>
                      : T extends readonly (infer E)[]
                        ? Js<E>[]
                        : T extends object
                          ? { [K in FieldKeys<T>]: Js<T[K]> }
                          : never

/** What goes into an actor for a value of type `T`. */
export type Arg<T> =
  IsAny<T> extends true
    ? unknown
    : T extends boolean
      ? boolean
      : T extends string
        ? string
        : T extends number
          ? ArgNumber<T>
          : T extends null
            ? null
            : T extends Bytes | Bytes32
              ? Uint8Array
              : T extends Address
                ? Who
                : T extends Cid
                  ? string
                  : T extends Hamt<infer K, infer V>
                    ? JsMap<K, V> | ReadonlyMap<Arg<K>, Arg<V>> | readonly (readonly [Arg<K>, Arg<V>])[]
                    : T extends Amt<infer V>
                      ? JsArray<V> | readonly Arg<V>[]
                      : T extends Lazy<infer V>
                        ? Arg<V>
                        : T extends readonly (infer E)[]
                          ? readonly Arg<E>[]
                          : T extends object
                            ? { readonly [K in FieldKeys<T>]: Arg<T[K]> }
                            : never

/** A persistent map in a state: entries come with their keys as bytes, in the order of the map. */
export interface JsMap<K, V> extends HamtView {
  get(key: Arg<K>): Js<V> | undefined
  has(key: Arg<K>): boolean
  entries(): IterableIterator<[Uint8Array, Js<V>]>
}

/** A persistent array in a state. */
export interface JsArray<V> extends AmtView {
  get(index: number | bigint): Js<V> | undefined
  entries(): IterableIterator<[bigint, Js<V>]>
}

/** The arguments of a method or a constructor. */
export type Args<A extends readonly unknown[]> = { [I in keyof A]: Arg<A[I]> }

export type FieldKeys<T> = { [K in keyof T]: T[K] extends Method ? never : K }[keyof T]
export type MethodKeys<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T]

/** Methods as a test calls them: they answer at once, and throw an ActorError for any exit code but 0. */
export type Methods<T> = {
  [K in MethodKeys<T>]: T[K] extends (...args: infer A) => infer R
    ? (...args: Args<A>) => R extends void ? void : Js<R>
    : never
}

/** The same methods over a devnet, which answers later. */
export type AwaitedMethods<T> = {
  [K in MethodKeys<T>]: T[K] extends (...args: infer A) => infer R
    ? (...args: Args<A>) => Promise<R extends void ? void : Js<R>>
    : never
}

/** An actor's state by field; fields that TypeScript calls private are there, but not typed. */
export type State<T> = { [K in FieldKeys<T>]: Js<T[K]> }
export type StateChange<T> = { readonly [K in FieldKeys<T>]?: Arg<T[K]> }

/** Static methods of a class, which are exported like the others. */
export type Statics<C> = Omit<C, 'prototype'>
