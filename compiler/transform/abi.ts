/** Assembles the ABI from what the other steps found, and checks every type that travels or is stored. */
import { Enum, EnumDeclaration, type IntegerLiteralExpression, type Program } from 'assemblyscript'
import { compareState } from '../abi/compatibility.ts'
import type { Abi, AbiEvent, AbiMethod } from '../abi/schema.ts'
import { findStandards } from '../abi/standards.ts'
import { formatType } from '../abi/types.ts'
import { type ActorDescription, findMember, type MethodDescription } from './actor.ts'
import type { EventDescription } from './codec.ts'
import { docOf, findDecorator, hasDecorator, isErrors } from './decorators.ts'
import type { CodecSlot } from './dispatch.ts'
import { CODEC_DAG_CBOR } from './dispatch.ts'
import type { Report } from './report.ts'
import type { Scope } from './scope.ts'
import { parseExpression } from './snippet.ts'
import { enumMembers, TypeReader } from './types.ts'

export interface AbiInput {
  readonly program: Program
  readonly scope: Scope
  readonly report: Report
  readonly actor: ActorDescription
  readonly events: readonly EventDescription[]
  readonly slots: readonly CodecSlot[]
  readonly against: { readonly name: string; readonly abi: Abi } | undefined
}

/** The ABI without what only the finished module knows. */
export type AbiDraft = Omit<Abi, 'build'>

/** Reads all types; problems are in the report, and what they concern is missing from the answer. */
export function buildAbi(input: AbiInput): AbiDraft {
  const { program, scope, report, actor } = input
  const reader = new TypeReader(program, scope, report)
  const state = actor.fields.flatMap(({ owner, declaration }) => {
    if (!declaration.type) return []
    const name = declaration.name.text
    const field = reader.field(name, declaration.type, owner.source, `state.${name}`, declaration)
    if (field && declaration.type && field.slice(name.length + 2).startsWith('[')) {
      report.add(2020, declaration.type.range, name)
    }
    return field ? [field] : []
  })
  const methods = actor.methods.map((method) => methodAbi(method, reader, report))
  if (!actor.methods.some((method) => method.kind === 'constructor')) {
    methods.push({ name: 'Constructor', number: 1, kind: 'constructor', params: [], encoding: 'tuple' })
  }
  methods.sort((a, b) => Number(b.number === 1) - Number(a.number === 1))
  const events = input.events.flatMap((event) => eventAbi(event, input, reader))
  if (actor.upgrade) reader.read(actor.upgrade.from, actor.ref.source, 'upgrade')
  if (!report.hasErrors) for (const slot of input.slots) fillSlot(slot, reader)
  for (const method of actor.methods) checkGuardType(method, actor, reader, report)
  checkLayout(input, { state, types: sorted(reader.types), enums: sorted(reader.enums) })
  const doc = docOf(actor.ref.declaration)
  return {
    abi: 1,
    actor: actor.ref.declaration.name.text,
    ...(doc ? { doc } : {}),
    state,
    types: sorted(reader.types),
    enums: sorted(reader.enums),
    methods,
    ...(actor.fallback ? { fallback: true as const } : {}),
    events,
    errors: errorNames(input),
    evm: [],
    standards: findStandards(methods, reader.types),
  }
}

function methodAbi(method: MethodDescription, reader: TypeReader, report: Report): AbiMethod {
  const { parameters, returnType } = method.declaration.signature
  const { source } = method.owner
  const params = parameters.flatMap((parameter) => {
    const name = parameter.name.text
    const field = reader.field(name, parameter.type, source, `${method.name}(${name})`)
    return field ? [field] : []
  })
  const returns = method.isVoid ? null : reader.read(returnType, source, `${method.name} return`)
  return {
    name: method.name,
    number: method.number,
    kind: method.kind,
    params,
    encoding: method.encoding,
    ...(returns ? { returns: formatType(returns) } : {}),
    ...(method.isPayable ? { payable: true as const } : {}),
    ...(method.only !== null ? { only: method.only } : {}),
    ...(method.doc ? { doc: method.doc } : {}),
    at: report.at(method.declaration.name.range),
  }
}

/** Events of the actor's own files and of its components; another actor's belong to that actor. */
function eventAbi(event: EventDescription, input: AbiInput, reader: TypeReader): AbiEvent[] {
  const { source } = event.ref
  const isOwn = !source.statements.some(
    (statement) =>
      'decorators' in statement &&
      hasDecorator(statement as Parameters<typeof hasDecorator>[0], 'actor') &&
      (statement as unknown) !== input.actor.ref.declaration,
  )
  const fields = event.fields.flatMap((field) => {
    if (!field.type) return []
    const text = reader.field(field.name.text, field.type, source, `${event.name}.${field.name.text}`)
    return text ? [text] : []
  })
  return isOwn ? [{ name: event.name, fields, indexed: [...event.indexed], form: 'cbor' }] : []
}

function fillSlot(slot: CodecSlot, reader: TypeReader): void {
  const hasLink = slot.types.some((node) => {
    const type = reader.read(node, node.range.source, 'return')
    return type !== null && reader.hasLink(type)
  })
  if (!hasLink) return
  slot.literal.value = (parseExpression(String(CODEC_DAG_CBOR), slot.literal.range) as IntegerLiteralExpression).value
}

const GUARD_TYPES: ReadonlySet<string> = new Set(['actorid', 'u64', 'address', '[actorid]', '[u64]'])

function checkGuardType(method: MethodDescription, actor: ActorDescription, reader: TypeReader, report: Report): void {
  if (method.only === null || method.guardIsMethod) return
  const member = findMember(actor.chain, method.only)
  const range = findDecorator(method.declaration, 'only')?.args?.[0]?.range
  const node = member && 'type' in member ? (member.type as Parameters<TypeReader['read']>[0] | null) : null
  if (!node || !range) return
  const type = reader.read(node, node.range.source, method.only)
  if (type && !GUARD_TYPES.has(formatType(type))) {
    report.add(3011, range, method.only, 'wrong type, it must be an `ActorId`, an `Address` or an array of `ActorId`')
  }
}

/** The first field that an older state would be misread for; an `@upgrade` makes that right. */
function checkLayout(input: AbiInput, layout: Pick<Abi, 'state' | 'types' | 'enums'>): void {
  const { against, actor, report } = input
  if (!against || actor.upgrade || report.hasErrors) return
  const [difference] = compareState(against.abi, layout)
  if (!difference) return
  const field = actor.fields[difference.index]?.declaration ?? actor.ref.declaration
  report.add(6020, field.name.range, against.name)
}

function errorNames(input: AbiInput): Record<string, string> {
  const errors: [number, string][] = []
  for (const source of input.scope.authored) {
    for (const statement of source.statements) {
      if (!(statement instanceof EnumDeclaration) || !isErrors(statement)) continue
      const element = input.program.filesByName.get(source.internalPath)?.getMember(statement.name.text)
      if (!(element instanceof Enum)) continue
      for (const [name, code] of Object.entries(enumMembers(element))) errors.push([code, name])
    }
  }
  return Object.fromEntries(errors.sort((a, b) => a[0] - b[0]).map(([code, name]) => [String(code), name]))
}

function sorted<T>(entries: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
