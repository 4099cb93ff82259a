/** `troupe doctor`: whether this machine, this installation and this project have what they need. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { findPackageRoot } from '../../node/package-root.ts'
import { VERSION } from '../../primitives/version.ts'
import type { Project } from '../../reload/project.ts'
import { findRunning } from '../../reload/running.ts'
import type { Command, Input } from '../command.ts'
import { loadProject } from '../load-project.ts'
import { type Answer, CliError, Exit, paint, table } from '../output.ts'
import { startProgress } from '../progress.ts'
import { listActors } from '../sources.ts'

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  about:
    'Checks Node, the native parts, the compiler, the port, the state folder and the project. Exit status 1 when something fails.',
  example: 'troupe doctor --json',
  flags: {},
  run,
}

interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly fix?: string
}

type Found = Omit<Finding, 'check'>

const ok = (detail: string): Found => ({ status: 'ok', detail })
const warn = (detail: string, fix: string): Found => ({ status: 'warn', detail, fix })
const fail = (detail: string, fix: string): Found => ({ status: 'fail', detail, fix })

async function run(input: Input): Promise<Answer> {
  const progress = startProgress(input)
  const findings: Finding[] = []
  const examine = async (check: string, look: () => Found | Promise<Found>): Promise<void> => {
    progress.sayNow(check)
    try {
      findings.push({ check, ...(await look()) })
    } catch (error) {
      findings.push({ check, ...fail((error as Error).message.split('\n')[0]!, 'reinstall the package: npm install') })
    }
  }
  await examine('troupe', () => ok(VERSION))
  await examine('node', nodeVersion)
  await examine('secp256k1', secp)
  await examine('lmdb', lmdb)
  await examine('bundle', bundle)
  await examine('compiler', compiler)
  let project: Project | undefined
  await examine('config', async () => {
    try {
      project = await loadProject(input)
      return ok(project.configFile ?? 'none, which is fine')
    } catch (error) {
      if (error instanceof CliError) return fail(error.message, error.fix ?? 'see troupe.config.ts')
      throw error
    }
  })
  if (project !== undefined) {
    const found = project
    await examine('actors', () => actors(found))
    await examine('port', () => port(found))
    await examine('state', () => state(found))
    await examine('.gitignore', () => ignored(found))
  }
  progress.end()
  const isWell = findings.every(({ status }) => status !== 'fail')
  return { data: { findings }, text: render(findings), exit: isWell ? Exit.Done : Exit.Untrue }
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function render(findings: readonly Finding[]): string {
  const lines = table(findings.map(({ check, status, detail }) => [status.padEnd(4), check, detail])).split('\n')
  return findings
    .flatMap(({ status, fix }, index) => {
      const line = lines[index]!
      const painted = `${paint(COLOURS[status], line.slice(0, 4))}${line.slice(4)}`
      return fix === undefined ? [painted] : [painted, `      fix: ${fix}`]
    })
    .join('\n')
}

function nodeVersion(): Found {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return ok(process.versions.node)
  return fail(`${process.versions.node} is too old`, 'install Node 20.19 or newer')
}

async function secp(): Promise<Found> {
  const { secpBackend } = await import('../../primitives/keys.ts')
  if (secpBackend === 'native') return ok('native')
  return warn('in JavaScript, some 25 times slower', 'npm rebuild secp256k1, with a C compiler installed')
}

async function lmdb(): Promise<Found> {
  try {
    const { open } = await import('lmdb')
    return typeof open === 'function' ? ok('loads') : fail('does not load', 'reinstall the package')
  } catch (error) {
    return fail((error as Error).message.split('\n')[0]!, 'run with --no-persist, or reinstall for this platform')
  }
}

async function bundle(): Promise<Found> {
  const file = join(findPackageRoot(), 'dist', 'actors.car')
  if (!existsSync(file))
    return fail('the built-in actors are missing', 'reinstall the package; in its own repository, npm run build')
  const { readBundle } = await import('../../node/bundle.ts')
  return ok(`${readBundle(readFileSync(file)).manifest.length} built-in actors`)
}

const SAMPLE = `import { actor, method } from 'troupe/actor'
@actor
export class Sample {
  count: u64 = 0
  @method
  add(by: u64): u64 {
    this.count += by
    return this.count
  }
}
`

async function compiler(): Promise<Found> {
  const started = performance.now()
  const { compileActor } = await import('../../../compiler/compile.ts')
  const entry = 'sample.actor.ts'
  const result = await compileActor({
    entry,
    mode: 'release',
    readFile: (path) => (path === entry ? SAMPLE : undefined),
  })
  if (!result.ok)
    return fail(`a sample does not compile: ${result.diagnostics[0]?.message ?? ''}`, 'reinstall the package')
  return ok(
    `AssemblyScript ${result.artifact.abi.build.asc}, a sample in ${Math.round(performance.now() - started)} ms`,
  )
}

function actors(project: Project): Found {
  const found = listActors(project)
  if (found.length > 0) return ok(found.map(({ actor }) => actor).join(', '))
  return warn(`no *.actor.ts in ${project.actorsFolder}`, '`troupe init` begins a project')
}

const DEFAULT_PORT = 8545

function port(project: Project): Promise<Found> | Found {
  const running = findRunning(project.dataFolder)
  if (running !== undefined) return ok(`a devnet of this project runs at ${running.url}`)
  const wanted = project.config.port ?? DEFAULT_PORT
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () =>
      done(warn(`${wanted} is taken`, 'the devnet will take the next free one; --port chooses another')),
    )
    server.listen(wanted, project.config.host ?? '127.0.0.1', () => server.close(() => done(ok(`${wanted} is free`))))
  })
}

async function state({ root, dataFolder, config }: Project): Promise<Found> {
  const folder = config.state === undefined ? join(dataFolder, 'state') : resolve(root, config.state)
  if (!existsSync(folder)) return ok('none yet')
  const { openStore, StoreError, STORE_FORMAT } = await import('../../node/store.ts')
  try {
    const store = openStore(folder)
    const size = store.sizeBytes()
    await store.close()
    return ok(`format ${STORE_FORMAT}, ${(size / (1 << 20)).toFixed(1)} MB`)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'STORE_LOCKED') return ok('in use by a running devnet')
    return fail(error.message, error.isLost ? 'troupe dev --reset begins a new chain' : 'see the message')
  }
}

function ignored({ root }: Project): Found {
  const file = join(root, '.gitignore')
  if (!existsSync(join(root, '.git')) && !existsSync(file)) return ok('no repository here')
  const lines = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.trim().replace(/^\/|\/$/g, ''))
    : []
  return lines.includes('.troupe')
    ? ok('leaves .troupe out')
    : warn('.troupe would be committed', 'add a line `.troupe/` to .gitignore')
}
