/**
 * The other validators of a devnet in processes of their own: writes their files, starts them, starts them again when they die, and
 * ends them with this one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Clock } from './ports.ts'

export interface ProcessOptions {
  /** Arguments of Node that run the command, up to its name. */
  readonly command: readonly string[]
  /** `network.json` of each. */
  readonly files: readonly string[]
  /** More words of each one's command. */
  readonly words?: (index: number) => readonly string[]
  readonly clock: Clock
  readonly onExit: (index: number, code: number | null) => void
  /** A process is about to start without what it knew. */
  readonly onRenewal?: (index: number) => void
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

const RESTART_MS = { least: 100, most: 5000 }
const STOP_MS = 5000

export class ProcessNetwork {
  readonly #options: ProcessOptions
  readonly #running = new Map<number, Running>()
  /** Of all that ever ran, by their URL. */
  readonly #indexes = new Map<string, number>()
  /** Those whose state is removed before they start again. */
  readonly #forgotten = new Set<number>()
  #isClosed = false

  private constructor(options: ProcessOptions) {
    this.#options = options
  }

  /** Resolves when all are ready. */
  static async start(options: ProcessOptions): Promise<ProcessNetwork> {
    const network = new ProcessNetwork(options)
    try {
      await Promise.all(options.files.map((_, index) => network.#start(index, RESTART_MS.least)))
    } catch (error) {
      await network.close()
      throw error
    }
    return network
  }

  /** JSON-RPC of those that run. */
  get urls(): readonly string[] {
    return [...this.#running.values()].map(({ url }) => url)
  }

  /** Ends a process, and starts it again without its state. */
  renew(url: string): void {
    const index = this.#indexes.get(url)
    if (index === undefined) return
    this.#forgotten.add(index)
    this.#running.get(index)?.child.kill('SIGKILL')
  }

  /** Process ids, by place in `files`. */
  get pids(): ReadonlyMap<number, number> {
    return new Map([...this.#running].map(([index, { child }]) => [index, child.pid!]))
  }

  #start(index: number, backoffMs: number): Promise<void> {
    const { command, files, words: wordsOf } = this.#options
    const file = files[index]!
    const state = join(file, '..', 'state')
    if (this.#forgotten.delete(index)) {
      rmSync(state, { recursive: true, force: true })
      this.#options.onRenewal?.(index)
    }
    const own = ['--state', state, '--port', '0', '--json', ...(wordsOf?.(index) ?? [])]
    const words = [...command, 'node', '--join', file, ...own]
    const child = spawn(process.execPath, words, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, TROUPE_ENDS_WITH_STDIN: '1' },
    })
    return new Promise((resolve, reject) => {
      let isReady = false
      createInterface(child.stdout!).on('line', (line) => {
        const said = parseLine(line)
        if (said === undefined) return
        if (said.event === 'ready' && typeof said.url === 'string') {
          isReady = true
          this.#running.set(index, { child, url: said.url })
          this.#indexes.set(said.url, index)
          if (this.#forgotten.has(index)) child.kill('SIGKILL')
          resolve()
        } else if (said.ok === false) reject(new Error(`validator ${index + 1}: ${said.error?.message ?? line}`))
      })
      child.once('exit', (code) => {
        this.#running.delete(index)
        if (!isReady) reject(new Error(`validator ${index + 1} ended with ${code} before it was ready`))
        if (this.#isClosed || !isReady) return
        this.#options.onExit(index, code)
        const next = Math.min(backoffMs * 2, RESTART_MS.most)
        this.#options.clock.after(backoffMs, () => {
          if (!this.#isClosed) this.#start(index, next).catch(() => {})
        })
      })
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(
      [...this.#running.values()].map(
        ({ child }) =>
          new Promise<void>((resolve) => {
            const stop = this.#options.clock.after(STOP_MS, () => child.kill('SIGKILL'))
            child.once('exit', () => {
              stop()
              resolve()
            })
            child.stdin?.end()
          }),
      ),
    )
  }
}

function parseLine(line: string):
  | {
      readonly event?: string
      readonly url?: string
      readonly ok?: boolean
      readonly error?: { readonly message: string }
    }
  | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Ports of the loopback that are free now. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
  return ports
}
