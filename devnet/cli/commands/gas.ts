/** `troupe gas`: gas per method of the last test run, and against the snapshot that the project keeps. */
import { formatGasTable } from '../../testing/gas-usage.ts'
import { type Command, type Input, textFlag } from '../command.ts'
import { compareGas, type GasChange, needLastRun, needSnapshot, SNAPSHOT_FILE, writeSnapshot } from '../gas-run.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { grouped } from '../receipts.ts'
import { needVerb } from '../verbs.ts'

export const gas: Command = {
  name: 'gas',
  usage: 'gas [report|snapshot|check|diff] [--tolerance percent]',
  about:
    'report: gas per method of the last `troupe test`. snapshot: keeps it in .gas-snapshot.json. diff: what changed since. ' +
    'check: as diff, and exit status 1 when the median of a method went up by more than the tolerance.',
  example: 'troupe gas check --tolerance 1',
  flags: { tolerance: { type: 'string', value: 'percent', about: 'what `check` lets pass (0)' } },
  run,
}

const VERBS = ['report', 'snapshot', 'check', 'diff'] as const

async function run(input: Input): Promise<Answer> {
  const verb = needVerb(input.words[0] ?? 'report', VERBS, gas)
  const tolerance = toleranceOf(input)
  const project = await loadProject(input)
  const lastRun = needLastRun(project)
  if (verb === 'report') {
    const lines = lastRun.gas.map(({ min, median, max, ...rest }) => ({
      ...rest,
      min: BigInt(min),
      median: BigInt(median),
      max: BigInt(max),
    }))
    return { data: { gas: lastRun.gas }, text: formatGasTable(lines) }
  }
  if (verb === 'snapshot') {
    writeSnapshot(project, lastRun)
    return {
      data: { file: SNAPSHOT_FILE, methods: lastRun.gas.length },
      text: `${SNAPSHOT_FILE}: ${lastRun.gas.length} methods`,
    }
  }
  const changes = compareGas(needSnapshot(project), lastRun)
  const worse = changes.filter(({ percent }) => percent !== null && percent > tolerance)
  const different = changes.filter(({ before, after }) => before !== after)
  const text = different.length === 0 ? 'no method changed' : table(different.map(row))
  const failed = verb === 'check' && worse.length > 0
  return {
    data: { changes: different, worse: worse.map(({ method }) => method), tolerance },
    text: failed ? `${text}\n${worse.length} above the tolerance of ${tolerance} %` : text,
    ...(failed ? { exit: Exit.Untrue } : {}),
  }
}

function row({ method, before, after, percent }: GasChange): string[] {
  const sign = percent !== null && percent > 0 ? '+' : ''
  return [
    method,
    before === null ? 'new' : grouped(before),
    '→',
    after === null ? 'not called' : grouped(after),
    percent === null ? '' : `${sign}${percent.toFixed(2)} %`,
  ]
}

function toleranceOf(input: Input): number {
  const text = textFlag(input, 'tolerance') ?? '0'
  const percent = Number(text)
  if (text.trim() !== '' && percent >= 0 && Number.isFinite(percent)) return percent
  throw new CliError('TRP-7002', Exit.Usage, `--tolerance takes a percentage from 0, not ${JSON.stringify(text)}`)
}
