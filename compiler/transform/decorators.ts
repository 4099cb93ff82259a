/** Decorators, literals and documentation comments as they stand in the source. */
import {
  ClassDeclaration,
  type DeclarationStatement,
  type DecoratorNode,
  EnumDeclaration,
  type Expression,
  FieldDeclaration,
  IdentifierExpression,
  IntegerLiteralExpression,
  LiteralExpression,
  MethodDeclaration,
  type Source,
  StringLiteralExpression,
} from 'assemblyscript'
import { FLAG_CONSTRUCTOR } from './asc.ts'
import type { Report } from './report.ts'

const CLASS_DECORATORS: ReadonlySet<string> = new Set(['actor', 'event', 'remote', 'evm', 'final', 'unmanaged'])
const METHOD_DECORATORS: ReadonlySet<string> = new Set([
  'method',
  'view',
  'payable',
  'bare',
  'only',
  'fallback',
  'upgrade',
  'evm',
  'ipc',
  'onResult',
  'inline',
  'operator',
  'unsafe',
  'lazy',
])
const FIELD_DECORATORS: ReadonlySet<string> = new Set(['transient', 'lazy', 'inline'])
const ENUM_DECORATORS: ReadonlySet<string> = new Set(['errors', 'lazy'])
const LATER: ReadonlySet<string> = new Set(['evm', 'ipc', 'onResult'])
const ALL_DECORATORS: ReadonlySet<string> = new Set([
  ...CLASS_DECORATORS,
  ...METHOD_DECORATORS,
  ...FIELD_DECORATORS,
  ...ENUM_DECORATORS,
  'global',
  'external',
  'builtin',
])
const EXCLUSIVE: readonly (readonly [string, string])[] = [
  ['method', 'view'],
  ['payable', 'view'],
  ['fallback', 'method'],
  ['fallback', 'view'],
  ['fallback', 'bare'],
  ['upgrade', 'method'],
  ['upgrade', 'view'],
  ['upgrade', 'payable'],
  ['actor', 'event'],
  ['actor', 'remote'],
  ['event', 'remote'],
]

export function decoratorName(decorator: DecoratorNode): string {
  const name = decorator.name
  return name instanceof IdentifierExpression ? name.text : name.range.toString()
}

export function findDecorator(declaration: DeclarationStatement, name: string): DecoratorNode | undefined {
  return declaration.decorators?.find((decorator) => decoratorName(decorator) === name)
}

export function hasDecorator(declaration: DeclarationStatement, name: string): boolean {
  return findDecorator(declaration, name) !== undefined
}

/** An enum of exit codes: by decorator, or by a tag in its comment, since TypeScript refuses decorators on enums. */
export function isErrors(declaration: EnumDeclaration): boolean {
  return hasDecorator(declaration, 'errors') || /@errors\b/.test(docOf(declaration))
}

const FIRST_OWN_EXIT_CODE = 32

/** Checks the decorators of every class, member and enum in a source. */
export function checkDecorators(source: Source, report: Report): void {
  for (const statement of source.statements) {
    if (statement instanceof ClassDeclaration) {
      checkTargets(statement, CLASS_DECORATORS, 'a class', report)
      for (const member of statement.members) checkMemberDecorators(member, report)
    } else if (statement instanceof EnumDeclaration) {
      checkTargets(statement, ENUM_DECORATORS, 'an enum', report)
      if (isErrors(statement)) checkErrorCodes(statement, report)
    } else if ('decorators' in statement && 'name' in statement) {
      checkTargets(
        statement as DeclarationStatement,
        new Set(['inline', 'lazy', 'unsafe', 'global', 'external']),
        'this declaration',
        report,
      )
    }
  }
}

function checkMemberDecorators(member: DeclarationStatement, report: Report): void {
  if (member instanceof FieldDeclaration) checkTargets(member, FIELD_DECORATORS, 'a field', report)
  else if (member instanceof MethodDeclaration) {
    if (member.is(FLAG_CONSTRUCTOR)) checkTargets(member, new Set(['payable', 'bare']), 'a constructor', report)
    else checkTargets(member, METHOD_DECORATORS, 'a method', report)
  }
}

function checkTargets(
  declaration: DeclarationStatement,
  allowed: ReadonlySet<string>,
  what: string,
  report: Report,
): void {
  const decorators = declaration.decorators ?? []
  const seen = new Map<string, DecoratorNode>()
  for (const decorator of decorators) {
    const name = decoratorName(decorator)
    if (!ALL_DECORATORS.has(name)) report.add(1005, decorator.range, name, suggest(name))
    else if (!allowed.has(name)) report.add(1006, decorator.range, name, what)
    else if (LATER.has(name)) report.add(1010, decorator.range, name)
    if (seen.has(name)) report.add(1007, decorator.range, name, name)
    seen.set(name, decorator)
    for (const argument of decorator.args ?? []) {
      if (!(argument instanceof LiteralExpression)) report.add(1008, argument.range)
    }
  }
  for (const [a, b] of EXCLUSIVE) {
    const first = seen.get(a)
    const second = seen.get(b)
    if (!first || !second) continue
    const later = first.range.start > second.range.start ? first : second
    report.add(1007, later.range, later === first ? b : a, later === first ? a : b)
  }
  const dependent = seen.get('bare') ?? seen.get('only')
  const isMethod = declaration instanceof MethodDeclaration && !declaration.is(FLAG_CONSTRUCTOR)
  if (dependent && isMethod && !seen.has('method') && !seen.has('view')) {
    report.add(1006, dependent.range, decoratorName(dependent), 'a method that is not exported')
  }
}

function checkErrorCodes(declaration: EnumDeclaration, report: Report): void {
  let next: number | undefined
  for (const value of declaration.values) {
    const code: number | undefined = value.initializer ? integerOf(value.initializer) : next
    if (code === undefined || code < FIRST_OWN_EXIT_CODE) report.add(1009, value.range, value.name.text)
    next = code === undefined ? undefined : code + 1
  }
}

function suggest(name: string): string {
  const authors = [...ALL_DECORATORS].filter((d) => d.length > 2)
  const best = authors.map((d) => ({ d, distance: editDistance(d, name) })).sort((a, b) => a.distance - b.distance)[0]
  return best && best.distance <= 2 ? `did you mean \`@${best.d}\`?` : ''
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The value of an integer literal. */
export function integerOf(expression: Expression): number | undefined {
  if (!(expression instanceof IntegerLiteralExpression)) return undefined
  const value = expression.value as unknown as { low: number; high: number }
  return value.high * 2 ** 32 + (value.low >>> 0)
}

export function stringOf(expression: Expression): string | undefined {
  return expression instanceof StringLiteralExpression ? expression.value : undefined
}

/** The text of the documentation comment above a declaration. */
export function docOf(declaration: DeclarationStatement): string {
  const starts = [declaration.range.start, ...(declaration.decorators ?? []).map((d) => d.range.start)]
  const before = declaration.range.source.text.slice(0, Math.min(...starts)).replace(/\bexport\s*$/, '')
  const match = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*$/.exec(before)
  if (!match) return ''
  return (match[1] ?? '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim()
}
