/** A project in a temporary folder, commands run in this process, and a live devnet that they find by the project. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { COMMANDS } from '../../../devnet/cli/commands.ts'
import { execute } from '../../../devnet/cli/execute.ts'
import { serveDevnet } from '../../../devnet/rpc/serve.ts'
import { openTestDevnet } from '../node/chain-fixture.ts'

export const COUNTER = `import { actor, method, view, event, emit, fail, require } from 'troupe/actor'

/** @errors */
enum Problem { TooFar = 33 }

@event class Moved {
  constructor(public by: u64, public to: u64) {}
}

@actor
export class Counter {
  count: u64 = 0
  note: string = ''
  constructor(start: u64) {
    this.count = start
  }
  /** Adds to the counter. */
  @method
  increment(by: u64): u64 {
    if (this.count + by > 1000) fail(Problem.TooFar, 'beyond the end')
    this.count += by
    emit(new Moved(by, this.count))
    return this.count
  }
  @view
  get(): u64 {
    return this.count
  }
}
`

export const CALLER = `import { actor, method, at, Address } from 'troupe/actor'
import { Counter } from './counter.actor'

@actor
export class Caller {
  calls: u32 = 0
  @method
  twice(counter: Address, by: u64): u64 {
    this.calls += 1
    at<Counter>(counter).increment(by)
    return at<Counter>(counter).increment(by)
  }
}
`

export interface TestProject {
  readonly root: string
  write(path: string, text: string): void
  remove(): void
}

export function makeProject(
  files: Readonly<Record<string, string>> = { 'actors/counter.actor.ts': COUNTER },
): TestProject {
  const root = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('package.json', '{ "name": "fixture", "type": "module" }\n')
  for (const [path, text] of Object.entries(files)) write(path, text)
  return { root, write, remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** A devnet that the project announces as its own. */
export async function startDevnet(project: TestProject): Promise<{ readonly url: string; close(): Promise<void> }> {
  const devnet = openTestDevnet()
  const server = await serveDevnet(devnet, { host: '127.0.0.1', port: 0, isStrict: true })
  project.write('.troupe/run.json', JSON.stringify({ url: server.url, pid: process.pid }))
  return {
    url: server.url,
    async close() {
      await server.close()
      await devnet.close()
    },
  }
}

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** As `main` would, without a process of its own. */
export async function run(cwd: string, ...words: readonly string[]): Promise<Ran> {
  const [name, ...argv] = words
  const said = { stdout: '', stderr: '' }
  const listen = (stream: 'stdout' | 'stderr') =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk)
      return true
    })
  const spies = [listen('stdout'), listen('stderr')]
  try {
    const command = await COMMANDS[name!]!.load()
    return { status: await execute(command, argv, cwd), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

export interface Document {
  readonly status: number
  readonly ok: boolean
  readonly command: string
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own
  readonly data: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly error: any
  readonly warnings: readonly string[]
}

/** With `--json`: the one document that stdout has. */
export async function runJson(cwd: string, ...words: readonly string[]): Promise<Document> {
  const { status, stdout } = await run(cwd, ...words, '--json')
  const lines = stdout.trim().split('\n')
  if (lines.length !== 1) throw new Error(`stdout has ${lines.length} lines: ${stdout}`)
  return { status, ...JSON.parse(lines[0]!) }
}
