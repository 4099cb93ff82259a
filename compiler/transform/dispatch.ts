/** Writes a wrapper for each method, and the exports that choose among them. */
import {
  type FunctionDeclaration,
  IntegerLiteralExpression,
  type Range,
  type Source,
  type Statement,
  type TypeNode,
} from 'assemblyscript'
import type { ActorDescription, MethodDescription } from './actor.ts'
import { importGlue, SDK, setTypeArgument } from './codec.ts'
import { type Scope, SDK_PATH } from './scope.ts'
import { parseImport, parseStatements, walk } from './snippet.ts'

/** Codecs of params and return blocks; the second when there are links in them. */
export const CODEC_CBOR = 0x51
export const CODEC_DAG_CBOR = 0x71

/** A codec literal in generated code that becomes DAG-CBOR when one of the types can hold a link. */
export interface CodecSlot {
  readonly literal: IntegerLiteralExpression
  readonly types: readonly TypeNode[]
}

export interface Dispatch {
  readonly slots: readonly CodecSlot[]
}

/** Writes wrappers into the sources that declare the methods, and `invoke` (and `upgrade`) into the entry. */
export function generateDispatch(actor: ActorDescription, entry: Source, scope: Scope): Dispatch {
  const { source, declaration } = actor.ref
  const name = declaration.name.text
  const range = declaration.name.range
  const slots: CodecSlot[] = []
  const imports: Statement[] = [parseImport(`{ ${name} }`, source.internalPath, range)]
  const arms: string[] = []

  for (const method of actor.methods) {
    const wrapper = `__call_${method.owner.declaration.name.text}_${method.declaration.name.text}`
    importGlue(method.owner)
    method.owner.source.statements.push(...writeWrapper(method, wrapper, slots))
    imports.push(parseImport(`{ ${wrapper} }`, method.owner.source.internalPath, range))
    arms.push(`if (method == ${method.number}) return ${wrapper}<${name}>(params)`)
  }
  if (!actor.methods.some((method) => method.kind === 'constructor')) {
    arms.push(`if (method == 1) { ${SDK}.guardConstructor(); ${SDK}.refuseValue(); new ${name}().__save(); return 0 }`)
  }
  if (actor.fallback) {
    const wrapper = '__call_fallback'
    importGlue(actor.fallback.owner)
    actor.fallback.owner.source.statements.push(...writeFallback(actor.fallback.declaration.name.text, wrapper, actor))
    imports.push(parseImport(`{ ${wrapper} }`, actor.fallback.owner.source.internalPath, range))
  }
  const end = actor.fallback ? `__call_fallback<${name}>(method, params)` : `${SDK}.unhandled()`
  const exports = parseStatements(
    `export function invoke(params: u32): u32 { const method = ${SDK}.openMessage(); ${arms.join('\n')}\n return ${end} }`,
    range,
  )
  if (actor.upgrade) exports.push(...writeUpgrade(actor, source, range, imports))
  importGlue({ source: entry })
  entry.statements.push(...imports, ...exports)
  fillCurrent(actor, scope, range)
  return { slots }
}

/** The body follows one order: value, params, state, guard, call, commit, return. */
function writeWrapper(method: MethodDescription, wrapper: string, slots: CodecSlot[]): Statement[] {
  const { declaration, encoding } = method
  const { parameters, returnType } = declaration.signature
  const lines: string[] = []
  if (method.kind === 'constructor') lines.push(`${SDK}.guardConstructor()`)
  if (!method.isPayable) lines.push(`${SDK}.refuseValue()`)
  if (parameters.length) {
    lines.push(`${SDK}.openParams(params)`)
    if (encoding === 'tuple') lines.push(`${SDK}.readTuple(${parameters.length})`)
    lines.push(...parameters.map((_, i) => `const a${i} = ${SDK}.read<i32>()`), `${SDK}.readDone()`)
  }
  const args = parameters.map((_, i) => `a${i}`).join(', ')
  const name = declaration.name.text
  if (method.kind === 'constructor') {
    lines.push(`instantiate<A>(${args}).__save()`, 'return 0')
  } else {
    const needsState = !method.isStatic || method.only !== null
    if (needsState) {
      lines.push(`const o = ${SDK}.blank<A>()`, 'o.__begin()', 'o.__load()', `${SDK}.attach<A>(o)`)
    }
    if (method.only !== null) {
      lines.push(`${SDK}.allow(o.${method.only}${method.guardIsMethod ? '()' : ''})`)
    }
    const target = method.isStatic ? `${method.owner.declaration.name.text}.${name}` : `o.${name}`
    lines.push(method.isVoid ? `${target}(${args})` : `const r = ${target}(${args})`)
    if (method.kind === 'method' && !method.isStatic) lines.push('o.__save()')
    if (method.isVoid) lines.push('return 0')
    else lines.push(`${SDK}.openWriter()`, `${SDK}.write(r)`, `return ${SDK}.finish(${CODEC_CBOR})`)
  }
  const statements = parseStatements(
    `export function ${wrapper}<A>(params: u32): u32 {\n${lines.join('\n')}\n}`,
    declaration.name.range,
  )
  const wrapperNode = statements[0] as FunctionDeclaration
  const body = wrapperNode.body as unknown as { statements: Statement[] }
  const first = lines.indexOf(`const a0 = ${SDK}.read<i32>()`)
  parameters.forEach((parameter, i) => {
    const statement = body.statements[first + i]
    if (statement) relocateRead(statement, parameter.range, parameter.type)
  })
  if (!method.isVoid) {
    const literal = findCodec(wrapperNode)
    if (literal) slots.push({ literal, types: [returnType] })
  }
  return statements
}

function relocateRead(statement: Statement, range: Range, type: TypeNode): void {
  statement.range = range
  walk(statement, (node) => {
    node.range = range
    return false
  })
  setTypeArgument(statement, type)
}

/** The codec literal of `finish` or `sendTo` below a node. */
export function findCodec(root: FunctionDeclaration): IntegerLiteralExpression | undefined {
  let found: IntegerLiteralExpression | undefined
  walk(root, (node) => {
    if (node instanceof IntegerLiteralExpression) {
      const value = node.value as unknown as { low: number; high: number }
      if (value.low === CODEC_CBOR && value.high === 0) found = node
    }
    return false
  })
  return found
}

function writeFallback(name: string, wrapper: string, actor: ActorDescription): Statement[] {
  const declaration = actor.fallback?.declaration
  const range = declaration?.name.range ?? actor.ref.declaration.name.range
  const payable = declaration?.decorators?.some((d) => d.name.range.toString() === 'payable')
  return parseStatements(
    `export function ${wrapper}<A>(method: u64, params: u32): u32 {
       ${payable ? '' : `${SDK}.refuseValue()`}
       const bytes = ${SDK}.paramsAsBytes(params)
       const o = ${SDK}.blank<A>()
       o.__begin()
       o.__load()
       ${SDK}.attach<A>(o)
       const r = o.${name}(method, bytes)
       o.__save()
       return ${SDK}.finishBytes(r)
     }`,
    range,
  )
}

/** `upgrade(params, info)`: reads the old layout, lets the user's method turn it into the new one, writes that. */
function writeUpgrade(actor: ActorDescription, source: Source, range: Range, imports: Statement[]): Statement[] {
  const { upgrade, ref } = actor
  if (!upgrade) return []
  const name = ref.declaration.name.text
  importGlue(ref)
  const helper = parseStatements(
    `export function __upgrade(): void {
       ${SDK}.openState()
       const old = ${SDK}.read<i32>()
       ${SDK}.readDone()
       ${name}.${upgrade.declaration.name.text}(old).__save()
     }`,
    upgrade.declaration.name.range,
  )
  const statement = helper[0]
  if (statement) setTypeArgument(statement, upgrade.from)
  source.statements.push(...helper)
  imports.push(parseImport('{ __upgrade }', source.internalPath, range))
  return parseStatements(
    `export function upgrade(params: u32, info: u32): u32 { ${SDK}.openMessage(); __upgrade(); return 0 }`,
    range,
  )
}

/** Gives the SDK's `current.ts` the actor's class. */
function fillCurrent(actor: ActorDescription, scope: Scope, range: Range): void {
  const source = scope.source(`${SDK_PATH}/current`)
  if (!source) return
  const name = actor.ref.declaration.name.text
  source.statements.length = 0
  importGlue({ source })
  source.statements.push(
    parseImport(`{ ${name} }`, actor.ref.source.internalPath, range),
    ...parseStatements(
      `let held: ${name} | null = null
       export function attach<T>(object: T): void { held = changetype<${name}>(changetype<usize>(object)) }
       export function commit(): void { const object = held; if (object) object.__save() }
       export function reload(): void { const object = held; if (object && ${SDK}.stateMoved()) object.__load() }`,
      range,
    ),
  )
}
