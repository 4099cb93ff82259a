/**
 * Evidence as clients send it. Everything comes from outside: a field that is missing or of another form is refused with its
 * path.
 *
 * @source CometBFT v0.38.25 `types/evidence.go`, `libs/json`
 */

import { PUBLIC_KEY_NAMES } from '../../consensus/key.ts'
import { parseTime } from '../../consensus/time.ts'
import type {
  BlockId,
  Commit,
  Evidence,
  Header,
  LightBlock,
  PublicKey,
  Vote,
  WireValidator,
} from '../../consensus/wire.ts'
import { fromHex, toBinary } from '../../primitives/bytes.ts'

/** No evidence of a kind that is known. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError'
  readonly code = 'BAD_EVIDENCE'
}

/** Validators and signatures in one piece, at most. */
const LIST_MAX = 10_000

/** @throws EvidenceError */
export function readEvidence(value: unknown): Evidence {
  const evidence = new Reader(value, 'evidence')
  const inner = evidence.at('value')
  switch (evidence.at('type').text()) {
    case 'tendermint/DuplicateVoteEvidence':
      return {
        kind: 'duplicateVoteEvidence',
        value: {
          voteA: readVote(inner.at('vote_a')),
          voteB: readVote(inner.at('vote_b')),
          totalVotingPower: inner.at('TotalVotingPower').integer(),
          validatorPower: inner.at('ValidatorPower').integer(),
          timestamp: inner.at('Timestamp').time(),
        },
      }
    case 'tendermint/LightClientAttackEvidence':
      return {
        kind: 'lightClientAttackEvidence',
        value: {
          conflictingBlock: readLightBlock(inner.at('ConflictingBlock')),
          commonHeight: inner.at('CommonHeight').integer(),
          byzantineValidators: inner.at('ByzantineValidators').list().map(readValidator),
          totalVotingPower: inner.at('TotalVotingPower').integer(),
          timestamp: inner.at('Timestamp').time(),
        },
      }
    default:
      throw new EvidenceError('evidence.type: no kind of evidence that is known')
  }
}

/** A vote as events and evidence have it. @throws EvidenceError */
export function readVoteJson(value: unknown): Vote {
  return readVote(new Reader(value, 'vote'))
}

function readVote(vote: Reader): Vote {
  return {
    type: vote.at('type').number(),
    height: vote.at('height').integer(),
    round: vote.at('round').number(),
    blockId: readBlockId(vote.at('block_id')),
    timestamp: vote.at('timestamp').time(),
    validatorAddress: vote.at('validator_address').hex(),
    validatorIndex: vote.at('validator_index').number(),
    signature: vote.at('signature').bytes(),
    extension: vote.at('extension').bytes(),
    extensionSignature: vote.at('extension_signature').bytes(),
  }
}

function readBlockId(id: Reader): BlockId {
  const parts = id.at('parts')
  return {
    hash: id.at('hash').hex(),
    partSetHeader: { total: parts.at('total').number(), hash: parts.at('hash').hex() },
  }
}

function readLightBlock(block: Reader): LightBlock {
  const signed = block.at('signed_header')
  const set = block.at('validator_set')
  return {
    signedHeader: { header: readHeader(signed.at('header')), commit: readCommit(signed.at('commit')) },
    validatorSet: {
      validators: set.at('validators').list().map(readValidator),
      proposer: readValidator(set.at('proposer')),
      totalVotingPower: 0n,
    },
  }
}

function readHeader(header: Reader): Header {
  const version = header.at('version')
  return {
    version: { block: version.at('block').integer(), app: version.at('app').integer() },
    chainId: header.at('chain_id').text(),
    height: header.at('height').integer(),
    time: header.at('time').time(),
    lastBlockId: readBlockId(header.at('last_block_id')),
    lastCommitHash: header.at('last_commit_hash').hex(),
    dataHash: header.at('data_hash').hex(),
    validatorsHash: header.at('validators_hash').hex(),
    nextValidatorsHash: header.at('next_validators_hash').hex(),
    consensusHash: header.at('consensus_hash').hex(),
    appHash: header.at('app_hash').hex(),
    lastResultsHash: header.at('last_results_hash').hex(),
    evidenceHash: header.at('evidence_hash').hex(),
    proposerAddress: header.at('proposer_address').hex(),
  }
}

function readCommit(commit: Reader): Commit {
  return {
    height: commit.at('height').integer(),
    round: commit.at('round').number(),
    blockId: readBlockId(commit.at('block_id')),
    signatures: commit
      .at('signatures')
      .list()
      .map((signature) => ({
        blockIdFlag: signature.at('block_id_flag').number(),
        validatorAddress: signature.at('validator_address').hex(),
        timestamp: signature.at('timestamp').time(),
        signature: signature.at('signature').bytes(),
      })),
  }
}

function readValidator(validator: Reader): WireValidator {
  return {
    address: validator.at('address').hex(),
    pubKey: readKey(validator.at('pub_key')),
    votingPower: validator.at('voting_power').integer(),
    proposerPriority: validator.at('proposer_priority').integer(),
  }
}

function readKey(key: Reader): PublicKey {
  const type = key.at('type').text()
  const kind = (['secp256k1', 'ed25519'] as const).find((name) => PUBLIC_KEY_NAMES[name] === type)
  if (kind === undefined) throw new EvidenceError('a public key of a type that is not known')
  return { kind, value: key.at('value').bytes() }
}

/** A value, and where it is. What is missing is zero, as in Go. */
class Reader {
  readonly #value: unknown
  readonly #path: string

  constructor(value: unknown, path: string) {
    this.#value = value
    this.#path = path
  }

  at(name: string): Reader {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#bad('no object')
    const inner = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
    return new Reader(inner, `${this.#path}.${name}`)
  }

  list(): Reader[] {
    if (this.#value === undefined || this.#value === null) return []
    if (!Array.isArray(this.#value) || this.#value.length > LIST_MAX) throw this.#bad('no list, or too long')
    return this.#value.map((item, i) => new Reader(item, `${this.#path}[${i}]`))
  }

  text(): string {
    if (this.#value === undefined || this.#value === null) return ''
    if (typeof this.#value !== 'string') throw this.#bad('no text')
    return this.#value
  }

  number(): number {
    if (this.#value === undefined || this.#value === null) return 0
    const value = this.#value as number
    if (!Number.isInteger(value) || value < -0x8000_0000 || value > 0x7fff_ffff) throw this.#bad('no 32-bit integer')
    return value
  }

  integer(): bigint {
    const text = this.text()
    if (text === '') return 0n
    if (!/^-?\d{1,19}$/.test(text)) throw this.#bad('no 64-bit integer in quotes')
    const value = BigInt(text)
    if (value !== BigInt.asIntN(64, value)) throw this.#bad('no 64-bit integer')
    return value
  }

  hex(): string {
    try {
      return toBinary(fromHex(this.text()))
    } catch {
      throw this.#bad('no hex')
    }
  }

  bytes(): Uint8Array {
    const text = this.text()
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw this.#bad('no base64')
    return new Uint8Array(Buffer.from(text, 'base64'))
  }

  time(): bigint {
    const time = parseTime(this.text())
    if (time === undefined) throw this.#bad('no time in UTC')
    return time
  }

  #bad(detail: string): EvidenceError {
    return new EvidenceError(`${this.#path}: ${detail}`)
  }
}
