/**
 * Coverage for projects that have none of vitest's own providers: of their actors alone. Prints a table, and writes
 * `coverage-final.json` and `lcov.info` into the report's folder.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { CoverageMap } from 'istanbul-lib-coverage'
import type {
  CoverageProvider,
  CoverageProviderModule,
  ReportContext,
  ResolvedCoverageOptions,
  Vitest,
} from 'vitest/node'
import { mergeActorCoverage } from './coverage-map.ts'

class ActorCoverageProvider implements CoverageProvider {
  readonly name = 'troupe'
  #vitest!: Vitest

  initialize(vitest: Vitest): void {
    this.#vitest = vitest
  }

  resolveOptions(): ResolvedCoverageOptions {
    return this.#vitest.config.coverage
  }

  clean(): void {
    rmSync(this.#folder(), { recursive: true, force: true })
  }

  onAfterSuiteRun(): void {}

  generateCoverage(): CoverageMap {
    return mergeActorCoverage(null, join(this.#vitest.config.root, '.troupe', 'build'))
  }

  reportCoverage(results: unknown, _: ReportContext): void {
    const map = results as CoverageMap
    mkdirSync(this.#folder(), { recursive: true })
    writeFileSync(join(this.#folder(), 'coverage-final.json'), JSON.stringify(map))
    writeFileSync(join(this.#folder(), 'lcov.info'), formatLcov(map))
    this.#vitest.logger.log(`\n${formatTable(map, this.#vitest.config.root)}\n`)
  }

  #folder(): string {
    return this.#vitest.config.coverage.reportsDirectory
  }
}

function formatTable(map: CoverageMap, root: string): string {
  const rows = map.files().map((path) => {
    const file = map.fileCoverageFor(path)
    const { lines, branches, functions } = file.toSummary().data
    const missed = file.getUncoveredLines()
    return [relative(root, path), ...[lines, branches, functions].map(({ pct }) => `${pct} %`), missed.join(', ')]
  })
  const table = [['actor coverage', 'lines', 'branches', 'functions', 'lines missed'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table
    .map((row) =>
      row
        .map((cell, column) => (column % 4 === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function formatLcov(map: CoverageMap): string {
  return map
    .files()
    .map((path) => {
      const lines = Object.entries(map.fileCoverageFor(path).getLineCoverage())
      const hit = lines.filter(([, count]) => count > 0).length
      const data = lines.map(([line, count]) => `DA:${line},${count}`)
      return [`SF:${path}`, ...data, `LF:${lines.length}`, `LH:${hit}`, 'end_of_record', ''].join('\n')
    })
    .join('')
}

const provider: CoverageProviderModule = { getProvider: () => new ActorCoverageProvider() }

/** vitest looks for the default export. */
export default provider
