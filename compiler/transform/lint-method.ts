/** Checks on the bodies of an actor's methods: lost updates, stale objects, views that write, sums that wrap. */
import {
  BinaryExpression,
  CallExpression,
  ElementAccessExpression,
  type Expression,
  FieldDeclaration,
  IdentifierExpression,
  MethodDeclaration,
  NamedTypeNode,
  type Node,
  ParenthesizedExpression,
  PropertyAccessExpression,
  ThisExpression,
  UnaryPostfixExpression,
  UnaryPrefixExpression,
  VariableDeclaration,
} from 'assemblyscript'
import { findMember, typeName } from './actor.ts'
import { ASSIGNMENTS, FLAG_STATIC, STEPS, TOKEN_EQUALS, WRAPPING } from './asc.ts'
import { isAt, remoteMethods } from './client.ts'
import { hasDecorator } from './decorators.ts'
import type { LintInput } from './lint.ts'
import type { ClassRef } from './scope.ts'
import { walk } from './snippet.ts'

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
/** The checks of one method. */
export function lintMethod(method: MethodDeclaration, chain: readonly ClassRef[], input: LintInput): void {
  if (hasDecorator(method, 'view') && !method.is(FLAG_STATIC)) checkView(method, chain, input)
  checkInnerCollections(method, chain, input)
  checkAliases(method, chain, input)
  if (input.isStrict) checkArithmetic(method, chain, input)
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
