/**
 * Typed clients: for each actor or `@remote` class that is called, a hidden class with the same signatures whose methods
 * encode, send and decode. Bodies of foreign actors are never compiled.
 */
import {
  CallExpression,
  type ClassDeclaration,
  type Expression,
  type FunctionDeclaration,
  IdentifierExpression,
  MethodDeclaration,
  NamedTypeNode,
  type Source,
  type TypeNode,
} from 'assemblyscript'
import { isMethodName, methodNumber } from '../abi/method-number.ts'
import { isExported, isOmitted, isVoidType } from './actor.ts'
import { FLAG_CONSTRUCTOR, FLAG_PRIVATE, FLAG_PROTECTED, FLAG_STATIC } from './asc.ts'
import { importGlue, SDK, setTypeArgument } from './codec.ts'
import { findDecorator, hasDecorator, integerOf, stringOf } from './decorators.ts'
import { CODEC_CBOR, type CodecSlot, findCodec } from './dispatch.ts'
import type { Report } from './report.ts'
import type { ClassRef, Scope } from './scope.ts'
import type { SdkNames } from './sdk-names.ts'
import { parseExpression, parseImport, parseMembers, parseStatements, startOf, walk } from './snippet.ts'

const SUFFIX = '__Client'

export interface RemoteMethod {
  readonly declaration: MethodDeclaration
  readonly isView: boolean
  readonly isBare: boolean
  readonly number: number
}

export class Clients {
  readonly slots: CodecSlot[] = []
  private readonly made = new Set<ClassDeclaration>()
  private readonly imported = new WeakMap<Source, Set<string>>()
  private readonly scope: Scope
  private readonly report: Report

  constructor(scope: Scope, report: Report) {
    this.scope = scope
    this.report = report
  }

  /** Rewrites `at<T>(who)` and the type `Client<T>` in a source. */
  rewrite(source: Source, names: SdkNames): void {
    for (const statement of [...source.statements]) {
      walk(statement, (node, replace) => {
        if (node instanceof NamedTypeNode && names.is(node.name.identifier.text, 'Client')) {
          const client = this.clientFor(source, node.typeArguments?.[0])
          if (client) replace(typeNode(client, node))
          return false
        }
        if (!(node instanceof CallExpression) || !isAt(node, names)) return false
        const client = this.clientFor(source, node.typeArguments?.[0])
        if (!client) return false
        const call = parseExpression(`${client}.__at(0)`, node.range) as CallExpression
        call.args[0] = node.args[0] as Expression
        replace(call)
        return false
      })
    }
  }

  /** The name, in `source`, of the client for a type argument. */
  private clientFor(source: Source, type: TypeNode | undefined): string | undefined {
    const local = type instanceof NamedTypeNode ? type.name.identifier.text : undefined
    const ref = local === undefined ? undefined : this.scope.findClass(source, local)
    if (!ref || local === undefined || !isCallable(ref)) {
      if (type) this.report.add(5001, type.range, type.range.toString())
      return undefined
    }
    this.make(ref)
    return this.import(source, ref, local)
  }

  private import(source: Source, ref: ClassRef, local: string): string {
    const name = ref.declaration.name.text + SUFFIX
    if (ref.source === source) return name
    const alias = local + SUFFIX
    const done = this.imported.get(source) ?? new Set()
    this.imported.set(source, done)
    if (!done.has(alias)) {
      done.add(alias)
      source.statements.push(parseImport(`{ ${name} as ${alias} }`, ref.source.internalPath, startOf(source)))
    }
    return alias
  }

  /** Puts the client next to the class it stands for, its base's client first. */
  private make(ref: ClassRef): void {
    const { declaration, source } = ref
    if (this.made.has(declaration)) return
    this.made.add(declaration)
    importGlue(ref)
    const baseName = declaration.extendsType?.name.identifier.text
    const base = baseName ? this.scope.findClass(source, baseName) : undefined
    let parent = `${SDK}.Target`
    if (base && baseName) {
      this.make(base)
      parent = this.import(source, base, baseName)
    }
    const name = declaration.name.text + SUFFIX
    const [client] = parseStatements(
      `export class ${name} extends ${parent} {
         static __at<W>(who: W): ${name} { return ${SDK}.aim<${name}, W>(who) }
         withValue(amount: ${SDK}.TokenAmount): ${name} { this.__value(amount); return this }
         withGas(limit: u64): ${name} { this.__gas = limit; return this }
         readOnly(): ${name} { this.__flags = 1; return this }
       }`,
      declaration.name.range,
    ) as [ClassDeclaration]
    const methods = remoteMethods(ref)
    for (const method of methods) client.members.push(...this.makeMethod(method))
    source.statements.push(client)
    const inherited = base ? (this.report.clients.get(base.declaration.name.text) ?? []) : []
    this.report.clients.set(declaration.name.text, [...inherited, ...methods.map((m) => m.declaration.name.text)])
  }

  private makeMethod(method: RemoteMethod): MethodDeclaration[] {
    const { declaration, isBare, isView, number } = method
    const { parameters, returnType } = declaration.signature
    const range = declaration.name.range
    const name = declaration.name.text
    const isVoid = isVoidType(returnType)
    const writes = parameters.map((parameter) => `${SDK}.write(${parameter.name.text});`).join(' ')
    const head = isBare ? '' : `${SDK}.writeHead(4, ${parameters.length});`
    const encode = parameters.length ? `${SDK}.openWriter(); ${head} ${writes}` : ''
    const args = parameters.map((parameter) => parameter.name.text).join(', ')
    const codec = parameters.length ? CODEC_CBOR : 0
    const [send, plain, attempt] = parseMembers(
      `__send_${name}(): i32 { ${encode} return ${SDK}.sendTo(this, ${number}, ${codec}, ${isView ? 1 : 0}) }
       ${name}(): void { ${SDK}.propagate(this.__send_${name}(${args})); ${isVoid ? '' : `return ${SDK}.readReturn<i32>()`} }
       try${name.charAt(0).toUpperCase()}${name.slice(1)}(): ${SDK}.Result<i32> { return ${SDK}.resultOf<i32>(this.__send_${name}(${args})) }`,
      range,
    ) as [MethodDeclaration, MethodDeclaration, MethodDeclaration]
    for (const member of [send, plain, attempt]) member.signature.parameters = [...parameters]
    plain.signature.returnType = returnType
    if (!isVoid && plain.body) setTypeArgument(plain.body, returnType)
    const result = isVoid ? voidResult(attempt) : returnType
    const holder = attempt.signature.returnType as NamedTypeNode
    if (holder.typeArguments) holder.typeArguments[0] = result
    if (attempt.body) setTypeArgument(attempt.body, result)
    const literal = codec ? findCodec(send as unknown as FunctionDeclaration) : undefined
    if (literal) this.slots.push({ literal, types: parameters.map((parameter) => parameter.type) })
    return [send, plain, attempt]
  }
}

/** A call without result has bytes in the `value` of its `Result`: none, as a rule. */
function voidResult(attempt: MethodDeclaration): TypeNode {
  const [holder] = parseStatements(`let x: ${SDK}.Bytes`, attempt.name.range)
  const declarations = (holder as unknown as { declarations: { type: TypeNode }[] }).declarations
  return declarations[0]?.type as TypeNode
}

function typeNode(name: string, like: NamedTypeNode): NamedTypeNode {
  const [holder] = parseStatements(`let x: ${name}`, like.range)
  const declarations = (holder as unknown as { declarations: { type: NamedTypeNode }[] }).declarations
  const node = declarations[0]?.type as NamedTypeNode
  node.isNullable = like.isNullable
  return node
}

export function isAt(node: CallExpression, names: SdkNames): boolean {
  return (
    node.expression instanceof IdentifierExpression &&
    names.is(node.expression.text, 'at') &&
    node.typeArguments?.length === 1
  )
}

export function isCallable(ref: ClassRef): boolean {
  return hasDecorator(ref.declaration, 'actor') || hasDecorator(ref.declaration, 'remote')
}

/** What can be called: exported methods; in a `@remote` class every public one, `@method` being the default. */
export function remoteMethods(ref: ClassRef): RemoteMethod[] {
  const isRemote = hasDecorator(ref.declaration, 'remote')
  return ref.declaration.members.flatMap((member) => {
    if (!(member instanceof MethodDeclaration) || member.is(FLAG_CONSTRUCTOR)) return []
    if (member.name.text.startsWith('__')) return []
    const isHidden = member.is(FLAG_PRIVATE) || member.is(FLAG_PROTECTED)
    if (!isExported(member) && (!isRemote || isHidden || member.is(FLAG_STATIC))) return []
    if (isOmitted(member.signature.returnType)) return []
    const argument = (findDecorator(member, 'method') ?? findDecorator(member, 'view'))?.args?.[0]
    const ownName = member.name.text
    const name = (argument && stringOf(argument)) ?? ownName.charAt(0).toUpperCase() + ownName.slice(1)
    const number = (argument && integerOf(argument)) ?? (isMethodName(name) ? methodNumber(name) : 0)
    return [{ declaration: member, isView: hasDecorator(member, 'view'), isBare: hasDecorator(member, 'bare'), number }]
  })
}
