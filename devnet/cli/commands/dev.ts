/** `troupe dev`: compile, run, watch, reload. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDiagnostic } from '../../../compiler/diagnostic.ts'
import { formatCid } from '../../ipld/cid.ts'
import type { BlockRecord } from '../../node/chain-records.ts'
import { transactionCid } from '../../node/fvm-application.ts'
import { decodeTransaction } from '../../node/transaction.ts'
import { type LiveChange, LiveProject } from '../../reload/live.ts'
import { upgradeStub } from '../../reload/plan.ts'
import { listActorFiles, readIfExists } from '../../reload/project.ts'
import { watchProject } from '../../reload/watcher.ts'
import { banner, readyData } from '../banner.ts'
import type { Command, Input } from '../command.ts'
import { DEVNET_FLAGS, type Opened, openForCommand, untilStopped } from '../devnet-command.ts'
import { type Answer, paint, talk, toJson } from '../output.ts'

export const dev: Command = {
  name: 'dev',
  usage: 'dev [folder] [flags]',
  about:
    'Compiles the actors, runs a devnet with them, and puts every change of their source into the running network.',
  example: 'troupe dev\ntroupe call Counter.increment 41',
  flags: DEVNET_FLAGS,
  needsStack: true,
  run,
}

async function run(input: Input): Promise<Answer> {
  const started = performance.now()
  const [folder] = input.words
  const opened = await openForCommand(folder === undefined ? input : { ...input, cwd: join(input.cwd, folder) })
  const live = new LiveProject(opened.project, opened.devnet)
  const say = reporter(input, opened)
  const changes = await live.start()
  if (!input.isJson) talk(banner(opened, performance.now() - started))
  for (const change of changes) say.change(change, 0)
  if (input.isJson)
    process.stdout.write(`${toJson({ event: 'ready', ...readyData(opened, performance.now() - started) })}\n`)
  else if (listActorFiles(opened.project).length === 0)
    talk(`no *.actor.ts in ${opened.project.actorsFolder}; write one, it is deployed when you save it`)
  opened.devnet.chain.onBlock(say.block)

  const watcher = await watchProject(opened.project, async (paths) => {
    const begun = performance.now()
    for (const change of await live.reload(paths)) say.change(change, performance.now() - begun)
  })
  live.warmUp()
  await untilStopped((key) => {
    if (key === 'd')
      live.discard().then(
        (done) => done.forEach((change) => void say.change(change, 0)),
        (error) => talk(String(error)),
      )
    if (key === 'm') writeStubs(live, opened)
  })
  await watcher.close()
  await opened.close()
  return { data: { stopped: true }, text: '' }
}

/** Appends what an `@upgrade` needs to the file of every actor that waits for one. */
function writeStubs(live: LiveProject, { project }: Opened): void {
  for (const { file, before, after } of live.refused) {
    appendFileSync(join(project.root, file), upgradeStub(before, after))
    talk(`${paint('cyan', 'wrote')} an @upgrade stub to ${file}`)
  }
}

function reporter(input: Input, { project }: Opened) {
  const event = (body: Record<string, unknown>) => process.stdout.write(`${toJson(body)}\n`)
  return {
    change(change: LiveChange, ms: number): void {
      if (input.isJson) event({ event: 'reload', ms: Math.round(ms), ...change })
      else talk(describeChange(change, ms, project.root))
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
        `${paint('yellow', 'TRP-6020')} ${change.actor}: state field ${index} was \`${before ?? 'nothing'}\`, is \`${after ?? 'nothing'}\`; its value ${toJson(change.live) ?? 'nothing'} would be misread`,
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
