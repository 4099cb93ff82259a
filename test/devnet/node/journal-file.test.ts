import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { encodeJournalRecord, type JournalRecord } from '../../../devnet/consensus/journal.ts'
import { type Journal, JournalDamaged, openJournal, readJournalFile } from '../../../devnet/node/journal-file.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function makePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-journal-'))
  folders.push(folder)
  return join(folder, 'journal')
}

const atHeight = (height: bigint): JournalRecord => ({ kind: 'height', value: { height } })
const bytesOf = (height: bigint): Uint8Array => encodeJournalRecord(atHeight(height))
const heightsOf = ({ records }: Pick<Journal, 'records'>): bigint[] =>
  records.flatMap((record) => (record.kind === 'height' ? [record.value.height] : []))
const synced = (journal: Journal): Promise<void> =>
  new Promise((resolve, reject) => journal.sync((error) => (error === null ? resolve() : reject(error))))

/** Without the room. */
function contentOf(path: string): Uint8Array {
  const file = readFileSync(path)
  return file.subarray(0, readJournalFile(file).size)
}

/** What a process finds that begins when this one is killed now. */
function crashed(path: string): bigint[] {
  const copy = `${path}.crashed`
  copyFileSync(path, copy)
  const journal = openJournal(copy, 'full', 'another')
  const heights = heightsOf(journal)
  journal.close()
  return heights
}

describe.each([
  ['full', 'another'],
  ['full', 'this thread'],
  ['relaxed', 'another'],
] as const)('a journal on disk, durability %s, flushed by %s', (durability, thread) => {
  it('gives back what was synced, and says whether there was one', async () => {
    const path = makePath()
    const first = openJournal(path, durability, thread)
    expect([first.found, heightsOf(first)]).toEqual(['missing', []])
    first.append(bytesOf(1n))
    await synced(first)
    expect(crashed(path)).toEqual([1n])
    first.append(bytesOf(2n))
    first.close()
    const second = openJournal(path, durability, thread)
    expect([second.found, heightsOf(second)]).toEqual(['whole', [1n, 2n]])
    second.close()
  })

  it('begins anew with a cut, and goes on from there', async () => {
    const path = makePath()
    const journal = openJournal(path, durability, thread)
    for (let height = 1n; height <= 50n; height++) journal.append(bytesOf(height))
    await synced(journal)
    const before = contentOf(path).length
    journal.cut([bytesOf(51n)])
    journal.append(bytesOf(52n))
    await synced(journal)
    expect(crashed(path)).toEqual([51n, 52n])
    expect(contentOf(path).length).toBeLessThan(before)
    journal.cut([bytesOf(53n)])
    journal.cut([bytesOf(54n)])
    journal.close()
    const again = openJournal(path, durability, thread)
    expect(heightsOf(again)).toEqual([54n])
    again.close()
  })
})

describe('a cut that nobody synced', () => {
  it('leaves the journal as it was for whoever comes after a crash', async () => {
    const path = makePath()
    const journal = openJournal(path, 'full', 'another')
    journal.append(bytesOf(1n))
    await synced(journal)
    journal.cut([bytesOf(2n)])
    journal.append(bytesOf(3n))
    expect(crashed(path)).toEqual([1n])
    await synced(journal)
    expect(crashed(path)).toEqual([2n, 3n])
    journal.close()
  })

  it('does not take the place of the old file when a sync of the old one ends', async () => {
    const path = makePath()
    const journal = openJournal(path, 'full', 'another')
    journal.append(bytesOf(1n))
    const old = synced(journal)
    journal.cut([bytesOf(2n)])
    await old
    expect(crashed(path)).toEqual([1n])
    await synced(journal)
    expect(crashed(path)).toEqual([2n])
    journal.close()
  })

  it('is overwritten by the next journal that is cut there', async () => {
    const path = makePath()
    const lost = openJournal(path, 'full', 'another')
    lost.append(bytesOf(1n))
    await synced(lost)
    lost.cut(Array.from({ length: 100 }, () => bytesOf(2n)))
    const next = openJournal(path, 'full', 'another')
    expect(heightsOf(next)).toEqual([1n])
    next.cut([bytesOf(3n)])
    await synced(next)
    expect(heightsOf(readJournalFile(readFileSync(path)))).toEqual([3n])
    next.close()
  })
})

describe('a journal that a power failure met', () => {
  const SECTOR = 512

  /** Two batches on the disk; the second has several sectors. Where each begins, and what the file holds up to its room. */
  async function written() {
    const path = makePath()
    const journal = openJournal(path, 'full', 'another')
    journal.append(bytesOf(1n))
    await synced(journal)
    const second = contentOf(path).length
    for (let height = 2n; height <= 200n; height++) journal.append(bytesOf(height))
    await synced(journal)
    const end = contentOf(path).length
    journal.close()
    expect(end - second).toBeGreaterThan(2 * SECTOR)
    return { path, file: readFileSync(path), second, end }
  }

  it('has room that was made ahead, and reads up to it', async () => {
    const { file, end } = await written()
    expect(file.length).toBeGreaterThan(end)
    expect(readJournalFile(file)).toMatchObject({ end: 'whole', size: end })
  })

  it('counts the last batch not at all when any sector of it is missing, and goes on from there', async () => {
    const { path, file, second, end } = await written()
    for (let at = second; at < end; at += SECTOR) {
      const lost = Buffer.from(file).fill(0, at, Math.min(end, at + SECTOR))
      const { records, size, end: how } = readJournalFile(lost)
      expect([heightsOf({ records }), size, how]).toEqual([[1n], second, 'torn'])
    }
    writeFileSync(path, Buffer.from(file).fill(0, second + SECTOR, second + 2 * SECTOR))
    const again = openJournal(path, 'full', 'another')
    expect([again.found, heightsOf(again)]).toEqual(['torn', [1n]])
    again.append(bytesOf(7n))
    await synced(again)
    expect(crashed(path)).toEqual([1n, 7n])
    again.close()
  })

  it('is refused when a batch is broken that another follows: nobody knows what was signed', async () => {
    const { path, file, second } = await written()
    const broken = Buffer.from(file)
    broken[second - 1]! ^= 1
    writeFileSync(path, broken)
    expect(() => openJournal(path, 'full', 'another')).toThrow(JournalDamaged)
  })
})

describe('a flush in this thread', () => {
  it('is done when sync returns, until the disk is slow', async () => {
    const journal = openJournal(makePath(), 'full', 'this thread')
    const isDoneAtOnce = (): boolean => {
      let isDone = false
      journal.append(bytesOf(1n))
      journal.sync(() => {
        isDone = true
      })
      return isDone
    }
    expect(isDoneAtOnce()).toBe(true)
    let ms = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (ms += 20))
    expect([isDoneAtOnce(), isDoneAtOnce()]).toEqual([true, false])
    clock.mockRestore()
    await synced(journal)
    journal.close()
  })
})
