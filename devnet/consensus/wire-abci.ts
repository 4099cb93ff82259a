/**
 * ABCI 2.0: what a node asks its application, what that answers, and the frame that carries either. A union's member names
 * are the methods.
 *
 * @source CometBFT v0.38.25 `proto/tendermint/abci/types.proto`, `abci/types/messages.go`
 */

import { WireError } from './protobuf.ts'
import {
  binary,
  bool,
  bytes,
  decode,
  encodeDelimited,
  enumeration,
  int32,
  int64,
  type Message,
  message,
  nested,
  optional,
  packedUint32,
  repeated,
  repeatedBytes,
  repeatedText,
  text,
  time,
  uint32,
  uint64,
  union,
  type ValueOf,
} from './schema.ts'
import { CONSENSUS_PARAMS, PROOF, PUBLIC_KEY } from './wire.ts'

export const ABCI_VALIDATOR = message({ address: binary(1), power: int64(3) })

export const VALIDATOR_UPDATE = message({ pubKey: nested(1, PUBLIC_KEY), power: int64(2) })
export type WireValidatorUpdate = ValueOf<typeof VALIDATOR_UPDATE>

export const COMMIT_INFO = message({
  round: int32(1),
  votes: repeated(2, message({ validator: nested(1, ABCI_VALIDATOR), blockIdFlag: enumeration(3) })),
})
export type CommitInfo = ValueOf<typeof COMMIT_INFO>

export const EXTENDED_COMMIT_INFO = message({
  round: int32(1),
  votes: repeated(
    2,
    message({
      validator: nested(1, ABCI_VALIDATOR),
      voteExtension: bytes(3),
      extensionSignature: bytes(4),
      blockIdFlag: enumeration(5),
    }),
  ),
})
export type ExtendedCommitInfo = ValueOf<typeof EXTENDED_COMMIT_INFO>

export const MISBEHAVIOR_DUPLICATE_VOTE = 1
export const MISBEHAVIOR_LIGHT_CLIENT_ATTACK = 2

export const MISBEHAVIOR = message({
  type: enumeration(1),
  validator: nested(2, ABCI_VALIDATOR),
  height: int64(3),
  time: time(4),
  totalVotingPower: int64(5),
})
export type WireMisbehavior = ValueOf<typeof MISBEHAVIOR>

export const EVENT = message({
  type: text(1),
  attributes: repeated(2, message({ key: text(1), value: text(2), index: bool(3) })),
})

export const EXEC_TX_RESULT = message({
  code: uint32(1),
  data: bytes(2),
  log: text(3),
  info: text(4),
  gasWanted: int64(5),
  gasUsed: int64(6),
  events: repeated(7, EVENT),
  codespace: text(8),
})
export type WireExecTxResult = ValueOf<typeof EXEC_TX_RESULT>

export const TX_RESULT = message({
  height: int64(1),
  index: uint32(2),
  tx: bytes(3),
  result: nested(4, EXEC_TX_RESULT),
})

export const SNAPSHOT = message({
  height: uint64(1),
  format: uint32(2),
  chunks: uint32(3),
  hash: binary(4),
  metadata: bytes(5),
})

const PROOF_OPS = message({ ops: repeated(1, message({ type: text(1), key: bytes(2), data: bytes(3) })) })

/** A Merkle proof as one step of `ProofOps`. */
export const VALUE_OP = message({ key: bytes(1), proof: optional(2, PROOF) })

const PREPARE_PROPOSAL = message({
  maxTxBytes: int64(1),
  txs: repeatedBytes(2),
  localLastCommit: nested(3, EXTENDED_COMMIT_INFO),
  misbehavior: repeated(4, MISBEHAVIOR),
  height: int64(5),
  time: time(6),
  nextValidatorsHash: binary(7),
  proposerAddress: binary(8),
})

const PROCESS_PROPOSAL = message({
  txs: repeatedBytes(1),
  proposedLastCommit: nested(2, COMMIT_INFO),
  misbehavior: repeated(3, MISBEHAVIOR),
  hash: binary(4),
  height: int64(5),
  time: time(6),
  nextValidatorsHash: binary(7),
  proposerAddress: binary(8),
})

const EXTEND_VOTE = message({
  hash: binary(1),
  height: int64(2),
  time: time(3),
  txs: repeatedBytes(4),
  proposedLastCommit: nested(5, COMMIT_INFO),
  misbehavior: repeated(6, MISBEHAVIOR),
  nextValidatorsHash: binary(7),
  proposerAddress: binary(8),
})

export const FINALIZE_BLOCK_REQUEST = message({
  txs: repeatedBytes(1),
  decidedLastCommit: nested(2, COMMIT_INFO),
  misbehavior: repeated(3, MISBEHAVIOR),
  hash: binary(4),
  height: int64(5),
  time: time(6),
  nextValidatorsHash: binary(7),
  proposerAddress: binary(8),
})

export const FINALIZE_BLOCK_RESPONSE = message({
  events: repeated(1, EVENT),
  txResults: repeated(2, EXEC_TX_RESULT),
  validatorUpdates: repeated(3, VALIDATOR_UPDATE),
  consensusParamUpdates: optional(4, CONSENSUS_PARAMS),
  appHash: binary(5),
})

const INIT_CHAIN_REQUEST = message({
  time: time(1),
  chainId: text(2),
  consensusParams: optional(3, CONSENSUS_PARAMS),
  validators: repeated(4, VALIDATOR_UPDATE),
  appStateBytes: bytes(5),
  initialHeight: int64(6),
})

const CHECK_TX_RESPONSE = message({
  code: uint32(1),
  data: bytes(2),
  log: text(3),
  info: text(4),
  gasWanted: int64(5),
  gasUsed: int64(6),
  events: repeated(7, EVENT),
  codespace: text(8),
})

const QUERY_RESPONSE = message({
  code: uint32(1),
  log: text(3),
  info: text(4),
  index: int64(5),
  key: bytes(6),
  value: bytes(7),
  proofOps: optional(8, PROOF_OPS),
  height: int64(9),
  codespace: text(10),
})

const NOTHING = message({})

/** Numbers 4, 7, 9 and 10 are reserved. */
export const ABCI_REQUEST = union('value', {
  echo: nested(1, message({ message: text(1) })),
  flush: nested(2, NOTHING),
  info: nested(3, message({ version: text(1), blockVersion: uint64(2), p2pVersion: uint64(3), abciVersion: text(4) })),
  initChain: nested(5, INIT_CHAIN_REQUEST),
  query: nested(6, message({ data: bytes(1), path: text(2), height: int64(3), prove: bool(4) })),
  checkTx: nested(8, message({ tx: bytes(1), type: enumeration(2) })),
  commit: nested(11, NOTHING),
  listSnapshots: nested(12, NOTHING),
  offerSnapshot: nested(13, message({ snapshot: optional(1, SNAPSHOT), appHash: binary(2) })),
  loadSnapshotChunk: nested(14, message({ height: uint64(1), format: uint32(2), chunk: uint32(3) })),
  applySnapshotChunk: nested(15, message({ index: uint32(1), chunk: bytes(2), sender: text(3) })),
  prepareProposal: nested(16, PREPARE_PROPOSAL),
  processProposal: nested(17, PROCESS_PROPOSAL),
  extendVote: nested(18, EXTEND_VOTE),
  verifyVoteExtension: nested(
    19,
    message({ hash: binary(1), validatorAddress: binary(2), height: int64(3), voteExtension: bytes(4) }),
  ),
  finalizeBlock: nested(20, FINALIZE_BLOCK_REQUEST),
})
export type AbciRequest = NonNullable<ValueOf<typeof ABCI_REQUEST>>

/** Numbers 5, 8, 10 and 11 are reserved. */
export const ABCI_RESPONSE = union('value', {
  exception: nested(1, message({ error: text(1) })),
  echo: nested(2, message({ message: text(1) })),
  flush: nested(3, NOTHING),
  info: nested(
    4,
    message({
      data: text(1),
      version: text(2),
      appVersion: uint64(3),
      lastBlockHeight: int64(4),
      lastBlockAppHash: binary(5),
    }),
  ),
  initChain: nested(
    6,
    message({
      consensusParams: optional(1, CONSENSUS_PARAMS),
      validators: repeated(2, VALIDATOR_UPDATE),
      appHash: binary(3),
    }),
  ),
  query: nested(7, QUERY_RESPONSE),
  checkTx: nested(9, CHECK_TX_RESPONSE),
  commit: nested(12, message({ retainHeight: int64(3) })),
  listSnapshots: nested(13, message({ snapshots: repeated(1, SNAPSHOT) })),
  offerSnapshot: nested(14, message({ result: enumeration(1) })),
  loadSnapshotChunk: nested(15, message({ chunk: bytes(1) })),
  applySnapshotChunk: nested(
    16,
    message({ result: enumeration(1), refetchChunks: packedUint32(2), rejectSenders: repeatedText(3) }),
  ),
  prepareProposal: nested(17, message({ txs: repeatedBytes(1) })),
  processProposal: nested(18, message({ status: enumeration(1) })),
  extendVote: nested(19, message({ voteExtension: bytes(1) })),
  verifyVoteExtension: nested(20, message({ status: enumeration(1) })),
  finalizeBlock: nested(21, FINALIZE_BLOCK_RESPONSE),
})
export type AbciResponse = NonNullable<ValueOf<typeof ABCI_RESPONSE>>

/** The largest frame that is read: a block of 100 MiB with what goes around it. */
export const FRAME_SIZE_MAX = 128 * 1024 * 1024

/** `uvarint(length) ‖ message`. */
export function encodeFrame<T>(envelope: Message<T>, value: T): Uint8Array {
  return encodeDelimited(envelope, value)
}

export interface Frame<T> {
  readonly value: T
  /** Where the next frame begins. */
  readonly next: number
}

/**
 * The frame at `offset` of what a stream has brought so far; undefined while it is not all there.
 *
 * @throws {WireError} a length beyond `FRAME_SIZE_MAX`, or no such message
 */
export function decodeFrame<T>(envelope: Message<T>, stream: Uint8Array, offset: number): Frame<T> | undefined {
  let size = 0
  for (let i = 0; ; i++) {
    const byte = stream[offset + i]
    if (byte === undefined) return undefined
    size += (byte & 0x7f) * 2 ** (7 * i)
    if (size > FRAME_SIZE_MAX || i > 4) throw new WireError({ code: 'TOO_LONG', offset, sizeMax: FRAME_SIZE_MAX })
    if (byte >= 0x80) continue
    const start = offset + i + 1
    if (start + size > stream.length) return undefined
    return { value: decode(envelope, stream.subarray(start, start + size)), next: start + size }
  }
}
