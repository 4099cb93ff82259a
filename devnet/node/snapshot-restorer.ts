/**
 * Takes the state of an application from chunks that others send. Every chunk is checked against the hash that its snapshot names, and every
 * block against the link that led to it; below the application hash that is trusted nothing else can be. What no hash commits to (the records)
 * is checked for form, and is as good as whoever vouched for the snapshot.
 *
 * Each chunk is durable with a list of the blocks that it added, so that a restore which fails, or whose process dies, leaves nothing: the
 * lists say what is to go. What makes the state the chain's is written last, in one transaction.
 *
 * @source spec consensus §4.9
 */
import { ChunkResult, OfferResult, type RequestOf, type ResponseOf } from '../consensus/application.ts'
import { isWellFormedKey } from '../consensus/key.ts'
import { checkParams } from '../consensus/params.ts'
import { codecOf, flushKind } from '../engine/links.ts'
import { BLOCK_CID_SIZE, type Cid, cidOf, isCid, RAW } from '../ipld/cid.ts'
import { equalBytes, fromBinary, toBinary } from '../primitives/bytes.ts'
import { sha256Binary } from '../primitives/hash.ts'
import { computeAppHash } from './app-hash.ts'
import {
  type BlockHeader,
  blockKey,
  decodeBlockHeader,
  encodeHeader,
  encodeLocation,
  HEAD_KEY,
  headerKey,
  installedKey,
  RESTORED_KEYS,
  restoredKey,
  settingsKey,
} from './chain-records.ts'
import { decodeSettings, encodeSettings } from './consensus-settings.ts'
import type { ChainStore } from './ports.ts'
import {
  CHUNK_SIZE_MAX,
  decodeRecords,
  readItems,
  readSnapshot,
  type SnapshotRecords,
  type SnapshotView,
} from './snapshot-format.ts'
import { StateWalk, StateWalkError } from './state-walk.ts'

/** Headers that a snapshot carries: as far back as a message may ask for a block's hash. */
export const HEADERS_KEPT = 256

type ChunkAnswer = ResponseOf<'applySnapshotChunk'>

interface Restore {
  readonly view: SnapshotView
  readonly appHash: string
  /** Chunks that have been applied. */
  applied: number
  /** Of the first item; the rest is the state below. */
  contents: {
    readonly records: SnapshotRecords
    readonly headers: readonly BlockHeader[]
    readonly walk: StateWalk
  } | null
}

const accepted: ChunkAnswer = { result: ChunkResult.Accept, refetchChunks: [], rejectSenders: [] }
const answer = (result: number): ChunkAnswer => ({ result, refetchChunks: [], rejectSenders: [] })

/** What a snapshot says is not so. */
class SnapshotRefused extends Error {}

export class SnapshotRestorer {
  readonly #store: ChainStore
  #restore: Restore | null = null

  /** What an earlier life left half done goes with the next commit. */
  constructor(store: ChainStore) {
    this.#store = store
    this.#undo()
  }

  /** `appHash` is what the chain has after the snapshot's height: trusted. */
  async offer({ snapshot, appHash }: RequestOf<'offerSnapshot'>): Promise<ResponseOf<'offerSnapshot'>> {
    await this.abandon()
    if (snapshot === null) return { result: OfferResult.Reject }
    const view = readSnapshot(snapshot)
    if (view === 'FORMAT') return { result: OfferResult.RejectFormat }
    if (typeof view === 'string' || appHash.length !== 32) return { result: OfferResult.Reject }
    this.#restore = { view, appHash, applied: 0, contents: null }
    return { result: OfferResult.Accept }
  }

  /**
   * Chunks come in their order; one that was applied before is accepted again. `alongside` puts what must become durable together with the
   * state; `restored` hears of the end.
   */
  async apply(
    { index, chunk, sender }: RequestOf<'applySnapshotChunk'>,
    { alongside, restored }: { readonly alongside: () => void; readonly restored: () => void },
  ): Promise<ChunkAnswer> {
    const restore = this.#restore
    if (restore === null) return answer(ChunkResult.Abort)
    if (index < restore.applied) return accepted
    if (index > restore.applied) {
      await this.abandon()
      return answer(ChunkResult.RetrySnapshot)
    }
    if (chunk.length > CHUNK_SIZE_MAX || sha256Binary(chunk) !== restore.view.chunkHashes[index]) {
      return { result: ChunkResult.Retry, refetchChunks: [index], rejectSenders: sender === '' ? [] : [sender] }
    }
    const isLast = index === restore.view.chunkHashes.length - 1
    try {
      this.#take(restore, chunk)
      if (isLast) this.#finish(restore)
    } catch (error) {
      if (!(error instanceof SnapshotRefused) && !(error instanceof StateWalkError)) throw error
      await this.abandon()
      return answer(ChunkResult.RejectSnapshot)
    }
    if (isLast) alongside()
    await this.#store.commit()
    restore.applied++
    if (isLast) {
      this.#restore = null
      restored()
    }
    return accepted
  }

  /** Leaves nothing of a restore that has not come to its end. */
  async abandon(): Promise<void> {
    this.#restore = null
    if (this.#undo()) await this.#store.commit()
  }

  #undo(): boolean {
    const keys = [...this.#store.recordKeys(RESTORED_KEYS.start, RESTORED_KEYS.end)]
    for (const key of keys) {
      const cids = toBinary(this.#store.getRecord(key)!)
      for (let at = 0; at < cids.length; at += BLOCK_CID_SIZE)
        this.#store.delete(cids.slice(at, at + BLOCK_CID_SIZE) as Cid)
      this.#store.deleteRecord(key)
    }
    return keys.length > 0
  }

  /** @throws SnapshotRefused, StateWalkError */
  #take(restore: Restore, chunk: Uint8Array): void {
    let added = ''
    const key = restoredKey(restore.applied)
    try {
      for (const item of readItems(chunk)) {
        if (item === undefined) throw new SnapshotRefused('an item is cut off')
        if (restore.contents === null) {
          restore.contents = this.#begin(restore, item)
          continue
        }
        const { walk } = restore.contents
        const cid = walk.next()
        if (cid === undefined || cidOf(codecOf(cid), item) !== cid) throw new SnapshotRefused('a block is not the next')
        walk.enter(item)
        if (this.#store.has(cid)) continue
        // A view would keep the whole chunk.
        this.#store.put(cid, item.slice())
        added += cid
      }
    } finally {
      if (added !== '') this.#store.putRecord(key, fromBinary(added))
    }
  }

  #begin({ view, appHash }: Restore, item: Uint8Array): NonNullable<Restore['contents']> {
    const records = decodeRecords(item)
    if (records === undefined) throw new SnapshotRefused('the records are malformed')
    const headers = readHeaders(records, view.height)
    const { stateRoot } = headers.at(-1)!
    if (toBinary(computeAppHash(stateRoot)) !== appHash) throw new SnapshotRefused('the state is not the trusted one')
    checkSettings(records.settings)
    checkInstalled(records.installed)
    return { records, headers, walk: new StateWalk([stateRoot, ...(records.installed as Cid[])]) }
  }

  /** All blocks are there: the state becomes the chain's. */
  #finish({ contents, view }: Restore): void {
    if (contents === null || contents.walk.next() !== undefined) throw new SnapshotRefused('blocks are missing')
    if (contents.walk.count !== view.blocks) throw new SnapshotRefused('it counts other blocks')
    const store = this.#store
    const { records, headers } = contents
    for (const header of headers) {
      if (header.height === 0) store.putRecord(blockKey(0), encodeHeader(header))
      else store.putRecord(headerKey(header.height), encodeHeader(header))
    }
    const location = encodeLocation({ height: view.height, index: 0 })
    store.putRecord(settingsKey(view.height), records.settings)
    for (const code of records.installed) store.putRecord(installedKey(code as Cid), location)
    store.putRecord(HEAD_KEY, location)
    for (const key of [...store.recordKeys(RESTORED_KEYS.start, RESTORED_KEYS.end)]) store.deleteRecord(key)
  }
}

/** A chain of headers up to `height`, each as we would write it. @throws SnapshotRefused */
function readHeaders({ headers }: SnapshotRecords, height: number): readonly BlockHeader[] {
  if (headers.length !== Math.min(height + 1, HEADERS_KEPT)) throw new SnapshotRefused('headers are missing')
  const read = headers.map((bytes) => {
    const header = attempt(() => decodeBlockHeader(bytes))
    const isWhole = header !== undefined && equalBytes(attempt(() => encodeHeader(header)) ?? NOTHING, bytes)
    if (!isWhole) throw new SnapshotRefused('a header is malformed')
    return header
  })
  for (const [i, header] of read.entries()) {
    const before = read[i - 1]
    const isNext =
      header.height === height - read.length + 1 + i &&
      header.hash.length === 32 &&
      (before === undefined || equalBytes(before.hash, header.parentHash)) &&
      (before === undefined || before.nextBaseFee === header.baseFee) &&
      header.nextBaseFee >= 0n &&
      header.circulatingSupply >= 0n &&
      equalBytes(computeAppHash(header.stateRoot), header.appHash)
    if (!isNext) throw new SnapshotRefused('the headers are no chain')
  }
  return read
}

function checkSettings(bytes: Uint8Array): void {
  const settings = attempt(() => decodeSettings(bytes))
  if (settings === undefined || !equalBytes(encodeSettings(settings), bytes))
    throw new SnapshotRefused('malformed settings')
  const isGood =
    checkParams(settings.params) === null &&
    [...settings.validators.values()].every(
      ({ pubKey, power }) => pubKey !== null && isWellFormedKey(pubKey) && power > 0n,
    )
  if (!isGood) throw new SnapshotRefused('settings that no chain has')
}

function checkInstalled(codes: readonly string[]): void {
  for (const [i, code] of codes.entries()) {
    const isCode = isCid(code) && flushKind(code) === 'block' && codecOf(code) === RAW
    if (!isCode || (i > 0 && codes[i - 1]! >= code)) throw new SnapshotRefused('installed code is malformed')
  }
}

const NOTHING = new Uint8Array(0)

/** Of bytes from outside, whatever the decoders have against them. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
