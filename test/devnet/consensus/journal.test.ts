import { describe, expect, test } from 'vitest'
import { NIL_BLOCK_ID } from '../../../devnet/consensus/block-id.ts'
import { encodeJournalRecord, type JournalRecord, readJournal } from '../../../devnet/consensus/journal.ts'
import { concatBytes } from '../../../devnet/primitives/bytes.ts'

const RECORDS: readonly JournalRecord[] = [
  { kind: 'height', value: { height: 7n } },
  { kind: 'begin', value: {} },
  { kind: 'block', value: { block: new Uint8Array(300).fill(9) } },
  { kind: 'verdict', value: { blockId: NIL_BLOCK_ID, verdict: 1 } },
  { kind: 'timeout', value: { step: 2, round: 3 } },
  { kind: 'claim', value: { peer: new Uint8Array([112]), round: 1, type: 2, blockId: NIL_BLOCK_ID } },
  {
    kind: 'signed',
    value: { height: 7n, round: 0, step: 2, signBytes: new Uint8Array([1, 2]), signature: new Uint8Array(64).fill(5) },
  },
]
const encoded = RECORDS.map(encodeJournalRecord)
const journal = concatBytes(...encoded)

describe('a journal', () => {
  test('gives back what was written', () => {
    expect(readJournal(journal)).toEqual({ records: RECORDS, size: journal.length, end: 'whole' })
    expect(readJournal(new Uint8Array(0))).toEqual({ records: [], size: 0, end: 'whole' })
  })

  test('gives back all whole records, cut at any byte', () => {
    for (let size = 0; size < journal.length; size++) {
      const { records, size: kept, end } = readJournal(journal.slice(0, size))
      const isBoundary = kept === size
      expect(end).toBe(isBoundary ? 'whole' : 'torn')
      expect(records).toEqual(RECORDS.slice(0, records.length))
      expect(kept).toBe(encoded.slice(0, records.length).reduce((sum, { length }) => sum + length, 0))
    }
  })

  test('says that it is damaged when whole records follow one that is not, wherever a bit is flipped', () => {
    const last = journal.length - encoded.at(-1)!.length
    for (let at = 0; at < last; at++) {
      const flipped = journal.slice()
      flipped[at]! ^= 0x10
      expect(readJournal(flipped).end, `byte ${at}`).toBe('damaged')
    }
  })

  test('ends where zeros begin, which a file system may leave after a crash', () => {
    const { records, end } = readJournal(concatBytes(journal, new Uint8Array(4096)))
    expect(records).toEqual(RECORDS)
    expect(end).toBe('torn')
  })
})
