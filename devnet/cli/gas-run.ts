/** What the last test run left: gas per method, and the snapshot that a project keeps of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from '../reload/project.ts'
import type { GasLine } from '../testing/gas-usage.ts'
import { CliError, Exit } from './output.ts'

export const SNAPSHOT_FILE = '.gas-snapshot.json'

/** `.troupe/runs/last.json` as far as gas goes; numbers are decimal text. */
export interface GasRun {
  readonly gas: readonly { readonly [K in keyof GasLine]: GasLine[K] extends bigint ? string : GasLine[K] }[]
}

/** By method. The median is compared; the ends say how much one method varies. */
export type GasSnapshot = Readonly<
  Record<string, { readonly min: string; readonly median: string; readonly max: string }>
>

/** Null when no tests have run. */
export function readLastRun(project: Project): GasRun | null {
  const run = readJson(join(project.dataFolder, 'runs', 'last.json')) as GasRun | null
  return run !== null && Array.isArray(run.gas) ? run : null
}

export function needLastRun(project: Project): GasRun {
  const run = readLastRun(project)
  if (run !== null && run.gas.length > 0) return run
  throw new CliError('TRP-7401', Exit.Project, 'no test run has left gas figures yet', {
    fix: 'run `troupe test` first',
  })
}

export function needSnapshot(project: Project): GasSnapshot {
  const snapshot = readJson(join(project.root, SNAPSHOT_FILE)) as GasSnapshot | null
  if (snapshot !== null && typeof snapshot === 'object') return snapshot
  throw new CliError('TRP-7402', Exit.Project, `there is no readable ${SNAPSHOT_FILE}`, {
    fix: 'make one with `troupe gas snapshot` and commit it',
  })
}

export function writeSnapshot(project: Project, { gas }: GasRun): void {
  const snapshot = Object.fromEntries(gas.map(({ label, min, median, max }) => [label, { min, median, max }]))
  writeFileSync(join(project.root, SNAPSHOT_FILE), `${JSON.stringify(snapshot, null, 2)}\n`)
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

export interface GasChange {
  readonly method: string
  /** Null for a method that the snapshot does not have. */
  readonly before: string | null
  /** Null for a method that the run did not call. */
  readonly after: string | null
  /** In percent; null where there is nothing to compare. */
  readonly percent: number | null
}

/** All methods of either side, by name. */
export function compareGas(snapshot: GasSnapshot, { gas }: GasRun): GasChange[] {
  const after = new Map(gas.map(({ label, median }) => [label, median]))
  const methods = [...new Set([...Object.keys(snapshot), ...after.keys()])].sort()
  return methods.map((method) => {
    const [was, is] = [snapshot[method]?.median ?? null, after.get(method) ?? null]
    const percent = was === null || is === null ? null : percentOf(BigInt(was), BigInt(is))
    return { method, before: was, after: is, percent }
  })
}

function percentOf(was: bigint, is: bigint): number {
  if (was === 0n) return is === 0n ? 0 : 100
  return Number(((is - was) * 1_000_000n) / was) / 10_000
}
