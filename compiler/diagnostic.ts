/**
 * What the compiler has to say: a code, one message, a place in the developer's own file and, where there is one, the fix.
 */
import { styleText } from 'node:util'

export type Severity = 'error' | 'warning' | 'note'

export interface Diagnostic {
  readonly severity: Severity
  /** `TRP-1001` is ours, `AS100` AssemblyScript's, `TS2304` a number it borrows from TypeScript. */
  readonly code: string
  readonly message: string
  /** Relative to the project; empty when the message is about no file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** UTF-16 units from the start to the end of the span. */
  readonly length: number
  readonly endLine: number
  readonly endColumn: number
  readonly fix?: string
}

export interface FormatOptions {
  readonly color?: boolean
}

type Style = Parameters<typeof styleText>[0]

/** The diagnostic for a terminal: message, place, the source line with the span underlined, the fix. */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  sourceText: string | undefined,
  options: FormatOptions = {},
): string {
  const paint = (style: Style, text: string) =>
    options.color ? styleText(style, text, { validateStream: false }) : text
  const color: Style = diagnostic.severity === 'error' ? 'red' : diagnostic.severity === 'warning' ? 'yellow' : 'blue'
  const lines = [`${paint(color, `${diagnostic.severity} ${diagnostic.code}`)}: ${diagnostic.message}`]
  if (diagnostic.file) {
    lines.push(`  ${paint('cyan', `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`)}`)
    const source = sourceText?.split('\n')[diagnostic.line - 1]?.replace(/\r$/, '')
    if (source !== undefined) lines.push(...underline(diagnostic, source).map((line) => `  ${line}`))
  }
  if (diagnostic.fix) lines.push(`  ${paint('green', 'fix:')} ${diagnostic.fix}`)
  return lines.join('\n')
}

function underline(diagnostic: Diagnostic, source: string): string[] {
  const gutter = String(diagnostic.line)
  const start = diagnostic.column - 1
  const end = diagnostic.endLine === diagnostic.line ? diagnostic.endColumn - 1 : source.length
  const lead = source.slice(0, start).replace(/[^\t]/g, ' ')
  return [`${gutter} | ${source}`, `${' '.repeat(gutter.length)} | ${lead}${'^'.repeat(Math.max(1, end - start))}`]
}

/** Turns offsets of one text into lines and columns. */
export class LineMap {
  private readonly starts: readonly number[]

  constructor(text: string) {
    const starts = [0]
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
    this.starts = starts
  }

  /** Line and column of `offset`, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number } {
    let low = 0
    let high = this.starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.starts[low] ?? 0) + 1 }
  }
}

/** Errors first by place; equal ones once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>()
  const unique = diagnostics.filter((d) => {
    const key = `${d.code} ${d.file} ${d.line} ${d.column} ${d.message}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
  return unique.sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
}
