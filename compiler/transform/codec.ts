/**
 * Codec members of classes: `__encode` and `__decode` with the fields of the class, base first. Each field's statement
 * carries the field's own range; type nodes are the user's.
 */
import {
  CallExpression,
  EnumDeclaration,
  type Expression,
  type FieldDeclaration,
  type MethodDeclaration,
  type Node,
  type Statement,
  type TypeNode,
} from 'assemblyscript'
import { bitWidthOf, stateFields, typeName } from './actor.ts'
import { findDecorator, hasDecorator, stringOf } from './decorators.ts'
import type { Report } from './report.ts'
import { type ClassRef, type Scope, SDK_PATH } from './scope.ts'
import { parseBody, parseImport, parseMembers, startOf, walk } from './snippet.ts'

/** The name under which generated code sees the SDK. */
export const SDK = '__sdk'
const GLUE = `${SDK_PATH}/glue`

const withGlue = new WeakSet<object>()

/** Makes the SDK's inner functions visible in a source. */
export function importGlue(ref: Pick<ClassRef, 'source'>): void {
  if (withGlue.has(ref.source)) return
  withGlue.add(ref.source)
  ref.source.statements.unshift(parseImport(`* as ${SDK}`, GLUE, startOf(ref.source)))
}

/** Puts the user's type node into the first call with a type argument below `node`. */
export function setTypeArgument<T extends Node>(node: T, type: TypeNode): T {
  walk(node, (child) => {
    if (!(child instanceof CallExpression) || !child.typeArguments?.length) return false
    child.typeArguments[0] = type
    return true
  })
  return node
}

function appendToBody(method: MethodDeclaration, statements: readonly Statement[]): void {
  const body = method.body as unknown as { statements: Statement[] }
  body.statements.push(...statements)
}

/** Statements that write the fields of one class. */
function encodeField(field: FieldDeclaration): Statement[] {
  return parseBody(`${SDK}.write(this.${field.name.text})`, field.range)
}

function decodeField(field: FieldDeclaration): Statement[] {
  const name = field.name.text
  const width = bitWidthOf(field)
  const extra = typeName(field.type) === 'Hamt' && width !== undefined ? `; this.${name}.__width = ${width}` : ''
  const statements = parseBody(`this.${name} = ${SDK}.read<i32>()${extra}`, field.range)
  const first = statements[0]
  if (first && field.type) setTypeArgument(first, field.type)
  return statements
}

/** Gives a class of values its codec. Code nobody reaches is never compiled, so every class gets one. */
export function addCodec(ref: ClassRef, scope: Scope): void {
  importGlue(ref)
  const { declaration } = ref
  const range = declaration.name.range
  const count = fieldCount(ref, scope)
  const base = declaration.extendsType !== null
  const members = parseMembers(
    `__encodeFields(): void { ${base ? 'super.__encodeFields()' : ''} }
     __decodeFields(): void { ${base ? 'super.__decodeFields()' : ''} }
     __encode(): void { ${SDK}.writeHead(4, ${count}); this.__encodeFields() }
     __decode(): void { ${SDK}.readTuple(${count}); this.__decodeFields() }`,
    range,
  ) as MethodDeclaration[]
  const [encode, decode] = members
  for (const field of stateFields(declaration)) {
    if (!field.type) continue
    if (encode) appendToBody(encode, encodeField(field))
    if (decode) appendToBody(decode, decodeField(field))
  }
  declaration.members.push(...members)
}

/** Gives the actor what reads and writes its state, beside the codec of its fields. */
export function addStateCodec(ref: ClassRef, scope: Scope): void {
  const { declaration } = ref
  const count = fieldCount(ref, scope)
  const members = parseMembers(
    `__save(): void { ${SDK}.openWriter(); ${SDK}.writeHead(4, ${count}); this.__encodeFields(); ${SDK}.commitState() }
     __load(): void { ${SDK}.openState(); ${SDK}.readTuple(${count}); this.__decodeFields(); ${SDK}.readDone() }
     __begin(): void {}`,
    declaration.name.range,
  ) as MethodDeclaration[]
  const begin = members[2]
  for (const owner of scope.chainOf(ref)) {
    for (const member of owner.declaration.members) {
      if (!begin || !hasDecorator(member, 'transient')) continue
      const initializer = (member as FieldDeclaration).initializer
      if (initializer) appendToBody(begin, assignment(member.name.text, initializer))
    }
  }
  declaration.members.push(...members)
}

/** `this.name = value`, the value being the user's own expression. */
function assignment(name: string, value: Expression): Statement[] {
  const statements = parseBody(`this.${name} = 0`, value.range)
  const holder = statements[0] as unknown as { expression: { right: Expression } }
  holder.expression.right = value
  return statements
}

function fieldCount(ref: ClassRef, scope: Scope): number {
  return scope.chainOf(ref).reduce((sum, owner) => sum + stateFields(owner.declaration).length, 0)
}

/** Types whose values are indexed unless `@event` names fields; others are found by key only. */
const INDEXED: ReadonlySet<string> = new Set([
  'u8',
  'u16',
  'u32',
  'u64',
  'i8',
  'i16',
  'i32',
  'i64',
  'bool',
  'ActorId',
  'Address',
  'TokenAmount',
  'Cid',
])
const FLAGS_ALL = 3
const FLAGS_KEY = 1
const EVENT_KEY_MAX = 31
const EVENT_FIELDS_MAX = 254

export interface EventDescription {
  readonly ref: ClassRef
  readonly name: string
  readonly fields: readonly FieldDeclaration[]
  readonly indexed: ReadonlySet<string>
}

/** Describes an `@event` class and checks the limits of events. */
export function describeEvent(ref: ClassRef, scope: Scope, report: Report): EventDescription {
  const { declaration } = ref
  const fields = [...scope.chainOf(ref)].reverse().flatMap((owner) => stateFields(owner.declaration))
  for (const field of fields) {
    const key = field.name.text
    if (new TextEncoder().encode(key).length > EVENT_KEY_MAX) report.add(4001, field.name.range, key)
  }
  if (fields.length > EVENT_FIELDS_MAX) report.add(4002, declaration.name.range, declaration.name.text)
  const named = findDecorator(declaration, 'event')?.args?.map((argument) => stringOf(argument) ?? '')
  const indexed = fields
    .filter((field) => {
      if (named) return named.includes(field.name.text)
      const name = typeName(field.type)
      return INDEXED.has(name) || scope.find(ref.source, name)?.declaration instanceof EnumDeclaration
    })
    .map((field) => field.name.text)
  return { ref, name: kebab(declaration.name.text), fields, indexed: new Set(indexed) }
}

function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
}

/** Gives an event class the method that emits it. */
export function addEventCodec(event: EventDescription): void {
  const { declaration } = event.ref
  importGlue(event.ref)
  const keys = ['$type', ...event.fields.map((field) => field.name.text)].join('')
  const [emit] = parseMembers(
    `__emit(): void { ${SDK}.openEvent(${event.fields.length + 1}, ${dataOf(event.name)}, ${event.name.length}) }`,
    declaration.name.range,
  ) as MethodDeclaration[]
  if (!emit) return
  for (const field of event.fields) {
    const name = field.name.text
    const flags = event.indexed.has(name) ? FLAGS_ALL : FLAGS_KEY
    const size = new TextEncoder().encode(name).length
    appendToBody(emit, parseBody(`${SDK}.write(this.${name}); ${SDK}.closeEntry(${flags}, ${size})`, field.range))
  }
  const size = new TextEncoder().encode(keys).length
  appendToBody(emit, parseBody(`${SDK}.emitEvent(${dataOf(keys)}, ${size})`, declaration.name.range))
  declaration.members.push(emit)
}

/** An expression for the address of `text` in UTF-8, as static data. */
export function dataOf(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return bytes.length ? `memory.data<u8>([${bytes.join(',')}])` : '0'
}
