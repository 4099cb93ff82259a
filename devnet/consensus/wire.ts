/**
 * CometBFT's own messages: votes, blocks, validators, evidence, parameters. The tables are the layouts, the types their
 * values. Heights, powers and all else of 64 bits is BigInt; hashes and addresses are binary strings; what is merely carried
 * is bytes.
 *
 * @source CometBFT v0.38.25 `proto/tendermint/{types,version,crypto,libs/bits}/*.proto`
 */

import {
  binary,
  byteEnumeration,
  bytes,
  bytesMember,
  duration,
  enumeration,
  int32,
  int64,
  message,
  nested,
  optional,
  packedUint64,
  remembered,
  repeated,
  repeatedBinary,
  repeatedBytes,
  repeatedText,
  text,
  time,
  uint32,
  uint64,
  union,
  type ValueOf,
} from './schema.ts'

export const PREVOTE = 1
export const PRECOMMIT = 2
export const PROPOSAL_TYPE = 32

export const FLAG_ABSENT = 1
export const FLAG_COMMIT = 2
export const FLAG_NIL = 3

export const VERSION = message({ block: uint64(1), app: uint64(2) })
export type Version = ValueOf<typeof VERSION>

export const PART_SET_HEADER = message({ total: uint32(1), hash: binary(2) })
export type PartSetHeader = ValueOf<typeof PART_SET_HEADER>

export const BLOCK_ID = message({ hash: binary(1), partSetHeader: nested(2, PART_SET_HEADER) })
/** Of a block; all empty for nil. */
export type BlockId = ValueOf<typeof BLOCK_ID>

export const PROOF = message({ total: int64(1), index: int64(2), leafHash: binary(3), aunts: repeatedBinary(4) })
/** A Merkle proof: the leaf's hash, and the hashes beside the path from it to the root. */
export type Proof = ValueOf<typeof PROOF>

/** That a transaction is in the block with this data hash. */
export const TX_PROOF = message({ rootHash: binary(1), data: bytes(2), proof: nested(3, PROOF) })
export type TxProof = ValueOf<typeof TX_PROOF>

export const PART = message({ index: uint32(1), bytes: bytes(2), proof: nested(3, PROOF) })
export type Part = ValueOf<typeof PART>

export const HEADER = message({
  version: nested(1, VERSION),
  chainId: text(2),
  height: int64(3),
  time: time(4),
  lastBlockId: nested(5, BLOCK_ID),
  lastCommitHash: binary(6),
  dataHash: binary(7),
  validatorsHash: binary(8),
  nextValidatorsHash: binary(9),
  consensusHash: binary(10),
  appHash: binary(11),
  lastResultsHash: binary(12),
  evidenceHash: binary(13),
  proposerAddress: binary(14),
})
export type Header = ValueOf<typeof HEADER>

export const DATA = message({ txs: repeatedBytes(1) })

export const VOTE = message({
  type: enumeration(1),
  height: int64(2),
  round: int32(3),
  blockId: nested(4, BLOCK_ID),
  timestamp: time(5),
  validatorAddress: binary(6),
  validatorIndex: int32(7),
  signature: bytes(8),
  extension: bytes(9),
  extensionSignature: bytes(10),
})
export type Vote = ValueOf<typeof VOTE>

export const PROPOSAL = message({
  type: enumeration(1),
  height: int64(2),
  round: int32(3),
  polRound: int32(4),
  blockId: nested(5, BLOCK_ID),
  timestamp: time(6),
  signature: bytes(7),
})
export type Proposal = ValueOf<typeof PROPOSAL>

export const COMMIT_SIG = message({
  blockIdFlag: byteEnumeration(1),
  validatorAddress: binary(2),
  timestamp: time(3),
  signature: bytes(4),
})
export type CommitSig = ValueOf<typeof COMMIT_SIG>

export const COMMIT = message({
  height: int64(1),
  round: int32(2),
  blockId: nested(3, BLOCK_ID),
  signatures: repeated(4, COMMIT_SIG),
})
export type Commit = ValueOf<typeof COMMIT>

export const EXTENDED_COMMIT_SIG = message({
  blockIdFlag: byteEnumeration(1),
  validatorAddress: binary(2),
  timestamp: time(3),
  signature: bytes(4),
  extension: bytes(5),
  extensionSignature: bytes(6),
})
export type ExtendedCommitSig = ValueOf<typeof EXTENDED_COMMIT_SIG>

export const EXTENDED_COMMIT = message({
  height: int64(1),
  round: int32(2),
  blockId: nested(3, BLOCK_ID),
  extendedSignatures: repeated(4, EXTENDED_COMMIT_SIG),
})
export type ExtendedCommit = ValueOf<typeof EXTENDED_COMMIT>

export const PUBLIC_KEY = union('sum', { ed25519: bytesMember(1), secp256k1: bytesMember(2) })
export type PublicKey = NonNullable<ValueOf<typeof PUBLIC_KEY>>

export const VALIDATOR = message({
  address: binary(1),
  pubKey: nested(2, PUBLIC_KEY),
  votingPower: int64(3),
  proposerPriority: int64(4),
})
export type WireValidator = ValueOf<typeof VALIDATOR>

/** What of a validator its set's hash covers. */
export const SIMPLE_VALIDATOR = message({ pubKey: optional(1, PUBLIC_KEY), votingPower: int64(2) })

/** The library writes no total. */
export const VALIDATOR_SET = message({
  validators: repeated(1, VALIDATOR),
  proposer: optional(2, VALIDATOR),
  totalVotingPower: int64(3),
})
export type WireValidatorSet = ValueOf<typeof VALIDATOR_SET>

export const SIGNED_HEADER = message({ header: optional(1, HEADER), commit: optional(2, COMMIT) })
export type SignedHeader = ValueOf<typeof SIGNED_HEADER>

export const LIGHT_BLOCK = message({
  signedHeader: optional(1, SIGNED_HEADER),
  validatorSet: optional(2, VALIDATOR_SET),
})
export type LightBlock = ValueOf<typeof LIGHT_BLOCK>

export const DUPLICATE_VOTE_EVIDENCE = message({
  voteA: optional(1, VOTE),
  voteB: optional(2, VOTE),
  totalVotingPower: int64(3),
  validatorPower: int64(4),
  timestamp: time(5),
})
export type DuplicateVoteEvidence = ValueOf<typeof DUPLICATE_VOTE_EVIDENCE>

export const LIGHT_CLIENT_ATTACK_EVIDENCE = message({
  conflictingBlock: optional(1, LIGHT_BLOCK),
  commonHeight: int64(2),
  byzantineValidators: repeated(3, VALIDATOR),
  totalVotingPower: int64(4),
  timestamp: time(5),
})
export type LightClientAttackEvidence = ValueOf<typeof LIGHT_CLIENT_ATTACK_EVIDENCE>

export const EVIDENCE = union('sum', {
  duplicateVoteEvidence: nested(1, DUPLICATE_VOTE_EVIDENCE),
  lightClientAttackEvidence: nested(2, LIGHT_CLIENT_ATTACK_EVIDENCE),
})
export type Evidence = NonNullable<ValueOf<typeof EVIDENCE>>

export const EVIDENCE_LIST = message({ evidence: repeated(1, EVIDENCE) })

export const BLOCK = message({
  header: nested(1, HEADER),
  data: nested(2, DATA),
  evidence: nested(3, EVIDENCE_LIST),
  lastCommit: optional(4, COMMIT),
})
export type Block = ValueOf<typeof BLOCK>

export const BLOCK_META = message({
  blockId: nested(1, BLOCK_ID),
  blockSize: int64(2),
  header: nested(3, HEADER),
  numTxs: int64(4),
})
export type BlockMeta = ValueOf<typeof BLOCK_META>

export const BLOCK_PARAMS = message({ maxBytes: int64(1), maxGas: int64(2) })
export const EVIDENCE_PARAMS = message({ maxAgeNumBlocks: int64(1), maxAgeDuration: duration(2), maxBytes: int64(3) })
export const VALIDATOR_PARAMS = message({ pubKeyTypes: repeatedText(1) })
export const VERSION_PARAMS = message({ app: uint64(1) })
export const ABCI_PARAMS = message({ voteExtensionsEnableHeight: int64(1) })

/** Null sections are those that an update leaves alone. */
export const CONSENSUS_PARAMS = message({
  block: optional(1, BLOCK_PARAMS),
  evidence: optional(2, EVIDENCE_PARAMS),
  validator: optional(3, VALIDATOR_PARAMS),
  version: optional(4, VERSION_PARAMS),
  abci: optional(5, ABCI_PARAMS),
})
export type WireConsensusParams = ValueOf<typeof CONSENSUS_PARAMS>

/** What of the parameters a header's `consensusHash` covers. */
export const HASHED_PARAMS = message({ blockMaxBytes: int64(1), blockMaxGas: int64(2) })

export const BIT_ARRAY = message({ bits: int64(1), elems: packedUint64(2) })
/** Bit i is bit `i % 64` of `elems[i / 64]`. */
export type BitArray = ValueOf<typeof BIT_ARRAY>

export const EVENT_DATA_ROUND_STATE = message({ height: int64(1), round: int32(2), step: text(3) })

/** The same three sets move up by one with each block. */
const SET_OF_STATE = remembered(VALIDATOR_SET)

/** A node's state between two blocks, as it is stored. */
export const STATE = message({
  version: nested(1, message({ consensus: nested(1, VERSION), software: text(2) })),
  chainId: text(2),
  lastBlockHeight: int64(3),
  lastBlockId: nested(4, BLOCK_ID),
  lastBlockTime: time(5),
  nextValidators: optional(6, SET_OF_STATE),
  validators: optional(7, SET_OF_STATE),
  lastValidators: optional(8, SET_OF_STATE),
  lastHeightValidatorsChanged: int64(9),
  consensusParams: nested(10, CONSENSUS_PARAMS),
  lastHeightConsensusParamsChanged: int64(11),
  lastResultsHash: binary(12),
  appHash: binary(13),
  initialHeight: int64(14),
})
