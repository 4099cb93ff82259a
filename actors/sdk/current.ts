// The actor object of this invocation, for those who must save and refresh it around calls.
// The compiler fills in the bodies, since only it knows the class.

/** Names the object whose fields are the state. */
export function attach<T>(object: T): void {}

/** Writes the state if it changed. */
export function commit(): void {}

/** Reads the state again if a callee changed it. */
export function reload(): void {}
