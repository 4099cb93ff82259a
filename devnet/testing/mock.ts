/** Actors whose methods are functions of the test. */
import type { AbiMethod } from '../../compiler/abi/schema.ts'
import type { Probe, ProbedCall } from '../engine/machine-context.ts'
import { EMPTY_BYTES, toHex } from '../primitives/bytes.ts'
import { type CodecOptions, decodeParams, encodeReturn } from '../rpc/abi-codec.ts'
import type { ActorId } from '../state/actor.ts'
import type { ActorDescription } from './actor.ts'
import type { MockedCall } from './handle.ts'

export type Answer = NonNullable<ReturnType<NonNullable<Probe['intercept']>>>
// biome-ignore lint/suspicious/noExplicitAny: functions of any actor's methods
type MockFunction = (...args: any[]) => unknown

/** Thrown by a mocked method to make the call end with `exitCode`. */
export class MockExit extends Error {
  override readonly name = 'MockExit'
  readonly exitCode: number
  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Ends the mocked call with `exitCode`. */
export function exit(exitCode: number, message = ''): never {
  throw new MockExit(exitCode, message)
}

interface Mocked {
  readonly description: ActorDescription
  readonly methods: Readonly<Record<string, MockFunction | undefined>>
  /** Whether methods that are not mocked run the actor's code. */
  readonly isPartial: boolean
  readonly counts: Map<string, number>
}

const UNHANDLED: Answer = { exitCode: 22, data: EMPTY_BYTES, message: 'the mock has no such method' }

/** The mocks of one world. Answers are kept while a message runs, so that its replay hears the same. */
export class Mocks {
  readonly #mocked = new Map<ActorId, Mocked>()
  readonly #codec: CodecOptions
  #answers: Answer[] = []

  constructor(codec: CodecOptions) {
    this.#codec = codec
  }

  add(id: ActorId, description: ActorDescription, methods: Mocked['methods'], isPartial: boolean): void {
    for (const name of Object.keys(methods)) {
      if (!description.methods.has(name)) throw new TypeError(`${description.name} has no method ${name} to mock`)
    }
    const before = this.#mocked.get(id)
    this.#mocked.set(id, {
      description,
      isPartial: before?.isPartial ?? isPartial,
      methods: { ...before?.methods, ...methods },
      counts: before?.counts ?? new Map(),
    })
  }

  /** A probe that asks the mocks, undefined while there are none. */
  probe(): Probe | undefined {
    if (this.#mocked.size === 0) return undefined
    this.#answers = []
    return { intercept: (call) => this.#intercept(call) }
  }

  /** What the run of the newest probe hears, in order; it grows while that runs. */
  get answers(): readonly Answer[] {
    return this.#answers
  }

  /** Which calls `replay` must answer. */
  isMocked(call: ProbedCall): boolean {
    const mocked = this.#mocked.get(call.to)
    return mocked !== undefined && (!mocked.isPartial || this.#functionOf(mocked, call) !== undefined)
  }

  #functionOf(
    mocked: Mocked,
    { method }: ProbedCall,
  ): { name: string; method: AbiMethod; run: MockFunction } | undefined {
    const known = mocked.description.byNumber.get(method)
    const run = known === undefined ? undefined : mocked.methods[known.name]
    return run === undefined ? undefined : { ...known!, run }
  }

  #intercept(call: ProbedCall): Answer | undefined {
    const mocked = this.#mocked.get(call.to)
    if (mocked === undefined) return undefined
    const found = this.#functionOf(mocked, call)
    if (found === undefined && mocked.isPartial) return undefined
    const answer = found === undefined ? UNHANDLED : this.#answer(mocked, found, call)
    this.#answers.push(answer)
    return answer
  }

  #answer(
    mocked: Mocked,
    { name, method, run }: { name: string; method: AbiMethod; run: MockFunction },
    call: ProbedCall,
  ): Answer {
    const { abi } = mocked.description
    const count = mocked.counts.get(name) ?? 0
    mocked.counts.set(name, count + 1)
    const about: MockedCall = { caller: call.from, value: call.value, readOnly: call.readOnly, count }
    try {
      const returned = run(...decodeMockParams(mocked.description, method, call.params, this.#codec), about)
      return { exitCode: 0, data: encodeReturn(abi, method, returned, this.#codec), message: '' }
    } catch (error) {
      if (!(error instanceof MockExit)) throw error
      return { exitCode: error.exitCode, data: EMPTY_BYTES, message: error.message }
    }
  }
}

function decodeMockParams(
  { abi, name }: ActorDescription,
  method: AbiMethod,
  params: Uint8Array,
  codec: CodecOptions,
): unknown[] {
  try {
    return decodeParams(abi, method, params, codec)
  } catch (error) {
    throw new TypeError(`the params of ${name}.${method.name} do not decode: 0x${toHex(params)}`, { cause: error })
  }
}
