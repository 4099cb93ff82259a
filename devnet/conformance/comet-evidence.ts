/** `evidence`: duplicate votes and attacks from their bytes, expiry, and what a node says about evidence in a block. */

import {
  canonicalEvidence,
  checkEvidence,
  checkEvidenceInBlock,
  evidenceHeight,
  isExpired,
  misbehaviorOf,
  verifyAttack,
  verifyDuplicateVote,
} from '../consensus/evidence.ts'
import { evidenceBytes, evidenceHash } from '../consensus/hash.ts'
import { decode, encode } from '../consensus/schema.ts'
import { EVIDENCE, type Evidence } from '../consensus/wire.ts'
import { MISBEHAVIOR } from '../consensus/wire-abci.ts'
import { fromHex, toBinary, toHex } from '../primitives/bytes.ts'
import { readLight, readSet } from './comet-commits.ts'
import { hexOf } from './comet-hashes.ts'
import type { Check, CometFile, CometReport } from './comet-report.ts'
import { timeOf } from './comet-view.ts'

export function runEvidence(file: CometFile, report: CometReport): void {
  for (const [i, entry] of file.duplicateVotes.entries()) {
    report.run(`duplicateVotes ${i}, ${entry.name}`, (check) => {
      const piece = comparePiece(check, entry)
      if (entry.verify === null || piece.kind !== 'duplicateVoteEvidence') return
      check.verdict('verify', entry.verify, verifyDuplicateVote(piece.value, entry.chainId, readSet(entry.validators)))
    })
  }
  for (const [i, entry] of file.attacks.entries()) {
    report.run(`attacks ${i}, ${entry.name}`, (check) => {
      const piece = comparePiece(check, entry)
      if (entry.verify === null || piece.kind !== 'lightClientAttackEvidence') return
      const common = readLight(entry.common)
      const trusted = readLight(entry.trusted)
      const context = { common: common.signed, commonValidators: common.validators, trusted: trusted.signed }
      check.verdict('verify', entry.verify, verifyAttack(piece.value, context))
    })
  }
  for (const [i, entry] of file.expiry.entries()) {
    report.run(`expiry ${i}`, (check) => {
      const age = { blocks: BigInt(entry.ageBlocks), time: timeOf(entry.age) }
      const max = { blocks: BigInt(entry.maxAgeBlocks), time: timeOf(entry.maxAge) }
      check.equal('expired', entry.expired, isExpired(age, max))
    })
  }
  for (const [i, entry] of file.pool.entries()) {
    report.run(`pool ${i}, ${entry.name}`, (check) => comparePool(check, entry))
  }
}

/** The piece as its bytes give it. */
function comparePiece(check: Check, entry: CometFile): Evidence {
  const piece = canonicalEvidence(decode(EVIDENCE, fromHex(entry.proto))!)
  check.equal('proto', entry.proto, toHex(encode(EVIDENCE, piece)))
  check.equal('bytes', entry.bytes, toHex(evidenceBytes(piece)))
  check.equal('hash', entry.hash, hexOf(evidenceHash(piece)))
  check.equal('height', entry.height, String(evidenceHeight(piece)))
  check.verdict('wellFormed', entry.wellFormed, checkEvidence(piece))
  check.equal(
    'misbehavior',
    entry.misbehavior,
    misbehaviorOf(piece).map((report) => toHex(encode(MISBEHAVIOR, report))),
  )
  return piece
}

function comparePool(check: Check, entry: CometFile): void {
  const pieces: Evidence[] = entry.evidence.map((piece: CometFile) => comparePiece(check, piece))
  const blocks = new Map<bigint, CometFile>(entry.blocks.map((block: CometFile) => [BigInt(block.height), block]))
  const verdict = checkEvidenceInBlock(pieces, {
    chainId: entry.chainId,
    lastHeight: BigInt(entry.lastHeight),
    lastTime: timeOf(entry.lastTime),
    max: { blocks: BigInt(entry.maxAgeBlocks), time: timeOf(entry.maxAge) },
    committed: new Set(entry.committed?.map((hash: string) => toBinary(fromHex(hash))) ?? []),
    pending: new Set(),
    timeAt: (height) => {
      const block = blocks.get(height)
      return block === undefined ? undefined : timeOf(block.time)
    },
    signedHeaderAt: () => undefined,
    validatorsAt: (height) => {
      const block = blocks.get(height)
      return block === undefined ? undefined : readSet(block.validators)
    },
  })
  check.verdict('checkInBlock', entry.checkInBlock, verdict)
}
