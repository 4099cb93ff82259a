/** `troupe node`: the devnet alone. */

import { banner, readyData } from '../banner.ts'
import type { Command, Input } from '../command.ts'
import { DEVNET_FLAGS, openForCommand, untilStopped } from '../devnet-command.ts'
import { type Answer, talk, toJson } from '../output.ts'

export const node: Command = {
  name: 'node',
  usage: 'node [flags]',
  about: 'Runs a devnet without watching a project: for CI and containers.',
  example: 'troupe node --port 8545 --no-persist',
  flags: {
    ...DEVNET_FLAGS,
    join: { type: 'string', value: 'network.json', about: 'be one node of a larger network' },
  },
  needsStack: true,
  run,
}

async function run(input: Input): Promise<Answer> {
  const started = performance.now()
  const opened = await openForCommand(input)
  if (input.isJson)
    process.stdout.write(`${toJson({ event: 'ready', ...readyData(opened, performance.now() - started) })}\n`)
  else talk(banner(opened, performance.now() - started))
  await untilStopped()
  await opened.close()
  return { data: { stopped: true }, text: '' }
}
