import { describe, expect, test } from 'vitest'
import { TRUST_LEVEL_DEFAULT, verifyCommit, verifyCommitTrusting } from '../../../devnet/consensus/commit.ts'
import { isFault } from '../../../devnet/consensus/fault.ts'
import { type PrivateKey, publicKeyOf, signMessage } from '../../../devnet/consensus/key.ts'
import { voteSignBytes } from '../../../devnet/consensus/sign-bytes.ts'
import { changeOf, createValidatorSet, type ValidatorSet } from '../../../devnet/consensus/validator-set.ts'
import { type Commit, type CommitSig, FLAG_COMMIT, PRECOMMIT } from '../../../devnet/consensus/wire.ts'

const CHAIN = 'chain'
const KEYS: readonly PrivateKey[] = [1, 2, 3, 4].map((n) => ({ kind: 'secp256k1', secret: new Uint8Array(32).fill(n) }))
const BLOCK_ID = { hash: 'h'.repeat(32), partSetHeader: { total: 1, hash: 'p'.repeat(32) } }

function setOf(): ValidatorSet {
  const set = createValidatorSet(KEYS.map((key) => changeOf(publicKeyOf(key), 10n)))
  if (isFault(set)) throw new Error(set.code)
  return set
}

/** By places of the set. */
function commitBy(set: ValidatorSet, signers: readonly number[]): Commit {
  const signatures = signers.map((place): CommitSig => {
    const { address, pubKey } = set.validators[place]!
    const key = KEYS.find((known) => publicKeyOf(known).value.join() === pubKey.value.join())!
    const vote = { type: PRECOMMIT, height: 7n, round: 0, blockId: BLOCK_ID, timestamp: 1n }
    return {
      blockIdFlag: FLAG_COMMIT,
      validatorAddress: address,
      timestamp: 1n,
      signature: signMessage(key, voteSignBytes(CHAIN, vote)),
    }
  })
  return { height: 7n, round: 0, blockId: BLOCK_ID, signatures }
}

describe('a commit', () => {
  const target = { chainId: CHAIN, height: 7n, blockId: BLOCK_ID }

  test('signed by everybody is good', () => {
    const set = setOf()
    expect(verifyCommit(set, target, commitBy(set, [0, 1, 2, 3]))).toBeNull()
    expect(verifyCommitTrusting({ chainId: CHAIN, set, level: TRUST_LEVEL_DEFAULT }, commitBy(set, [0, 1]))).toBeNull()
  })

  test('counts nobody twice: not at another’s place, not for those who trust some of the set', () => {
    const set = setOf()
    expect(verifyCommit(set, target, commitBy(set, [0, 0, 0, 0]))).toMatchObject({ code: 'address-mismatch' })
    const trust = { chainId: CHAIN, set, level: TRUST_LEVEL_DEFAULT }
    expect(verifyCommitTrusting(trust, commitBy(set, [0, 0]))).toMatchObject({ code: 'double-vote' })
  })
})
