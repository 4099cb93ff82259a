/** `golden`: the named values of the consensus specification, each made from its written inputs. */

import { NIL_BLOCK_ID } from '../consensus/block-id.ts'
import { ABSENT_SIG } from '../consensus/commit.ts'
import { isFault } from '../consensus/fault.ts'
import { headerHash, paramsHash, resultsHash, txsHash, validatorLeaf, validatorsHash } from '../consensus/hash.ts'
import { addressOf, publicKeyOf } from '../consensus/key.ts'
import { merkleRoot } from '../consensus/merkle.ts'
import { partSetHeader } from '../consensus/part-set.ts'
import { encode } from '../consensus/schema.ts'
import { extensionSignBytes, proposalSignBytes, type SignedVote, voteSignBytes } from '../consensus/sign-bytes.ts'
import { SECOND, ZERO_TIME } from '../consensus/time.ts'
import {
  createValidatorSet,
  incrementPriorities,
  updateValidatorSet,
  type ValidatorChange,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import { COMMIT_SIG, HASHED_PARAMS, PRECOMMIT, PREVOTE, PROPOSAL_TYPE, type PublicKey } from '../consensus/wire.ts'
import { fromBinary, toHex } from '../primitives/bytes.ts'
import { sha256, sha256Binary } from '../primitives/hash.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import type { CometFile, CometReport } from './comet-report.ts'

const CHAIN = 'ipc-devnet-1'
const TIME = 1_700_000_000n * SECOND
const NO_BYTES = new Uint8Array(0)

const hashOf = (text: string): string => sha256Binary(encodeUtf8(text))
const hexOf = (binary: string | null): string => toHex(fromBinary(binary ?? ''))

const BLOCK_ID = { hash: hashOf('block'), partSetHeader: { total: 1, hash: hashOf('parts') } }

export function runGolden(file: CometFile, report: CometReport): void {
  for (const [name, value] of Object.entries(goldenValues())) {
    report.run(name, (check) => check.equal(name, file[name], value))
  }
  report.run('proposers', (check) => check.equal('proposers', file.proposers, goldenProposers()))
}

function goldenValues(): Record<string, CometFile> {
  const nothing: SignedVote = { type: 0, height: 0n, round: 0, blockId: NIL_BLOCK_ID, timestamp: ZERO_TIME }
  const vote = (fields: Partial<SignedVote>, chain: string): string =>
    toHex(voteSignBytes(chain, { ...nothing, ...fields }))
  const v4 = { type: PRECOMMIT, height: 7n, blockId: BLOCK_ID, timestamp: TIME + 123_456_789n }
  const proposal = { height: 7n, round: 0, polRound: -1, blockId: BLOCK_ID, timestamp: TIME, signature: NO_BYTES }
  const params = { maxBytes: 22_020_096n, maxGas: -1n }
  const result = { code: 0, data: NO_BYTES, log: '', info: '', gasWanted: 0n, gasUsed: 0n, events: [], codespace: '' }
  return {
    V1: vote({}, ''),
    V2: vote({ type: PRECOMMIT, height: 1n, round: 1 }, ''),
    V3: vote({ height: 1n, round: 1 }, 'test_chain_id'),
    V4: vote(v4, CHAIN),
    'V4.sha256': toHex(sha256(voteSignBytes(CHAIN, { ...nothing, ...v4 }))),
    V5: vote({ type: PREVOTE, height: 7n, round: 2, timestamp: TIME }, CHAIN),
    V6: toHex(proposalSignBytes(CHAIN, { type: PROPOSAL_TYPE, ...proposal })),
    V7: toHex(extensionSignBytes(CHAIN, { extension: encodeUtf8('ext'), height: 7n, round: 0 })),
    V8: toHex(encode(COMMIT_SIG, ABSENT_SIG)),
    'V9.leaf': toHex(encode(HASHED_PARAMS, { blockMaxBytes: params.maxBytes, blockMaxGas: params.maxGas })),
    V9: hexOf(paramsHash(params)),
    V10: hexOf(goldenHeader()),
    V11: oneValidator({ kind: 'ed25519', value: new Uint8Array(32).fill(1) }),
    V12: oneValidator(publicKeyOf({ kind: 'secp256k1', secret: new Uint8Array(32).with(31, 1) })),
    'V13.empty': hexOf(resultsHash([result])),
    'V13.full': hexOf(resultsHash([{ ...result, data: Uint8Array.of(0, 255), gasWanted: 5n, gasUsed: 3n }])),
    V14: hexOf(txsHash(['a', 'b', 'c'].map(encodeUtf8))),
    'V15.10': hexOf(partSetHeader(new Uint8Array(10).fill(7)).hash),
    'V15.65537': hexOf(partSetHeader(new Uint8Array(65_537).fill(7)).hash),
    V16: hexOf(merkleRoot([])),
  }
}

function goldenHeader(): string | null {
  return headerHash({
    version: { block: 1n, app: 2n },
    chainId: 'chainId',
    height: 3n,
    time: BigInt(Date.UTC(2019, 9, 13, 16, 14, 44)) * 1_000_000n,
    lastBlockId: { hash: '\0'.repeat(32), partSetHeader: { total: 6, hash: '\0'.repeat(32) } },
    lastCommitHash: hashOf('last_commit_hash'),
    dataHash: hashOf('data_hash'),
    validatorsHash: hashOf('validators_hash'),
    nextValidatorsHash: hashOf('next_validators_hash'),
    consensusHash: hashOf('consensus_hash'),
    appHash: hashOf('app_hash'),
    lastResultsHash: hashOf('last_results_hash'),
    evidenceHash: hashOf('evidence_hash'),
    proposerAddress: hashOf('proposer_address').slice(0, 20),
  })
}

/** The specification shows the leaf's first bytes of the second key, whose middle is long. */
function oneValidator(pubKey: PublicKey): CometFile {
  const validator = { pubKey, votingPower: 10n }
  return {
    leaf: toHex(validatorLeaf(validator)),
    address: hexOf(addressOf(pubKey)),
    set: hexOf(validatorsHash([validator])),
  }
}

function goldenProposers(): CometFile {
  let set = createValidatorSet([named('a', 1n), named('b', 2n), named('c', 3n), named('d', 4n)]) as ValidatorSet
  let heights = ''
  const states: string[] = []
  for (let height = 1; height <= 12; height++) {
    if (height > 1) set = incrementPriorities(set, 1)
    heights += set.proposer!.address[0]
    states.push(prioritiesOf(set))
  }
  const updated = updateValidatorSet(set, [named('e', 10n), named('a', 0n)])
  if (isFault(updated)) return updated.code
  let at = updated
  let afterUpdate = ''
  for (let i = 0; i < 6; i++) {
    at = incrementPriorities(at, 1)
    afterUpdate += at.proposer!.address[0]
  }
  return { heights, prioritiesAfterHeight: states, prioritiesAfterUpdate: prioritiesOf(updated), afterUpdate }
}

function named(name: string, votingPower: bigint): ValidatorChange {
  const value = new Uint8Array(32).fill(name.charCodeAt(0))
  return { address: name.repeat(20), pubKey: { kind: 'ed25519', value }, votingPower }
}

function prioritiesOf({ validators }: ValidatorSet): string {
  return validators.map(({ address, proposerPriority }) => `${address[0]} ${proposerPriority}`).join(' ')
}
