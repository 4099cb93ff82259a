/**
 * What `m` writes into the file of an actor whose state layout changed: a class for the old tuple, and an `@upgrade`
 * that carries over every field it can. Pure: source and interfaces in, source out. The result compiles; a field that
 * it cannot convert makes the migration fail until its author says how, and the old code answers until then.
 */
import type { Abi } from '../../compiler/abi/schema.ts'
import {
  type AbiType,
  AMT_BIT_WIDTH,
  formatType,
  HAMT_BIT_WIDTH,
  namesIn,
  parseField,
} from '../../compiler/abi/types.ts'

const SDK = 'troupe/actor'
const CLASSES: Readonly<Record<string, string>> = {
  actorid: 'ActorId',
  bytes: 'Bytes',
  bytes32: 'Bytes32',
  address: 'Address',
  amount: 'TokenAmount',
  u256: 'U256',
  cid: 'Cid',
}
const INTEGER = /^(?:[ui](?:8|16|32|64)|actorid)$/

/** The source with the old state's class and a migration; undefined when the actor's class is not found in it. */
export function insertUpgrade(source: string, before: Abi, after: Abi): string | undefined {
  const end = findClassEnd(source, after.actor)
  if (end === undefined) return undefined
  const writer = new StubWriter(source, before, after)
  const method = writer.migration()
  const text = `${source.slice(0, end).trimEnd()}\n\n${method}${source.slice(end)}`
  return addImports(`${text.trimEnd()}\n\n${writer.classes.join('\n\n')}\n`, writer.imports)
}

class StubWriter {
  readonly classes: string[] = []
  readonly imports = new Set(['upgrade'])
  readonly #source: string
  readonly #before: Abi
  readonly #after: Abi
  /** Old classes that had to be written down again, by their name in the ABI. */
  readonly #renamed = new Map<string, string>()

  constructor(source: string, before: Abi, after: Abi) {
    this.#source = source
    this.#before = before
    this.#after = after
  }

  migration(): string {
    const { actor } = this.#after
    const old = this.#freeName(actor)
    const slot = this.classes.push('') - 1
    const oldFields = this.#before.state.map(parseField)
    this.classes[slot] = classOf(
      old,
      oldFields.map(({ name, type }) => `public ${name}: ${this.#writtenType(name, type) ?? this.#typeName(type)},`),
      'The state as it was; its fields are read in this order.',
    )
    const lines = this.#after.state.map(parseField).map(({ name, type }) => {
      const was = oldFields.find((field) => field.name === name)
      return was === undefined
        ? `// ${name} is new and begins as the constructor makes it`
        : this.#copy(name, was.type, type)
    })
    for (const { name } of oldFields) {
      if (!this.#after.state.some((field) => parseField(field).name === name)) lines.push(`// old.${name} is dropped`)
    }
    return [
      `  /** Makes the state of before into the state of now. */`,
      '  @upgrade',
      `  static migrate(old: ${old}): ${actor} {`,
      `    const next = new ${actor}(${this.#constructorArguments().join(', ')})`,
      ...lines.map((line) => `    ${line}`),
      '    return next',
      '  }',
      '',
    ].join('\n')
  }

  #copy(name: string, was: AbiType, is: AbiType): string {
    if (formatType(was) === formatType(is) && !this.#mentionsRenamed(was)) return `next.${name} = old.${name}`
    if (was.kind === 'primitive' && is.kind === 'primitive' && INTEGER.test(was.name) && INTEGER.test(is.name)) {
      const [from, to] = [this.#typeName(was), this.#typeName(is)]
      this.imports.add('require')
      return [
        `require(<${from}><${to}>old.${name} == old.${name}, '${name} does not fit into ${to}')`,
        `next.${name} = <${to}>old.${name}`,
      ].join('\n    ')
    }
    this.imports.add('require')
    return `require(false, 'say what becomes of ${name}: it was ${formatType(was)}, it is ${formatType(is)}')`
  }

  /** The type as the source has it, when it means what it meant: an ABI does not tell `Array` from `StaticArray`. */
  #writtenType(name: string, was: AbiType): string | undefined {
    const now = this.#after.state.map(parseField).find((field) => field.name === name)
    if (now === undefined || formatType(now.type) !== formatType(was) || !this.#isUnchanged(was, new Set()))
      return undefined
    const end = findClassEnd(this.#source, this.#after.actor) ?? 0
    const start = blankOut(this.#source).search(new RegExp(`\\bclass\\s+${this.#after.actor}\\b`))
    return new RegExp(`\\b${name}\\s*:\\s*([^=;\\n]+)`).exec(this.#source.slice(start, end))?.[1]?.trim()
  }

  #isUnchanged(type: AbiType, seen: Set<string>): boolean {
    return namesIn(type).every((name) => {
      if (seen.has(name)) return true
      seen.add(name)
      const [was, is] = [this.#before.types[name], this.#after.types[name]]
      if (was === undefined || is === undefined)
        return JSON.stringify(this.#before.enums[name]) === JSON.stringify(this.#after.enums[name])
      return was.join() === is.join() && was.every((field) => this.#isUnchanged(parseField(field).type, seen))
    })
  }

  #mentionsRenamed(type: AbiType): boolean {
    return [...this.#renamed.keys()].some((name) => new RegExp(`(^|\\W)${name}(\\W|$)`).test(formatType(type)))
  }

  /** As the author of the actor would write it. */
  #typeName(type: AbiType): string {
    switch (type.kind) {
      case 'primitive':
        return this.#import(CLASSES[type.name]) ?? type.name
      case 'nullable':
        return `${this.#typeName(type.of)} | null`
      case 'list':
        return `Array<${this.#typeName(type.of)}>`
      case 'lazy':
        return `${this.#import('Lazy')}<${this.#typeName(type.of)}>`
      case 'amt':
        return `${this.#import('Amt')}<${this.#typeName(type.of)}>`
      case 'hamt':
        return `${this.#import('Hamt')}<${this.#typeName(type.key)}, ${this.#typeName(type.value)}>`
      case 'name':
        return this.#named(type.name)
    }
  }

  #import<T extends string | undefined>(name: T): T {
    if (name !== undefined) this.imports.add(name)
    return name
  }

  /** The class as it is now when its layout is still the old one; otherwise the old one, written down again. */
  #named(name: string): string {
    if (this.#before.enums[name] !== undefined) return this.#after.enums[name] === undefined ? 'i32' : name
    const written = this.#renamed.get(name)
    if (written !== undefined) return written
    const fields = this.#before.types[name] ?? []
    const now = this.#after.types[name]
    const isHere = new RegExp(`\\bclass\\s+${name}\\b`).test(this.#source)
    if (isHere && now !== undefined && now.join() === fields.join()) return name
    const old = this.#freeName(name)
    this.#renamed.set(name, old)
    const slot = this.classes.push('') - 1
    this.classes[slot] = classOf(
      old,
      fields.map(parseField).map((field) => `public ${field.name}: ${this.#typeName(field.type)},`),
      `${name} as it was.`,
    )
    return old
  }

  #freeName(name: string): string {
    for (let version = 1; ; version++) {
      if (!new RegExp(`\\b${name}V${version}\\b`).test(this.#source)) return `${name}V${version}`
    }
  }

  #constructorArguments(): string[] {
    const params = this.#after.methods.find(({ kind }) => kind === 'constructor')?.params ?? []
    return params.map(parseField).map(({ type }) => this.#zero(type))
  }

  #zero(type: AbiType): string {
    switch (type.kind) {
      case 'nullable':
        return 'null'
      case 'list':
        return '[]'
      case 'name': {
        const members = this.#after.enums[type.name]
        if (members !== undefined) return `${type.name}.${Object.keys(members)[0]}`
        const fields = (this.#after.types[type.name] ?? []).map(parseField)
        return `new ${type.name}(${fields.map((field) => this.#zero(field.type)).join(', ')})`
      }
      case 'primitive':
        break
      default:
        return `new ${this.#typeName(type)}(${bitWidthOf(type)})`
    }
    if (type.name === 'bool') return 'false'
    if (type.name === 'string') return "''"
    if (INTEGER.test(type.name)) return '0'
    const name = this.#import(CLASSES[type.name]!)
    if (type.name === 'bytes') return `${name}.empty`
    if (type.name === 'amount') return `${name}.zero`
    if (type.name === 'address') return `${name}.fromId(0)`
    return type.name === 'u256' ? `${name}.from(0)` : `new ${name}()`
  }
}

function bitWidthOf(type: AbiType): string {
  if (type.kind === 'hamt' && type.bitWidth !== HAMT_BIT_WIDTH) return String(type.bitWidth)
  return type.kind === 'amt' && type.bitWidth !== AMT_BIT_WIDTH ? String(type.bitWidth) : ''
}

function classOf(name: string, params: readonly string[], doc: string): string {
  return [
    `/** ${doc} */`,
    `class ${name} {`,
    '  constructor(',
    ...params.map((param) => `    ${param}`),
    '  ) {}',
    '}',
  ].join('\n')
}

/** Where the closing brace of a class stands. */
function findClassEnd(source: string, name: string): number | undefined {
  const code = blankOut(source)
  const head = new RegExp(`\\bclass\\s+${name}\\b[^{]*\\{`).exec(code)
  if (head === null) return undefined
  let depth = 1
  for (let at = head.index + head[0].length; at < code.length; at++) {
    if (code[at] === '{') depth++
    else if (code[at] === '}' && --depth === 0) return at
  }
  return undefined
}

/** The source with comments and strings as spaces, every other character where it was. */
function blankOut(source: string): string {
  const skipped = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g
  return source.replace(skipped, (text) => text.replace(/[^\n]/g, ' '))
}

/** Names that the source does not import from the SDK yet. */
function addImports(source: string, names: ReadonlySet<string>): string {
  const found = new RegExp(`import\\s*\\{([^}]*)\\}\\s*from\\s*(['"])${SDK}\\2`).exec(source)
  const has = new Set(found?.[1]?.split(',').map((part) => part.trim().split(/\s/)[0]!))
  const missing = [...names].filter((name) => !has.has(name))
  if (missing.length === 0) return source
  if (found === null) return `import { ${missing.join(', ')} } from '${SDK}'\n${source}`
  const list = found[1]!.trimEnd().replace(/,$/, '')
  const tail = /\s*$/.exec(found[1]!)![0]
  const clause = found[0].replace(found[1]!, `${list}, ${missing.join(', ')}${tail}`)
  return source.slice(0, found.index) + clause + source.slice(found.index + found[0].length)
}
