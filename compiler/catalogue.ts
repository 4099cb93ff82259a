/**
 * Every diagnostic of the compiler by number: what it says and what to do. `{0}` and `{1}` stand for the quoted names.
 * 1xxx classes, 2xxx state and types, 3xxx methods, 4xxx events, 5xxx calls, 6xxx the module, 9xxx hints on what
 * AssemblyScript says.
 */
import type { Severity } from './diagnostic.ts'

export interface CatalogueEntry {
  readonly severity: Severity
  readonly text: string
  readonly fix?: string
}

const error = (text: string, fix?: string): CatalogueEntry => ({ severity: 'error', text, ...(fix ? { fix } : {}) })
const warning = (text: string, fix?: string): CatalogueEntry => ({ severity: 'warning', text, ...(fix ? { fix } : {}) })
const note = (text: string, fix?: string): CatalogueEntry => ({ severity: 'note', text, ...(fix ? { fix } : {}) })

export const CATALOGUE = {
  1001: error('File has no `@actor` class.', 'add `@actor` above the class'),
  1002: error('One `@actor` class per file; `{0}` is already the actor.', 'move it to its own file'),
  1003: error('Actor class `{0}` must be exported.', 'add `export`'),
  1004: error('Actor class `{0}` must not be abstract or generic.'),
  1005: error('Unknown decorator `@{0}`.', '{1}'),
  1006: error('`@{0}` does not apply to {1}.'),
  1007: error('`@{0}` and `@{1}` exclude each other.'),
  1008: error('Decorator argument must be a literal.'),
  1009: error(
    'Exit code `{0}` must be a literal of at least 32.',
    'smaller codes belong to the system and to conventions',
  ),
  1010: error('`@{0}` comes later.', 'this version of Troupe does not build it yet'),

  2001: error('State field `{0}` needs an explicit type.', 'write `{0}: u64`, or whatever it holds'),
  2002: error('State field `{0}` is `readonly` and cannot be loaded.', 'make it `static readonly` or drop `readonly`'),
  2003: error('State field `{0}` has the name of an SDK member.', 'names starting with `__` are reserved'),
  2020: warning(
    'Array `{0}` is stored inside the state block and rewritten on every change.',
    'use `Amt<T>` when it can grow',
  ),
  2021: warning('Inner collection is changed but not stored again.', 'call `set` with it'),
  2031: error('`{0}` cannot be encoded ({1}).', 'use an integer or `TokenAmount`'),
  2032: error('`{0}` cannot be encoded ({1}).', '`Hamt<K, V>` in state, array of pairs in params'),
  2033: error('Type `{0}` cannot be encoded ({1}).'),
  2034: error('`{0}` cannot be encoded: its size is not part of the interface.', '`u32` or `u64`'),
  2035: error('Recursive type `{0}` without a nullable link.', 'make the field `{0} | null`'),
  2036: error(
    '`{0}` is not a valid `Hamt` key type.',
    'use an integer, `string`, `Bytes`, `Address`, `Cid` or a class of those',
  ),
  2037: error('Nullable value types do not exist.', 'use a class, or a flag beside it'),

  3001: error('Method `{0}` is public but not exported.', '`@method`, `@view` or `private`'),
  3002: error('FRC-42 names match `[A-Z_][A-Za-z0-9_]*`; got `{0}`.'),
  3003: error('Method number {0} is already used by `{1}`.', 'rename or give a number'),
  3004: error('Number {0} is reserved.', 'numbers start at 2'),
  3005: error('`@bare` needs exactly one parameter.'),
  3006: warning(
    'Methods numbered up to 1023 cannot be called from EVM contracts.',
    'leave the number out, or choose a larger one',
  ),
  3007: error('Parameter `{0}` {1}.'),
  3008: error('Method `{0}` may not be generic, a getter or a setter.'),
  3009: error('Method `{0}` needs a return type.', 'write `: void` when it returns nothing'),
  3010: error('`@view` method changes state through `{0}`.', '`@method`'),
  3011: error('`@only("{0}")`: {1}.'),
  3012: error('`@{0}` needs the form `{1}`.'),

  4001: error('Event key `{0}` is longer than 31 bytes.', 'shorten the field name'),
  4002: error('Event `{0}` may have at most 254 fields.'),
  4003: error('`emit` needs an `@event` class.'),

  5001: error('`at<{0}>`: `{0}` is neither an actor nor `@remote`.'),
  5002: error('`{0}` has no exported method `{1}`.', '{2}'),
  5010: error('`{0}` was read from state before a call and used after it.', 'read it again'),
  5011: warning(
    'Return value of `{0}` is ignored.',
    'look at `.ok`, or call the plain form, which fails with the callee',
  ),
  5020: error('`@{0}` without `ipc` from `troupe/actor`.', 'add the import'),
  5021: error('Subnet address must be a literal or a `SubnetId`.'),
  5022: error('A result handler must not fail.', 'record the problem in state'),

  6001: error('`{0}` does not exist on the FVM.', '{1}'),
  6002: error('Export `{0}` is not allowed.'),
  6003: error('WebAssembly feature {0} is not available on the FVM.'),
  6004: error('Module-level initialiser calls the host.', 'move it into a method'),
  6005: warning(
    'Recursive function `{0}` uses {1} stack slots per level; the FVM has 2,048.',
    'use a loop, or bound the depth',
  ),
  6006: error('Module is {0} bytes; the limit set in the config is {1}.', '{2}'),
  6007: warning('Randomness aborts on IPC subnets.'),
  6008: warning(
    'Signature verification syscall is being removed.',
    'verify inside the account: call its `AuthenticateMessage`',
  ),
  6010: note('String formatting adds about {0} bytes to the module.'),
  6011: error('Unchecked arithmetic on state field `{0}`.', '`checked.{1}`'),
  6020: error('State layout changed against `{0}`.', '`@upgrade`'),
} as const satisfies Readonly<Record<number, CatalogueEntry>>

export type TroupeCode = keyof typeof CATALOGUE

/** Puts the names into a text of the catalogue. */
export function fillText(text: string, names: readonly string[]): string {
  return text.replace(/\{(\d)\}/g, (_, index: string) => names[Number(index)] ?? '')
}
