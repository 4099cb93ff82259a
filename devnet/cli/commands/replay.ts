/** `troupe replay`: a recorded network once more, and the first difference. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { verifyMessage } from '../../consensus/key.ts'
import { Replay, type ReplayDifference } from '../../consensus/replay.ts'
import { RecordingDamaged, readRecording } from '../../node/recording.ts'
import type { Command, Input } from '../command.ts'
import { type Answer, CliError, Exit } from '../output.ts'

export const replay: Command = {
  name: 'replay',
  usage: 'replay <file>',
  about:
    'Gives the replicas of a recorded network (`troupe dev --record file`) the same inputs again, with the rules of this release, and points ' +
    'at the first difference: height, round, replica, and what was signed or decided otherwise.',
  example: 'troupe dev --record network.log\ntroupe replay network.log',
  flags: {},
  run,
}

async function run(input: Input): Promise<Answer> {
  const [word] = input.words
  if (word === undefined) throw new CliError('TRP-7003', Exit.Usage, 'a recording is missing', { fix: replay.usage })
  const file = resolve(input.cwd, word)
  const run = new Replay(verifyMessage)
  try {
    for (const entry of readRecording(readText(file))) {
      const difference = run.take(entry)
      if (difference !== null) return tell(difference, run)
    }
  } catch (error) {
    if (!(error instanceof RecordingDamaged)) throw error
    throw new CliError(error.code, Exit.Refused, error.message, {
      place: { file, line: error.line },
      fix: 'record the network again: troupe dev --record <file>',
    })
  }
  const { replicas, records, heights } = run.summary
  return {
    data: { ...run.summary, difference: null },
    text: `${records} inputs of ${replicas} replicas over ${heights} heights: no difference`,
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError('TRP-7303', Exit.Usage, (error as Error).message, { place: { file } })
  }
}

function tell(difference: ReplayDifference, { summary }: Replay): Answer {
  const { replica, height, round, effect, recorded, expected } = difference
  return {
    data: { ...summary, difference: { ...difference, height: height.toString() } },
    text: `${replica} at height ${height}, round ${round}: ${effect}\n  recorded ${recorded}\n  expected ${expected}`,
    exit: Exit.Untrue,
  }
}
