/**
 * The numbers behind AssemblyScript's const enums, read from the compiler itself: under `verbatimModuleSyntax` an
 * ambient const enum cannot be named, and copies would go stale.
 */
import * as assemblyscript from 'assemblyscript'

type Numbers = Readonly<Record<string, number>>
const enums = assemblyscript as unknown as Readonly<Record<string, Numbers>>

function numberOf(enumName: string, member: string): number {
  const value = enums[enumName]?.[member]
  if (value === undefined) throw new Error(`this AssemblyScript has no ${enumName}.${member}`)
  return value
}

export const FLAG_EXPORT = numberOf('CommonFlags', 'Export')
export const FLAG_STATIC = numberOf('CommonFlags', 'Static')
export const FLAG_READONLY = numberOf('CommonFlags', 'Readonly')
export const FLAG_ABSTRACT = numberOf('CommonFlags', 'Abstract')
export const FLAG_PRIVATE = numberOf('CommonFlags', 'Private')
export const FLAG_PROTECTED = numberOf('CommonFlags', 'Protected')
export const FLAG_CONSTRUCTOR = numberOf('CommonFlags', 'Constructor')
export const FLAG_GET = numberOf('CommonFlags', 'Get')
export const FLAG_SET = numberOf('CommonFlags', 'Set')
export const SOURCE_USER = numberOf('SourceKind', 'User')
export const SOURCE_USER_ENTRY = numberOf('SourceKind', 'UserEntry')
export const PARAMETER_DEFAULT = numberOf('ParameterKind', 'Default')
/** Operators that change what is left of them. */
export const ASSIGNMENTS: ReadonlySet<number> = new Set(
  [
    'Equals',
    'Plus_Equals',
    'Minus_Equals',
    'Asterisk_Equals',
    'Asterisk_Asterisk_Equals',
    'Slash_Equals',
    'Percent_Equals',
    'LessThan_LessThan_Equals',
    'GreaterThan_GreaterThan_Equals',
    'GreaterThan_GreaterThan_GreaterThan_Equals',
    'Ampersand_Equals',
    'Bar_Equals',
    'Caret_Equals',
  ].map((name) => numberOf('Token', name)),
)
export const TOKEN_EQUALS = numberOf('Token', 'Equals')
export const STEPS: ReadonlyMap<number, string> = new Map([
  [numberOf('Token', 'Plus_Plus'), 'add'],
  [numberOf('Token', 'Minus_Minus'), 'sub'],
])
/** Operators that wrap, and what checks them. */
export const WRAPPING: ReadonlyMap<number, string> = new Map([
  [numberOf('Token', 'Plus'), 'add'],
  [numberOf('Token', 'Plus_Equals'), 'add'],
  [numberOf('Token', 'Minus'), 'sub'],
  [numberOf('Token', 'Minus_Equals'), 'sub'],
  [numberOf('Token', 'Asterisk'), 'mul'],
  [numberOf('Token', 'Asterisk_Equals'), 'mul'],
])
/** A feature by the name that `asc --enable` has for it: `bulk-memory` is BulkMemory. */
export function featureOf(name: string): number {
  return numberNamed('Feature', name)
}

/** A runtime by the name that `asc --runtime` has for it. */
export function runtimeOf(name: string): number {
  return numberNamed('Runtime', name)
}

function numberNamed(enumName: string, name: string): number {
  const wanted = name.replaceAll('-', '')
  return numberOf(enumName, Object.keys(enums[enumName] ?? {}).find((key) => key.toLowerCase() === wanted) ?? name)
}
