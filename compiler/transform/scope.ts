/** Finds declarations by name across sources, before asc has linked them. */
import {
  ClassDeclaration,
  type DeclarationStatement,
  EnumDeclaration,
  ExportStatement,
  ImportStatement,
  type Node,
  type Parser,
  type Source,
  TypeDeclaration,
} from 'assemblyscript'
import { SOURCE_USER, SOURCE_USER_ENTRY } from './asc.ts'

export const SDK_PATH = '~lib/troupe/actor'
/** Sources of the SDK that are written like a user's: their classes take part in generation. */
export const COMPONENTS: ReadonlySet<string> = new Set([`${SDK_PATH}/frc46`])

export interface Found<T extends DeclarationStatement> {
  readonly source: Source
  readonly declaration: T
}

export type ClassRef = Found<ClassDeclaration>

export class Scope {
  private readonly byPath = new Map<string, Source>()
  readonly sources: readonly Source[]

  constructor(parser: Parser) {
    this.sources = parser.sources
    for (const source of parser.sources) this.byPath.set(source.internalPath, source)
  }

  /** Sources whose author is the user. */
  get userSources(): Source[] {
    return this.sources.filter((source) => isUserSource(source) && source.normalizedPath !== this.entryPath)
  }

  /** Sources whose classes take part in generation: the user's and the SDK's components. */
  get authored(): Source[] {
    return this.sources.filter(
      (source) =>
        (isUserSource(source) && source.normalizedPath !== this.entryPath) || COMPONENTS.has(source.internalPath),
    )
  }

  /** The virtual entry, which is nobody's. */
  entryPath = ''

  source(internalPath: string): Source | undefined {
    return this.byPath.get(internalPath) ?? this.byPath.get(`${internalPath}/index`)
  }

  /** The class that `name` means in `source`. */
  findClass(source: Source, name: string): ClassRef | undefined {
    const found = this.find(source, name)
    return found?.declaration instanceof ClassDeclaration
      ? { source: found.source, declaration: found.declaration }
      : undefined
  }

  /** The class, enum or type alias that `name` means in `source`. */
  find(source: Source, name: string, depth = 0): Found<DeclarationStatement> | undefined {
    if (depth > 16) return undefined
    for (const statement of source.statements) {
      if (isNamed(statement, name)) return { source, declaration: statement }
      if (statement instanceof ImportStatement) {
        const member = statement.declarations?.find((d) => d.name.text === name)
        const from = member && this.source(statement.internalPath)
        if (from) return this.findExport(from, member.foreignName.text, depth + 1)
      }
    }
    return undefined
  }

  private findExport(source: Source, name: string, depth: number): Found<DeclarationStatement> | undefined {
    for (const statement of source.statements) {
      if (!(statement instanceof ExportStatement)) continue
      const from = statement.internalPath === null ? source : this.source(statement.internalPath)
      if (!from) continue
      if (!statement.members) {
        const found = depth < 16 && from !== source ? this.findExport(from, name, depth + 1) : undefined
        if (found) return found
        continue
      }
      const member = statement.members.find((m) => m.exportedName.text === name)
      if (member) {
        return from === source
          ? this.find(source, member.localName.text, depth + 1)
          : this.findExport(from, member.localName.text, depth + 1)
      }
    }
    return this.find(source, name, depth + 1)
  }

  /** The class, its base, the base's base: derived first. */
  chainOf(start: ClassRef): ClassRef[] {
    const chain = [start]
    for (let at: ClassRef | undefined = start; at; ) {
      const base: string | undefined = at.declaration.extendsType?.name.identifier.text
      at = base ? this.findClass(at.source, base) : undefined
      if (!at || chain.some((ref) => ref.declaration === at?.declaration)) break
      chain.push(at)
    }
    return chain
  }

  /** Whether `name` in `source` is imported from the SDK. */
  isFromSdk(source: Source, name: string): boolean {
    return source.statements.some(
      (statement) =>
        statement instanceof ImportStatement &&
        statement.internalPath.startsWith(SDK_PATH) &&
        statement.declarations?.some((d) => d.name.text === name),
    )
  }
}

export function isUserSource(source: Source): boolean {
  return source.sourceKind === (SOURCE_USER as number) || source.sourceKind === (SOURCE_USER_ENTRY as number)
}

function isNamed(statement: Node, name: string): statement is DeclarationStatement {
  return (
    (statement instanceof ClassDeclaration ||
      statement instanceof EnumDeclaration ||
      statement instanceof TypeDeclaration) &&
    statement.name.text === name
  )
}
