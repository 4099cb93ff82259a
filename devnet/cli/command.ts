/** What a command is: its words, its flags, an example, and what it does. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Answer, CliError, Exit } from './output.ts'

export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly about: string
  /** What stands for the value in help. */
  readonly value?: string
  readonly multiple?: boolean
}

export interface Command {
  readonly name: string
  /** As in `troupe call Actor.method args…`. */
  readonly usage: string
  readonly about: string
  readonly example: string
  readonly flags: Readonly<Record<string, Flag>>
  /** Flags that are not listed are words: they belong to the program that the command starts. */
  readonly takesRest?: boolean
  /** Runs in a thread with 256 MB of stack, as the engine needs. */
  readonly needsStack?: boolean
  run(input: Input): Promise<Answer>
}

export interface Input {
  readonly words: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly cwd: string
  readonly isJson: boolean
}

/** Flags that every command takes. */
export const GLOBAL_FLAGS: Readonly<Record<string, Flag>> = {
  config: { type: 'string', short: 'c', value: 'file', about: 'config file (troupe.config.ts)' },
  network: { type: 'string', short: 'n', value: 'name|url', about: 'network to talk to (local)' },
  from: { type: 'string', short: 'f', value: 'who', about: 'account that sends (alice)' },
  json: { type: 'boolean', about: 'one JSON document on stdout' },
  quiet: { type: 'boolean', short: 'q', about: 'results only' },
  color: { type: 'string', value: 'auto|always|never', about: 'colours' },
  yes: { type: 'boolean', short: 'y', about: 'answer yes to every question' },
  seed: { type: 'string', value: 'n', about: 'seed of everything random' },
  help: { type: 'boolean', short: 'h', about: 'this help' },
}

export function parseInput(command: Command, argv: readonly string[], cwd: string): Input {
  const flags = { ...GLOBAL_FLAGS, ...command.flags }
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, { type, short, multiple }] of Object.entries(flags)) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple === true ? { multiple } : {}) }
  }
  if (command.takesRest === true) return parseOwn(argv, options, cwd)
  try {
    const { values, positionals } = parseArgs({
      args: protectNegatives(argv),
      options,
      allowPositionals: true,
      strict: true,
    })
    const words = positionals.map((word) => (word.startsWith(SHIELD) ? word.slice(SHIELD.length) : word))
    return { words, flags: values as Input['flags'], cwd, isJson: values['json'] === true }
  } catch (error) {
    const unknown = /Unknown option '--?([^']+)'/.exec((error as Error).message)?.[1]
    const near = unknown === undefined ? undefined : nearest(unknown, Object.keys(flags))
    throw new CliError('TRP-7001', Exit.Usage, (error as Error).message.split('. ')[0]!, {
      fix: near === undefined ? `troupe ${command.name} --help lists the flags` : `did you mean --${near}?`,
    })
  }
}

/** Takes the flags of ours and leaves every other argument where it stands. */
function parseOwn(argv: readonly string[], options: NonNullable<ParseArgsConfig['options']>, cwd: string): Input {
  const { tokens } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: false, tokens: true })
  const taken = new Set<number>()
  const flags: Record<string, string | boolean> = {}
  for (const token of tokens) {
    if (token.kind === 'option-terminator') {
      taken.add(token.index)
      break
    }
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined || token.rawName.startsWith('--') !== argv[token.index]!.startsWith('--')) continue
    taken.add(token.index)
    if (option.type === 'string' && token.inlineValue === false) taken.add(token.index + 1)
    flags[token.name] = option.type === 'string' ? (token.value ?? '') : true
  }
  const words = argv.filter((_, index) => !taken.has(index))
  return { words, flags, cwd, isJson: flags['json'] === true }
}

/** Hides a leading dash from the parser. */
const SHIELD = '\u2060'

/** A word like −5 is an argument, not a flag. */
function protectNegatives(argv: readonly string[]): string[] {
  return argv.map((word) => (/^-\d/.test(word) ? SHIELD + word : word))
}

/** The name that takes the fewest edits to reach, when it takes few. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

export function helpOf(command: Command): string {
  const lines = [`troupe ${command.usage}`, '', command.about, '', 'Flags']
  for (const [name, { short, value, about, type }] of Object.entries({ ...command.flags, ...GLOBAL_FLAGS })) {
    const left = `  ${short === undefined ? '   ' : `-${short},`} --${name}${type === 'string' ? ` <${value ?? 'text'}>` : ''}`
    lines.push(`${left.padEnd(32)} ${about}`)
  }
  lines.push('', 'Example', ...command.example.split('\n').map((line) => `  $ ${line}`))
  return lines.join('\n')
}

export function textFlag(input: Input, name: string): string | undefined {
  const value = input.flags[name]
  return typeof value === 'string' ? value : undefined
}

export function numberFlag(input: Input, name: string): number | undefined {
  const text = textFlag(input, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new CliError('TRP-7002', Exit.Usage, `--${name} takes a whole number, not ${JSON.stringify(text)}`)
  }
  return value
}

/** How often a flag was given: `-vvv` is 3. */
export function countFlag(input: Input, name: string): number {
  const value = input.flags[name]
  return Array.isArray(value) ? value.length : value === true ? 1 : 0
}

export function needWord(input: Input, index: number, what: string, command: Command): string {
  const word = input.words[index]
  if (word === undefined) {
    throw new CliError('TRP-7003', Exit.Usage, `${what} is missing`, { fix: `troupe ${command.usage}` })
  }
  return word
}
