// Exit codes, and the one way to leave early. Codes 16 to 26 are the Filecoin convention; an actor's own start at 32.

import * as vm from './sys/vm'

export namespace ExitCode {
  export const IllegalArgument: u32 = 16
  export const NotFound: u32 = 17
  export const Forbidden: u32 = 18
  export const InsufficientFunds: u32 = 19
  export const IllegalState: u32 = 20
  export const Serialization: u32 = 21
  export const UnhandledMessage: u32 = 22
  export const Unspecified: u32 = 23
  export const AssertionFailed: u32 = 24
  export const ReadOnly: u32 = 25
  export const NotPayable: u32 = 26
}

/** Error numbers of system calls. */
export const ERR_INSUFFICIENT_FUNDS: u32 = 5
export const ERR_NOT_FOUND: u32 = 6
export const ERR_READ_ONLY: u32 = 13

/** Leaves with `code`. Does not return. */
export function exit(code: u32): void {
  exitWith(code, 0, 0)
}

/** Leaves with `code` and the UTF-8 message at `message`. Codes below 16 belong to the system and become 24. */
export function exitWith(code: u32, message: usize, length: u32): void {
  vm.exit(code, 0, message, length)
  unreachable()
}

/** Leaves with a message that is known only at run time. */
export function exitText(code: u32, message: string): void {
  const bytes = String.UTF8.encode(message)
  exitWith(code, changetype<usize>(bytes), bytes.byteLength)
}

/** Leaves with `code`; the release build drops the text (the compiler rewrites the call to `exit`). */
export function fault(code: u32, text: string): void {
  exitText(code, text)
}

/** Where traps of the standard library, `assert` and `throw` end up in a debug build. */
export function onAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  let text = message ? message : 'assertion failed'
  if (file) text += ' at ' + file + ':' + line.toString() + ':' + column.toString()
  exitText(ExitCode.AssertionFailed, text)
}

/** The same in a release build, where only the user's own literal messages survive. */
export function onAssert(message: usize, length: u32): void {
  exitWith(ExitCode.AssertionFailed, message, length)
}

/** A system call that must not fail: writing in a read-only call exits 25, anything else 20. */
export function check(error: u32): void {
  if (error) exit(error == ERR_READ_ONLY ? ExitCode.ReadOnly : ExitCode.IllegalState)
}

/** A code that may be a `Result`'s: the system's codes and error numbers become 24, since nobody may leave with them. */
export function ownCode(code: i32): u32 {
  return code < 16 ? ExitCode.AssertionFailed : code
}

/** Leaves with `code` and `message` unless `condition` holds. */
export function require(condition: bool, message: string, code: i32 = 16): void {
  if (!condition) exitText(ownCode(code), message)
}

/** What `require` becomes when its message is a literal. */
export function requireLiteral(condition: bool, message: usize, length: u32, code: u32): void {
  if (!condition) exitWith(code, message, length)
}

/** Leaves with a code of this actor's own. Nothing after it runs. */
export function fail(code: i32, message: string = ''): void {
  exitText(ownCode(code), message)
}
