/** A deployed actor in a test's hands: its methods as functions, its state as data. */
import type { ActorDescription } from './actor.ts'
import type { AwaitedMethods, Js, MethodKeys, Methods, State, StateChange, Statics, Who } from './js.ts'
import type { MessageRecord } from './record.ts'

export interface CallOptions {
  readonly from?: Who
  /** attoFIL. */
  readonly value?: bigint
  /** Gas limit. */
  readonly gas?: bigint
}

/** Reads the state; `set` changes some of its fields. */
export interface StateAccess<T> {
  (): State<T>
  set(change: StateChange<T>): void
}

/** As `StateAccess`, over a devnet. */
export interface AwaitedState<T> {
  (): Promise<State<T>>
  set(change: StateChange<T>): Promise<void>
}

/** What every handle has. A method of the actor with the same name takes its place. */
export interface HandleMembers<T, C> {
  readonly id: bigint
  /** `t2…` */
  readonly address: string
  /** The newest message that went through this handle, or one that came from it by `from` and `with`. */
  readonly last: MessageRecord
  readonly state: StateAccess<T>
  /** The same actor, called by someone else: an account, or any actor. */
  from(who: Who): Handle<T, C>
  /** The same actor, called with value or another gas limit. */
  with(options: Omit<CallOptions, 'from'>): Handle<T, C>
}

/** A deployed actor of class `T`, whose static side is `C`. */
export type Handle<T, C = unknown> = Methods<T> &
  Methods<Statics<C>> &
  Omit<HandleMembers<T, C>, MethodKeys<T> | MethodKeys<Statics<C>>>

/** As `HandleMembers`, over a devnet. */
export interface AwaitedMembers<T, C> extends Omit<HandleMembers<T, C>, 'state' | 'from' | 'with'> {
  readonly state: AwaitedState<T>
  from(who: Who): AwaitedHandle<T, C>
  with(options: Omit<CallOptions, 'from'>): AwaitedHandle<T, C>
}

/** A handle whose answers are awaited. */
export type AwaitedHandle<T, C = unknown> = AwaitedMethods<T> &
  AwaitedMethods<Statics<C>> &
  Omit<AwaitedMembers<T, C>, MethodKeys<T> | MethodKeys<Statics<C>>>

/** What a handle asks of its world, which answers at once, or of its devnet, which answers later. */
export interface HandleHost {
  callMethod(target: Target, name: string, args: readonly unknown[], options: CallOptions, below: Below): unknown
  readState(target: Target): unknown
  changeState(target: Target, change: Readonly<Record<string, unknown>>): unknown
}

/** The function whose callers a stack trace begins with. */
export type Below = (...args: never[]) => unknown

export interface Target {
  readonly description: ActorDescription
  readonly id: bigint
  readonly address: string
  last: MessageRecord | undefined
}

const targets = new WeakMap<object, Target>()

/** What a handle stands for; undefined for anything else. */
export function targetOf(value: unknown): Target | undefined {
  return typeof value === 'object' && value !== null ? targets.get(value) : undefined
}

export function createHandle(host: HandleHost, target: Target, options: CallOptions = {}): Record<string, unknown> {
  const handle: Record<string, unknown> = {
    id: target.id,
    state: Object.assign(() => host.readState(target), {
      set: (change: Readonly<Record<string, unknown>>) => host.changeState(target, change),
    }),
    from: (from: Who) => createHandle(host, target, { ...options, from }),
    with: (more: CallOptions) => createHandle(host, target, { ...options, ...more }),
  }
  Object.defineProperty(handle, 'address', { get: () => target.address, enumerable: true, configurable: true })
  Object.defineProperty(handle, 'last', { get: () => newest(target), enumerable: false, configurable: true })
  for (const name of target.description.methods.keys()) {
    const call = (...args: readonly unknown[]): unknown => host.callMethod(target, name, args, options, call)
    Object.defineProperty(handle, name, { value: call, enumerable: true, configurable: true })
  }
  targets.set(handle, target)
  return handle
}

function newest(target: Target): MessageRecord {
  if (target.last === undefined)
    throw new Error(`no message has gone through this handle of ${target.description.name} yet`)
  return target.last
}

/** What a mocked method returns: the value, or nothing. */
type Returned<R> = R extends void ? void : Js<R>

/** Methods of a mock: JavaScript in place of the actor's code. */
export type MockMethods<T> = {
  [K in MethodKeys<T>]?: T[K] extends (...args: infer A) => infer R
    ? (...args: [...{ [I in keyof A]: Js<A[I]> }, MockedCall]) => Returned<R>
    : never
}

/** What a mocked method learns besides its arguments, as its last one. */
export interface MockedCall {
  readonly caller: bigint
  /** attoFIL. */
  readonly value: bigint
  readonly readOnly: boolean
  /** How often this method was called before. */
  readonly count: number
}
