/** The second word of commands such as `troupe state get`. */
import { type Command, nearest } from './command.ts'
import { CliError, Exit } from './output.ts'

export function needVerb<V extends string>(word: string | undefined, verbs: readonly V[], command: Command): V {
  const found = verbs.find((verb) => verb === word)
  if (found !== undefined) return found
  if (word === undefined) {
    throw new CliError('TRP-7003', Exit.Usage, `${verbs.join(', ')}: which of them is missing`, {
      fix: `troupe ${command.usage}`,
    })
  }
  const near = nearest(word, verbs)
  throw new CliError('TRP-7008', Exit.Usage, `troupe ${command.name} has no ${JSON.stringify(word)}`, {
    fix: near === undefined ? `one of ${verbs.join(', ')}` : `did you mean ${near}?`,
  })
}
