/**
 * The hashes that tie a chain together. All are binary strings.
 *
 * @source CometBFT v0.38.25 `types/{block,validator_set,params,results,evidence,tx,encoding_helper}.go`
 */

import { concatBytes, fromBinary } from '../primitives/bytes.ts'
import { sha256, sha256Binary } from '../primitives/hash.ts'
import { merkleProofs, merkleRoot } from './merkle.ts'
import { partSetHeader } from './part-set.ts'
import { ProtoWriter } from './protobuf.ts'
import { binary, encode, int64, message, text, time } from './schema.ts'
import { isWireTime } from './time.ts'
import {
  BLOCK,
  BLOCK_ID,
  type Block,
  type BlockId,
  COMMIT_SIG,
  type Commit,
  DUPLICATE_VOTE_EVIDENCE,
  type DuplicateVoteEvidence,
  type Evidence,
  HASHED_PARAMS,
  type Header,
  LIGHT_CLIENT_ATTACK_EVIDENCE,
  type LightClientAttackEvidence,
  SIMPLE_VALIDATOR,
  type TxProof,
  VERSION,
  type WireValidator,
} from './wire.ts'
import { EXEC_TX_RESULT, type WireExecTxResult } from './wire-abci.ts'

/** Header fields are wrapped, and one that is empty has an empty leaf. */
const WRAPPED_TEXT = message({ value: text(1) })
const WRAPPED_INT64 = message({ value: int64(1) })
const WRAPPED_BYTES = message({ value: binary(1) })

/** A header is asked for its hash by all that a block goes through; it never changes. */
const headerHashes = new WeakMap<Header, string>()

/** Null for a header that names no validators, or no time that the wire has a form for: it is not finished. */
export function headerHash(header: Header): string | null {
  if (header.validatorsHash === '' || !isWireTime(header.time)) return null
  let hash = headerHashes.get(header)
  if (hash === undefined) {
    hash = rootOfHeader(header)
    headerHashes.set(header, hash)
  }
  return hash
}

function rootOfHeader(header: Header): string {
  const wrapped = (value: string): Uint8Array => encode(WRAPPED_BYTES, { value })
  return merkleRoot([
    encode(VERSION, header.version),
    encode(WRAPPED_TEXT, { value: header.chainId }),
    encode(WRAPPED_INT64, { value: header.height }),
    encodeTime(header.time),
    encode(BLOCK_ID, header.lastBlockId),
    wrapped(header.lastCommitHash),
    wrapped(header.dataHash),
    wrapped(header.validatorsHash),
    wrapped(header.nextValidatorsHash),
    wrapped(header.consensusHash),
    wrapped(header.appHash),
    wrapped(header.lastResultsHash),
    wrapped(header.evidenceHash),
    wrapped(header.proposerAddress),
  ])
}

const TIME = message({ time: time(1) })

/** The time without a field around it. */
function encodeTime(value: bigint): Uint8Array {
  return encode(TIME, { time: value }).subarray(2)
}

/** What a validator set's hash has for a leaf. */
export function validatorLeaf({ pubKey, votingPower }: Pick<WireValidator, 'pubKey' | 'votingPower'>): Uint8Array {
  return encode(SIMPLE_VALIDATOR, { pubKey, votingPower })
}

export function validatorsHash(validators: readonly Pick<WireValidator, 'pubKey' | 'votingPower'>[]): string {
  return merkleRoot(validators.map(validatorLeaf))
}

/** Covers the signatures alone: not height, round or block id. */
export function commitHash({ signatures }: Commit): string {
  return merkleRoot(signatures.map((signature) => encode(COMMIT_SIG, signature)))
}

/** A transaction's hash is a leaf. */
export function txsHash(txs: readonly Uint8Array[]): string {
  return merkleRoot(txs.map(sha256))
}

/** That the transaction at `index` is in the block; undefined when there is none. */
export function txProof(txs: readonly Uint8Array[], index: number): TxProof | undefined {
  const data = txs[index]
  const { root, proofs } = merkleProofs(txs.map(sha256))
  return data === undefined ? undefined : { rootHash: root, data, proof: proofs[index]! }
}

export function txHash(tx: Uint8Array): string {
  return sha256Binary(tx)
}

/** The evidence without the oneof around it: what is hashed and what size limits count. */
export function evidenceBytes(evidence: Evidence): Uint8Array {
  return evidence.kind === 'duplicateVoteEvidence'
    ? encode(DUPLICATE_VOTE_EVIDENCE, evidence.value)
    : encode(LIGHT_CLIENT_ATTACK_EVIDENCE, evidence.value)
}

export function evidenceListHash(list: readonly Evidence[]): string {
  return merkleRoot(list.map(evidenceBytes))
}

/** Names one piece of evidence. */
export function evidenceHash(evidence: Evidence): string {
  return evidence.kind === 'duplicateVoteEvidence' ? duplicateVoteHash(evidence.value) : attackHash(evidence.value)
}

function duplicateVoteHash(evidence: DuplicateVoteEvidence): string {
  return sha256Binary(encode(DUPLICATE_VOTE_EVIDENCE, evidence))
}

/**
 * Covers only which block conflicts from which common height: the same attack may be reported with other signatures.
 * Of the block's hash the library copies 31 bytes and leaves the 32nd zero; then comes the height as a zig-zag varint.
 */
function attackHash({ conflictingBlock, commonHeight }: LightClientAttackEvidence): string {
  const header = conflictingBlock?.signedHeader?.header ?? null
  const hash = header === null ? null : headerHash(header)
  const bytes = new Uint8Array(32)
  if (hash !== null) bytes.set(fromBinary(hash).subarray(0, 31))
  return sha256Binary(concatBytes(bytes, zigZagVarint(commonHeight)))
}

function zigZagVarint(value: bigint): Uint8Array {
  const out = new ProtoWriter()
  out.writeInt64((value << 1n) ^ (value >> 63n))
  return out.finish()
}

/** Of the consensus parameters a header covers only these two. */
export function paramsHash(params: { readonly maxBytes: bigint; readonly maxGas: bigint }): string {
  return sha256Binary(encode(HASHED_PARAMS, { blockMaxBytes: params.maxBytes, blockMaxGas: params.maxGas }))
}

/** What of a result all nodes must agree on: logs, info, events and codespace are left out. */
export function resultLeaf({ code, data, gasWanted, gasUsed }: WireExecTxResult): Uint8Array {
  return encode(EXEC_TX_RESULT, { code, data, log: '', info: '', gasWanted, gasUsed, events: [], codespace: '' })
}

export function resultsHash(results: readonly WireExecTxResult[]): string {
  return merkleRoot(results.map(resultLeaf))
}

/** Null while the header is not finished. */
export function blockIdOf(block: Block): BlockId | null {
  const hash = headerHash(block.header)
  return hash === null ? null : { hash, partSetHeader: partSetHeader(encode(BLOCK, block)) }
}
