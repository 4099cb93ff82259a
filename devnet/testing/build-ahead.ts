/**
 * Compiles in a thread what tests will import, while vitest is still starting: loading the compiler takes as long as the
 * rest of a small run. `troupe test` begins before it has started vitest at all, and tells that process what is ready.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { BuildRoot } from '../reload/project.ts'
import { isBuilt } from './build.ts'
import { harnessFile, isSource } from './harness-file.ts'

/** What the thread is told. */
export interface AheadData {
  readonly project: BuildRoot
  readonly entries: readonly string[]
}

/** Entries that are being built, each until its build is on disk. */
export type Ahead = ReadonlyMap<string, Promise<void>>

const NOTHING: Ahead = new Map()

/** Set in the environment of a process whose parent builds for it. */
export const AHEAD_VARIABLE = 'TROUPE_AHEAD'

/** What the parent says: first what it builds, then of each entry that it is no longer being built. */
type AheadMessage = { readonly building: readonly string[] } | { readonly ended: string }

/** Entries that are built already, or are being built here or by a parent that does: see `buildForChild`. */
export function builtAhead(project: Promise<BuildRoot>): Promise<Ahead> {
  return builtByParent() ?? project.then(buildAhead).catch(() => NOTHING)
}

/** Builds the actors of the folder `actors` that are not built. A thread needs what `npm run build` makes. */
function buildAhead(project: BuildRoot): Ahead {
  if (isSource) return NOTHING
  const home = join(project.root, 'actors')
  if (!existsSync(home)) return NOTHING
  const entries = readdirSync(home)
    .filter((name) => name.endsWith('.actor.ts'))
    .map((name) => `actors/${name}`)
    .filter((entry) => !isBuilt(project, entry))
  if (entries.length === 0) return NOTHING
  const { ahead, end, endAll } = pending(entries)
  const data: AheadData = { project, entries }
  const worker = new Worker(harnessFile('build-thread'), { workerData: data })
  worker.unref()
  worker.on('message', end)
  worker.on('error', endAll)
  worker.on('exit', endAll)
  return ahead
}

/** Builds for `child`, which has a channel to us and `AHEAD_VARIABLE` set, and tells it what is ready. */
export async function buildForChild(child: ChildProcess, project: Promise<BuildRoot>): Promise<void> {
  // A child that has ended needs no word.
  const tell = (message: AheadMessage): void => void (child.connected && child.send(message, () => {}))
  const ahead = await project.then(buildAhead).catch(() => NOTHING)
  tell({ building: [...ahead.keys()] })
  for (const [entry, built] of ahead) void built.then(() => tell({ ended: entry }))
}

/** What our parent builds for us, when it is one that does. */
function builtByParent(): Promise<Ahead> | undefined {
  if (process.env[AHEAD_VARIABLE] !== '1' || process.channel === undefined) return undefined
  // Said to us alone, not to the processes that we start.
  delete process.env[AHEAD_VARIABLE]
  return new Promise((resolve) => {
    let list = pending([])
    process.on('message', (message: AheadMessage) => {
      if ('ended' in message) return list.end(message.ended)
      list = pending(message.building)
      resolve(list.ahead)
    })
    process.once('disconnect', () => {
      list.endAll()
      resolve(list.ahead)
    })
    // Listening alone keeps nobody alive.
    process.channel?.unref()
  })
}

function pending(entries: readonly string[]) {
  const ends = new Map<string, () => void>()
  const ahead: Ahead = new Map(
    entries.map((entry) => [entry, new Promise<void>((resolve) => ends.set(entry, resolve))]),
  )
  const endAll = (): void => {
    for (const end of ends.values()) end()
  }
  return { ahead, end: (entry: string): void => ends.get(entry)?.(), endAll }
}
