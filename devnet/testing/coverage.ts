/**
 * Which blocks of which twins ran, counted while tests run and written down at the end of each file; the plugin turns
 * the counts into a report on lines.
 *
 * @source spec sdk §9.4
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EngineExhausted } from '../engine/failure.ts'
import type { BuildPlace } from './actor.ts'
import { COVERAGE_VARIABLE, coverageFolder } from './build-files.ts'
import { type Replay, runOnTwins, type Twin } from './twin.ts'

interface Count {
  readonly place: BuildPlace
  readonly hits: number[]
}

/** Of the process, not of the module: the harness may be loaded twice, as source and as package. */
const COUNTS = Symbol.for('troupe.test.coverage')
const shared = globalThis as { [COUNTS]?: Map<string, Count> }

export function isCovering(): boolean {
  return process.env[COVERAGE_VARIABLE] === '1'
}

/** Runs the message on the twins and counts. A run that ends early counts as far as it came. */
export function collectCoverage(replay: Replay): void {
  const places = new Map<Twin, Count>()
  const counts = (shared[COUNTS] ??= new Map())
  const tell = (twin: Twin, block: number): void => {
    let count = places.get(twin)
    if (count === undefined) {
      count = countsOf(counts, twin)
      places.set(twin, count)
    }
    count.hits[block]!++
  }
  try {
    runOnTwins(replay, { tell })
  } catch (error) {
    // Twins need more stack than the code they are twins of, and there is no larger one here.
    if (!(error instanceof EngineExhausted)) throw error
  }
}

function countsOf(counts: Map<string, Count>, { place, watched }: Twin): Count {
  let count = counts.get(place.key)
  if (count === undefined) {
    count = { place, hits: new Array<number>(watched.blocks.length).fill(0) }
    counts.set(place.key, count)
  }
  return count
}

/** Writes what was counted since the last time, and forgets it. */
export function writeCoverage(): void {
  for (const [index, count] of [...(shared[COUNTS] ?? new Map<string, Count>()).values()].entries()) {
    const folder = coverageFolder(count.place.folder)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${process.pid}-${process.hrtime.bigint()}-${index}.json`), JSON.stringify(count))
  }
  delete shared[COUNTS]
}
