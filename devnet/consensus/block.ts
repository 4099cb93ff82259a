/**
 * Blocks, as far as their own form goes: sizes, and that the header's hashes are those of the body.
 *
 * @source CometBFT v0.38.25 `types/block.go`
 */

import { checkCommit } from './commit.ts'
import { canonicalEvidence, checkEvidence } from './evidence.ts'
import { type Fault, fault } from './fault.ts'
import { commitHash, evidenceListHash, txsHash } from './hash.ts'
import { checkHeader } from './header.ts'
import { WireError } from './protobuf.ts'
import { decode } from './schema.ts'
import { BLOCK, type Block, type Evidence } from './wire.ts'

/** A block that came from outside: its form, and that its header's hashes are those of its body. */
export function decodeBlock(bytes: Uint8Array): Block | Fault {
  try {
    const { header, data, evidence, lastCommit } = decode(BLOCK, bytes)
    const pieces = evidence.evidence.map((piece) => (piece === null ? null : canonicalEvidence(piece)))
    const block = { header, data, evidence: { evidence: pieces }, lastCommit }
    return checkBlock(block) ?? block
  } catch (error) {
    if (error instanceof WireError) return fault('malformed')
    throw error
  }
}

/** The form alone. What the block should say about its chain is not asked yet. */
export function checkBlock({ header, data, evidence, lastCommit }: Block): Fault | null {
  const malformed = checkHeader(header)
  if (malformed !== null) return malformed
  const pieces: Evidence[] = []
  for (const piece of evidence.evidence) {
    if (piece === null) return fault('unknown-evidence')
    const wrong = checkEvidence(piece)
    if (wrong !== null) return wrong
    pieces.push(piece)
  }
  if (lastCommit === null) return fault('missing-part')
  const wrong = checkCommit(lastCommit)
  if (wrong !== null) return wrong
  if (header.lastCommitHash !== commitHash(lastCommit)) return fault('wrong-LastCommitHash')
  if (header.dataHash !== txsHash(data.txs)) return fault('wrong-DataHash')
  return header.evidenceHash === evidenceListHash(pieces) ? null : fault('wrong-EvidenceHash')
}
