import { expect, test } from 'vitest'
import { duplicateVoteEvidence } from '../../../devnet/consensus/evidence.ts'
import { type ChainPast, EvidencePool } from '../../../devnet/consensus/evidence-pool.ts'
import { evidenceHash } from '../../../devnet/consensus/hash.ts'
import { addressOf, type PrivateKey, publicKeyOf, signMessage, verifyMessage } from '../../../devnet/consensus/key.ts'
import { voteSignBytes } from '../../../devnet/consensus/sign-bytes.ts'
import { openGenesis } from '../../../devnet/consensus/simulation/genesis.ts'
import { PREVOTE, type Vote } from '../../../devnet/consensus/wire.ts'

const key: PrivateKey = { kind: 'secp256k1', secret: new Uint8Array(32).fill(7) }
const genesis = openGenesis({ powers: [10n], initialHeight: 1n }, [publicKeyOf(key)])
const state = { ...genesis, lastHeight: 1n, lastTime: genesis.lastTime + 1n }

function voteFor(letter: string): Vote {
  const hash = letter.repeat(32)
  const vote: Vote = {
    type: PREVOTE,
    height: 1n,
    round: 0,
    blockId: { hash, partSetHeader: { total: 1, hash } },
    timestamp: genesis.lastTime,
    validatorAddress: addressOf(publicKeyOf(key)),
    validatorIndex: 0,
    signature: new Uint8Array(0),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  }
  return { ...vote, signature: signMessage(key, voteSignBytes(state.chainId, vote)) }
}

/** A chain whose block 1 has the genesis' time, and whose blocks carry these pieces. */
function pastWith(committed: ReadonlySet<string>): ChainPast {
  return {
    timeAt: (height) => (height === 1n ? state.lastTime : undefined),
    signedHeaderAt: () => undefined,
    validatorsAt: (height) => (height === 1n ? genesis.validators : undefined),
    isCommittedEvidence: (hash) => committed.has(hash),
  }
}

test('two votes become evidence once their block has a time, and are offered until a block carries them', () => {
  const pool = new EvidencePool(pastWith(new Set()))
  pool.addConflict([voteFor('a'), voteFor('b')])
  const [piece] = pool.update(state, [])
  expect(pool.take(state)).toEqual([piece])
  expect(pool.check(state, [piece!])).toBeNull()
  pool.update(state, [piece!])
  expect(pool.take(state)).toEqual([])
})

test('a pool that begins anew takes nothing that a block carries already', () => {
  const piece = duplicateVoteEvidence([voteFor('a'), voteFor('b')], state.lastTime, genesis.validators)!
  const pool = new EvidencePool(pastWith(new Set([evidenceHash(piece)])))
  expect(pool.add(state, piece)).toBe(false)
  pool.addConflict([voteFor('a'), voteFor('b')])
  expect(pool.update(state, [])).toEqual([])
  expect(pool.check(state, [piece])).toMatchObject({ code: 'already-committed' })
})

test('a forged piece is not taken', () => {
  const pool = new EvidencePool(pastWith(new Set()))
  const bad = { ...voteFor('b'), signature: voteFor('a').signature }
  expect(verifyMessage(publicKeyOf(key), voteSignBytes(state.chainId, bad), bad.signature)).toBe(false)
  const piece = duplicateVoteEvidence([voteFor('a'), bad], state.lastTime, genesis.validators)!
  expect(pool.add(state, piece)).toBe(false)
})
