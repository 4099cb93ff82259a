/**
 * One CometBFT process and the application it asks, kept running: CometBFT does not find a lost application again, and an
 * application that failed must not be asked further, so when either ends, both are started anew.
 *
 * @source spec consensus §4.10, §9.4
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** An application behind a socket. */
export interface AppHost {
  /** `unix://…` or `tcp://…` */
  readonly address: string
  /** Of a process of its own. */
  readonly pid?: number
  /** Resolves when it cannot be asked any more. */
  readonly ended: Promise<unknown>
  stop(): Promise<void>
}

export interface CometNodeOptions {
  readonly binary: string
  /** As `writeCometHome` makes it. What the process says goes to `comet.log` there. */
  readonly home: string
  /** Starts the application, or starts it again. */
  readonly host: () => Promise<AppHost>
  /** Writes the configuration for an application at this address. */
  readonly configure: (proxyApp: string) => void
}

const LOG = 'comet.log'
const LAST_LINES = 3
const STOP_MS = 5_000
/** Between an end and the next start: twice as long each time, until a life lasts. */
const RESTART_MS = { min: 100, max: 5_000, lasting: 10_000 } as const

export class CometNode {
  readonly #options: CometNodeOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #child: ChildProcess | undefined
  #host: AppHost | undefined
  #starts = 0

  constructor(options: CometNodeOptions) {
    this.#options = options
    this.#ended = this.#keepRunning()
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts
  }

  /** The last that CometBFT said, a few lines. */
  get lastWords(): string {
    const lines = readFileSync(join(this.#options.home, LOG), 'utf8').trim().split('\n')
    // Go writes its stack below what it has to say.
    const at = lines.findLastIndex((line) => /^(panic:|error:|ERROR:)/.test(line))
    return (at < 0 ? lines.slice(-LAST_LINES) : lines.slice(at, at + LAST_LINES)).join('\n')
  }

  /** Of CometBFT; undefined between two lives. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get appPid(): number | undefined {
    return this.#host?.pid
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping
    let waitMs: number = RESTART_MS.min
    while (!signal.aborted) {
      const started = performance.now()
      await this.#live()
      if (performance.now() - started > RESTART_MS.lasting) waitMs = RESTART_MS.min
      if (!signal.aborted) await pause(waitMs, signal)
      waitMs = Math.min(waitMs * 2, RESTART_MS.max)
    }
  }

  /** From the start of both to the end of both. */
  async #live(): Promise<void> {
    const { binary, home, host, configure } = this.#options
    let served: AppHost
    try {
      served = await host()
    } catch {
      return
    }
    this.#host = served
    configure(served.address)
    const log = openSync(join(home, LOG), 'a')
    const child = spawn(binary, ['start', '--home', home], { stdio: ['ignore', log, log] })
    closeSync(log)
    this.#child = child
    this.#starts++
    const exited = new Promise<void>((resolve) => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    await Promise.race([exited, served.ended, aborted(this.#stopping.signal)])
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(timer)
    this.#child = undefined
    await served.stop()
    this.#host = undefined
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}

/** CometBFT is not here, not one that we speak to, or does not stay alive. */
export class CometError extends Error {
  override readonly name = 'CometError'
  readonly code: 'COMET_NOT_FOUND' | 'COMET_VERSION' | 'COMET_ENDS'
  constructor(code: CometError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Releases with the same messages. @source spec consensus §1.7 */
const VERSIONS = /^v?0\.(38|39|40)\./

/** The path of `cometbft`: from COMETBFT_BIN, else on the PATH. @throws {CometError} */
export function findComet(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['COMETBFT_BIN']
  const candidates =
    named !== undefined && named !== ''
      ? [named]
      : (env['PATH'] ?? '')
          .split(delimiter)
          .filter((folder) => folder !== '')
          .map((folder) => join(folder, 'cometbft'))
  const binary = candidates.find(isExecutable)
  if (binary === undefined) {
    const where = named === undefined || named === '' ? 'on the PATH' : `at ${named}`
    throw new CometError(
      'COMET_NOT_FOUND',
      `there is no cometbft ${where}; install v0.38.25 (go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.25) or name it in COMETBFT_BIN`,
    )
  }
  const { stdout, status } = spawnSync(binary, ['version'], { encoding: 'utf8', timeout: 20_000 })
  const version = status === 0 ? stdout.trim() : ''
  if (!VERSIONS.test(version)) {
    throw new CometError('COMET_VERSION', `${binary} says it is ${version || 'nothing'}; 0.38 to 0.40 are spoken`)
  }
  return binary
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
