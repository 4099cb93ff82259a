/**
 * Records of a node's write-ahead log: CRC-32C and length, both of four bytes with the highest first, then the message. A log
 * ends where it is torn; what was written before that counts.
 *
 * @source CometBFT v0.38.25 `consensus/wal.go`
 */

import { type Fault, fault } from './fault.ts'
import { checkConsensusMessage } from './gossip.ts'
import { WireError } from './protobuf.ts'
import { decode, encode } from './schema.ts'
import { type LogMessage, TIMED_LOG_MESSAGE, type TimedLogMessage } from './wire-channels.ts'

/** A mebibyte of message, and what goes around it. */
export const LOG_RECORD_SIZE_MAX = 1_048_576 + 24
const HEAD_SIZE = 8
const STEP_MAX = 255

export interface LogReading {
  readonly records: readonly TimedLogMessage[]
  /** How many bytes the records have: where a torn log is cut. */
  readonly size: number
  /** Null when the log ends after a whole record. */
  readonly fault: Fault | null
}

export function encodeLogRecord(message: TimedLogMessage): Uint8Array {
  const data = encode(TIMED_LOG_MESSAGE, message)
  const record = new Uint8Array(HEAD_SIZE + data.length)
  const view = new DataView(record.buffer)
  view.setUint32(0, crc32c(data))
  view.setUint32(4, data.length)
  record.set(data, HEAD_SIZE)
  return record
}

export function readLog(bytes: Uint8Array): LogReading {
  const records: TimedLogMessage[] = []
  let at = 0
  while (at < bytes.length) {
    const record = readRecord(bytes, at)
    if ('code' in record) return { records, size: at, fault: record }
    records.push(record.message)
    at = record.next
  }
  return { records, size: at, fault: null }
}

/** What a short read leaves unread counts as zero bytes, as in the library. */
function readRecord(
  bytes: Uint8Array,
  at: number,
): Fault | { readonly message: TimedLogMessage; readonly next: number } {
  const head = new Uint8Array(HEAD_SIZE)
  head.set(bytes.subarray(at, at + HEAD_SIZE))
  const view = new DataView(head.buffer)
  const start = at + HEAD_SIZE
  if (at + 4 >= bytes.length) return fault('truncated')
  const size = view.getUint32(4)
  if (size > LOG_RECORD_SIZE_MAX) return fault('too-long')
  if (start >= bytes.length) return fault('truncated')
  const data = bytes.subarray(start, start + size)
  if (data.length < size || crc32c(data) !== view.getUint32(0)) return fault('checksum')
  try {
    const message = decode(TIMED_LOG_MESSAGE, data)
    return checkLogMessage(message.msg) ?? { message, next: start + size }
  } catch (error) {
    if (error instanceof WireError) return fault('malformed')
    throw error
  }
}

function checkLogMessage(message: LogMessage | null): Fault | null {
  if (message === null) return fault('malformed')
  if (message.kind === 'msgInfo') return checkConsensusMessage(message.value.msg)
  return message.kind === 'timeoutInfo' && message.value.step > STEP_MAX ? fault('malformed') : null
}

/** Castagnoli's polynomial, bits reversed. */
const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

/** @source RFC 3720, appendix B.4 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
