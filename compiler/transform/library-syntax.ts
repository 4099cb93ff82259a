/**
 * The syntax trees of AssemblyScript's library and of the SDK, parsed once and given to every program: a compilation
 * reads an actor, not the ten thousand lines below it. Compiling writes nothing into a tree but two marks, and both are
 * as they were when it ends: which file of the module a source is, and that a type is being resolved.
 *
 * Bodies of functions are parsed when they are first compiled: 34 of 1,229 for a counter, 126 for a token. Parsing all of them
 * takes a fifth of a first compilation.
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
  const { parser } = program
  parser.parseBlockStatement = (tokens) => postponeBlock(parser, tokens)
  try {
    asc.parse(program, text, path, false)
  } finally {
    // The method of the class is seen again.
    delete (parser as Partial<asc.Parser>).parseBlockStatement
  }
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

/** Goes past a block whose brace was read, and answers one that parses its statements when somebody wants them. */
function postponeBlock(parser: asc.Parser, tokens: asc.Tokenizer): asc.BlockStatement | null {
  const { source, tokenPos: from } = tokens
  const to = endOfBlock(source.text, from)
  if (to === undefined) return asc.Parser.prototype.parseBlockStatement.call(parser, tokens, false)
  tokens.pos = to
  tokens.token = asc.Token.CloseBrace
  tokens.tokenPos = to - 1
  const block = asc.Node.createBlockStatement([], tokens.range(from, to))
  const shape = { enumerable: true, configurable: true }
  const parse = (): asc.Statement[] => {
    const { statements } = parseBlock(source, from)
    Object.defineProperty(block, 'statements', { ...shape, value: statements, writable: true })
    return statements
  }
  return Object.defineProperty(block, 'statements', { ...shape, get: parse })
}

/** The block that begins at `from`, by a parser of its own: the one that went past it belongs to a program that has ended. */
function parseBlock(source: asc.Source, from: number): asc.BlockStatement {
  const parser = new asc.Parser()
  parser.currentSource = source
  const tokens = new asc.Tokenizer(source, parser.diagnostics)
  tokens.pos = from + 1
  tokens.token = asc.Token.OpenBrace
  tokens.tokenPos = from
  const block = parser.parseBlockStatement(tokens, false)
  if (block === null) throw new Error(`${source.normalizedPath} does not parse`)
  return block
}

/** Braces, what may hide one, and templates, which may hold more of them. No library has a brace in a regular expression. */
const MARKS = /[{}`]|\/\/.*|\/\*[\s\S]*?\*\/|(["'])(?:\\[\s\S]|(?!\1)[^\\])*\1/g

/** Behind the brace that closes the one at `from`; undefined where that takes a parser. */
function endOfBlock(text: string, from: number): number | undefined {
  MARKS.lastIndex = from
  for (let depth = 0; ; ) {
    const mark = MARKS.exec(text)?.[0]
    if (mark === undefined || mark === '`') return undefined
    if (mark === '{') depth++
    else if (mark === '}' && --depth === 0) return MARKS.lastIndex
  }
}
