/**
 * A replica's journal: everything that was put into the rounds of the height that is being decided, in order, and so each
 * signature it ever gave. What is read back brings the rounds to where they were, locks and all. The journal is the guard
 * against signing twice, too: a signature leaves only after its record is on the disk.
 *
 *   record = CRC-32C of the rest (4 bytes, highest first) ‖ size of the message (4) ‖ message
 *
 * A journal ends where it is torn. Damage before its end is another thing: nobody knows then what was signed.
 *
 * @source spec consensus §4.8
 */

import { concatBytes } from '../primitives/bytes.ts'
import { crc32c } from './log-record.ts'
import { WireError } from './protobuf.ts'
import {
  bool,
  bytes,
  decode,
  encode,
  enumeration,
  int32,
  int64,
  message,
  nested,
  time,
  uint32,
  union,
  type ValueOf,
} from './schema.ts'
import { BLOCK_ID, PROPOSAL, VOTE } from './wire.ts'

export const JOURNAL_RECORD = union('sum', {
  /** A height begins: what lies before is settled. */
  height: nested(1, message({ height: int64(1) })),
  begin: nested(2, message({})),
  proposal: nested(3, message({ proposal: nested(1, PROPOSAL), receivedAt: time(2), isOwn: bool(3) })),
  block: nested(4, message({ block: bytes(1) })),
  /** 1 accepted, 2 rejected, 3 malformed. */
  verdict: nested(5, message({ blockId: nested(1, BLOCK_ID), verdict: uint32(2) })),
  vote: nested(6, message({ vote: nested(1, VOTE), isOwn: bool(2) })),
  claim: nested(7, message({ peer: bytes(1), round: int32(2), type: enumeration(3), blockId: nested(4, BLOCK_ID) })),
  /** 1 propose, 2 prevote, 3 precommit. */
  timeout: nested(8, message({ step: uint32(1), round: int32(2) })),
  /** What was signed last, at the head of a journal whose beginning was cut off. */
  signed: nested(
    9,
    message({ height: int64(1), round: int32(2), step: uint32(3), signBytes: bytes(4), signature: bytes(5) }),
  ),
})
export type JournalRecord = NonNullable<ValueOf<typeof JOURNAL_RECORD>>

const HEAD_SIZE = 8
/** A block of the greatest size, and what is around it. */
const MESSAGE_SIZE_MAX = 104_857_600 + 1024

export interface JournalReading {
  readonly records: readonly JournalRecord[]
  /** How many bytes the whole records have: where a torn journal is cut. */
  readonly size: number
  /** `torn`: the last record is not whole. `damaged`: whole records follow one that is not. */
  readonly end: 'whole' | 'torn' | 'damaged'
}

export function encodeJournalRecord(record: JournalRecord): Uint8Array {
  const data = encode(JOURNAL_RECORD, record)
  const head = new Uint8Array(HEAD_SIZE)
  const view = new DataView(head.buffer)
  view.setUint32(0, checksum(data))
  view.setUint32(4, data.length)
  return concatBytes(head, data)
}

export function readJournal(journal: Uint8Array): JournalReading {
  const records: JournalRecord[] = []
  let at = 0
  while (at < journal.length) {
    const found = readRecord(journal, at)
    if (found === undefined) return { records, size: at, end: hasRecordAfter(journal, at) ? 'damaged' : 'torn' }
    records.push(found.record)
    at = found.next
  }
  return { records, size: at, end: 'whole' }
}

function readRecord(journal: Uint8Array, at: number): { record: JournalRecord; next: number } | undefined {
  if (at + HEAD_SIZE > journal.length) return undefined
  const view = new DataView(journal.buffer, journal.byteOffset, journal.length)
  const size = view.getUint32(at + 4)
  const next = at + HEAD_SIZE + size
  if (size > MESSAGE_SIZE_MAX || next > journal.length) return undefined
  const data = journal.subarray(at + HEAD_SIZE, next)
  if (checksum(data) !== view.getUint32(at)) return undefined
  try {
    const record = decode(JOURNAL_RECORD, data)
    return record === null ? undefined : { record, next }
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** The size is covered as well, so that a run of zeros is no record. */
function checksum(data: Uint8Array): number {
  return (crc32c(data) ^ data.length ^ 0x5472_6f75) >>> 0
}

/** How far a torn write can reach: no record that is whole lies that near behind it by chance. */
const SCAN_SIZE_MAX = 1 << 20

function hasRecordAfter(journal: Uint8Array, torn: number): boolean {
  const end = Math.min(journal.length, torn + SCAN_SIZE_MAX)
  for (let at = torn + 1; at + HEAD_SIZE < end; at++) if (readRecord(journal, at) !== undefined) return true
  return false
}
