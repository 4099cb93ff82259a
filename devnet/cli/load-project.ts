/** The project that a command works on; what is wrong with its config becomes an error that says what to write. */
import { ConfigError } from '../node/config.ts'
import { findProject, openProject, type Project, ProjectError, type ProjectPlace } from '../reload/project.ts'
import { type Input, nearest, textFlag } from './command.ts'
import { CliError, Exit } from './output.ts'

export async function loadProject(input: Input): Promise<Project> {
  try {
    return await openProject(input.cwd, textFlag(input, 'config'))
  } catch (error) {
    throw toCliError(error, input)
  }
}

/** For what can begin while the config is loaded. */
export function placeOfProject(input: Input): ProjectPlace {
  try {
    return findProject(input.cwd, textFlag(input, 'config'))
  } catch (error) {
    throw toCliError(error, input)
  }
}

function toCliError(error: unknown, input: Input): CliError {
  const place = { file: textFlag(input, 'config') ?? 'troupe.config.ts' }
  if (error instanceof ConfigError) {
    const near = nearest(error.key.split('.').at(-1)!, error.known)
    const fix = near === undefined ? `known keys: ${error.known.join(', ')}` : `did you mean ${near}?`
    return new CliError(error.code, Exit.Project, error.message, { place, fix })
  }
  if (error instanceof ProjectError) return new CliError(error.code, Exit.Project, error.message, { fix: error.fix })
  const [reason] = (error as Error).message.split('\n')
  return new CliError('TRP-7103', Exit.Project, `the config cannot be loaded: ${reason}`, { place })
}
