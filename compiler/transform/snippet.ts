/**
 * Generated code: parsed from text, then every node is given the range of the user's node that caused it. So a type
 * error inside generated code points at the user's field or method, and no generated path is ever shown.
 */
import {
  ClassDeclaration,
  type DeclarationStatement,
  type Expression,
  ExpressionStatement,
  FunctionDeclaration,
  ImportStatement,
  Node,
  Parser,
  Range,
  Source,
  type Statement,
} from 'assemblyscript'

/** A child of a node, and how to put another in its place. */
export type Visit = (node: Node, replace: (other: Node) => void) => boolean | undefined

/** Visits the nodes below `root` in order of the text. A visitor that answers true does not want the node's children. */
export function walk(root: Node, visit: Visit): void {
  const holder = root as unknown as Record<string, unknown>
  for (const key of Object.keys(holder)) walkValue(holder, key, visit)
}

function walkValue(holder: Record<string, unknown>, key: string, visit: Visit): void {
  const value = holder[key]
  if (value === null || typeof value !== 'object') return
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) walkValue(value as unknown as Record<string, unknown>, String(i), visit)
    return
  }
  if (!(value instanceof Node) || value instanceof Source) return
  const stop = visit(value, (other) => {
    holder[key] = other
  })
  if (!stop && holder[key] === value) walk(value, visit)
}

/** Gives `root` and everything below the place of `range`. */
export function relocate<T extends Node>(root: T, range: Range): T {
  root.range = range
  walk(root, (node) => {
    node.range = range
    return false
  })
  return root
}

/** Parses top-level statements. */
export function parseStatements(text: string, range: Range): Statement[] {
  const parser = new Parser([], [])
  parser.parseFile(text, '~generated.ts', false)
  const source = parser.sources[0]
  const problem = parser.diagnostics[0]
  if (!source || problem) throw new Error(`generated code does not parse: ${problem?.message}\n${text}`)
  return source.statements.map((statement) => relocate(statement, range))
}

/** Parses members of a class. */
export function parseMembers(text: string, range: Range): DeclarationStatement[] {
  const [holder] = parseStatements(`class Holder {\n${text}\n}`, range)
  if (!(holder instanceof ClassDeclaration)) throw new Error('generated members are not a class')
  return holder.members
}

/** Parses the statements of a function's body. */
export function parseBody(text: string, range: Range): Statement[] {
  const [holder] = parseStatements(`function holder(): void {\n${text}\n}`, range)
  if (!(holder instanceof FunctionDeclaration) || !holder.body) throw new Error('generated body is not a function')
  const body = holder.body as unknown as { statements: Statement[] }
  return body.statements
}

/** Parses one expression. */
export function parseExpression(text: string, range: Range): Expression {
  const [statement] = parseStatements(`(${text});`, range)
  if (!(statement instanceof ExpressionStatement)) throw new Error('generated code is not an expression')
  const expression = statement.expression as unknown as { expression?: Expression }
  return expression.expression ?? statement.expression
}

/** An import whose file is named by its internal path, wherever the statement stands. */
export function parseImport(clause: string, internalPath: string, range: Range): Statement {
  const [statement] = parseStatements(`import ${clause} from './x'`, range)
  if (!(statement instanceof ImportStatement)) throw new Error('generated code is not an import')
  statement.internalPath = internalPath
  return statement
}

/** An empty range at the start of a source. */
export function startOf(source: Source): Range {
  const range = new Range(0, 0)
  range.source = source
  return range
}
