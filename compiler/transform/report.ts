/** Collects what the checks find, as ranges in sources, and turns it into diagnostics. */
import type { DiagnosticMessage, Range, Source } from 'assemblyscript'
import { CATALOGUE, type CatalogueEntry, fillText, type TroupeCode } from '../catalogue.ts'
import { type Diagnostic, LineMap, type Severity } from '../diagnostic.ts'
import { hintFor } from './hints.ts'

/** asc's own numbers are below this; above they are TypeScript's. */
const FIRST_TYPESCRIPT_CODE = 1000
const SEVERITIES: readonly Severity[] = ['note', 'note', 'warning', 'error']

export class Report {
  readonly diagnostics: Diagnostic[] = []
  /** Methods of the clients that were made, by class. */
  readonly clients = new Map<string, readonly string[]>()
  /** Functions that can reach themselves; what a level of them takes is known once they are compiled. */
  readonly recursive: { readonly range: Range; readonly name: string; readonly internalName: string }[] = []
  private readonly maps = new Map<Source, LineMap>()

  get hasErrors(): boolean {
    return this.diagnostics.some((d) => d.severity === 'error')
  }

  /** Adds the catalogue's entry `code`, its names filled in. */
  add(code: TroupeCode, range: Range, ...names: readonly string[]): void {
    const entry: CatalogueEntry = CATALOGUE[code]
    const fix = entry.fix ? fillText(entry.fix, names) : ''
    this.diagnostics.push({
      severity: entry.severity,
      code: `TRP-${code}`,
      message: fillText(entry.text, names),
      ...this.place(range),
      ...(fix ? { fix } : {}),
    })
  }

  /** Adds what asc said, under our number where the catalogue knows it better. */
  addForeign(message: DiagnosticMessage): void {
    const range = message.range
    const severity = SEVERITIES[message.category] ?? 'error'
    if (severity !== 'error' && range?.source.isLibrary) return
    const hint = hintFor(message.code, message.message, {
      span: range?.toString() ?? '',
      before: range?.source.text.slice(0, range.start) ?? '',
    })
    if (hint?.code && range) {
      const [first = '', second = ''] = hint.names ?? []
      this.add(hint.code, range, first, second, `it has ${(this.clients.get(first) ?? []).join(', ')}`)
      return
    }
    this.diagnostics.push({
      severity,
      code: `${message.code < FIRST_TYPESCRIPT_CODE ? 'AS' : 'TS'}${message.code}`,
      message: message.message,
      ...(range ? this.place(range) : NOWHERE),
      ...(hint?.fix ? { fix: hint.fix } : {}),
    })
  }

  /** `file:line:column` of a range. */
  at(range: Range): string {
    const { file, line, column } = this.place(range)
    return `${file}:${line}:${column}`
  }

  private place(range: Range): Omit<Diagnostic, 'severity' | 'code' | 'message' | 'fix'> {
    const source = range.source
    let map = this.maps.get(source)
    if (!map) {
      map = new LineMap(source.text)
      this.maps.set(source, map)
    }
    const start = map.position(range.start)
    const end = map.position(range.end)
    return {
      file: source.normalizedPath,
      ...start,
      length: range.end - range.start,
      endLine: end.line,
      endColumn: end.column,
    }
  }
}

const NOWHERE = { file: '', line: 1, column: 1, length: 0, endLine: 1, endColumn: 1 } as const
