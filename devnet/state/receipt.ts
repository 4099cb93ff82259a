// What became of a message: [exit code, return, gas used, events root or null].

import type { Cid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'

export interface Receipt {
  readonly exitCode: number
  readonly return: Uint8Array
  readonly gasUsed: bigint
  readonly eventsRoot: Cid | null
}

const EXIT_CODE_MAX = 0xffff_ffff

export function encodeReceipt(receipt: Receipt): Uint8Array {
  const writer = new CborWriter(96 + receipt.return.length).array(4)
  writer.uint(receipt.exitCode).bytes(receipt.return).uint(receipt.gasUsed)
  return (receipt.eventsRoot === null ? writer.null() : writer.link(receipt.eventsRoot)).finish()
}

export function decodeReceipt(bytes: Uint8Array): Receipt {
  const reader = new CborReader(bytes)
  reader.tuple(4)
  const exitCode = reader.number(EXIT_CODE_MAX)
  const returned = reader.bytes()
  const gasUsed = reader.uint()
  const eventsRoot = reader.null() ? null : reader.link()
  reader.end()
  return { exitCode, return: returned, gasUsed, eventsRoot }
}
