/** `troupe explain <code>`: what a code means, without a network. */
import { CATALOGUE, type CatalogueEntry, fillText } from '../../../compiler/catalogue.ts'
import type { Command, Input } from '../command.ts'
import { EXPLANATIONS } from '../explain-table.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'

export const explain: Command = {
  name: 'explain',
  usage: 'explain [code]',
  about: 'Says what a code means and what to do about it. Without a code, lists them all.',
  example: 'troupe explain TRP-2031',
  flags: {},
  run,
}

interface Explained {
  readonly code: string
  readonly severity: string
  readonly text: string
  readonly fix: string | null
}

/** Names that are filled in when the compiler speaks. */
const PLACEHOLDERS = ['x', 'y', 'z']

async function run({ words }: Input): Promise<Answer> {
  const [word] = words
  if (word === undefined) {
    const codes = allCodes()
    return { data: { codes }, text: table(codes.map(({ code, severity, text }) => [code, severity, text])) }
  }
  const found = find(word)
  return {
    data: found,
    text: [`${found.code} (${found.severity})`, found.text, ...(found.fix === null ? [] : [`fix: ${found.fix}`])].join(
      '\n',
    ),
  }
}

function find(word: string): Explained {
  const digits = /^(?:trp-?)?(\d{4})$/i.exec(word)?.[1]
  const found = digits === undefined ? undefined : allCodes().find(({ code }) => code === `TRP-${digits}`)
  if (found !== undefined) return found
  if (/^(AS|TS)\d+$/i.test(word)) {
    throw new CliError(
      'TRP-7007',
      Exit.Usage,
      `${word.toUpperCase()} is a message of AssemblyScript, which says it all`,
      {
        fix: word.toUpperCase().startsWith('TS')
          ? 'its number is TypeScript’s: search for it there'
          : 'see https://www.assemblyscript.org',
      },
    )
  }
  throw new CliError('TRP-7007', Exit.Usage, `there is no code ${JSON.stringify(word)}`, {
    fix: '`troupe explain` lists them all',
  })
}

export function allCodes(): Explained[] {
  const compiler = Object.entries<CatalogueEntry>(CATALOGUE).map(([number, { severity, text, fix }]) => ({
    code: `TRP-${number}`,
    severity,
    text: fillText(text, PLACEHOLDERS),
    fix: fix === undefined || /^\{\d\}$/.test(fix) ? null : fillText(fix, PLACEHOLDERS),
  }))
  const others = Object.entries(EXPLANATIONS).map(([number, { text, fix }]) => ({
    code: `TRP-${number}`,
    severity: 'error',
    text,
    fix,
  }))
  return [...compiler, ...others].sort((a, b) => (a.code < b.code ? -1 : 1))
}
