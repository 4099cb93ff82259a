/** Prints gas per method after a run, and leaves the run's figures in `.troupe/runs/last.json`. */
import { join } from 'node:path'
import { writeAside } from './build.ts'
import { formatGasSummary, formatGasTable, summarizeGas, type UsageReport } from './gas-usage.ts'

/** The part of vitest that is used here. */
export interface VitestLike {
  readonly coverageProvider?: unknown
  readonly logger: { log(...args: unknown[]): void }
}

interface ModuleLike {
  readonly relativeModuleId: string
  meta(): { readonly troupe?: { readonly gas: UsageReport } }
  state(): string
  diagnostic(): { readonly duration: number }
  readonly children: { allTests(): Iterable<TestLike> }
}

interface TestLike {
  readonly fullName: string
  result(): { readonly state: string }
  diagnostic(): { readonly duration: number } | undefined
}

export interface GasReporterOptions {
  readonly runs: string
  /** Nothing, the median of each method, or all. */
  readonly shown: 'none' | 'medians' | 'all'
  /** Called when the run begins, once its coverage provider is there. */
  readonly tie: (vitest: VitestLike) => void
}

export class GasReporter {
  readonly #options: GasReporterOptions
  #vitest: VitestLike | undefined

  constructor(options: GasReporterOptions) {
    this.#options = options
  }

  onInit(vitest: VitestLike): void {
    this.#vitest = vitest
  }

  onTestRunStart(): void {
    if (this.#vitest !== undefined) this.#options.tie(this.#vitest)
  }

  onTestRunEnd(modules: readonly ModuleLike[]): void {
    const lines = summarizeGas(modules.map((module) => module.meta().troupe?.gas ?? {}))
    writeAside(
      join(this.#options.runs, 'last.json'),
      JSON.stringify(
        {
          modules: modules.map((module) => ({
            file: module.relativeModuleId,
            state: module.state(),
            durationMs: module.diagnostic().duration,
            tests: [...module.children.allTests()].map((test) => ({
              name: test.fullName,
              state: test.result().state,
              durationMs: test.diagnostic()?.duration ?? 0,
            })),
          })),
          gas: lines,
        },
        (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
        2,
      ),
    )
    const { shown } = this.#options
    if (shown === 'none' || lines.length === 0) return
    this.#vitest?.logger.log(`\n${shown === 'all' ? formatGasTable(lines) : formatGasSummary(lines)}\n`)
  }
}
