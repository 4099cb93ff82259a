/** The built `troupe` as a process: its lines of JSON, its requests, its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPackageRoot } from '../../devnet/node/package-root.ts'

const packageRoot = findPackageRoot()
const main = join(packageRoot, 'dist', 'devnet', 'cli', 'launch.cjs')

/** Tests of the command need what `npm run build` makes. */
export const hasBuild = existsSync(main) && existsSync(join(packageRoot, 'dist', 'actors.car'))

export type Line = Readonly<Record<string, unknown>>

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly nodeFlags?: readonly string[]
  /** A command that runs the command: as `ip netns exec …`. */
  readonly through?: readonly string[]
}

/** One run. Lines on stdout are JSON; whoever waits for one that never comes hears how the process ended. */
export class CliProcess {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  readonly #watchers = new Set<() => void>()
  /** Exit status; null when a signal ended it. */
  readonly ended: Promise<number | null>
  #hasEnded = false
  #stderr = ''

  constructor(args: readonly string[], { cwd, env = {}, nodeFlags = [], through = [] }: RunOptions) {
    const [program, ...words] = [...through, process.execPath, ...nodeFlags, main, ...args]
    this.#child = spawn(program!, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stderr!.on('data', (text: Buffer) => (this.#stderr += text.toString('utf8')))
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as Line)
      for (const watcher of this.#watchers) watcher()
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#hasEnded = true
        for (const watcher of this.#watchers) watcher()
        resolve(code)
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get lines(): readonly Line[] {
    return this.#lines
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The first line, from the `from`-th on, that `matches`. */
  line(matches: (line: Line) => boolean, from = 0): Promise<Line> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#lines.slice(from).find(matches)
        if (found === undefined && !this.#hasEnded) return
        this.#watchers.delete(look)
        if (found !== undefined) resolve(found)
        else reject(new Error(`the process ended: ${JSON.stringify(this.#lines.slice(-3))} ${this.#stderr}`))
      }
      this.#watchers.add(look)
      look()
    })
  }

  /** Where the devnet listens. */
  async ready(): Promise<{ readonly url: string; readonly height: number }> {
    return (await this.line(({ event }) => event === 'ready')) as unknown as { url: string; height: number }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(signal)
    return this.ended
  }
}

export interface RpcAnswer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export type Call = readonly [method: string, ...params: unknown[]]

/** Several calls in one request; the answers in their order. */
export async function requestAll(url: string, calls: readonly Call[]): Promise<RpcAnswer[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))),
  })
  const answers = (await response.json()) as (RpcAnswer & { id: number })[]
  return answers.sort((a, b) => a.id - b.id)
}

export async function request<T>(url: string, ...call: Call): Promise<T> {
  const [answer] = await requestAll(url, [call])
  if (answer!.error !== undefined) throw new Error(answer!.error.message)
  return answer!.result as T
}

/** A folder that can import `troupe`, as an installed project can. */
export function makeFolder(files: Readonly<Record<string, string>>): {
  readonly path: string
  write(path: string, text: string): void
  dispose(): void
} {
  const path = mkdtempSync(join(tmpdir(), 'troupe-e2e-'))
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  write('package.json', '{"type":"module"}')
  mkdirSync(join(path, 'node_modules'))
  symlinkSync(packageRoot, join(path, 'node_modules', 'troupe'))
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { path, write, dispose: () => rmSync(path, { recursive: true, force: true }) }
}
