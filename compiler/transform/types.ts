/**
 * From type nodes to the ABI's types, once names can be looked up. Walks the nodes rather than asc's resolved types,
 * because an alias such as `ActorId` means something that `u64` does not.
 */
import {
  ClassPrototype,
  type Element,
  Enum,
  type FieldDeclaration,
  NamedTypeNode,
  type Program,
  type Source,
  TypeDefinition,
  type TypeNode,
} from 'assemblyscript'
import { type AbiType, AMT_BIT_WIDTH, formatType, HAMT_BIT_WIDTH, type Primitive } from '../abi/types.ts'
import { bitWidthOf, stateFields } from './actor.ts'
import { integerOf } from './decorators.ts'
import type { Report } from './report.ts'
import { type ClassRef, type Scope, SDK_PATH } from './scope.ts'

const NUMBERS: ReadonlySet<string> = new Set(['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'bool'])

/** Classes and aliases of libraries that have a name of their own in the ABI. */
const LIBRARY_TYPES: Readonly<Record<string, Primitive>> = {
  '~lib/string/String': 'string',
  [`${SDK_PATH}/address/ActorId`]: 'actorid',
  [`${SDK_PATH}/address/Address`]: 'address',
  [`${SDK_PATH}/bytes/Bytes`]: 'bytes',
  [`${SDK_PATH}/bytes/Bytes32`]: 'bytes32',
  [`${SDK_PATH}/cid/Cid`]: 'cid',
  [`${SDK_PATH}/token/TokenAmount`]: 'amount',
  [`${SDK_PATH}/u256/U256`]: 'u256',
}
const LISTS: ReadonlySet<string> = new Set(['~lib/array/Array', '~lib/staticarray/StaticArray'])
const MAPS: ReadonlySet<string> = new Set(['~lib/map/Map', '~lib/set/Set'])
const HAMT = `${SDK_PATH}/hamt/Hamt`
const AMT = `${SDK_PATH}/amt/Amt`
const LAZY = `${SDK_PATH}/lazy/Lazy`
const KEY_PRIMITIVES: ReadonlySet<string> = new Set([
  'u8',
  'u16',
  'u32',
  'u64',
  'actorid',
  'string',
  'bytes',
  'bytes32',
  'address',
  'cid',
  'i8',
  'i16',
  'i32',
  'i64',
  'bool',
])

type Bindings = ReadonlyMap<string, AbiType>

/** A class on the way down, and whether a link or list that may be empty has been crossed since. */
interface Step {
  readonly element: ClassPrototype
  isOpen: boolean
}

export class TypeReader {
  readonly types = new Map<string, readonly string[]>()
  readonly enums = new Map<string, Readonly<Record<string, number>>>()
  private readonly program: Program
  private readonly scope: Scope
  private readonly report: Report
  private readonly names = new Map<string, string>()
  private readonly path: Step[] = []
  private readonly links = new Map<string, boolean>()

  constructor(program: Program, scope: Scope, report: Report) {
    this.program = program
    this.scope = scope
    this.report = report
  }

  /** The ABI type of a node in `source`, null after a report. `where` names the place for people. */
  read(node: TypeNode, source: Source, where: string, field?: FieldDeclaration): AbiType | null {
    const file = this.program.filesByName.get(source.internalPath)
    if (!file) return null
    const type = this.visit(node, file, new Map(), where)
    const width = field && bitWidthOf(field)
    if (width !== undefined && type && (type.kind === 'hamt' || type.kind === 'amt'))
      return { ...type, bitWidth: width }
    return type
  }

  /** `name: T` of a field, parameter or the like; null after a report. */
  field(name: string, node: TypeNode, source: Source, where: string, declaration?: FieldDeclaration): string | null {
    const type = this.read(node, source, where, declaration)
    return type && `${name}: ${formatType(type)}`
  }

  /** Whether a value of the type can hold a link, and so has to travel as DAG-CBOR. */
  hasLink(type: AbiType): boolean {
    switch (type.kind) {
      case 'primitive':
        return type.name === 'cid'
      case 'name':
        return this.links.get(type.name) ?? false
      case 'nullable':
      case 'list':
        return this.hasLink(type.of)
      default:
        return true
    }
  }

  private visit(node: TypeNode, context: Element, bindings: Bindings, where: string): AbiType | null {
    if (!(node instanceof NamedTypeNode)) {
      this.report.add(2033, node.range, node.range.toString(), where)
      return null
    }
    if (!node.isNullable) return this.visitNamed(node, context, bindings, where)
    this.open(true)
    const type = this.visitNamed(node, context, bindings, where)
    this.open(false)
    if (!type) return null
    if (isValueType(type)) {
      this.report.add(2037, node.range)
      return null
    }
    return { kind: 'nullable', of: type }
  }

  /** Marks the innermost class: a recursion from here on ends. */
  private open(isOpen: boolean): void {
    const step = this.path.at(-1)
    if (step) step.isOpen = isOpen
  }

  private visitNamed(node: NamedTypeNode, context: Element, bindings: Bindings, where: string): AbiType | null {
    const name = node.name.identifier.text
    const bound = bindings.get(name)
    if (bound) return bound
    if (NUMBERS.has(name)) return { kind: 'primitive', name: name as Primitive }
    if (name === 'f32' || name === 'f64' || name === 'number') return this.refuse(2031, node, name, where)
    if (name === 'usize' || name === 'isize') return this.refuse(2034, node, name)

    const element = context.lookup(name, true)
    if (!element) {
      this.program.resolver.resolveTypeName(node.name, null, context)
      return null
    }
    const known = LIBRARY_TYPES[element.internalName]
    if (known) return { kind: 'primitive', name: known }
    if (element instanceof TypeDefinition && element.declaration.range.source.text) {
      const target = element.typeNode
      if (target === node || !target) return this.refuse(2033, node, name, where)
      return this.visit(target, element.parent, bindings, where)
    }
    if (element instanceof Enum) return this.visitEnum(element)
    if (element instanceof ClassPrototype) return this.visitClass(element, node, context, bindings, where)
    return this.refuse(2033, node, node.range.toString(), where)
  }

  private refuse(code: 2031 | 2032 | 2033 | 2034, node: TypeNode, ...names: string[]): null {
    this.report.add(code, node.range, ...names)
    return null
  }

  private visitClass(
    element: ClassPrototype,
    node: NamedTypeNode,
    context: Element,
    bindings: Bindings,
    where: string,
  ): AbiType | null {
    const nodes = node.typeArguments ?? []
    const { internalName } = element
    const argument = (index: number, at: string): AbiType | null => {
      const child = nodes[index]
      return child ? this.visit(child, context, bindings, at) : null
    }
    if (MAPS.has(internalName)) return this.refuse(2032, node, element.name, where)
    if (LISTS.has(internalName)) {
      this.open(true)
      const of = argument(0, `${where}[]`)
      this.open(false)
      return of && { kind: 'list', of }
    }
    if (internalName === HAMT || internalName === AMT || internalName === LAZY) {
      this.open(true)
      const first = argument(0, internalName === HAMT ? `${where} key` : `${where} value`)
      const second = internalName === HAMT ? argument(1, `${where} value`) : null
      this.open(false)
      if (!first) return null
      if (internalName === LAZY) return { kind: 'lazy', of: first }
      if (internalName === AMT) return { kind: 'amt', of: first, bitWidth: AMT_BIT_WIDTH }
      if (!this.isKey(first)) {
        this.report.add(2036, nodes[0]?.range ?? node.range, nodes[0]?.range.toString() ?? '')
        return null
      }
      return second && { kind: 'hamt', key: first, value: second, bitWidth: HAMT_BIT_WIDTH }
    }
    const { source } = element.declaration.range
    if (!this.scope.authored.includes(source)) return this.refuse(2033, node, node.range.toString(), where)
    return this.visitTuple(element, node, context, bindings, where)
  }

  private visitTuple(
    element: ClassPrototype,
    node: NamedTypeNode,
    context: Element,
    bindings: Bindings,
    where: string,
  ): AbiType | null {
    const inner = new Map<string, AbiType>()
    const parameters = element.typeParameterNodes ?? []
    for (const [i, parameter] of parameters.entries()) {
      const argument = node.typeArguments?.[i]
      const type = argument && this.visit(argument, context, bindings, where)
      if (!type) return null
      inner.set(parameter.name.text, type)
    }
    const name = this.nameFor(element, [...inner.values()])
    const again = this.path.findIndex((step) => step.element === element)
    if (again >= 0) {
      if (this.path.slice(again).some((step) => step.isOpen)) return { kind: 'name', name }
      this.report.add(2035, node.range, element.name)
      return null
    }
    if (this.types.has(name)) return { kind: 'name', name }

    this.path.push({ element, isOpen: false })
    const fields: string[] = []
    let hasLink = false
    let isWhole = true
    for (const [ref, field] of this.tupleFields(element)) {
      const file = this.program.filesByName.get(ref.source.internalPath)
      const type = field.type && file ? this.visit(field.type, file, inner, `${where}.${field.name.text}`) : null
      if (!field.type) this.report.add(2001, field.name.range, field.name.text)
      if (!type) {
        isWhole = false
        continue
      }
      const width = bitWidthOf(field)
      const sized =
        width !== undefined && (type.kind === 'hamt' || type.kind === 'amt') ? { ...type, bitWidth: width } : type
      hasLink ||= this.hasLink(sized)
      fields.push(`${field.name.text}: ${formatType(sized)}`)
    }
    this.path.pop()
    if (!isWhole) return null
    this.types.set(name, fields)
    this.links.set(name, hasLink)
    return { kind: 'name', name }
  }

  /** Fields of a class and its bases, base first. */
  private tupleFields(element: ClassPrototype): [ClassRef, FieldDeclaration][] {
    const { source } = element.declaration.range
    const ref = this.scope.findClass(source, element.name)
    if (!ref) return []
    return [...this.scope.chainOf(ref)]
      .reverse()
      .flatMap((owner) => stateFields(owner.declaration).map((field): [ClassRef, FieldDeclaration] => [owner, field]))
  }

  /** A name that no other class has. Generic classes carry their arguments: `Pair_u64_string`. */
  private nameFor(element: ClassPrototype | Enum, args: readonly AbiType[]): string {
    const suffix = args.map((type) => `_${formatType(type).replace(/[^\w]+/g, '_')}`).join('')
    const key = element.internalName + suffix
    const existing = this.names.get(key)
    if (existing) return existing
    const wanted = element.name + suffix
    const taken = new Set(this.names.values())
    let name = wanted
    for (let i = 2; taken.has(name); i++) name = `${wanted}${i}`
    this.names.set(key, name)
    return name
  }

  private visitEnum(element: Enum): AbiType {
    const name = this.nameFor(element, [])
    this.enums.set(name, enumMembers(element))
    this.links.set(name, false)
    return { kind: 'name', name }
  }

  private isKey(type: AbiType): boolean {
    if (type.kind === 'primitive') return KEY_PRIMITIVES.has(type.name)
    if (type.kind !== 'name') return false
    return !this.hasLink(type)
  }
}

function isValueType(type: AbiType): boolean {
  return type.kind === 'primitive' && (NUMBERS.has(type.name) || type.name === 'actorid')
}

/** Members and their numbers, counted on from the last literal as TypeScript does. */
export function enumMembers(element: Enum): Record<string, number> {
  const members: Record<string, number> = {}
  let next = 0
  const declaration = element.declaration as unknown as {
    values: readonly { name: { text: string }; initializer: Parameters<typeof integerOf>[0] | null }[]
  }
  for (const value of declaration.values) {
    const given = value.initializer ? integerOf(value.initializer) : undefined
    members[value.name.text] = given ?? next
    next = (given ?? next) + 1
  }
  return members
}
