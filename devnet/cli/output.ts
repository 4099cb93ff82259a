/**
 * How a command speaks: results to stdout, talk to stderr; with `--json` one document on stdout and nothing else there.
 * Errors name the cause, the place and the next step.
 */
import { isatty } from 'node:tty'
import { styleText } from 'node:util'

/** Exit statuses of every command. */
export const Exit = {
  Done: 0,
  Untrue: 1,
  Usage: 2,
  Project: 3,
  Compile: 4,
  Network: 5,
  Refused: 6,
  Bug: 70,
  Interrupted: 130,
} as const
export type Exit = (typeof Exit)[keyof typeof Exit]

export interface ErrorPlace {
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

/** A failure that the user can do something about. Never shown with a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: string
  readonly exit: Exit
  readonly place: ErrorPlace
  readonly fix: string | undefined
  /** More lines for people, such as all diagnostics of a compile. */
  readonly details: string
  readonly data: unknown
  constructor(
    code: string,
    exit: Exit,
    message: string,
    extra: {
      readonly fix?: string
      readonly place?: ErrorPlace
      readonly details?: string
      readonly data?: unknown
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: extra.cause })
    this.code = code
    this.exit = exit
    this.place = extra.place ?? {}
    this.fix = extra.fix
    this.details = extra.details ?? ''
    this.data = extra.data
  }
}

/** What a command answers: `data` for machines, `text` for people, `exit` when a check failed. */
export interface Answer {
  readonly data: unknown
  readonly text: string
  readonly warnings?: readonly string[]
  readonly exit?: Exit
}

/** BigInt as decimal text, bytes as 0x… text. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, item) => {
      if (typeof item === 'bigint') return item.toString()
      if (item instanceof Uint8Array) return '0x' + Buffer.from(item).toString('hex')
      if (item !== null && typeof item === 'object' && item.type === 'Buffer' && Array.isArray(item.data)) {
        return '0x' + Buffer.from(item.data).toString('hex')
      }
      return item
    },
    indent,
  )
}

export function printAnswer(command: string, startedMs: number, answer: Answer, asJson: boolean): void {
  if (!asJson) {
    if (answer.text !== '') process.stdout.write(answer.text.endsWith('\n') ? answer.text : `${answer.text}\n`)
    for (const warning of answer.warnings ?? []) process.stderr.write(`${paint('yellow', 'warning')} ${warning}\n`)
    return
  }
  const durationMs = Math.round(performance.now() - startedMs)
  const failed = answer.exit !== undefined && answer.exit !== Exit.Done
  process.stdout.write(
    `${toJson({ ok: !failed, command, durationMs, data: answer.data, warnings: answer.warnings ?? [] })}\n`,
  )
}

export function printError(command: string, error: CliError, asJson: boolean): void {
  if (asJson) {
    const { file, line, column } = error.place
    const body = { code: error.code, message: error.message, file, line, column, fix: error.fix, data: error.data }
    process.stdout.write(`${toJson({ ok: false, command, error: body })}\n`)
    return
  }
  const { file, line, column } = error.place
  const where =
    file === undefined ? '' : ` ${paint('dim', [file, line, column].filter((part) => part !== undefined).join(':'))}`
  if (error.details !== '') process.stderr.write(error.details.endsWith('\n') ? error.details : `${error.details}\n`)
  process.stderr.write(`${paint('red', error.code)} ${error.message}${where}\n`)
  if (error.fix !== undefined) process.stderr.write(`  ${paint('dim', 'fix:')} ${error.fix}\n`)
}

let isColoured = isatty(2) && process.env['NO_COLOR'] === undefined

export function setColour(mode: string | undefined): void {
  if (mode === 'always') isColoured = true
  if (mode === 'never') isColoured = false
}

export function isColour(): boolean {
  return isColoured
}

export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return isColoured ? styleText(style, text) : text
}

export function talk(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
