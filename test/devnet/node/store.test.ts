import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { buildSync } from 'esbuild'
import { open } from 'lmdb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cidOf, DAG_CBOR, RAW } from '../../../devnet/ipld/cid.ts'
import { encodeCbor } from '../../../devnet/ipld/dag-cbor.ts'
import type { DiskThread } from '../../../devnet/node/disk-patience.ts'
import { MemoryChainStore } from '../../../devnet/node/memory-store.ts'
import type { ChainStore } from '../../../devnet/node/ports.ts'
import { type NodeStore, openStore, STORE_FORMAT, StoreError } from '../../../devnet/node/store.ts'
import { blocksOf, bytesOf, numberOf } from './store-child.ts'

let folder: string
const opened: ChainStore[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-store-'))
})

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function openHere(): NodeStore {
  const store = openStore(folder)
  opened.push(store)
  return store
}

function faultOf(action: () => unknown): StoreError['fault'] | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof StoreError) return error.fault
    throw error
  }
}

const bytes = Uint8Array.of(1, 2, 3)
const cid = cidOf(DAG_CBOR, bytes)

describe.each<[string, () => ChainStore]>([
  ['in memory', () => new MemoryChainStore()],
  ['on disk', openHere],
  ['on disk, written by the thread that asks', () => openStore(folder, { thread: 'this thread' })],
  ['on disk, relaxed', () => openStore(folder, { durability: 'relaxed' })],
])('a chain store %s', (_, create) => {
  let store: ChainStore
  beforeEach(() => {
    store = create()
    opened.push(store)
  })

  test('has what was put, before a commit and after', async () => {
    expect(store.get(cid)).toBeUndefined()
    expect(store.has(cid)).toBe(false)
    store.put(cid, bytes)
    store.putRecord('k', bytes)
    for (let i = 0; i < 2; i++) {
      expect(store.get(cid)).toEqual(bytes)
      expect(store.has(cid)).toBe(true)
      expect(store.getRecord('k')).toEqual(bytes)
      await store.commit()
    }
    expect(store.get(cid)?.constructor).toBe(Uint8Array)
  })

  test('forgets deleted blocks, before a commit and after', async () => {
    store.put(cid, bytes)
    await store.commit()
    store.delete(cid)
    for (let i = 0; i < 2; i++) {
      expect(store.get(cid)).toBeUndefined()
      expect(store.has(cid)).toBe(false)
      await store.commit()
    }
    store.put(cid, bytes)
    store.delete(cid)
    store.put(cid, bytes)
    for (let i = 0; i < 2; i++) {
      expect(store.get(cid)).toEqual(bytes)
      expect(store.has(cid)).toBe(true)
      await store.commit()
    }
  })

  test('forgets deleted records, before a commit and after', async () => {
    store.putRecord('a', bytes)
    store.putRecord('b', bytes)
    await store.commit()
    store.deleteRecord('a')
    store.deleteRecord('never')
    for (let i = 0; i < 2; i++) {
      expect(store.getRecord('a')).toBeUndefined()
      expect(store.getRecord('b')).toEqual(bytes)
      await store.commit()
    }
    store.putRecord('a', Uint8Array.of(9))
    expect(store.getRecord('a')).toEqual(Uint8Array.of(9))
  })

  test('lists keys in the order of their bytes, what waits among what is there', async () => {
    for (const key of ['b\x02', 'b\xff', 'a', 'c', 'b']) store.putRecord(key, bytes)
    await store.commit()
    store.putRecord('b\x01', bytes)
    store.putRecord('b\x80', bytes)
    store.putRecord('b\x02', bytes)
    store.deleteRecord('b\xff')
    for (let i = 0; i < 2; i++) {
      expect([...store.recordKeys('b', 'c')]).toEqual(['b', 'b\x01', 'b\x02', 'b\x80'])
      expect([...store.recordKeys('', 'b')]).toEqual(['a'])
      expect([...store.recordKeys('b\x01', 'b\x02')]).toEqual(['b\x01'])
      expect([...store.recordKeys('c', 'b')]).toEqual([])
      await store.commit()
    }
  })

  test('keeps large values and many, unmixed', async () => {
    const many = Array.from({ length: 100 }, (_, n) => encodeCbor(`${n}`.repeat(5 * n)))
    for (const each of many) store.put(cidOf(DAG_CBOR, each), each)
    const large = new Uint8Array(1_000_000).fill(7)
    store.put(cidOf(RAW, large), large)
    await store.commit()
    const read = many.map((each) => store.get(cidOf(DAG_CBOR, each)))
    expect(read).toEqual(many)
    expect(Buffer.compare(store.get(cidOf(RAW, large))!, large)).toBe(0)
  })
})

describe('a folder', () => {
  test('keeps what was committed, and nothing else', async () => {
    const store = openHere()
    store.put(cid, bytes)
    store.putRecord('k', bytes)
    await store.commit()
    store.putRecord('later', bytes)
    await store.close()
    const again = openHere()
    expect(again.get(cid)).toEqual(bytes)
    expect(again.getRecord('k')).toEqual(bytes)
    expect(again.getRecord('later')).toBeUndefined()
    expect(again.sizeBytes()).toBeGreaterThan(0)
  })

  test('is made when it is not there', async () => {
    const deep = openStore(join(folder, 'a', 'b.c'))
    opened.push(deep)
    expect(deep.folder).toBe(join(folder, 'a', 'b.c'))
  })

  test.skipIf(process.platform !== 'linux')('is mapped once, however much it grows', async () => {
    const store = openHere()
    for (let n = 0; n < 16; n++) {
      store.put(cidOf(RAW, bytesOf(n)), new Uint8Array(400_000).fill(n))
      await store.commit()
      store.get(cidOf(RAW, bytesOf(n)))
    }
    expect(store.sizeBytes()).toBeGreaterThan(6_000_000)
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
    expect(maps.filter((line) => line.endsWith(join(folder, 'chain.mdb')))).toHaveLength(1)
  })

  test('closed, answers nothing more', async () => {
    const store = openHere()
    await store.close()
    await store.close()
    expect(faultOf(() => store.get(cid))).toEqual({ code: 'STORE_CLOSED', folder })
    expect(faultOf(() => store.put(cid, bytes))?.code).toBe('STORE_CLOSED')
    expect(faultOf(() => [...store.recordKeys('a', 'b')])?.code).toBe('STORE_CLOSED')
    await expect(store.commit()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  test('is refused to a second owner in this process, and the first one goes on', async () => {
    const store = openHere()
    store.put(cid, bytes)
    await store.commit()
    expect(faultOf(openHere)).toEqual({ code: 'STORE_LOCKED', folder, pid: process.pid })
    expect(store.get(cid)).toEqual(bytes)
    store.putRecord('k', bytes)
    await store.commit()
    await store.close()
    expect(openHere().getRecord('k')).toEqual(bytes)
  })

  test.each([
    ['a later', STORE_FORMAT + 1, 'STORE_NEWER'],
    ['an earlier', STORE_FORMAT - 1, 'STORE_OLDER'],
  ])('of %s release is refused, and left as it is', async (_, found, code) => {
    await openHere().close()
    await rewriteMeta('format', encodeCbor(found))
    for (let i = 0; i < 2; i++) expect(faultOf(openHere)).toEqual({ code, folder, found, known: STORE_FORMAT })
  })

  test.each<[string, () => Promise<void> | void]>([
    ['garbage', () => writeFileSync(join(folder, 'chain.mdb'), new Uint8Array(10_000).fill(7))],
    ['a few bytes', () => writeFileSync(join(folder, 'chain.mdb'), 'hello')],
    ['a text in place of its format', () => rewriteMeta('format', encodeCbor('one'))],
    ['tables, but no format', () => rewriteMeta('format', undefined)],
    [
      'half of its pages',
      async () => {
        const store = openHere()
        for (let n = 0; n < 20; n++) store.put(cidOf(RAW, bytesOf(n)), new Uint8Array(200_000).fill(n))
        await store.commit()
        await store.close()
        truncateSync(join(folder, 'chain.mdb'), 1 << 20)
      },
    ],
  ])('with %s is refused as damaged', async (_, harm) => {
    await harm()
    expect(faultOf(openHere)).toMatchObject({ code: 'STORE_DAMAGED', folder })
  })

  test('that is a file is refused', () => {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    expect(faultOf(() => openStore(path))?.code).toBe('STORE_FAILED')
    expect(readFileSync(path)).toHaveLength(0)
  })

  test('takes keys of up to 1024 bytes', () => {
    const store = openHere()
    for (const key of ['', 'x'.repeat(1025)]) expect(() => store.putRecord(key, bytes)).toThrow(RangeError)
    store.putRecord('x'.repeat(1024), bytes)
  })

  /** Changes a record that only the store itself knows, as another release would have written it. */
  async function rewriteMeta(key: string, value: Uint8Array | undefined): Promise<void> {
    const store = openHere()
    store.putRecord('k', bytes)
    await store.commit()
    await store.close()
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
    const root = open({ path: join(folder, 'chain.mdb'), noSubdir: true, overlappingSync: false, maxDbs: 3, ...binary })
    const meta = root.openDB('meta', binary)
    root.transactionSync(() => {
      if (value === undefined) meta.removeSync(Buffer.from(key))
      else meta.putSync(Buffer.from(key), Buffer.from(value))
    })
    await root.close()
  }
})

describe.skipIf(process.platform === 'win32')('processes', () => {
  const cache = resolve(import.meta.dirname, '../../../node_modules/.cache')
  let script: string
  const children: ChildProcess[] = []

  beforeAll(() => {
    mkdirSync(cache, { recursive: true })
    script = join(mkdtempSync(join(cache, 'troupe-store-')), 'child.mjs')
    buildSync({
      entryPoints: [resolve(import.meta.dirname, 'store-child.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
    })
  })

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  afterAll(() => rmSync(resolve(script, '..'), { recursive: true, force: true }))

  function start(action: string, command: readonly string[] = [process.execPath], thread: DiskThread = 'another') {
    const [file, ...args] = [...command, script, folder, action, thread]
    const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const ended = new Promise<void>((done) => child.once('close', () => done()))
    return {
      pid: child.pid!,
      line: async (): Promise<string | undefined> => ((await lines.next()) as { value?: string }).value,
      kill: async () => {
        child.kill('SIGKILL')
        await ended
      },
    }
  }

  test.each(['another', 'this thread'] as const)(
    'killed in the middle of commits, they lose nothing that was committed, and leave nothing half done: %s waits',
    async (thread) => {
      let committed = -1
      for (const count of [1, 7, 40, 90]) {
        const child = start('commit', undefined, thread)
        for (let i = 0; i < count; i++) committed = Number(await child.line())
        await child.kill()

        const store = openHere()
        const head = numberOf(store.getRecord('head'))
        expect(head).toBeGreaterThanOrEqual(committed)
        for (let n = 0; n <= head; n++) {
          expect(numberOf(store.getRecord(`height/${n}`))).toBe(n)
          for (const [each, content] of blocksOf(n)) expect(Buffer.compare(store.get(each)!, content)).toBe(0)
        }
        expect(store.getRecord(`height/${head + 1}`)).toBeUndefined()
        expect(blocksOf(head + 1).some(([each]) => store.has(each))).toBe(false)
        await store.close()
      }
    },
  )

  test('get the folder one at a time, and a dead one does not keep it', async () => {
    const holder = start('hold')
    expect(Number(await holder.line())).toBe(holder.pid)
    expect(faultOf(openHere)).toEqual({ code: 'STORE_LOCKED', folder, pid: holder.pid })
    expect(await start('open').line()).toBe('STORE_LOCKED')
    await holder.kill()
    const store = openHere()
    expect(await start('open').line()).toBe('STORE_LOCKED')
    await store.close()
    expect(await start('open').line()).toBe('opened')
  })

  test.each(['another', 'this thread'] as const)(
    'without room say so, keep what waits, and lose nothing: %s waits',
    async (thread) => {
      // The shell's limit on file sizes (in KiB for bash) stands for a full disk.
      const child = start('fill', ['bash', '-c', 'ulimit -f 4000; exec "$0" "$@"', process.execPath], thread)
      expect(await child.line()).toBe('STORE_FULL')
      expect(await child.line()).toBe('STORE_FULL')
      expect(JSON.parse((await child.line())!)).toEqual({ waits: true, lost: 0, whole: true })
    },
  )

  test('that may not write say so', async () => {
    await openHere().close()
    chmodSync(folder, 0o555)
    // The superuser may write anywhere, so the test steps down when it can.
    const isRoot = process.getuid?.() === 0
    const command = isRoot
      ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath]
      : undefined
    const answer = await start('open', command).line()
    chmodSync(folder, 0o755)
    if (answer !== undefined) expect(answer).toBe('STORE_READ_ONLY')
  })
})
