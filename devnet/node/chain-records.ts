/** What a node remembers of each block, and how it is written down. */

import type { ApplyResult, FailureFrame } from '../engine/executor.ts'
import { type Cid, cidBytes } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import { EMPTY_BYTES } from '../primitives/bytes.ts'
import type { ActorId } from '../state/actor.ts'
import { decodeStampedEvent, encodeStampedEvent, type StampedEvent } from '../state/event.ts'
import { heightKey, uint32Bytes } from './height-keys.ts'

/** Amounts in attoFIL, times in milliseconds since 1970. */
export interface BlockHeader {
  readonly height: number
  readonly timeMs: number
  readonly hash: Uint8Array
  readonly parentHash: Uint8Array
  /** Of the state after this block. */
  readonly stateRoot: Cid
  readonly appHash: Uint8Array
  /** That messages of this block paid. */
  readonly baseFee: bigint
  /** That messages of the next block pay. */
  readonly nextBaseFee: bigint
  readonly circulatingSupply: bigint
  readonly gasUsed: bigint
}

/** How one transaction of a block ended. */
export interface TxRecord {
  readonly exitCode: number
  readonly returnData: Uint8Array
  readonly returnCodec: number | null
  readonly gasUsed: bigint
  readonly eventsRoot: Cid | null
  readonly events: readonly StampedEvent[]
  readonly failures: readonly FailureFrame[]
  readonly note: string
}

export interface BlockRecord {
  readonly header: BlockHeader
  readonly txs: readonly Uint8Array[]
  readonly results: readonly TxRecord[]
}

/** Where a message is. */
export interface MessageLocation {
  readonly height: number
  readonly index: number
}

/** How a message ended that was applied. */
export function toRecord(result: ApplyResult): TxRecord {
  const { exitCode, returnData, returnCodec, gasUsed, eventsRoot, events, failures, note } = result
  return { exitCode, returnData, returnCodec, gasUsed, eventsRoot, events, failures, note }
}

/** Of a transaction that was not applied. */
export function refusedRecord(exitCode: number, note: string): TxRecord {
  return {
    exitCode,
    returnData: EMPTY_BYTES,
    returnCodec: null,
    gasUsed: 0n,
    eventsRoot: null,
    events: [],
    failures: [],
    note,
  }
}

export const HEAD_KEY = 'head'
const MESSAGE_PREFIX = 'M'
const SETTINGS_PREFIX = 'V'
const HEADER_PREFIX = 'H'
const INSTALLED_PREFIX = 'I'
/** Where the settings of consensus lie: [start, end). */
export const SETTINGS_KEYS = { start: 'V', end: 'W' } as const
/** Likewise the code that powers have installed. */
export const INSTALLED_KEYS = { start: 'I', end: 'J' } as const
/** Likewise the snapshots that are kept: what each says of itself, and chunks. */
export const SNAPSHOT_KEYS = { start: 'Sm', end: 'Sn' } as const
export const CHUNK_KEYS = { start: 'Sc', end: 'Sd' } as const
/** Likewise the CIDs that a restore which has not come to its end has put. */
export const RESTORED_KEYS = { start: 'R', end: 'S' } as const

export function blockKey(height: number): string {
  return heightKey('executed', height)
}

/** Of the settings that block `height` left, when it changed them. */
export function settingsKey(height: number): string {
  return SETTINGS_PREFIX + uint32Bytes(height)
}

/** Of the header alone of a block that came with a snapshot. */
export function headerKey(height: number): string {
  return HEADER_PREFIX + uint32Bytes(height)
}

/** Of code that a power installed; the record says at which height. */
export function installedKey(code: Cid): string {
  return INSTALLED_PREFIX + code
}

export function snapshotKey(height: number): string {
  return SNAPSHOT_KEYS.start + uint32Bytes(height)
}

export function chunkKey(height: number, index: number): string {
  return CHUNK_KEYS.start + uint32Bytes(height) + uint32Bytes(index)
}

export function restoredKey(chunk: number): string {
  return RESTORED_KEYS.start + uint32Bytes(chunk)
}

/** The height in a key of a snapshot or a chunk. */
export function heightOfKey(key: string): number {
  return [2, 3, 4, 5].reduce((height, at) => height * 256 + key.charCodeAt(at), 0)
}

export function messageKey(cid: Cid): string {
  return MESSAGE_PREFIX + cid
}

export function encodeBlock({ header, txs, results }: BlockRecord): Uint8Array {
  const writer = new CborWriter(1024)
  writer.array(3).array(10)
  writer.uint(header.height).uint(header.timeMs).bytes(header.hash).bytes(header.parentHash)
  writer.link(header.stateRoot).bytes(header.appHash)
  writer
    .text(String(header.baseFee))
    .text(String(header.nextBaseFee))
    .text(String(header.circulatingSupply))
    .uint(header.gasUsed)
  writer.array(txs.length)
  for (const tx of txs) writer.bytes(tx)
  writer.array(results.length)
  for (const result of results) writeResult(writer, result)
  return writer.finish()
}

function writeResult(writer: CborWriter, result: TxRecord): void {
  writer.array(8).uint(result.exitCode).bytes(result.returnData)
  if (result.returnCodec === null) writer.null()
  else writer.uint(result.returnCodec)
  writer.uint(result.gasUsed)
  if (result.eventsRoot === null) writer.null()
  else writer.bytes(cidBytes(result.eventsRoot))
  writer.array(result.events.length)
  for (const event of result.events) writer.bytes(encodeStampedEvent(event))
  writer.array(result.failures.length)
  for (const { id, method, exitCode, message } of result.failures) {
    writer.array(4).uint(id).uint(method).uint(exitCode).text(message)
  }
  writer.text(result.note)
}

export function decodeBlock(bytes: Uint8Array): BlockRecord {
  const reader = new CborReader(bytes)
  reader.tuple(3)
  const header = readHeader(reader)
  const txs = Array.from({ length: reader.array() }, () => reader.bytes().slice())
  const results = Array.from({ length: reader.array() }, () => readResult(reader))
  reader.end()
  return { header, txs, results }
}

/** A block whose transactions are not kept. */
export function encodeHeader(header: BlockHeader): Uint8Array {
  return encodeBlock({ header, txs: [], results: [] })
}

/** The header alone, without reading what follows. */
export function decodeBlockHeader(bytes: Uint8Array): BlockHeader {
  const reader = new CborReader(bytes)
  reader.tuple(3)
  return readHeader(reader)
}

function readHeader(reader: CborReader): BlockHeader {
  reader.tuple(10)
  return {
    height: reader.number(),
    timeMs: reader.number(),
    hash: reader.bytes().slice(),
    parentHash: reader.bytes().slice(),
    stateRoot: reader.link(),
    appHash: reader.bytes().slice(),
    baseFee: BigInt(reader.text()),
    nextBaseFee: BigInt(reader.text()),
    circulatingSupply: BigInt(reader.text()),
    gasUsed: reader.uint(),
  }
}

function readResult(reader: CborReader): TxRecord {
  reader.tuple(8)
  return {
    exitCode: reader.number(),
    returnData: reader.bytes().slice(),
    returnCodec: reader.null() ? null : reader.number(),
    gasUsed: reader.uint(),
    eventsRoot: reader.null() ? null : (Buffer.from(reader.bytes()).toString('latin1') as Cid),
    events: Array.from({ length: reader.array() }, () => decodeStampedEvent(reader.bytes())),
    failures: Array.from({ length: reader.array() }, () => {
      reader.tuple(4)
      return { id: reader.uint() as ActorId, method: reader.uint(), exitCode: reader.number(), message: reader.text() }
    }),
    note: reader.text(),
  }
}

export function encodeLocation({ height, index }: MessageLocation): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, height)
  view.setUint32(4, index)
  return bytes
}

export function decodeLocation(bytes: Uint8Array): MessageLocation {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { height: view.getUint32(0), index: view.getUint32(4) }
}
