/**
 * `troupe/test`: what a test file imports.
 *
 * ```ts
 * import { expect, test } from 'vitest'
 * import { world } from 'troupe/test'
 * import { Counter } from '../actors/counter.actor'
 *
 * test('counts', () => {
 *   const counter = world().deploy(Counter, 5n)
 *   expect(counter.increment(3n)).toBe(8n)
 *   expect(() => counter.with({ value: 1n }).increment(1n)).toExit(26)
 * })
 * ```
 */
import type { BalanceOptions, GasBounds, SentPattern } from './expectations.ts'
import type { Who } from './js.ts'

export type { Account } from './account.ts'
export { ActorError } from './actor-error.ts'
export { arbitraryOf, argumentsOf, type ForAllOptions, forAll } from './arbitrary.ts'
export type { BftWorld, BftWorldOptions, ValidatorName, WorldFaults } from './bft-world.ts'
export { type Connection, ConnectionError, connect } from './connect.ts'
export type { AwaitedHandle, CallOptions, Handle, MockedCall, MockMethods, StateAccess } from './handle.ts'
export type { Arg, Args, AwaitedMethods, Js, JsArray, JsMap, State, Who } from './js.ts'
export { exit } from './mock.ts'
export type { MessageRecord, SentMessage, WorldEvent } from './record.ts'
export { library, type Snapshot, type World, type WorldOptions, world } from './world.ts'

/** A matcher over a function that gives a promise gives one too. */
type Ended<T> = T extends (...args: never[]) => Promise<unknown> ? Promise<void> : void

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration that is added to has it so
  interface Matchers<T = any> {
    /** The call ends with this exit code, a number or its name, and with this message when one is given. */
    toExit(code: number | string, message?: string | RegExp): Ended<T>
    /** The call fails, with this message when one is given. */
    toRevert(message?: string | RegExp): Ended<T>
    /** An event of this name is emitted, with at least these fields. */
    toEmit(name: string, fields?: Readonly<Record<string, unknown>>): Ended<T>
    /** An actor sends a message like this one. */
    toHaveSent(pattern: SentPattern): Ended<T>
    /** The balance of `who` changes by `delta` attoFIL, what was paid for gas aside. */
    toChangeBalance(who: Who, delta: bigint | number, options?: BalanceOptions): Ended<T>
    /** Each message uses gas within these bounds. */
    toUseGas(bounds: GasBounds): Ended<T>
  }
}
