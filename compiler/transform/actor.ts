/** Reads `@actor`, `@method`, `@view` and the state off the syntax tree into a description of the actor. */
import {
  ClassDeclaration,
  type DeclarationStatement,
  FieldDeclaration,
  MethodDeclaration,
  NamedTypeNode,
  NewExpression,
  type Range,
  type Source,
  type TypeNode,
} from 'assemblyscript'
import { isMethodName, methodNumber } from '../abi/method-number.ts'
import type { MethodKind, ParamsEncoding } from '../abi/schema.ts'
import {
  FLAG_ABSTRACT,
  FLAG_CONSTRUCTOR,
  FLAG_EXPORT,
  FLAG_GET,
  FLAG_PRIVATE,
  FLAG_PROTECTED,
  FLAG_READONLY,
  FLAG_SET,
  FLAG_STATIC,
  PARAMETER_DEFAULT,
} from './asc.ts'
import { docOf, findDecorator, hasDecorator, integerOf, stringOf } from './decorators.ts'
import type { Report } from './report.ts'
import type { ClassRef, Scope } from './scope.ts'

export interface MethodDescription {
  /** The class that declares it: the actor, or a base. */
  readonly owner: ClassRef
  readonly declaration: MethodDeclaration
  readonly name: string
  readonly number: number
  readonly kind: MethodKind
  readonly encoding: ParamsEncoding
  readonly isStatic: boolean
  readonly isPayable: boolean
  readonly isVoid: boolean
  /** The member that `@only` names. */
  readonly only: string | null
  /** Whether that member is a method rather than a field. */
  readonly guardIsMethod: boolean
  readonly doc: string
}

export interface ActorDescription {
  readonly ref: ClassRef
  /** Derived first. */
  readonly chain: readonly ClassRef[]
  /** Base first, as they are stored. */
  readonly fields: readonly StateField[]
  /** In declared order, base first, the constructor last. */
  readonly methods: readonly MethodDescription[]
  /** The constructor as written, the nearest in the chain. */
  readonly fallback: { readonly owner: ClassRef; readonly declaration: MethodDeclaration } | null
  readonly upgrade: { readonly declaration: MethodDeclaration; readonly from: TypeNode } | null
}

export interface StateField {
  readonly owner: ClassRef
  readonly declaration: FieldDeclaration
}

/** Stored fields of one class, in declared order. */
export function stateFields(declaration: ClassDeclaration): FieldDeclaration[] {
  return declaration.members.filter(
    (member): member is FieldDeclaration =>
      member instanceof FieldDeclaration && !member.is(FLAG_STATIC) && !hasDecorator(member, 'transient'),
  )
}

/** The bit width that a field's initialiser gives its collection: `new Hamt<K, V>(8)`. */
export function bitWidthOf(field: FieldDeclaration): number | undefined {
  const value = field.initializer
  const first = value instanceof NewExpression ? value.args[0] : undefined
  return first && integerOf(first)
}

export function isExported(method: MethodDeclaration): boolean {
  return hasDecorator(method, 'method') || hasDecorator(method, 'view')
}

/** The name that asc gives a simple named type. */
export function typeName(type: TypeNode | null): string {
  return type instanceof NamedTypeNode ? type.name.identifier.text : ''
}

export function isVoidType(type: TypeNode | null): boolean {
  return typeName(type) === 'void'
}

/** A type that was not written: asc puts an empty name there. */
export function isOmitted(type: TypeNode | null): boolean {
  return type === null || (type instanceof NamedTypeNode && type.name.identifier.text === '')
}

/** Finds the file's actor; the checks of 1xxx that concern it. */
export function findActor(source: Source, scope: Scope, report: Report, whole: Range): ClassRef | undefined {
  let actor: ClassDeclaration | undefined
  for (const statement of source.statements) {
    if (!(statement instanceof ClassDeclaration) || !hasDecorator(statement, 'actor')) continue
    if (actor) report.add(1002, statement.name.range, actor.name.text)
    else actor = statement
  }
  if (!actor) {
    report.add(1001, whole)
    return undefined
  }
  const name = actor.name.text
  if (!actor.is(FLAG_EXPORT)) report.add(1003, actor.name.range, name)
  if (actor.is(FLAG_ABSTRACT) || actor.typeParameters?.length) report.add(1004, actor.name.range, name)
  return scope.findClass(source, name)
}

/** Describes the actor and checks its members. */
export function describeActor(ref: ClassRef, scope: Scope, report: Report): ActorDescription {
  const chain = scope.chainOf(ref)
  const baseFirst = [...chain].reverse()
  const fields = baseFirst.flatMap((owner) =>
    stateFields(owner.declaration).map((declaration) => ({ owner, declaration })),
  )
  for (const { declaration } of fields) checkField(declaration, report)

  const numbers = new Map<number, string>()
  const methods = new Map<string, MethodDescription>()
  let fallback: ActorDescription['fallback'] = null
  let upgrade: ActorDescription['upgrade'] = null
  for (const owner of baseFirst) {
    for (const declaration of owner.declaration.members) {
      if (!(declaration instanceof MethodDeclaration) || declaration.is(FLAG_CONSTRUCTOR)) continue
      if (hasDecorator(declaration, 'fallback')) {
        checkFallback(declaration, report)
        fallback = { owner, declaration }
      } else if (hasDecorator(declaration, 'upgrade')) upgrade = describeUpgrade(declaration, report) ?? upgrade
      else if (isExported(declaration)) {
        const method = describeMethod(owner, declaration, chain, report)
        if (method) methods.set(declaration.name.text, method)
      } else checkHidden(declaration, methods, report)
    }
  }
  const made = describeConstructor(chain, report)
  numbers.set(1, 'Constructor')
  const all = [...methods.values()]
  for (const method of all) {
    const other = numbers.get(method.number)
    if (other !== undefined) report.add(3003, numberRange(method), String(method.number), other)
    numbers.set(method.number, method.name)
  }
  for (const method of all) checkOnly(method, chain, report)
  return { ref, chain, fields, methods: [...all, ...made], fallback, upgrade }
}

function checkField(field: FieldDeclaration, report: Report): void {
  const name = field.name.text
  if (!field.type || isOmitted(field.type)) report.add(2001, field.name.range, name)
  if (field.is(FLAG_READONLY)) report.add(2002, field.name.range, name)
  if (name.startsWith('__')) report.add(2003, field.name.range, name)
}

function checkHidden(
  declaration: MethodDeclaration,
  exported: ReadonlyMap<string, MethodDescription>,
  report: Report,
): void {
  const name = declaration.name.text
  if (name.startsWith('__') || exported.has(name)) return
  if (declaration.is(FLAG_PRIVATE) || declaration.is(FLAG_PROTECTED) || declaration.is(FLAG_STATIC)) return
  report.add(3001, declaration.name.range, name)
}

function numberRange(method: MethodDescription): Range {
  const decorator = findDecorator(method.declaration, 'method') ?? findDecorator(method.declaration, 'view')
  return decorator?.args?.[0]?.range ?? method.declaration.name.range
}

function describeMethod(
  owner: ClassRef,
  declaration: MethodDeclaration,
  chain: readonly ClassRef[],
  report: Report,
): MethodDescription | undefined {
  const decorator = findDecorator(declaration, 'method') ?? findDecorator(declaration, 'view')
  const ownName = declaration.name.text
  if (declaration.typeParameters?.length || declaration.is(FLAG_GET) || declaration.is(FLAG_SET)) {
    report.add(3008, declaration.name.range, ownName)
    return undefined
  }
  const argument = decorator?.args?.[0]
  let name = ownName.charAt(0).toUpperCase() + ownName.slice(1)
  let number = argument && integerOf(argument)
  if (number !== undefined && argument) {
    if (number < 2) {
      report.add(3004, argument.range, String(number))
      return undefined
    }
    if (number <= 1023) report.add(3006, argument.range)
  } else {
    name = (argument && stringOf(argument)) ?? name
    if (!isMethodName(name)) {
      report.add(3002, argument?.range ?? declaration.name.range, name)
      return undefined
    }
    number = methodNumber(name)
  }
  const signature = declaration.signature
  if (isOmitted(signature.returnType)) {
    report.add(3009, declaration.name.range, ownName)
    return undefined
  }
  checkParameters(declaration, report)
  const bare = findDecorator(declaration, 'bare')
  if (bare && signature.parameters.length !== 1) report.add(3005, bare.range)
  const guard = findDecorator(declaration, 'only')
  const only = guard ? ((guard.args?.[0] && stringOf(guard.args[0])) ?? '') : null
  return {
    owner,
    declaration,
    name,
    number,
    kind: hasDecorator(declaration, 'view') ? 'view' : 'method',
    encoding: bare ? 'bare' : 'tuple',
    isStatic: declaration.is(FLAG_STATIC),
    isPayable: hasDecorator(declaration, 'payable'),
    isVoid: isVoidType(signature.returnType),
    only,
    guardIsMethod: only !== null && findMember(chain, only) instanceof MethodDeclaration,
    doc: docOf(declaration),
  }
}

function describeConstructor(chain: readonly ClassRef[], report: Report): MethodDescription[] {
  for (const owner of chain) {
    const declaration = owner.declaration.members.find(
      (member): member is MethodDeclaration => member instanceof MethodDeclaration && member.is(FLAG_CONSTRUCTOR),
    )
    if (!declaration) continue
    checkParameters(declaration, report)
    const isBare = tagged(declaration, 'bare')
    if (isBare && declaration.signature.parameters.length !== 1) {
      report.add(3005, findDecorator(declaration, 'bare')?.range ?? declaration.name.range)
    }
    return [
      {
        owner,
        declaration,
        name: 'Constructor',
        number: 1,
        kind: 'constructor',
        encoding: isBare ? 'bare' : 'tuple',
        isStatic: false,
        isPayable: tagged(declaration, 'payable'),
        isVoid: true,
        only: null,
        guardIsMethod: false,
        doc: docOf(declaration),
      },
    ]
  }
  return []
}

/** TypeScript refuses decorators on constructors, so a tag in the comment does as well. */
function tagged(declaration: MethodDeclaration, name: string): boolean {
  return hasDecorator(declaration, name) || docOf(declaration).includes(`@${name}`)
}

function checkParameters(declaration: MethodDeclaration, report: Report): void {
  for (const parameter of declaration.signature.parameters) {
    const name = parameter.name.text
    if (isOmitted(parameter.type)) report.add(3007, parameter.range, name, 'needs a type')
    if (parameter.initializer || (parameter.parameterKind as number) !== PARAMETER_DEFAULT) {
      report.add(3007, parameter.range, name, 'may not have a default or rest form')
    }
  }
}

function checkFallback(declaration: MethodDeclaration, report: Report): void {
  const { parameters, returnType } = declaration.signature
  const types = [...parameters.map((p) => typeName(p.type)), typeName(returnType)]
  if (types.join() === 'u64,Bytes,Bytes' && !declaration.is(FLAG_STATIC)) return
  report.add(3012, declaration.name.range, 'fallback', '(method: u64, params: Bytes): Bytes')
}

function describeUpgrade(declaration: MethodDeclaration, report: Report): ActorDescription['upgrade'] {
  const { parameters } = declaration.signature
  const from = parameters[0]?.type
  if (declaration.is(FLAG_STATIC) && parameters.length === 1 && from && !isOmitted(from)) return { declaration, from }
  report.add(3012, declaration.name.range, 'upgrade', 'static (old: T): Self')
  return null
}

function checkOnly(method: MethodDescription, chain: readonly ClassRef[], report: Report): void {
  if (method.only === null) return
  const decorator = findDecorator(method.declaration, 'only')
  const range = decorator?.args?.[0]?.range ?? decorator?.range
  if (!range) return
  const member = findMember(chain, method.only)
  if (!member) report.add(3011, range, method.only, 'no such field or method')
  else if (member instanceof MethodDeclaration) {
    const { parameters, returnType } = member.signature
    if (parameters.length || typeName(returnType) !== 'bool')
      report.add(3011, range, method.only, 'wrong type, a guard method is `(): bool`')
  }
}

/** The field or method of a class or its bases. */
export function findMember(chain: readonly ClassRef[], name: string): DeclarationStatement | undefined {
  for (const ref of chain) {
    const member = ref.declaration.members.find((m) => m.name.text === name && !m.is(FLAG_CONSTRUCTOR))
    if (member) return member
  }
  return undefined
}
