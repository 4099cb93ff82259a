import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeJournalRecord, type JournalRecord } from '../../../devnet/consensus/journal.ts'
import { type Journal, openJournal } from '../../../devnet/node/journal-file.ts'

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

/** What a process finds that begins when this one is killed now. */
function crashed(path: string): bigint[] {
  const copy = `${path}.crashed`
  copyFileSync(path, copy)
  const journal = openJournal(copy, 'full')
  const heights = heightsOf(journal)
  journal.close()
  return heights
}

describe.each(['full', 'relaxed'] as const)('a journal on disk, durability %s', (durability) => {
  it('gives back what was synced, and says whether there was one', async () => {
    const path = makePath()
    const first = openJournal(path, durability)
    expect([first.found, heightsOf(first)]).toEqual(['missing', []])
    first.append(bytesOf(1n))
    await synced(first)
    expect(crashed(path)).toEqual([1n])
    first.append(bytesOf(2n))
    first.close()
    const second = openJournal(path, durability)
    expect([second.found, heightsOf(second)]).toEqual(['whole', [1n, 2n]])
    second.close()
  })

  it('begins anew with a cut, and goes on from there', async () => {
    const path = makePath()
    const journal = openJournal(path, durability)
    for (let height = 1n; height <= 50n; height++) journal.append(bytesOf(height))
    await synced(journal)
    const before = statSync(path).size
    journal.cut([bytesOf(51n)])
    journal.append(bytesOf(52n))
    await synced(journal)
    expect(crashed(path)).toEqual([51n, 52n])
    expect(statSync(path).size).toBeLessThan(before)
    journal.cut([bytesOf(53n)])
    journal.cut([bytesOf(54n)])
    journal.close()
    const again = openJournal(path, durability)
    expect(heightsOf(again)).toEqual([54n])
    again.close()
  })
})

describe('a cut that nobody synced', () => {
  it('leaves the journal as it was for whoever comes after a crash', async () => {
    const path = makePath()
    const journal = openJournal(path, 'full')
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
    const journal = openJournal(path, 'full')
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
    const lost = openJournal(path, 'full')
    lost.append(bytesOf(1n))
    await synced(lost)
    lost.cut(Array.from({ length: 100 }, () => bytesOf(2n)))
    const next = openJournal(path, 'full')
    expect(heightsOf(next)).toEqual([1n])
    next.cut([bytesOf(3n)])
    await synced(next)
    expect(readFileSync(path)).toEqual(Buffer.from(bytesOf(3n)))
    next.close()
  })
})
