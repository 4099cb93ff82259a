/** Cases of a CometBFT vector file, and in what they differ from the library. */

import { type Fault, fault, isFault } from '../consensus/fault.ts'
import { WireError } from '../consensus/protobuf.ts'
import type { Json } from './comet-view.ts'
import type { Difference } from './run.ts'

// biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's, checked by use
export type CometFile = any

export interface CaseResult {
  readonly name: string
  readonly differences: readonly Difference[]
}

/** `ok`, or why the library refuses. `panic`: it gives up on such input. */
export type Verdict =
  | 'ok'
  | {
      readonly class: string
      readonly cause?: string
      readonly got?: string
      readonly needed?: string
      readonly text: string
    }

export class CometReport {
  readonly results: CaseResult[] = []
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Runs one case. What it throws is a difference too. */
  run(name: string, body: (check: Check) => void): void {
    const check = new Check()
    try {
      body(check)
    } catch (error) {
      check.equal('thrown', 'nothing', `${(error as Error).name}: ${(error as Error).message}`)
    }
    this.results.push({ name: `${this.#file}: ${name}`, differences: check.differences })
  }
}

export class Check {
  readonly differences: Difference[] = []

  equal(field: string, expected: Json | undefined | bigint, actual: Json | undefined | bigint): void {
    const [want, got] = [textOf(expected), textOf(actual)]
    if (want !== got) this.differences.push({ field, message: null, expected: want, actual: got })
  }

  /** Compares classes, causes and powers; texts are for people. */
  verdict(field: string, expected: Verdict, actual: Fault | null): void {
    if (expected === 'ok') {
      this.equal(field, 'ok', actual === null ? 'ok' : describeFault(actual))
      return
    }
    if (expected.class === 'panic') {
      this.equal(field, 'refused', actual === null ? 'ok' : 'refused')
      return
    }
    this.equal(field, expected.class, actual?.code ?? 'ok')
    if (expected.cause !== undefined) this.equal(`${field} cause`, expected.cause, actual?.cause?.code)
    const power = actual?.power ?? actual?.cause?.power
    if (expected.got !== undefined) this.equal(`${field} got`, expected.got, String(power?.got))
    if (expected.needed !== undefined) this.equal(`${field} needed`, expected.needed, String(power?.needed))
  }

  /** A value that the library gives, or a verdict that it gives none. */
  value(field: string, expected: Json | Verdict, actual: string | Fault): void {
    if (typeof actual === 'string') this.equal(field, expected as Json, actual)
    else this.verdict(field, typeof expected === 'string' ? 'ok' : (expected as Verdict), actual)
  }
}

/** What `work` answers, or a fault in place of the codec's error. */
export function attempt<T>(work: () => T): T | Fault {
  try {
    return work()
  } catch (error) {
    if (error instanceof WireError) return fault('malformed')
    throw error
  }
}

/** The fault, if there is one. */
export function faultIn(value: unknown): Fault | null {
  return typeof value === 'object' && value !== null && isFault(value) ? value : null
}

function describeFault({ code, cause }: Fault): string {
  return cause === undefined ? code : `${code} (${describeFault(cause)})`
}

function textOf(value: Json | undefined | bigint): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'bigint'
      ? String(value)
      : (JSON.stringify(value) ?? 'nothing')
}
