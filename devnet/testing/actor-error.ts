/** What a call throws when the actor does not exit with 0. */

import type { FailureFrame } from '../engine/executor.ts'
import { ExitCode } from '../engine/failure.ts'
import type { Trace } from '../engine/trace.ts'
import type { Explanation } from './twin.ts'

/** Codes that Filecoin's actors share, 16 to 26, and the machine's own. @source spec sdk §10 */
const NAMES: Readonly<Record<number, string>> = {
  ...Object.fromEntries(Object.entries(ExitCode).map(([name, code]) => [code, name])),
  16: 'IllegalArgument',
  17: 'NotFound',
  18: 'Forbidden',
  19: 'InsufficientFunds',
  20: 'IllegalState',
  21: 'Serialization',
  22: 'UnhandledMessage',
  23: 'Unspecified',
  24: 'AssertionFailed',
  25: 'ReadOnly',
  26: 'NotPayable',
}

/** The name of an exit code: the actor's own for those from 32 on. */
export function exitName(code: number, errors: Readonly<Record<string, string>> = {}): string {
  return errors[String(code)] ?? NAMES[code] ?? `exit ${code}`
}

export interface ActorErrorFacts {
  /** `Counter.increment`. */
  readonly label: string
  readonly exitCode: number
  readonly exitName: string
  /** What the actor said, or the machine. */
  readonly note: string
  readonly gas: bigint
  readonly failures: readonly FailureFrame[]
  readonly trace: Trace
  /** Finds where it failed; slow, so only done when somebody looks at the stack. */
  readonly explain: () => Explanation
}

/** An actor ended a message with an exit code other than 0. Nothing of the message stayed. */
export class ActorError extends Error {
  override readonly name = 'ActorError'
  readonly exitCode: number
  /** `Forbidden`, or the name in the actor's `@errors`. */
  readonly exitName: string
  readonly label: string
  /** What the actor said. */
  readonly note: string
  readonly gas: bigint

  /** `below` is the function whose callers the stack begins with, or those callers where the call has returned since. */
  constructor(facts: ActorErrorFacts, below: ((...args: never[]) => unknown) | string) {
    const { label, exitCode, exitName, note } = facts
    super(`${label} exited with ${exitCode} (${exitName})${note === '' ? '' : `: ${note}`}`)
    this.exitCode = exitCode
    this.exitName = exitName
    this.label = label
    this.note = note
    this.gas = facts.gas
    if (typeof below === 'string') this.stack = `${this.name}: ${this.message}\n${below}`
    else Error.captureStackTrace(this, below)
    mapStack(this, facts.explain)
    hide(this, 'failures', facts.failures)
    hide(this, 'trace', facts.trace)
  }

  /** How each actor ended on the way out, innermost first. */
  declare readonly failures: readonly FailureFrame[]
  declare readonly trace: Trace
}

/** What the machine says of an actor that left without a message, as release builds do for faults of the SDK. */
const SILENT = 'actor aborted'

/**
 * Puts the actors' frames above those of the test, once somebody looks. The debug twin says more than the release build:
 * its words take the place of silence.
 */
function mapStack(error: ActorError, explain: () => Explanation): void {
  const own = error.stack ?? ''
  const { message } = error
  const below = own.slice(own.indexOf(message) + message.length)
  let mapped: string | undefined
  const map = (): string => {
    mapped = own
    const { frames, message: words } = explain()
    if (words !== '' && error.note === SILENT) error.message = message.replace(SILENT, words)
    return `${error.name}: ${error.message}${frames.map((frame) => `\n${frame}`).join('')}${below}`
  }
  Object.defineProperty(error, 'stack', {
    configurable: true,
    enumerable: false,
    get() {
      mapped ??= map()
      return mapped
    },
    set(value: string) {
      mapped = value
    },
  })
}

/** Readable, but not printed with the error. */
function hide(error: ActorError, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false })
}
