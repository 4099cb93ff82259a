/**
 * Why something that came from outside is refused: a value, because callers branch on it. The code is the rule that was
 * broken; null in place of a fault means that none was.
 */

export type FaultCode =
  // form
  | 'malformed'
  | 'type'
  | 'height-not-positive'
  | 'round-negative'
  | 'pol-round'
  | 'index-negative'
  | 'block-id-form'
  | 'address-size'
  | 'hash-size'
  | 'chain-id-too-long'
  | 'block-protocol'
  | 'missing-part'
  | 'time-range'
  // signatures
  | 'signature-missing'
  | 'signature-too-big'
  | 'signature-size'
  | 'wrong-signature'
  | 'non-deterministic-signature'
  | 'extension'
  // commits
  | 'absent-not-empty'
  | 'unknown-flag'
  | 'commit-for-nil'
  | 'no-signatures'
  | 'malformed-commit-signature'
  | 'wrong-set-size'
  | 'wrong-height'
  | 'wrong-block-id'
  | 'address-mismatch'
  | 'double-vote'
  | 'not-enough-power'
  | 'stranger-signed'
  // trust
  | 'zero-denominator'
  | 'trust-level-overflow'
  | 'trust-level-range'
  | 'invalid-header'
  | 'distrusted'
  | 'expired'
  | 'adjacency'
  | 'next-validators-mismatch'
  | 'validators-mismatch'
  | 'height-not-greater'
  | 'time-not-after'
  | 'time-not-before'
  | 'from-the-future'
  | 'wrong-chain'
  | 'commit-height-mismatch'
  | 'commit-block-mismatch'
  | 'last-block-mismatch'
  // vote sets
  | 'validator-index'
  | 'validator-address'
  | 'unexpected-step'
  | 'conflicting-votes'
  | 'conflicting-claim'
  // validator sets
  | 'duplicate-entry'
  | 'negative-power'
  | 'zero-power'
  | 'power-overflow'
  | 'empty-set'
  | 'remove-stranger'
  | 'address-not-of-key'
  | 'proposer-not-a-validator'
  // parameters
  | 'parameter-range'
  | 'extension-height'
  // Merkle proofs and parts
  | 'proof-range'
  | 'proof-form'
  | 'proof-shape'
  | 'leaf-hash'
  | 'root-hash'
  | 'part-index'
  | 'part-size'
  | 'part-form'
  | 'part-proof'
  // evidence
  | 'missing-vote'
  | 'wrong-vote-order'
  | 'height-round-type-mismatch'
  | 'same-block-id'
  | 'not-a-validator'
  | 'wrong-validator-power'
  | 'wrong-total-power'
  | 'total-power-not-positive'
  | 'common-height-not-positive'
  | 'common-height-ahead'
  | 'underived-header-at-common-height'
  | 'same-header'
  | 'time-not-violated'
  | 'wrong-byzantine-validators'
  | 'already-committed'
  | 'duplicate-evidence'
  | 'unknown-height'
  | 'wrong-time'
  | 'unknown-evidence'
  | 'evidence-overflow'
  // blocks
  | 'initial-last-commit'
  | `wrong-${HeaderField}`
  // the signing guard
  | 'height-regression'
  | 'round-regression'
  | 'step-regression'
  | 'conflicting-data'
  // the log
  | 'checksum'
  | 'too-long'
  | 'truncated'

/** Header fields that a block's state decides. */
export type HeaderField =
  | 'Version'
  | 'ChainID'
  | 'Height'
  | 'LastBlockID'
  | 'LastCommitHash'
  | 'DataHash'
  | 'EvidenceHash'
  | 'AppHash'
  | 'ConsensusHash'
  | 'LastResultsHash'
  | 'ValidatorsHash'
  | 'NextValidatorsHash'

export interface Fault {
  readonly code: FaultCode
  /** The fault within, where one rule speaks for another. */
  readonly cause?: Fault
  /** Power that signed, and the power that it had to exceed. */
  readonly power?: { readonly got: bigint; readonly needed: bigint }
}

export function fault(code: FaultCode, cause?: Fault): Fault {
  return cause === undefined ? { code } : { code, cause }
}

/** Tells a fault from what a function answers when there is none. */
export function isFault<T extends object>(value: T | Fault): value is Fault {
  return 'code' in value && typeof value.code === 'string'
}
