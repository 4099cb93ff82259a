/** `troupe dev`: compile, run, watch, reload. */
import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isatty } from 'node:tty'
import { formatDiagnostic } from '../../../compiler/diagnostic.ts'
import { formatCid } from '../../ipld/cid.ts'
import type { BlockRecord } from '../../node/chain-records.ts'
import type { Finality } from '../../node/drivers/bft.ts'
import { decodeTransaction } from '../../node/transaction.ts'
import { transactionCid } from '../../node/transaction-door.ts'
import { type LiveChange, LiveProject } from '../../reload/live.ts'
import { listActorFiles, readIfExists } from '../../reload/project.ts'
import { insertUpgrade } from '../../reload/upgrade-stub.ts'
import { watchProject } from '../../reload/watcher.ts'
import { banner, readyData } from '../banner.ts'
import type { Command, Input } from '../command.ts'
import { DEVNET_FLAGS, type Opened, openForCommand, untilStopped } from '../devnet-command.ts'
import { type Answer, paint, talk, toJson } from '../output.ts'
import { TestLoop } from '../test-loop.ts'
import type { TestReport } from '../vitest-run.ts'

export const dev: Command = {
  name: 'dev',
  usage: 'dev [folder] [flags]',
  about:
    'Compiles the actors, runs a devnet with them, and puts every change of their source into the running network.',
  example: 'troupe dev\ntroupe call Counter.increment 41',
  flags: {
    ...DEVNET_FLAGS,
    'no-tests': { type: 'boolean', about: 'do not run the tests again after each reload' },
  },
  needsStack: true,
  run,
}

async function run(input: Input): Promise<Answer> {
  const started = performance.now()
  const [folder] = input.words
  const opened = await openForCommand(folder === undefined ? input : { ...input, cwd: join(input.cwd, folder) })
  try {
    await develop(input, opened, started)
  } finally {
    await opened.close()
  }
  return { data: { stopped: true }, text: '' }
}

const KEYS = 't tests on or off   d discard a refused state   m write an @upgrade   ctrl-c stop'

async function develop(input: Input, opened: Opened, started: number): Promise<void> {
  const live = new LiveProject(opened.project, opened.devnet)
  const say = reporter(input, opened)
  const onError = (error: unknown) => say.error(error)
  const { project } = opened
  const tests = new TestLoop({
    project,
    isOn: input.flags['no-tests'] !== true && project.config.tests !== false,
    tell: say.tests,
  })
  const begun = live.start()
  // Watched before anybody is told that it is: a save right after "ready" must not be missed.
  const watching = watchProject(opened.project, async (paths) => {
    const saved = performance.now()
    const changes = await live.reload(paths).catch(onError)
    for (const change of changes ?? []) say.change(change, performance.now() - saved)
    if (changes?.some(isNewCode)) tests.again()
    ;(await watching).follow(live.sources)
  })
  const [changes, watcher] = await Promise.all([begun, watching])
  watcher.follow(live.sources)
  if (!input.isJson) talk(banner(opened, performance.now() - started, isatty(0) ? KEYS : ''))
  for (const change of changes) say.change(change, 0)
  if (input.isJson)
    process.stdout.write(`${toJson({ event: 'ready', ...readyData(opened, performance.now() - started) })}\n`)
  else if (listActorFiles(opened.project).length === 0)
    talk(`no *.actor.ts in ${opened.project.actorsFolder}; write one, it is deployed when you save it`)
  opened.devnet.chain.onBlock(say.block)
  opened.devnet.bft?.onFinality(say.finality)
  opened.devnet.bft?.onAlarm(say.alarm)
  live.warmUp()
  await untilStopped((key) => {
    if (key === 'd')
      live.discard().then((done) => {
        for (const change of done) say.change(change, 0)
      }, onError)
    if (key === 'm') writeStubs(live, opened)
    if (key === 't') talk(`tests ${tests.toggle() ? 'on: they run after each reload' : 'off'}`)
  })
  tests.close()
  await watcher.close()
}

/** Writes an `@upgrade` into the file of every actor that waits for one; the watcher sees that like any save. */
function writeStubs(live: LiveProject, { project }: Opened): void {
  for (const { file, before, after } of live.refused) {
    const path = join(project.root, file)
    const source = insertUpgrade(readIfExists(path) ?? '', before, after)
    if (source === undefined) {
      talk(`the class ${after.actor} was not found in ${file}`)
      continue
    }
    writeFileSync(path, source)
    talk(`${paint('cyan', 'wrote')} an @upgrade into ${file}`)
  }
}

/** What does not compile has no tests to run, and the old code has been tested. */
function isNewCode({ kind }: LiveChange): boolean {
  return kind === 'deployed' || kind === 'upgraded'
}

function reporter(input: Input, opened: Opened) {
  const { project } = opened
  const event = (body: Record<string, unknown>) => process.stdout.write(`${toJson(body)}\n`)
  return {
    error(error: unknown): void {
      const message = error instanceof Error ? error.message : String(error)
      if (input.isJson) event({ event: 'error', message })
      else talk(`${paint('red', 'failed')} ${message}`)
    },
    change(change: LiveChange, ms: number): void {
      if (input.isJson) event({ event: 'reload', ms: Math.round(ms), ...change })
      else talk(describeChange(change, ms, project.root))
    },
    /** How the validators decided a block. */
    finality(finality: Finality): void {
      const { height, round, proposer, ms, signers, validators } = finality
      if (input.isJson) event({ event: 'block', ...finality })
      else {
        const took = `round ${round}, proposer ${proposer.slice(0, 8)}, ${ms.toFixed(1)} ms, ${signers}/${validators} signed`
        const peers = opened.devnet.bft?.view()[0]?.peers ?? 0
        talk(paint('dim', `#${height} ${took}, ${peers} peers`))
      }
    },
    alarm(name: string, reason: string): void {
      if (input.isJson) event({ event: 'alarm', validator: name, reason })
      else talk(`${paint('yellow', name)} ${reason}`)
    },
    tests(report: TestReport, ms: number): void {
      if (input.isJson) event({ event: 'tests', ms: Math.round(ms), ...report })
      else talk(describeTests(report, ms, project.root))
    },
    block(block: BlockRecord): void {
      for (const [index, tx] of block.txs.entries()) {
        const transaction = decodeTransaction(tx)
        if (transaction.kind !== 'signed') continue
        const { exitCode, gasUsed, note } = block.results[index]!
        const cid = formatCid(transactionCid(transaction))
        if (input.isJson)
          event({ event: 'message', height: block.header.height, cid, exitCode, gasUsed: gasUsed.toString(), note })
        else
          talk(
            `${paint('dim', `#${block.header.height}`)} ${exitCode === 0 ? paint('green', 'ok') : paint('red', `exit ${exitCode}`)} ${cid.slice(-8)} gas ${gasUsed}${note === '' ? '' : ` ${note}`}`,
          )
      }
    },
  }
}

function describeTests({ passed, failed, failures }: TestReport, ms: number, root: string): string {
  const took = paint('dim', ` ${(ms / 1000).toFixed(1)} s`)
  if (failures.length === 0) return `${paint('green', 'tests')} ${passed} passed${took}`
  const lines = failures.map(({ file, test, message }) => {
    const name = test === null ? relative(root, file) : `${relative(root, file)} > ${test}`
    return `  ${name}\n    ${message.split('\n')[0]}`
  })
  return [
    `${paint('red', 'tests')} ${Math.max(failed, failures.length)} failed, ${passed} passed${took}`,
    ...lines,
  ].join('\n')
}

function describeChange(change: LiveChange, ms: number, root: string): string {
  const took = ms > 0 ? paint('dim', ` ${Math.round(ms)} ms`) : ''
  switch (change.kind) {
    case 'deployed':
      return `${paint('green', 'deployed')} ${change.actor} ${change.address} (t0${change.id}, ${change.bytes} B)${took}`
    case 'upgraded':
      return `${paint('green', 'reloaded')} ${change.actor} at #${change.height}, ${change.mode === 'discard' ? 'state discarded' : change.mode === 'migrate' ? 'state migrated' : 'state kept'} (${change.bytes} B)${took}`
    case 'unchanged':
      return `${paint('dim', 'unchanged')} ${change.actor}${took}`
    case 'failed':
      return `${paint('red', 'failed')} ${change.actor}: exit ${change.exitCode}, ${change.reason}`
    case 'refused': {
      const { index, before, after } = change.change
      return [
        `${paint('yellow', 'TRP-6020')} ${change.actor}: state field ${index} was \`${before ?? 'nothing'}\`, is \`${after ?? 'nothing'}\`; its value ${typeof change.live === 'bigint' ? change.live : (toJson(change.live) ?? 'nothing')} would be misread`,
        `  ${paint('dim', change.file)}; the old code still answers`,
        `  ${paint('bold', 'm')} writes an @upgrade stub, ${paint('bold', 'd')} discards the state`,
      ].join('\n')
    }
    case 'broken':
      return change.diagnostics
        .map((diagnostic) =>
          formatDiagnostic(diagnostic, readIfExists(join(root, diagnostic.file)) ?? '', { color: false }),
        )
        .join('\n')
  }
}
