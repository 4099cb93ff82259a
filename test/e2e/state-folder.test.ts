import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Call, CliProcess, hasBuild, makeFolder, request, requestAll } from './cli-process.ts'

let folder: ReturnType<typeof makeFolder>
const running: CliProcess[] = []

beforeEach(() => {
  folder = makeFolder({})
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.kill('SIGKILL')))
  folder.dispose()
})

function start(...args: string[]): CliProcess {
  const node = new CliProcess([...args, '--json', '--port', '0'], { cwd: folder.path })
  running.push(node)
  return node
}

/** Runs a devnet for as long as `during` takes, and stops it in good order. */
async function runNode(
  args: readonly string[],
  during: (url: string, height: number) => Promise<unknown>,
): Promise<void> {
  const node = start('node', ...args)
  const { url, height } = await node.ready()
  await during(url, height)
  expect(await node.kill()).toBe(0)
}

/** The answer of a command that does not start. */
async function refusal(...args: string[]): Promise<{ exit: number | null; code: unknown; message: unknown }> {
  const node = start(...args)
  const exit = await node.ended
  const { error } = node.lines.at(-1) as { error: { code: string; message: string } }
  return { exit, code: error.code, message: error.message }
}

const send = (url: string) => request<{ cid: string; height: number }>(url, 'troupe_send', { to: 'bob', value: '1' })
const stateFile = () => join(folder.path, '.troupe', 'state', 'chain.mdb')

/** Temporary file systems, where this user may mount them. */
const mounted: string[] = []
function mountTmpfs(options: string): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'troupe-disk-'))
  if (process.platform !== 'linux' || spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) {
    rmSync(path, { recursive: true })
    return undefined
  }
  mounted.push(path)
  return path
}

function unmountAll(): void {
  for (const path of mounted.splice(0)) {
    spawnSync('umount', [path])
    rmSync(path, { recursive: true, force: true })
  }
}

const canMount = mountTmpfs('size=1m') !== undefined
unmountAll()

afterAll(unmountAll)

describe.skipIf(!hasBuild)('the state folder', () => {
  test('keeps the chain from one start to the next', async () => {
    await runNode([], send)
    await runNode([], async (_, height) => expect(height).toBe(1))
  })

  test.each(['dev', 'node'])(
    'belongs to one process: a second `%s` names it and ends with status 6',
    async (command) => {
      const first = start('node')
      await first.ready()
      const second = await refusal(command)
      expect(second).toMatchObject({ exit: 6, code: 'TRP-8202' })
      expect(second.message).toMatch(/process \d+/)
      expect(second.message).toContain(String(first.pid))
    },
  )

  test('is free again when its process was killed', async () => {
    const first = start('node')
    await first.ready()
    await first.kill('SIGKILL')
    await runNode([], send)
  })

  test.each([
    ['a later', [24, 99], 'TRP-8203'],
    ['an earlier', [1], 'TRP-8218'],
  ] as const)('of %s release is refused', async (_, format, code) => {
    await runNode([], send)
    const lmdb = createRequire(import.meta.url)('lmdb') as typeof import('lmdb')
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
    const root = lmdb.open<Buffer, Buffer>({ path: stateFile(), noSubdir: true, maxDbs: 3, ...binary })
    await root.openDB('meta', binary).put(Buffer.from('format'), Buffer.from(format))
    await root.close()
    expect(await refusal('node')).toMatchObject({ exit: 3, code })
    await runNode(['--reset'], async (_, height) => expect(height).toBe(0))
  })

  test.each([0.9, 0.5, 0.05, 0.001])('with a file cut to %s of its size is refused', async (part) => {
    await runNode([], send)
    truncateSync(stateFile(), Math.floor(statSync(stateFile()).size * part))
    expect(await refusal('node')).toMatchObject({ exit: 3, code: 'TRP-8204' })
    await runNode(['--reset'], async (_, height) => expect(height).toBe(0))
  })

  test.skipIf(!canMount)('that cannot be written is refused', async () => {
    const disk = mountTmpfs('ro')!
    expect(await refusal('node', '--state', join(disk, 'state'))).toMatchObject({ exit: 3, code: 'TRP-8205' })
  })

  test('is emptied by --reset', async () => {
    await runNode([], send)
    await runNode(['--reset'], async (_, height) => expect(height).toBe(0))
  })

  test('is not emptied by --reset while another process has it', async () => {
    const first = start('node')
    const { url } = await first.ready()
    await send(url)
    expect(await refusal('node', '--reset')).toMatchObject({ exit: 6, code: 'TRP-8202' })
    expect((await send(url)).height).toBe(2)
  })

  test('is not made with --no-persist', async () => {
    await runNode(['--no-persist'], send)
    expect(existsSync(stateFile())).toBe(false)
    await runNode(['--no-persist'], async (_, height) => expect(height).toBe(0))
  })

  test('is where --state says', async () => {
    mkdirSync(join(folder.path, 'elsewhere'))
    await runNode(['--state', 'elsewhere/chain'], send)
    expect(existsSync(join(folder.path, 'elsewhere', 'chain', 'chain.mdb'))).toBe(true)
    expect(existsSync(stateFile())).toBe(false)
  })

  test.skipIf(!canMount)('on a full disk stops the chain, and nothing that was acknowledged is lost', async () => {
    const disk = mountTmpfs('size=3m')!
    const node = start('node', '--state', join(disk, 'state'))
    const { url } = await node.ready()
    const acknowledged: string[] = []
    let failure = ''
    while (failure === '' && acknowledged.length < 20_000) {
      const answers = await requestAll(
        url,
        Array.from({ length: 20 }, (): Call => ['troupe_send', { to: 'bob', value: '1' }]),
      )
      for (const { result, error } of answers) {
        if (error === undefined) acknowledged.push((result as { cid: string }).cid)
        else failure = error.message
      }
    }
    expect(failure).toContain('the chain stopped')
    expect(await requestAll(url, [['troupe_send', { to: 'bob', value: '1' }], ['troupe_status']])).toMatchObject([
      { error: {} },
      { result: {} },
    ])
    await node.kill()
    spawnSync('mount', ['-o', 'remount,size=64m', disk])
    await runNode(['--state', join(disk, 'state')], async (again) => {
      for (let from = 0; from < acknowledged.length; from += 200) {
        const calls = acknowledged.slice(from, from + 200).map((cid): Call => ['troupe_receipt', cid])
        for (const { result } of await requestAll(again, calls)) expect(result).toMatchObject({ exitCode: 0 })
      }
      await send(again)
    })
  })

  test('says where its devnet is, and stops saying so', async () => {
    const file = join(folder.path, '.troupe', 'run.json')
    await runNode([], async (url) => expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ url }))
    expect(existsSync(file)).toBe(false)
  })
})
