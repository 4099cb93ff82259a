// A process of its own for `store.test.ts`: opens the folder of its first argument and does what the second one says; the third says
// which thread waits for the disk.
// Answers in lines on stdout.
import { type Cid, cidOf, RAW } from '../../../devnet/ipld/cid.ts'
import type { DiskThread } from '../../../devnet/node/disk-patience.ts'
import { openStore, StoreError } from '../../../devnet/node/store.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'

/** The blocks that height `n` commits: what the parent expects to find, all of them or none. */
export function blocksOf(n: number): readonly (readonly [Cid, Uint8Array])[] {
  return Array.from({ length: 20 }, (_, i) => {
    const bytes = encodeUtf8(`${n}/${i}/`.repeat(1 + ((n * 31 + i * 17) % 300)))
    return [cidOf(RAW, bytes), bytes] as const
  })
}

export function numberOf(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}

export function bytesOf(n: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}

const actions = {
  /** Commits height after height, one line each, until it is killed. */
  async commit(folder: string, thread: DiskThread): Promise<void> {
    const store = openStore(folder, { thread })
    for (let n = numberOf(store.getRecord('head')) + 1; ; n++) {
      for (const [cid, bytes] of blocksOf(n)) store.put(cid, bytes)
      store.putRecord(`height/${n}`, bytesOf(n))
      store.putRecord('head', bytesOf(n))
      await store.commit()
      process.stdout.write(`${n}\n`)
    }
  },
  /** Opens the store and waits to be killed. */
  async hold(folder: string): Promise<void> {
    openStore(folder)
    process.stdout.write(`${process.pid}\n`)
    setInterval(() => {}, 1000)
  },
  /** Commits until something fails; says what failed, tries once more, and what is there afterwards. */
  async fill(folder: string, thread: DiskThread): Promise<void> {
    const store = openStore(folder, { thread })
    let n = 0
    try {
      for (; n < 2000; n++) {
        for (const [cid, bytes] of blocksOf(n)) store.put(cid, bytes)
        store.putRecord('head', bytesOf(n))
        await store.commit()
      }
    } catch (error) {
      process.stdout.write(`${codeOf(error)}\n`)
    }
    const waits = store.has(blocksOf(n)[0]![0]) && numberOf(store.getRecord('head')) === n
    await store.commit().catch((error: unknown) => process.stdout.write(`${codeOf(error)}\n`))
    await store.close().catch(() => {})
    const again = openStore(folder)
    const head = numberOf(again.getRecord('head'))
    const whole = blocksOf(head).every(([cid]) => again.has(cid)) && !again.has(blocksOf(head + 1)[0]![0])
    process.stdout.write(`${JSON.stringify({ waits, lost: n - 1 - head, whole })}\n`)
  },
  async open(folder: string): Promise<void> {
    await openStore(folder).close()
    process.stdout.write('opened\n')
  },
}

function codeOf(error: unknown): string {
  return error instanceof StoreError ? error.code : String(error)
}

const [, , folder, action, thread = 'another'] = process.argv
if (folder !== undefined && action !== undefined && action in actions) {
  actions[action as keyof typeof actions](folder, thread as DiskThread).catch((error: unknown) => {
    process.stdout.write(`${codeOf(error)}\n`)
  })
}
