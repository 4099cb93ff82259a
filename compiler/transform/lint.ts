/** Checks on the user's own code that need no types: what compiles but would not do what it says. */
import {
  BlockStatement,
  CallExpression,
  ClassDeclaration,
  DeclarationStatement,
  type Expression,
  ExpressionStatement,
  FieldDeclaration,
  FunctionDeclaration,
  IdentifierExpression,
  ImportDeclaration,
  MethodDeclaration,
  NamedTypeNode,
  type Node,
  ParameterNode,
  PropertyAccessExpression,
  type Source,
  TemplateLiteralExpression,
  ThisExpression,
  VariableDeclaration,
  VariableStatement,
} from 'assemblyscript'
import { FLAG_EXPORT, FLAG_STATIC } from './asc.ts'
import { hasDecorator, stringOf } from './decorators.ts'
import { isSyscall } from './link.ts'
import { lintMethod } from './lint-method.ts'
import type { Report } from './report.ts'
import type { Scope } from './scope.ts'
import type { SdkNames } from './sdk-names.ts'
import { walk } from './snippet.ts'

export interface LintInput {
  readonly source: Source
  readonly names: SdkNames
  readonly scope: Scope
  readonly report: Report
  readonly isStrict: boolean
}

/** Names of the SDK that need the message, and so a running method. */
const HOST: ReadonlySet<string> = new Set([
  'msg',
  'chain',
  'self',
  'gas',
  'crypto',
  'Actors',
  'at',
  'send',
  'trySend',
  'call',
  'create',
  'create4',
  'emit',
  'log',
])
/** Globals of AssemblyScript that import what the FVM lacks, and what to write instead. */
const MISSING: Readonly<Record<string, string>> = {
  console: '`log(message)` from `troupe/actor`',
  trace: '`log(message)` from `troupe/actor`',
  Date: '`chain.timestamp` from `troupe/actor`',
  performance: '`gas.remaining` from `troupe/actor`',
  process: 'an actor has no process',
}
const RESERVED_EXPORTS: ReadonlySet<string> = new Set(['invoke', 'upgrade'])
const FORMATTING_SIZE = 700

export function lintSource(input: LintInput): void {
  const { source, scope } = input
  checkGlobals(input)
  checkInitialisers(input)
  for (const statement of source.statements) {
    checkDeclaration(statement, input)
    checkCalls(statement, input)
    if (!(statement instanceof ClassDeclaration)) continue
    const chain = scope.chainOf({ source, declaration: statement })
    if (!hasDecorator(statement, 'actor')) continue
    for (const member of statement.members) {
      if (!(member instanceof MethodDeclaration) || !member.body) continue
      lintMethod(member, chain, input)
    }
  }
  checkRecursion(input)
}

function checkDeclaration(statement: Node, { report }: LintInput): void {
  if (!(statement instanceof FunctionDeclaration)) return
  const name = statement.name.text
  if (statement.is(FLAG_EXPORT) && RESERVED_EXPORTS.has(name)) report.add(6002, statement.name.range, name)
  for (const decorator of statement.decorators ?? []) {
    if (decorator.name.range.toString() !== 'external') continue
    const [module, name] = [decorator.args?.[0], decorator.args?.[1]].map((a) => (a && stringOf(a)) ?? 'env')
    if (!isSyscall(module ?? '', name ?? '')) report.add(6001, decorator.range, `${module}.${name}`, 'use the SDK')
  }
}

/** Findings about single calls and expressions, wherever they stand. */
function checkCalls(statement: Node, { names, report }: LintInput): void {
  let isFormatting = false
  walk(statement, (node) => {
    if (node instanceof ExpressionStatement && node.expression instanceof CallExpression) {
      const access = node.expression.expression
      if (access instanceof PropertyAccessExpression && /^try[A-Z]/.test(access.property.text)) {
        report.add(5011, node.expression.range, access.property.text)
      }
    }
    if (node instanceof TemplateLiteralExpression && node.expressions.length && !isFormatting) {
      isFormatting = true
      report.add(6010, node.range, String(FORMATTING_SIZE))
    }
    if (!(node instanceof CallExpression) || !(node.expression instanceof PropertyAccessExpression)) return false
    const { expression, property } = node.expression
    if (property.text === 'toString' && !isFormatting) {
      isFormatting = true
      report.add(6010, node.range, String(FORMATTING_SIZE))
    }
    if (!(expression instanceof IdentifierExpression)) return false
    if (names.is(expression.text, 'chain') && (property.text === 'randomness' || property.text === 'beacon')) {
      report.add(6007, node.range)
    }
    if (names.is(expression.text, 'crypto') && property.text === 'verify') report.add(6008, node.range)
    return false
  })
}

/** References to globals whose imports the FVM does not have. */
function checkGlobals({ source, report }: LintInput): void {
  const declared = new Set<string>()
  const skipped = new Set<Node>()
  for (const statement of source.statements) {
    walk(statement, (node) => {
      if (node instanceof ParameterNode || node instanceof VariableDeclaration) declared.add(node.name.text)
      if (node instanceof ImportDeclaration) declared.add(node.name.text)
      return false
    })
    if (statement instanceof DeclarationStatement) declared.add(statement.name.text)
  }
  const refer = (node: Node, name: string) => {
    const instead = declared.has(name) ? undefined : MISSING[name]
    if (instead) report.add(6001, node.range, name, instead)
  }
  for (const statement of source.statements) {
    walk(statement, (node) => {
      if (node instanceof DeclarationStatement) skipped.add(node.name)
      if (node instanceof NamedTypeNode) {
        refer(node, node.name.identifier.text)
        skipped.add(node.name.identifier)
      }
      if (node instanceof PropertyAccessExpression) {
        skipped.add(node.property)
        const { expression, property } = node
        if (expression instanceof IdentifierExpression && MISSING[expression.text]) {
          refer(node, expression.text)
          return true
        }
        const isMath =
          expression instanceof IdentifierExpression && ['Math', 'NativeMath', 'Mathf'].includes(expression.text)
        if (isMath && property.text === 'random' && !declared.has('Math')) {
          report.add(6001, node.range, 'Math.random', '`chain.randomness` from `troupe/actor`')
        }
      }
      if (node instanceof IdentifierExpression && !skipped.has(node)) refer(node, node.text)
      return false
    })
  }
}

function checkInitialisers({ source, names, report }: LintInput): void {
  const check = (initializer: Expression | null) => {
    if (!initializer) return
    let found = false
    const visit = (node: Node): boolean => {
      if (node instanceof IdentifierExpression && HOST.has(names.originalOf(node.text) ?? '')) found = true
      if (node instanceof PropertyAccessExpression && ['id', 'tryId'].includes(node.property.text)) {
        found ||= node.expression instanceof CallExpression || node.expression instanceof IdentifierExpression
      }
      return false
    }
    visit(initializer)
    walk(initializer, visit)
    if (found) report.add(6004, initializer.range)
  }
  for (const statement of source.statements) {
    if (statement instanceof VariableStatement) for (const d of statement.declarations) check(d.initializer)
    if (!(statement instanceof ClassDeclaration)) continue
    for (const member of statement.members) {
      if (member instanceof FieldDeclaration && member.is(FLAG_STATIC)) check(member.initializer)
    }
  }
}

interface Routine {
  readonly key: string
  readonly declaration: FunctionDeclaration
  readonly owner: string
}

/** Functions of the source that can reach themselves; the sizes of their frames are known only later. */
function checkRecursion({ source, report }: LintInput): void {
  const routines: Routine[] = []
  for (const statement of source.statements) {
    if (statement instanceof FunctionDeclaration) {
      routines.push({ key: statement.name.text, declaration: statement, owner: '' })
    }
    if (!(statement instanceof ClassDeclaration)) continue
    for (const member of statement.members) {
      if (!(member instanceof MethodDeclaration)) continue
      const owner = statement.name.text
      routines.push({ key: `${owner}.${member.name.text}`, declaration: member, owner })
    }
  }
  const edges = new Map(routines.map((routine) => [routine.key, calleesOf(routine)]))
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    for (const next of edges.get(from) ?? []) {
      if (next === to) return true
      if (seen.has(next)) continue
      seen.add(next)
      if (reaches(next, to, seen)) return true
    }
    return false
  }
  for (const { key, declaration, owner } of routines) {
    if (!reaches(key, key, new Set())) continue
    const name = declaration.name.text
    const path = source.internalPath
    const isStatic = declaration.is(FLAG_STATIC)
    report.recursive.push({
      range: declaration.name.range,
      name,
      internalName: owner ? `${path}/${owner}${isStatic ? '.' : '#'}${name}` : `${path}/${name}`,
    })
  }
}

function calleesOf({ declaration, owner }: Routine): Set<string> {
  const callees = new Set<string>()
  const { body } = declaration
  if (!(body instanceof BlockStatement)) return callees
  walk(body, (node) => {
    if (!(node instanceof CallExpression)) return false
    const { expression } = node
    if (expression instanceof IdentifierExpression) callees.add(expression.text)
    if (!(expression instanceof PropertyAccessExpression)) return false
    const target = expression.expression
    if (target instanceof ThisExpression) callees.add(`${owner}.${expression.property.text}`)
    else if (target instanceof IdentifierExpression) callees.add(`${target.text}.${expression.property.text}`)
    return false
  })
  return callees
}
