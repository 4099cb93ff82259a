// The decorators and what else the compiler replaces. They leave no code: they are read off the syntax tree.

export function actor(): void {}
export function method(): void {}
export function view(): void {}
export function payable(): void {}
export function bare(): void {}
export function only(): void {}
export function event(): void {}
export function errors(): void {}
export function transient(): void {}
export function fallback(): void {}
export function upgrade(): void {}
export function remote(): void {}
export function evm(): void {}
export function ipc(): void {}
export function onResult(): void {}

/** A typed client for the actor at an ID or address: `at<Token>(who).transfer(…)`. */
export function at(): void {}

/** The number of a method by its FRC-42 name, a literal. */
export function frc42(): void {}

/** The type of `at<T>(…)`. */
export class Client<T> {}
