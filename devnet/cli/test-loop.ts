/**
 * The project's tests, run again after each reload in a process of their own with the lowest priority: a reload neither
 * waits for them nor competes with them. A save while they run ends the run and begins a new one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Project } from '../reload/project.ts'
import { findVitest, newReportFile, presetOf, readReport, reportFlags, type TestReport } from './vitest-run.ts'

const LOWEST_PRIORITY = 19
/** After a reload, so that a series of saves makes one run. */
const SETTLE_MS = 100

export interface TestLoopOptions {
  readonly project: Project
  readonly isOn: boolean
  /** Called when a run has come to its end. */
  readonly tell: (report: TestReport, ms: number) => void
}

export class TestLoop {
  readonly #options: TestLoopOptions
  #isOn: boolean
  #child: ChildProcess | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: TestLoopOptions) {
    this.#options = options
    this.#isOn = options.isOn
  }

  /** Switches the loop on, which begins a run, or off, which ends one; answers which. */
  toggle(): boolean {
    this.#isOn = !this.#isOn
    if (this.#isOn) this.again()
    else this.close()
    return this.#isOn
  }

  /** The code has changed: what runs is out of date. */
  again(): void {
    if (!this.#isOn || !existsSync(join(this.#options.project.root, 'test'))) return
    this.close()
    this.#timer = setTimeout(() => this.#start(), SETTLE_MS)
  }

  /** Ends what runs. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#child?.kill()
    this.#child = null
  }

  #start(): void {
    const { project, tell } = this.#options
    const started = performance.now()
    const report = newReportFile(project)
    const flags = ['run', '--root', project.root, '--passWithNoTests', ...presetOf(project), ...reportFlags(report)]
    const child = spawn(process.execPath, [findVitest(project), ...flags], {
      cwd: project.root,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: 'ignore',
    })
    this.#child = child
    if (child.pid !== undefined) lower(child.pid)
    child.once('error', () => {})
    child.once('exit', () => {
      const ended = readReport(report)
      rmSync(report, { force: true })
      if (this.#child !== child) return
      this.#child = null
      tell(ended, performance.now() - started)
    })
  }
}

/** Not every system lets us, and it is gone when it ended at once. */
function lower(pid: number): void {
  try {
    setPriority(pid, LOWEST_PRIORITY)
  } catch {
    // It runs as it would.
  }
}
