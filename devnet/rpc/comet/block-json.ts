/**
 * Blocks and what belongs to them, as CometBFT's RPC writes them: integers of 64 bits as decimal text, smaller ones as numbers,
 * hashes and addresses in capital hex, other bytes in base64, a missing list as null.
 *
 * @source CometBFT v0.38.25 `libs/json`, `types`, `rpc/core/types/responses.go`; spec consensus §5.1
 */

import { capitalHex, publicKeyDocument } from '../../consensus/genesis-document.ts'
import { formatTime } from '../../consensus/time.ts'
import type { Validator } from '../../consensus/validator-set.ts'
import type {
  Block,
  BlockId,
  BlockMeta,
  Commit,
  Evidence,
  Header,
  LightBlock,
  TxProof,
  Vote,
  WireConsensusParams,
  WireValidator,
} from '../../consensus/wire.ts'
import { fromBinary } from '../../primitives/bytes.ts'

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** No bytes are null. */
export function base64OrNull(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : base64(bytes)
}

export function blockIdJson({ hash, partSetHeader: { total, hash: parts } }: BlockId): JsonObject {
  return { hash: capitalHex(hash), parts: { total, hash: capitalHex(parts) } }
}

export function headerJson(header: Header): JsonObject {
  const { block, app } = header.version
  return {
    version: app === 0n ? { block: String(block) } : { block: String(block), app: String(app) },
    chain_id: header.chainId,
    height: String(header.height),
    time: formatTime(header.time),
    last_block_id: blockIdJson(header.lastBlockId),
    last_commit_hash: capitalHex(header.lastCommitHash),
    data_hash: capitalHex(header.dataHash),
    validators_hash: capitalHex(header.validatorsHash),
    next_validators_hash: capitalHex(header.nextValidatorsHash),
    consensus_hash: capitalHex(header.consensusHash),
    app_hash: capitalHex(header.appHash),
    last_results_hash: capitalHex(header.lastResultsHash),
    evidence_hash: capitalHex(header.evidenceHash),
    proposer_address: capitalHex(header.proposerAddress),
  }
}

export function commitJson({ height, round, blockId, signatures }: Commit): JsonObject {
  return {
    height: String(height),
    round,
    block_id: blockIdJson(blockId),
    signatures: signatures.map(({ blockIdFlag, validatorAddress, timestamp, signature }) => ({
      block_id_flag: blockIdFlag,
      validator_address: capitalHex(validatorAddress),
      timestamp: formatTime(timestamp),
      signature: base64OrNull(signature),
    })),
  }
}

export function blockJson({ header, data, evidence, lastCommit }: Block): JsonObject {
  return {
    header: headerJson(header),
    data: { txs: data.txs.map(base64) },
    evidence: { evidence: evidence.evidence.flatMap((piece) => (piece === null ? [] : [evidenceJson(piece)])) },
    last_commit: lastCommit === null ? null : commitJson(lastCommit),
  }
}

export function blockMetaJson({ blockId, blockSize, header, numTxs }: BlockMeta): JsonObject {
  return {
    block_id: blockIdJson(blockId),
    block_size: String(blockSize),
    header: headerJson(header),
    num_txs: String(numTxs),
  }
}

export function voteJson(vote: Vote): JsonObject {
  return {
    type: vote.type,
    height: String(vote.height),
    round: vote.round,
    block_id: blockIdJson(vote.blockId),
    timestamp: formatTime(vote.timestamp),
    validator_address: capitalHex(vote.validatorAddress),
    validator_index: vote.validatorIndex,
    signature: base64OrNull(vote.signature),
    extension: base64OrNull(vote.extension),
    extension_signature: base64OrNull(vote.extensionSignature),
  }
}

export function evidenceJson({ kind, value }: Evidence): JsonObject {
  if (kind === 'duplicateVoteEvidence') {
    const { voteA, voteB, totalVotingPower, validatorPower, timestamp } = value
    return {
      type: 'tendermint/DuplicateVoteEvidence',
      value: {
        vote_a: voteA === null ? null : voteJson(voteA),
        vote_b: voteB === null ? null : voteJson(voteB),
        TotalVotingPower: String(totalVotingPower),
        ValidatorPower: String(validatorPower),
        Timestamp: formatTime(timestamp),
      },
    }
  }
  const { conflictingBlock, commonHeight, byzantineValidators, totalVotingPower, timestamp } = value
  return {
    type: 'tendermint/LightClientAttackEvidence',
    value: {
      ConflictingBlock: conflictingBlock === null ? null : lightBlockJson(conflictingBlock),
      CommonHeight: String(commonHeight),
      ByzantineValidators: byzantineValidators.length === 0 ? null : byzantineValidators.map(validatorJson),
      TotalVotingPower: String(totalVotingPower),
      Timestamp: formatTime(timestamp),
    },
  }
}

function lightBlockJson({ signedHeader, validatorSet }: LightBlock): JsonObject {
  const { header = null, commit = null } = signedHeader ?? {}
  return {
    signed_header:
      header === null || commit === null ? null : { header: headerJson(header), commit: commitJson(commit) },
    validator_set:
      validatorSet === null
        ? null
        : {
            validators: validatorSet.validators.map(validatorJson),
            proposer: validatorSet.proposer === null ? null : validatorJson(validatorSet.proposer),
          },
  }
}

export function validatorJson(validator: Validator | WireValidator): JsonObject {
  const { address, pubKey, votingPower, proposerPriority } = validator
  return {
    address: capitalHex(address),
    pub_key: pubKey === null ? null : publicKeyDocument(pubKey),
    voting_power: String(votingPower),
    proposer_priority: String(proposerPriority),
  }
}

/** Sections and fields that are zero are left out, as protobuf's structs have it. */
export function paramsUpdateJson({ block, evidence, validator, version, abci }: WireConsensusParams): JsonObject {
  const numbers = (fields: Readonly<Record<string, bigint>>): JsonObject =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([, value]) => value !== 0n)
        .map(([name, value]) => [name, String(value)]),
    )
  return {
    ...(block === null ? {} : { block: numbers({ max_bytes: block.maxBytes, max_gas: block.maxGas }) }),
    ...(evidence === null
      ? {}
      : {
          evidence: {
            ...numbers({ max_age_num_blocks: evidence.maxAgeNumBlocks }),
            max_age_duration: String(evidence.maxAgeDuration),
            ...numbers({ max_bytes: evidence.maxBytes }),
          },
        }),
    ...(validator === null
      ? {}
      : { validator: validator.pubKeyTypes.length === 0 ? {} : { pub_key_types: [...validator.pubKeyTypes] } }),
    ...(version === null ? {} : { version: numbers({ app: version.app }) }),
    ...(abci === null ? {} : { abci: numbers({ vote_extensions_enable_height: abci.voteExtensionsEnableHeight }) }),
  }
}

export function txProofJson({ rootHash, data, proof }: TxProof): JsonObject {
  return {
    root_hash: capitalHex(rootHash),
    data: base64(data),
    proof: {
      total: String(proof.total),
      index: String(proof.index),
      leaf_hash: base64(fromBinary(proof.leafHash)),
      aunts: proof.aunts.map((aunt) => base64(fromBinary(aunt))),
    },
  }
}
