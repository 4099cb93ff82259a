/** What the plugin and the tests leave for each other beside the builds: debug twins, wishes for them, counts of coverage. */
import { join } from 'node:path'
import type { BuildPlace } from './actor.ts'

/** What the plugin writes for a twin. */
export interface TwinFile {
  /** Base64. */
  readonly wasm: string
  readonly map: string
}

export function twinPath({ folder, key }: Pick<BuildPlace, 'folder' | 'key'>): string {
  return join(folder, `${key}.twin.json`)
}

/** Where wishes for twins are left: a file `<key>.json` with the entry. */
export function wishFolder(folder: string): string {
  return join(folder, 'wanted')
}

/** Set by the plugin when the run is to be covered. */
export const COVERAGE_VARIABLE = 'TROUPE_COVERAGE'

/** What one test file found out about one build. */
export interface CoverageFile {
  readonly place: BuildPlace
  /** By block: how often it began. */
  readonly hits: readonly number[]
}

/** Where the counts of a build's folder are kept. */
export function coverageFolder(folder: string): string {
  return join(folder, 'coverage')
}
