/** `troupe replay`: a recorded network once more, and the first difference. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { verifyMessage } from '../../consensus/key.ts'
import { Replay, type ReplayDifference } from '../../consensus/replay.ts'
import { RecordingDamaged, readRecording } from '../../node/recording.ts'
import type { Command, Input } from '../command.ts'
import { type Answer, CliError, Exit } from '../output.ts'

export const replay: Command = {
  name: 'replay',
  usage: 'replay <file|folder>',
  about:
    'Gives the replicas of a recorded network (`troupe dev --record file`) the same inputs again, with the rules of this release, and points ' +
    'at the first difference: height, round, replica, and what was signed or decided otherwise. Of a folder it takes all `*.log`: the recordings ' +
    'of validators in processes of their own, or of several hosts.',
  example: 'troupe dev --record network.log\ntroupe replay network.log',
  flags: {},
  run,
}

interface Found {
  readonly file: string
  readonly difference: ReplayDifference
}

async function run(input: Input): Promise<Answer> {
  const [word] = input.words
  if (word === undefined) throw new CliError('TRP-7003', Exit.Usage, 'a recording is missing', { fix: replay.usage })
  const run = new Replay(verifyMessage)
  const found = filesOf(resolve(input.cwd, word)).flatMap((file) => {
    const difference = runFile(run, file)
    return difference === null ? [] : [{ file, difference }]
  })
  if (found.length > 0) return tell(found.reduce(earlier), run)
  const { replicas, records, heights } = run.summary
  return {
    data: { ...run.summary, difference: null },
    text: `${records} inputs of ${replicas} replicas over ${heights} heights: no difference`,
  }
}

/** A difference ends its file; what the others decided is remembered for the next. */
function runFile(run: Replay, file: string): ReplayDifference | null {
  try {
    for (const entry of readRecording(readText(file))) {
      const difference = run.take(entry)
      if (difference !== null) return difference
    }
    return null
  } catch (error) {
    if (!(error instanceof RecordingDamaged)) throw error
    throw new CliError(error.code, Exit.Refused, error.message, {
      place: { file, line: error.line },
      fix: 'record the network again: troupe dev --record <file>',
    })
  }
}

function earlier(a: Found, b: Found): Found {
  const [one, other] = [a.difference, b.difference]
  if (one.height !== other.height) return one.height < other.height ? a : b
  return other.round < one.round ? b : a
}

function filesOf(path: string): readonly string[] {
  let isFolder: boolean
  try {
    isFolder = statSync(path).isDirectory()
  } catch (error) {
    throw unreadable(path, error)
  }
  if (!isFolder) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.log'))
  if (names.length === 0) {
    throw new CliError('TRP-7303', Exit.Usage, `there is no recording in ${path}`, { fix: 'recordings end with .log' })
  }
  return names.sort().map((name) => join(path, name))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): CliError {
  return new CliError('TRP-7303', Exit.Usage, (error as Error).message, { place: { file } })
}

function tell({ file, difference }: Found, { summary }: Replay): Answer {
  const { replica, height, round, effect, recorded, expected } = difference
  return {
    data: { ...summary, file: basename(file), difference: { ...difference, height: height.toString() } },
    text: `${replica} at height ${height}, round ${round}: ${effect}\n  recorded ${recorded}\n  expected ${expected}`,
    exit: Exit.Untrue,
  }
}
