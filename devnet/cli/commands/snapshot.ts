/** `troupe snapshot`: places on the chain to come back to, by name. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from '../../reload/project.ts'
import { type Command, type Input, nearest } from '../command.ts'
import { type Network, openNetwork } from '../network.ts'
import { type Answer, CliError, Exit, table } from '../output.ts'
import { needVerb } from '../verbs.ts'

export const snapshot: Command = {
  name: 'snapshot',
  usage: 'snapshot [save|restore|list] [name]',
  about:
    'save: remembers the newest block under a name. restore: goes back to it; later blocks are gone, the name stays. list: all names. ' +
    'Names are kept in .troupe/snapshots.json and survive a restart of the devnet.',
  example: 'troupe snapshot save before-migration\ntroupe snapshot restore before-migration',
  flags: {},
  run,
}

interface Saved {
  readonly height: number
  /** Of the block: tells chains apart, and blocks that took the place of others. */
  readonly hash: string
  readonly savedAt: string
}

const VERBS = ['save', 'restore', 'list'] as const
const DEFAULT_NAME = 'default'

async function run(input: Input): Promise<Answer> {
  const verb = needVerb(input.words[0] ?? 'list', VERBS, snapshot)
  const network = await openNetwork(input)
  if (verb === 'list') return list(network)
  const name = input.words[1] ?? DEFAULT_NAME
  return verb === 'save' ? save(network, name) : restore(network, name)
}

async function save(network: Network, name: string): Promise<Answer> {
  const { height, hash } = await network.request<{ height: number; hash: string }>('troupe_status')
  const saved: Saved = { height, hash, savedAt: new Date().toISOString() }
  writeAll(network.project, { ...readAll(network.project), [name]: saved })
  return { data: { name, ...saved }, text: `${name}: height ${height}` }
}

async function restore(network: Network, name: string): Promise<Answer> {
  const all = readAll(network.project)
  const saved = all[name]
  if (saved === undefined) {
    const names = Object.keys(all)
    const near = nearest(name, names)
    throw new CliError('TRP-8501', Exit.Usage, `there is no snapshot ${JSON.stringify(name)}`, {
      fix:
        near !== undefined
          ? `did you mean ${near}?`
          : names.length === 0
            ? 'save one first: troupe snapshot save'
            : `one of ${names.join(', ')}`,
    })
  }
  if (!(await isThere(network, saved))) {
    throw new CliError(
      'TRP-8502',
      Exit.Untrue,
      `the chain no longer has block ${saved.height} of the snapshot ${name}`,
      {
        fix: 'it was made on another chain, or above a block that was restored since',
      },
    )
  }
  const before = await network.request<{ height: number }>('troupe_status')
  await network.request('troupe_rewind', saved.height)
  return {
    data: { name, ...saved, from: before.height },
    text: `${name}: height ${saved.height}${before.height === saved.height ? '' : ` (was ${before.height})`}`,
  }
}

async function list(network: Network): Promise<Answer> {
  const all = Object.entries(readAll(network.project))
  const rows = []
  for (const [name, saved] of all) rows.push({ name, ...saved, isThere: await isThere(network, saved) })
  const text = rows.map(({ name, height, savedAt, isThere: there }) => [
    name,
    `height ${height}`,
    savedAt,
    there ? '' : 'gone',
  ])
  return { data: { snapshots: rows }, text: rows.length === 0 ? 'no snapshots' : table(text) }
}

async function isThere(network: Network, { height, hash }: Saved): Promise<boolean> {
  const block = await network.request<{ hash: string } | null>('troupe_block', height)
  return block !== null && block.hash === hash
}

function file({ dataFolder }: Project): string {
  return join(dataFolder, 'snapshots.json')
}

function readAll(project: Project): Record<string, Saved> {
  try {
    return JSON.parse(readFileSync(file(project), 'utf8')) as Record<string, Saved>
  } catch {
    return {}
  }
}

function writeAll(project: Project, all: Record<string, Saved>): void {
  mkdirSync(project.dataFolder, { recursive: true })
  writeFileSync(`${file(project)}.tmp`, `${JSON.stringify(all, null, 2)}\n`)
  renameSync(`${file(project)}.tmp`, file(project))
}
