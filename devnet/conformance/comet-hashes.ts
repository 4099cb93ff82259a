/** `hashes`: headers, validator sets, commits, data, evidence, parameters, results, part sets, trees, block ids, limits. */

import { blockIdKey, checkBlockIdForm, isComplete, isNil } from '../consensus/block-id.ts'
import { checkCommit } from '../consensus/commit.ts'
import {
  commitHash,
  evidenceBytes,
  evidenceHash,
  evidenceListHash,
  headerHash,
  paramsHash,
  resultLeaf,
  resultsHash,
  txHash,
  txProof,
  txsHash,
  validatorLeaf,
} from '../consensus/hash.ts'
import { checkHeader } from '../consensus/header.ts'
import { checkProofForm, merkleProofs, merkleRoot, verifyProof } from '../consensus/merkle.ts'
import {
  checkParams,
  checkParamsUpdate,
  commitBytesMax,
  dataBytesMax,
  fromWireParams,
  updateParams,
} from '../consensus/params.ts'
import { checkPart, partSetHeader, splitParts, verifyPart } from '../consensus/part-set.ts'
import { hasRoomFor } from '../consensus/proposal.ts'
import { decode, encode, encodedSize, type Message } from '../consensus/schema.ts'
import {
  changeOf,
  createValidatorSet,
  fromWireValidatorSet,
  setHash,
  toWireValidatorSet,
  type ValidatorSet,
} from '../consensus/validator-set.ts'
import {
  BLOCK_ID,
  COMMIT,
  COMMIT_SIG,
  CONSENSUS_PARAMS,
  DATA,
  EVIDENCE_LIST,
  HASHED_PARAMS,
  HEADER,
  PART,
  PART_SET_HEADER,
  PROOF,
  TX_PROOF,
  VALIDATOR_SET,
} from '../consensus/wire.ts'
import { EXEC_TX_RESULT } from '../consensus/wire-abci.ts'
import { fromBinary, fromHex, toBinary, toHex } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { attempt, type Check, type CometFile, type CometReport } from './comet-report.ts'
import { fromView, toView } from './comet-view.ts'

export const hexOf = (binary: string | null): string => toHex(fromBinary(binary ?? ''))

export function runHashes(file: CometFile, report: CometReport): void {
  const each = (part: string, compare: (check: Check, entry: CometFile) => void): void => {
    for (const [i, entry] of file[part].entries()) {
      report.run(`${part} ${i}, ${entry.name ?? ''}`, (check) => compare(check, entry))
    }
  }
  each('headers', compareHeader)
  each('validatorSets', compareValidatorSet)
  each('commits', compareCommit)
  each('data', compareData)
  each('evidence', compareEvidence)
  each('params', compareParams)
  each('paramUpdates', compareParamUpdate)
  each('results', compareResults)
  each('partSets', comparePartSet)
  each('merkle', compareTree)
  each('merkleProofs', compareProof)
  each('blockIds', compareBlockId)
  each('limits', compareLimit)
}

/** The view encodes to the bytes, and the bytes decode to the view. */
export function compareWire<T>(check: Check, message: Message<T>, view: CometFile, proto: CometFile): T {
  const value = fromView(message, view)
  const bytes = attempt(() => encode(message, value))
  check.value('proto', proto, bytes instanceof Uint8Array ? toHex(bytes) : bytes)
  if (typeof proto === 'string') check.equal('decoded', view, toView(message, decode(message, fromHex(proto))))
  return value
}

function compareHeader(check: Check, entry: CometFile): void {
  const header = compareWire(check, HEADER, entry.header, entry.proto)
  check.equal('hash', entry.hash, hexOf(headerHash(header)))
  if (entry.wellFormed !== undefined) check.verdict('wellFormed', entry.wellFormed, checkHeader(header))
}

function compareValidatorSet(check: Check, entry: CometFile): void {
  const changes = entry.given.map((given: CometFile) =>
    changeOf({ kind: given.type, value: fromHex(given.public) }, BigInt(given.power)),
  )
  const set = createValidatorSet(changes) as ValidatorSet
  const ordered = set.validators.map((validator) => ({
    address: hexOf(validator.address),
    power: String(validator.votingPower),
    priority: String(validator.proposerPriority),
    leaf: toHex(validatorLeaf(validator)),
  }))
  check.equal('ordered', entry.ordered, ordered)
  check.equal('proposer', entry.proposer ?? '', hexOf(set.proposer?.address ?? ''))
  check.equal('totalPower', entry.totalPower, String(set.totalVotingPower))
  check.equal('proto', entry.proto, toHex(encode(VALIDATOR_SET, toWireValidatorSet(set))))
  check.equal('hash', entry.hash, hexOf(setHash(set)))
  const read = fromWireValidatorSet(decode(VALIDATOR_SET, fromHex(entry.proto)))
  check.equal('read again', changes.length === 0 ? '' : entry.hash, 'code' in read ? '' : hexOf(setHash(read)))
}

function compareCommit(check: Check, entry: CometFile): void {
  const commit = compareWire(check, COMMIT, entry.commit, entry.proto)
  check.equal(
    'leaves',
    entry.leaves,
    commit.signatures.map((sig) => toHex(encode(COMMIT_SIG, sig))),
  )
  check.equal('hash', entry.hash, hexOf(commitHash(commit)))
  check.verdict('wellFormed', entry.wellFormed, checkCommit(commit))
}

function compareData(check: Check, entry: CometFile): void {
  const txs: Uint8Array[] = entry.txs.map(fromHex)
  check.equal(
    'txHashes',
    entry.txHashes,
    txs.map((tx) => hexOf(txHash(tx))),
  )
  check.equal('proto', entry.proto, toHex(encode(DATA, { txs })))
  check.equal('hash', entry.hash, hexOf(txsHash(txs)))
  check.equal('sizeInBlock', entry.sizeInBlock, String(encodedSize(DATA, { txs })))
  if (entry.proofOf === undefined) return
  const proof = txProof(txs, entry.proofOf)!
  check.equal('proof', entry.proof, toHex(encode(TX_PROOF, proof)))
  check.verdict('proof holds', 'ok', verifyProof(proof.proof, txsHash(txs), sha256(txs[entry.proofOf]!)))
}

function compareEvidence(check: Check, entry: CometFile): void {
  const { evidence } = decode(EVIDENCE_LIST, fromHex(entry.proto))
  const pieces = evidence.filter((piece) => piece !== null)
  check.equal('proto', entry.proto, toHex(encode(EVIDENCE_LIST, { evidence })))
  check.equal(
    'leaves',
    entry.leaves,
    pieces.map((piece) => toHex(evidenceBytes(piece))),
  )
  check.equal(
    'hashes',
    entry.hashes,
    pieces.map((piece) => hexOf(evidenceHash(piece))),
  )
  check.equal('size', entry.size, String(encodedSize(EVIDENCE_LIST, { evidence })))
  check.equal('hash', entry.hash, hexOf(evidenceListHash(pieces)))
}

function compareParams(check: Check, entry: CometFile): void {
  const params = fromWireParams(compareWire(check, CONSENSUS_PARAMS, entry.params, entry.proto))!
  const { maxBytes, maxGas } = params.block
  check.equal('hashed', entry.hashed, toHex(encode(HASHED_PARAMS, { blockMaxBytes: maxBytes, blockMaxGas: maxGas })))
  check.equal('hash', entry.hash, hexOf(paramsHash(params.block)))
  check.verdict('valid', entry.valid, checkParams(params))
}

function compareParamUpdate(check: Check, entry: CometFile): void {
  const before = fromWireParams(decode(CONSENSUS_PARAMS, fromHex(entry.before)))!
  const update = compareWire(check, CONSENSUS_PARAMS, entry.updateView, entry.update)
  const after = updateParams(before, update)
  check.equal('after', entry.after, toHex(encode(CONSENSUS_PARAMS, after)))
  check.equal('afterHash', entry.afterHash, hexOf(paramsHash(after.block)))
  const refused = checkParams(after) ?? checkParamsUpdate(before, update, BigInt(entry.height))
  check.verdict('valid', entry.valid, refused)
}

function compareResults(check: Check, entry: CometFile): void {
  const results = entry.results.map((hex: string) => decode(EXEC_TX_RESULT, fromHex(hex)))
  check.equal(
    'results',
    entry.results,
    results.map((result: CometFile) => toHex(encode(EXEC_TX_RESULT, result))),
  )
  check.equal(
    'leaves',
    entry.leaves,
    results.map((result: CometFile) => toHex(resultLeaf(result))),
  )
  check.equal('hash', entry.hash, hexOf(resultsHash(results)))
}

/** Byte i of the data is (31·i + 17·⌊i/256⌋ + salt) mod 256. */
function comparePartSet(check: Check, entry: CometFile): void {
  const bytes = Uint8Array.from({ length: entry.size }, (_, i) => 31 * i + 17 * (i >> 8) + entry.salt)
  const { header, parts } = splitParts(bytes)
  check.equal('total', entry.total, header.total)
  check.equal('hash', entry.hash, hexOf(header.hash))
  check.equal('header', entry.header, toHex(encode(PART_SET_HEADER, header)))
  check.equal('header alone', entry.header, toHex(encode(PART_SET_HEADER, partSetHeader(bytes))))
  const shown = parts.map((part) => ({
    size: part.bytes.length,
    proof: toHex(encode(PROOF, part.proof)),
    protoSha256: toHex(sha256(encode(PART, part))),
  }))
  check.equal('parts', entry.parts, shown)
  for (const part of parts) check.verdict(`part ${part.index}`, 'ok', checkPart(part) ?? verifyPart(header, part))
}

function compareTree(check: Check, entry: CometFile): void {
  const leaves: Uint8Array[] = entry.leaves.map(fromHex)
  const { root, proofs } = merkleProofs(leaves)
  check.equal('root', entry.root, hexOf(merkleRoot(leaves)))
  check.equal('root of the proofs', entry.root, hexOf(root))
  for (const expected of entry.proofs) {
    const proof = proofs[expected.index]!
    const { index, leafHash, aunts } = proof
    const shown = { index: Number(index), leafHash: hexOf(leafHash), aunts: aunts.map(hexOf) }
    check.equal(`proof ${index}`, expected, { ...shown, proto: toHex(encode(PROOF, proof)) })
    check.verdict(`proof ${index} holds`, 'ok', verifyProof(proof, root, leaves[expected.index]!))
  }
}

function compareProof(check: Check, entry: CometFile): void {
  const proof = compareWire(check, PROOF, entry.proof, entry.proto)
  check.verdict('wellFormed', entry.wellFormed, checkProofForm(proof))
  check.verdict('verify', entry.verify, verifyProof(proof, toBinary(fromHex(entry.root)), fromHex(entry.leaf)))
}

function compareBlockId(check: Check, entry: CometFile): void {
  const blockId = compareWire(check, BLOCK_ID, entry.blockId, entry.proto)
  check.equal('key', entry.key, hexOf(blockIdKey(blockId)))
  check.equal('isNil', entry.isNil, isNil(blockId))
  check.equal('isComplete', entry.isComplete, isComplete(blockId))
  check.verdict('wellFormed', entry.wellFormed, checkBlockIdForm(blockId))
}

function compareLimit(check: Check, entry: CometFile): void {
  const maxBytes = BigInt(entry.maxBytes)
  if (entry.parts !== undefined) {
    check.equal('proposalFits', entry.proposalFits, hasRoomFor(entry.parts, maxBytes))
    return
  }
  const left = dataBytesMax(maxBytes, BigInt(entry.evidenceBytes), entry.validators)
  if (typeof entry.maxDataBytes === 'string') check.equal('maxDataBytes', entry.maxDataBytes, String(left))
  else check.verdict('maxDataBytes', entry.maxDataBytes, left === undefined ? { code: 'parameter-range' } : null)
  check.equal('maxCommitBytes', entry.maxCommitBytes, String(commitBytesMax(entry.validators)))
}
