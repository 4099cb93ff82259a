/** Runs one command to its exit status; whatever it throws becomes an error for people or machines. */
import { type Command, parseInput } from './command.ts'
import { CliError, Exit, printAnswer, printError, setColour } from './output.ts'

export async function execute(command: Command, argv: readonly string[], cwd = process.cwd()): Promise<number> {
  const started = performance.now()
  const isJson = argv.includes('--json')
  try {
    const input = parseInput(command, argv, cwd)
    setColour(typeof input.flags['color'] === 'string' ? input.flags['color'] : undefined)
    const answer = await command.run(input)
    printAnswer(command.name, started, answer, isJson)
    return answer.exit ?? Exit.Done
  } catch (error) {
    printError(command.name, toCliError(error), isJson)
    return error instanceof CliError ? error.exit : toCliError(error).exit
  }
}

/** Coded errors of the lower folders keep their code; anything else is a bug of ours, shown with its stack. */
function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('TRP-')) {
    return new CliError(error.code, Exit.Project, error.message, { cause: error })
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new CliError('TRP-9999', Exit.Bug, 'troupe failed; this is a bug of ours', {
    details,
    fix: 'please report it with the lines above',
  })
}
