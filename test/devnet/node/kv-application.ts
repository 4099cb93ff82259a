/**
 * A small application with a disk of its own: `key=value` stores, `validator:<hex key>=<power>` changes the validators,
 * `fail` fails. Deterministic; the hash of its state covers everything it was ever told.
 */
import {
  ACCEPT,
  type Application,
  type FinalizeBlockRequest,
  type FinalizeBlockResponse,
  OfferResult,
  REJECT,
  type RequestOf,
  type ResponseOf,
} from '../../../devnet/consensus/application.ts'
import type { WireExecTxResult, WireValidatorUpdate } from '../../../devnet/consensus/wire-abci.ts'
import { concatBytes, fromBinary, fromHex } from '../../../devnet/primitives/bytes.ts'
import { sha256Binary } from '../../../devnet/primitives/hash.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'

/** What survives a crash. */
export interface KvDisk {
  readonly height: bigint
  readonly appHash: string
  readonly values: ReadonlyMap<string, string>
}

export const EMPTY_DISK: KvDisk = { height: 0n, appHash: '', values: new Map() }
const NONE = new Uint8Array(0)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

export class KvApplication implements Application {
  disk: KvDisk
  #pending: KvDisk | undefined
  /** Methods of consensus in the order they were called. */
  readonly calls: string[] = []

  constructor(disk: KvDisk = EMPTY_DISK) {
    this.disk = disk
  }

  info(): ResponseOf<'info'> {
    const { height, appHash } = this.disk
    return { data: 'kv', version: '1', appVersion: 1n, lastBlockHeight: height, lastBlockAppHash: appHash }
  }

  initChain({ chainId }: RequestOf<'initChain'>): ResponseOf<'initChain'> {
    this.calls.push('initChain')
    this.disk = { ...EMPTY_DISK, appHash: sha256Binary(encodeUtf8(chainId)) }
    return { consensusParams: null, validators: [], appHash: this.disk.appHash }
  }

  query({ data }: RequestOf<'query'>): ResponseOf<'query'> {
    const value = this.disk.values.get(text(data))
    return {
      code: value === undefined ? 1 : 0,
      log: '',
      info: '',
      index: 0n,
      key: data,
      value: encodeUtf8(value ?? ''),
      proofOps: null,
      height: this.disk.height,
      codespace: '',
    }
  }

  checkTx({ tx }: RequestOf<'checkTx'>): ResponseOf<'checkTx'> {
    return { ...result(text(tx).includes('=') ? 0 : 1, ''), gasWanted: 1n }
  }

  prepareProposal({ txs, maxTxBytes }: RequestOf<'prepareProposal'>): ResponseOf<'prepareProposal'> {
    let left = Number(maxTxBytes)
    return { txs: txs.filter((tx) => (left -= tx.length + 6) >= 0) }
  }

  processProposal({ txs }: RequestOf<'processProposal'>): ResponseOf<'processProposal'> {
    this.calls.push('processProposal')
    return { status: txs.some((tx) => text(tx) === 'reject') ? REJECT : ACCEPT }
  }

  extendVote({ height }: RequestOf<'extendVote'>): ResponseOf<'extendVote'> {
    return { voteExtension: encodeUtf8(`height ${height}`) }
  }

  verifyVoteExtension(request: RequestOf<'verifyVoteExtension'>): ResponseOf<'verifyVoteExtension'> {
    return { status: text(request.voteExtension) === `height ${request.height}` ? ACCEPT : REJECT }
  }

  finalizeBlock({ height, txs, time, misbehavior }: FinalizeBlockRequest): FinalizeBlockResponse {
    this.calls.push(`finalizeBlock ${height}`)
    const values = new Map(this.disk.values)
    const validatorUpdates: WireValidatorUpdate[] = []
    const txResults = txs.map((tx) => {
      const [key, value] = text(tx).split('=')
      if (value === undefined) return result(1, 'no value')
      const validator = /^validator:([0-9a-f]{66})$/.exec(key!)
      if (validator !== null) {
        validatorUpdates.push({ pubKey: { kind: 'secp256k1', value: fromHex(validator[1]!) }, power: BigInt(value) })
      } else values.set(key!, value)
      return result(0, '')
    })
    const told = encodeUtf8(`${height} ${time} ${misbehavior.length} ${txs.map(text).join(' ')}`)
    const appHash = sha256Binary(concatBytes(fromBinary(this.disk.appHash), told))
    this.#pending = { height, appHash, values }
    return { events: [], txResults, validatorUpdates, consensusParamUpdates: null, appHash }
  }

  async commit(): Promise<ResponseOf<'commit'>> {
    this.calls.push('commit')
    if (this.#pending === undefined) throw new Error('nothing to commit')
    this.disk = this.#pending
    this.#pending = undefined
    return { retainHeight: 0n }
  }

  listSnapshots(): ResponseOf<'listSnapshots'> {
    return { snapshots: [] }
  }

  async offerSnapshot(): Promise<ResponseOf<'offerSnapshot'>> {
    return { result: OfferResult.Reject }
  }

  loadSnapshotChunk(): ResponseOf<'loadSnapshotChunk'> {
    return { chunk: NONE }
  }

  async applySnapshotChunk(): Promise<ResponseOf<'applySnapshotChunk'>> {
    return { result: 2, refetchChunks: [], rejectSenders: [] }
  }
}

function result(code: number, log: string): WireExecTxResult {
  return { code, data: NONE, log, info: '', gasWanted: 1n, gasUsed: 1n, events: [], codespace: '' }
}
