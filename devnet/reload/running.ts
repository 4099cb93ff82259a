/** What `troupe dev` and `troupe node` leave in the project while they run, so that others find them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isProcessRunning } from '../node/process.ts'

export interface RunningDevnet {
  readonly url: string
  readonly pid: number
}

/** Says where the devnet of this process is; the function returned takes that back. */
export function announceDevnet(dataFolder: string, url: string): () => void {
  const file = fileIn(dataFolder)
  mkdirSync(dataFolder, { recursive: true })
  writeFileSync(file, JSON.stringify({ url, pid: process.pid }))
  return () => rmSync(file, { force: true })
}

/** The devnet that runs on the project now. */
export function findRunning(dataFolder: string): RunningDevnet | undefined {
  try {
    const { url, pid } = JSON.parse(readFileSync(fileIn(dataFolder), 'utf8')) as Partial<RunningDevnet>
    if (typeof url !== 'string' || typeof pid !== 'number' || !isProcessRunning(pid)) return undefined
    return { url, pid }
  } catch {
    return undefined
  }
}

/** As `findRunning`, for the project that `folder` lies in. */
export function findRunningAbove(folder: string): RunningDevnet | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = findRunning(join(at, '.troupe'))
    if (found !== undefined || dirname(at) === at) return found
  }
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'run.json')
}
