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

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the disk is read-only',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  // What Node says of folders that a read-only disk does not let it make.
  ENOENT: 'the folder cannot be made',
  EISDIR: 'it is a folder',
  EEXIST: 'a file is in its place',
  ENOTDIR: 'a file is where its folder should be',
}

/** What the system says of a file that cannot be written. */
function unwritablePath(error: unknown): string | undefined {
  const { code = '', path, syscall } = (error ?? {}) as NodeJS.ErrnoException
  const reason = REASONS[code]
  if (reason === undefined || path === undefined || (code === 'ENOENT' && syscall !== 'mkdir')) return undefined
  return `${path} cannot be written: ${reason}`
}

/** Coded errors of the lower folders keep their code; anything else is a bug of ours, shown with its stack. */
function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('TRP-')) {
    return new CliError(error.code, Exit.Project, error.message, { cause: error })
  }
  const unwritable = unwritablePath(error)
  if (unwritable !== undefined) {
    const fix = 'let this user write there, or work on a copy of the project; troupe check and inspect need only read'
    return new CliError('TRP-7304', Exit.Project, unwritable, { fix, cause: error })
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new CliError('TRP-9999', Exit.Bug, 'troupe failed; this is a bug of ours', {
    details,
    fix: 'please report it with the lines above',
  })
}
