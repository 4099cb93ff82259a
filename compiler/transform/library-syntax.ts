/**
 * The syntax trees of AssemblyScript's library and of the SDK, parsed once and given to every program: a compilation
 * reads an actor, not the ten thousand lines below it. Compiling writes nothing into a tree but two marks, and both are
 * as they were when it ends: which file of the module a source is, and that a type is being resolved.
 */
import * as asc from 'assemblyscript'

/** By path; a file has a text for release and may have another for debug. */
const parsed = new Map<string, asc.Source[]>()

/** As `asc.parse` of a file of a library. */
export function parseLibrary(program: asc.Program, text: string, path: string): void {
  const known = parsed.get(path)?.find((source) => source.text === text)
  if (known !== undefined) {
    known.debugInfoIndex = -1
    return enter(program.parser, known)
  }
  const { sources } = program.parser
  const at = sources.length
  asc.parse(program, text, path, false)
  const source = sources[at]
  if (source !== undefined) parsed.set(path, [...(parsed.get(path) ?? []), source])
}

/** Every tree that programs have in common. */
export function sharedSources(): asc.Source[] {
  return [...parsed.values()].flat()
}

/** After the compiler broke off at an unknown place. */
export function forgetLibrary(): void {
  parsed.clear()
}

/** What a parser does around reading a file: it remembers it, and asks for what it imports. */
function enter(parser: asc.Parser, source: asc.Source): void {
  if (parser.donelog.has(source.internalPath)) return
  parser.donelog.add(source.internalPath)
  parser.seenlog.add(source.internalPath)
  parser.sources.push(source)
  for (const statement of source.statements) {
    const isLink = statement instanceof asc.ImportStatement || statement instanceof asc.ExportStatement
    const path = isLink ? statement.internalPath : null
    if (path !== null && !parser.seenlog.has(path)) parser.backlog.push(path)
  }
}
