/** Checks on the user's own code that need no types: what compiles but would not do what it says. */
import {
  BinaryExpression,
  BlockStatement,
  CallExpression,
  ClassDeclaration,
  DeclarationStatement,
  ElementAccessExpression,
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
  ParenthesizedExpression,
  PropertyAccessExpression,
  type Source,
  TemplateLiteralExpression,
  ThisExpression,
  UnaryPostfixExpression,
  UnaryPrefixExpression,
  VariableDeclaration,
  VariableStatement,
} from 'assemblyscript'
import { findMember, hasDecorator, stringOf, typeName } from './actor.ts'
import { ASSIGNMENTS, FLAG_EXPORT, FLAG_STATIC, STEPS, TOKEN_EQUALS, WRAPPING } from './asc.ts'
import { isAt, remoteMethods } from './client.ts'
import { isSyscall } from './link.ts'
import type { Report } from './report.ts'
import type { ClassRef, Scope } from './scope.ts'
import type { SdkNames } from './sdk-names.ts'
import { walk } from './snippet.ts'

export interface LintInput {
  readonly source: Source
  readonly names: SdkNames
  readonly scope: Scope
  readonly report: Report
  readonly isStrict: boolean
}

/** Methods of collections that change them. */
const MUTATORS: ReadonlySet<string> = new Set([
  'set',
  'delete',
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'sort',
  'reverse',
  'fill',
])
const COLLECTIONS: ReadonlySet<string> = new Set(['Hamt', 'Amt', 'Lazy'])
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
const INTEGERS: ReadonlySet<string> = new Set(['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64'])
/** Values that nobody changes in place: an old copy of one is just an old value. */
const IMMUTABLE: ReadonlySet<string> = new Set([
  ...INTEGERS,
  'bool',
  'string',
  'ActorId',
  'Address',
  'Bytes',
  'Bytes32',
  'Cid',
  'TokenAmount',
  'U256',
  '',
])
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
      if (hasDecorator(member, 'view') && !member.is(FLAG_STATIC)) checkView(member, chain, input)
      checkInnerCollections(member, chain, input)
      checkAliases(member, chain, input)
      if (input.isStrict) checkArithmetic(member, chain, input)
    }
  }
  checkRecursion(input)
}

/** `this.field`, and whatever is reached through it: the field's name. */
function fieldOf(expression: Node): string | undefined {
  if (expression instanceof PropertyAccessExpression) {
    return expression.expression instanceof ThisExpression ? expression.property.text : fieldOf(expression.expression)
  }
  if (expression instanceof ElementAccessExpression) return fieldOf(expression.expression)
  if (expression instanceof ParenthesizedExpression) return fieldOf(expression.expression)
  if (expression instanceof CallExpression && expression.expression instanceof PropertyAccessExpression) {
    return COLLECTION_READS.has(expression.expression.property.text) ? fieldOf(expression.expression) : undefined
  }
  return undefined
}

const COLLECTION_READS: ReadonlySet<string> = new Set(['get', 'getOr', 'at'])

interface Mutation {
  readonly node: Node
  readonly text: string
}

/** Where a body changes stored fields, calls of own methods that do included. */
function mutationsIn(method: MethodDeclaration, chain: readonly ClassRef[], seen: Set<MethodDeclaration>): Mutation[] {
  const found: Mutation[] = []
  seen.add(method)
  const add = (node: Node, target: Node) => {
    const field = fieldOf(target)
    const member = field === undefined ? undefined : findMember(chain, field)
    if (member instanceof FieldDeclaration && !hasDecorator(member, 'transient')) {
      found.push({ node, text: target.range.toString() })
    }
  }
  if (method.body) {
    walk(method.body, (node) => {
      if (node instanceof BinaryExpression && ASSIGNMENTS.has(node.operator as number)) add(node, node.left)
      else if (node instanceof UnaryPostfixExpression || node instanceof UnaryPrefixExpression) {
        if (STEPS.has(node.operator as number)) add(node, node.operand)
      } else if (node instanceof CallExpression && node.expression instanceof PropertyAccessExpression) {
        const { expression, property } = node.expression
        if (MUTATORS.has(property.text)) add(node, expression)
        if (!(expression instanceof ThisExpression)) return false
        const callee = findMember(chain, property.text)
        if (!(callee instanceof MethodDeclaration) || seen.has(callee)) return false
        if (mutationsIn(callee, chain, seen).length) found.push({ node, text: `this.${property.text}` })
      }
      return false
    })
  }
  seen.delete(method)
  return found
}

function checkView(method: MethodDeclaration, chain: readonly ClassRef[], { report }: LintInput): void {
  for (const { node, text } of mutationsIn(method, chain, new Set())) report.add(3010, node.range, text)
}

/** `const inner = this.map.get(k); inner.set(…)` without `this.map.set(k, inner)`. */
function checkInnerCollections(method: MethodDeclaration, chain: readonly ClassRef[], { report }: LintInput): void {
  const inner = new Map<string, string>()
  const changes: { name: string; node: Node }[] = []
  const stored = new Set<string>()
  walk(method, (node) => {
    if (node instanceof VariableDeclaration && node.initializer) {
      const field = nestedCollection(node.initializer, chain)
      if (field !== undefined) inner.set(node.name.text, field)
    }
    if (!(node instanceof CallExpression) || !(node.expression instanceof PropertyAccessExpression)) return false
    const { expression, property } = node.expression
    if (!MUTATORS.has(property.text)) return false
    if (expression instanceof IdentifierExpression && inner.has(expression.text)) {
      changes.push({ name: expression.text, node })
    }
    if (nestedCollection(expression, chain) !== undefined) report.add(2021, node.range)
    const field = fieldOf(expression)
    for (const argument of node.args) {
      if (argument instanceof IdentifierExpression && inner.get(argument.text) === field) stored.add(argument.text)
    }
    return false
  })
  for (const { name, node } of changes) if (!stored.has(name)) report.add(2021, node.range)
}

/** The field when the expression reads a collection out of a collection. */
function nestedCollection(expression: Expression, chain: readonly ClassRef[]): string | undefined {
  if (!(expression instanceof CallExpression) || !(expression.expression instanceof PropertyAccessExpression)) {
    return undefined
  }
  const access = expression.expression
  if (!COLLECTION_READS.has(access.property.text)) return undefined
  const field = fieldOf(access.expression)
  const member = field === undefined ? undefined : findMember(chain, field)
  if (!(member instanceof FieldDeclaration) || !(member.type instanceof NamedTypeNode)) return undefined
  const value = member.type.typeArguments?.at(-1)
  return COLLECTIONS.has(typeName(member.type)) && value && COLLECTIONS.has(typeName(value)) ? field : undefined
}

/** A local that holds an object of the state, used after a call that may have replaced the state. */
function checkAliases(method: MethodDeclaration, chain: readonly ClassRef[], input: LintInput): void {
  const aliases = new Map<string, number>()
  const calls: number[] = []
  const clients = new Map<string, ClassRef>()
  walk(method, (node) => {
    if (node instanceof VariableDeclaration && node.initializer) {
      const client = clientClass(node.initializer, input)
      if (client) clients.set(node.name.text, client)
      const type = fieldType(node.initializer, chain)
      if (type !== undefined && !IMMUTABLE.has(type)) aliases.set(node.name.text, node.range.end)
    }
    if (node instanceof CallExpression && mayReload(node, clients, input)) calls.push(node.range.end)
    return false
  })
  if (!aliases.size || !calls.length) return
  const renewed = new Map<string, number>()
  const reported = new Set<string>()
  walk(method, (node) => {
    if (node instanceof BinaryExpression && (node.operator as number) === TOKEN_EQUALS) {
      if (node.left instanceof IdentifierExpression) renewed.set(node.left.text, node.range.end)
    }
    if (!(node instanceof IdentifierExpression)) return false
    const since = Math.max(aliases.get(node.text) ?? Infinity, renewed.get(node.text) ?? 0)
    if (reported.has(node.text) || !calls.some((call) => call > since && call <= node.range.start)) return false
    reported.add(node.text)
    input.report.add(5010, node.range, node.text)
    return false
  })
}

/** The type of the field that an expression names: `this.field`, nothing deeper. */
function fieldType(expression: Expression, chain: readonly ClassRef[]): string | undefined {
  if (!(expression instanceof PropertyAccessExpression) || !(expression.expression instanceof ThisExpression)) {
    return undefined
  }
  const member = findMember(chain, expression.property.text)
  return member instanceof FieldDeclaration && !hasDecorator(member, 'transient') ? typeName(member.type) : undefined
}

/** The class behind `at<T>(…)`, options included. */
function clientClass(expression: Node, { source, names, scope }: LintInput): ClassRef | undefined {
  if (!(expression instanceof CallExpression)) return undefined
  if (isAt(expression, names)) return scope.findClass(source, typeName(expression.typeArguments?.[0] ?? null))
  const access = expression.expression
  if (!(access instanceof PropertyAccessExpression) || !OPTIONS.has(access.property.text)) return undefined
  return clientClass(access.expression, { source, names, scope } as LintInput)
}

const OPTIONS: ReadonlySet<string> = new Set(['withValue', 'withGas', 'readOnly'])

/** The client method that a call calls: which class, which name. */
function clientCall(
  call: CallExpression,
  clients: ReadonlyMap<string, ClassRef>,
  input: LintInput,
): { ref: ClassRef; name: string } | undefined {
  const access = call.expression
  if (!(access instanceof PropertyAccessExpression) || OPTIONS.has(access.property.text)) return undefined
  const { expression } = access
  const ref = expression instanceof IdentifierExpression ? clients.get(expression.text) : clientClass(expression, input)
  return ref && { ref, name: access.property.text }
}

function mayReload(call: CallExpression, clients: ReadonlyMap<string, ClassRef>, input: LintInput): boolean {
  const { expression } = call
  if (expression instanceof IdentifierExpression) {
    return input.names.is(expression.text, 'call') || input.names.is(expression.text, 'create')
  }
  const target = clientCall(call, clients, input)
  if (!target) return false
  const method = input.scope
    .chainOf(target.ref)
    .flatMap(remoteMethods)
    .find(({ declaration }) => {
      const name = declaration.name.text
      return name === target.name || `try${name.charAt(0).toUpperCase()}${name.slice(1)}` === target.name
    })
  return method !== undefined && !method.isView
}

function checkArithmetic(method: MethodDeclaration, chain: readonly ClassRef[], { report }: LintInput): void {
  if (!method.body) return
  const isInteger = (expression: Node) => {
    const field = expression instanceof PropertyAccessExpression ? fieldOf(expression) : undefined
    const member = field === undefined ? undefined : findMember(chain, field)
    return member instanceof FieldDeclaration && INTEGERS.has(typeName(member.type)) ? field : undefined
  }
  walk(method.body, (node) => {
    const [field, checked] =
      node instanceof BinaryExpression
        ? [isInteger(node.left) ?? isInteger(node.right), WRAPPING.get(node.operator as number)]
        : node instanceof UnaryPostfixExpression || node instanceof UnaryPrefixExpression
          ? [isInteger(node.operand), STEPS.get(node.operator as number)]
          : []
    if (field && checked) report.add(6011, node.range, field, checked)
    return false
  })
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
