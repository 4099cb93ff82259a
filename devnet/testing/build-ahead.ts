/**
 * Compiles in a thread what tests will import, while vitest is still starting: loading the compiler takes as long as the
 * rest of a small run.
 */
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

/** Builds the actors of the folder `actors` that are not built; `thread` is the file of the thread. */
export function buildAhead(project: BuildRoot, thread: string): Ahead {
  const home = join(project.root, 'actors')
  if (!existsSync(home)) return NOTHING
  const entries = readdirSync(home)
    .filter((name) => name.endsWith('.actor.ts'))
    .map((name) => `actors/${name}`)
    .filter((entry) => !isBuilt(project, entry))
  if (entries.length === 0) return NOTHING
  const ends = new Map<string, () => void>()
  const ahead = new Map(entries.map((entry) => [entry, new Promise<void>((resolve) => ends.set(entry, resolve))]))
  const data: AheadData = { project, entries }
  const worker = new Worker(thread, { workerData: data })
  worker.unref()
  worker.on('message', (entry: string) => ends.get(entry)?.())
  const giveUp = (): void => {
    for (const end of ends.values()) end()
  }
  worker.on('error', giveUp)
  worker.on('exit', giveUp)
  return ahead
}
