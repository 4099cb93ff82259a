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

/** Builds the actors of the folder `actors` that are not built; `thread` is the file of the thread. */
export function buildAhead(project: BuildRoot, thread: string): Ahead {
  const home = join(project.root, 'actors')
  if (!existsSync(home)) return NOTHING
  const entries = readdirSync(home)
    .filter((name) => name.endsWith('.actor.ts'))
    .map((name) => `actors/${name}`)
    .filter((entry) => !isBuilt(project, entry))
  if (entries.length === 0) return NOTHING
  const { ahead, end, endAll } = pending(entries)
  const data: AheadData = { project, entries }
  const worker = new Worker(thread, { workerData: data })
  worker.unref()
  worker.on('message', end)
  worker.on('error', endAll)
  worker.on('exit', endAll)
  return ahead
}

/** Tells `child`, which has a channel to us, of what we build for it. */
export async function tellChild(child: ChildProcess, building: Promise<Ahead>): Promise<void> {
  // A child that has ended needs no word.
  const tell = (message: AheadMessage): void => void (child.connected && child.send(message, () => {}))
  const ahead = await building.catch(() => NOTHING)
  tell({ building: [...ahead.keys()] })
  for (const [entry, built] of ahead) void built.then(() => tell({ ended: entry }))
}

/** What our parent builds for us, when it is one that does: see `tellChild`. */
export function builtByParent(): Promise<Ahead> | undefined {
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
