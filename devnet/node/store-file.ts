/**
 * What can be told about a store's file before LMDB opens it. LMDB answers a foreign or damaged file with a crash of
 * the process, not with an error.
 *
 * Its file begins with two meta pages. Each has a header of 24 bytes, then: magic u32, version u32, address u64, map
 * size u64, page size u32 …, at 120 the last page's number u64, at 128 the transaction's number u64.
 *
 * @source lmdb `dependencies/lmdb/libraries/liblmdb/mdb.c`, MDB_meta
 */
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'

const META_AT = 24
const META_SIZE = 136
const META_MAGIC = 0xbeefc0de
const PAGE_SIZE_MIN = 512
const PAGE_SIZE_MAX = 65536

interface Meta {
  readonly pageSize: number
  readonly lastPage: number
  readonly transaction: bigint
}

/** Why the file at `path` must not be opened; undefined when it may, or is not there yet. */
export function findDamage(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return undefined
    const first = readMeta(file, 0)
    const second = first && readMeta(file, first.pageSize)
    if (first === undefined || second === undefined) return 'it does not begin like an LMDB file'
    const { lastPage } = first.transaction > second.transaction ? first : second
    const expected = (lastPage + 1) * first.pageSize
    // Pages that a transaction took and gave back may be missing at the end. Whether others are, only reading tells.
    return size < expected && !isReadable(path) ? `it is cut off at ${size} of ${expected} bytes` : undefined
  } finally {
    closeSync(file)
  }
}

function readMeta(file: number, pageAt: number): Meta | undefined {
  const bytes = new DataView(new ArrayBuffer(META_SIZE))
  if (readSync(file, bytes, 0, META_SIZE, pageAt + META_AT) < META_SIZE) return undefined
  const pageSize = bytes.getUint32(24, true)
  const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0
  if (bytes.getUint32(0, true) !== META_MAGIC) return undefined
  if (pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX || !isPowerOfTwo) return undefined
  return {
    pageSize,
    lastPage: Number(bytes.getBigUint64(120, true)),
    transaction: bytes.getBigUint64(128, true),
  }
}

/**
 * Reads every entry, and writes one and takes it back, which reads the list of free pages: in a process of its own, since
 * a page beyond the end of the file ends it with a bus error.
 */
function isReadable(path: string): boolean {
  const lmdb = createRequire(import.meta.url).resolve('lmdb')
  const script = `
    const binary = { encoding: 'binary', keyEncoding: 'binary' }
    const root = require(${JSON.stringify(lmdb)}).open({ path: ${JSON.stringify(path)}, noSubdir: true, maxDbs: 3, ...binary })
    for (const name of [...root.getKeys()])
      for (const { value } of root.openDB(name.toString().replace(/\\0/g, ''), binary).getRange()) value.at(-1)
    const meta = root.openDB('meta', binary)
    root.transactionSync(() => meta.putSync(Buffer.from('probe'), Buffer.alloc(1)))
    root.transactionSync(() => meta.removeSync(Buffer.from('probe')))
    process.exit(0)`
  return spawnSync(process.execPath, ['-e', script], { stdio: 'ignore' }).status === 0
}
