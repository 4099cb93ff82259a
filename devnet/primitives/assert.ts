/** A promise this code made to itself was broken. Never the fault of input. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Holds a promise of our own. Bad input throws a coded error instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The end of a `switch` over a closed union: the compiler proves that no case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
