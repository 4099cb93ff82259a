/** A promise this code made to itself was broken. Never the fault of input. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Holds a promise of our own. Bad input throws a coded error instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/**
 * For a `catch` that turns errors into an answer: the host's stack running out is none. Who is deep in guest code could otherwise choose
 * by the depth of its calls what the answer is.
 */
export function rethrowOverflow(error: unknown): void {
  if (error instanceof RangeError && error.message.includes('call stack')) throw error
}

/** The end of a `switch` over a closed union: the compiler proves that no case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
