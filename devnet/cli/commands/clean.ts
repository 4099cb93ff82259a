/** `troupe clean`: removes what can be made again; with `--state`, the chain too. */
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Project } from '../../reload/project.ts'
import { findRunning } from '../../reload/running.ts'
import type { Command, Input } from '../command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit } from '../output.ts'

export const clean: Command = {
  name: 'clean',
  usage: 'clean [--state] [-y]',
  about:
    'Removes builds, logs and runs from .troupe. --state removes the chain and its snapshots too, after a question.',
  example: 'troupe clean --state -y',
  flags: { state: { type: 'boolean', about: 'the chain too' } },
  run,
}

const REMADE = ['build', 'logs', 'runs', 'types']

async function run(input: Input): Promise<Answer> {
  const project = await loadProject(input)
  const paths = REMADE.map((name) => join(project.dataFolder, name))
  if (input.flags['state'] === true) {
    await refuseRunning(project)
    if (input.flags['yes'] !== true) await ask(project)
    paths.push(stateFolder(project), join(project.dataFolder, 'snapshots.json'), join(project.dataFolder, 'run.json'))
  }
  const removed = paths.filter((path) => existsSync(path))
  for (const path of removed) rmSync(path, { recursive: true, force: true })
  return {
    data: { removed },
    text: removed.length === 0 ? 'nothing to remove' : removed.map((path) => `removed ${path}`).join('\n'),
  }
}

function stateFolder({ root, dataFolder, config }: Project): string {
  return config.state === undefined ? join(dataFolder, 'state') : resolve(root, config.state)
}

/** By what the devnet announces, and by the lock of the folder itself. */
async function refuseRunning(project: Project): Promise<void> {
  const running = findRunning(project.dataFolder)
  if (running !== undefined) {
    throw new CliError(
      'TRP-8211',
      Exit.Refused,
      `a devnet runs on this state (${running.url}, process ${running.pid})`,
      { fix: 'stop it first' },
    )
  }
  const folder = stateFolder(project)
  if (!existsSync(folder)) return
  const { openStore, StoreError } = await import('../../node/store.ts')
  try {
    await openStore(folder).close()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'STORE_LOCKED')
      throw new CliError('TRP-8211', Exit.Refused, error.message, { fix: 'stop it first' })
  }
}

async function ask(project: Project): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw new CliError('TRP-8212', Exit.Refused, 'this removes the chain for good', {
      fix: 'give -y when that is what you want',
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Remove the chain in ${stateFolder(project)}? [y/N] `)
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('TRP-8212', Exit.Refused, 'nothing was removed')
}
