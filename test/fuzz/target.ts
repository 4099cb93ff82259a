/** What is fuzzed: a function of bytes that throws when they bring a fault to light. */
import { mutate } from './mutate.ts'
import { Random } from './random.ts'

export interface Target {
  readonly name: string
  /** An input made from nothing. */
  generate(random: Random): Uint8Array
  /** Throws a `Finding`, or anything else that nobody documented. Answers what must be the same wherever it runs. */
  run(input: Uint8Array): string | Promise<string>
}

/** A promise of ours that an input breaks. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/** Ends the input's run with a finding unless `holds`. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Finding(what)
}

/** The class of an error. */
// biome-ignore lint/suspicious/noExplicitAny: a constructor's parameters do not matter here
type ErrorKind = new (...args: any[]) => unknown

/** Runs `act`; of what it throws, `documented` errors are answered, and everything else is passed on. */
export function attempt<T>(
  act: () => T,
  ...documented: readonly ErrorKind[]
): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: act() }
  } catch (error) {
    if (documented.some((kind) => error instanceof kind)) return { error }
    throw error
  }
}

/** The input of execution `index` of a run with `seed`: most are made of the corpus, where there is one. */
export function inputOf(target: Target, corpus: readonly Uint8Array[], seed: number, index: number): Uint8Array {
  const random = new Random(seed, index)
  if (corpus.length > 0 && random.below(4) !== 0) return mutate(random.pick(corpus), corpus, random)
  const made = target.generate(random)
  return random.below(3) === 0 ? mutate(made, corpus, random) : made
}
