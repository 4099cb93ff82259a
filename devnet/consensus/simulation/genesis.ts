/** The beginning of simulated chains. */

import { sha256Binary } from '../../primitives/hash.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import { type ChainState, createChainState, type Genesis } from '../chain-state.ts'
import { isFault } from '../fault.ts'
import { addressOf } from '../key.ts'
import { DEFAULT_PARAMS } from '../params.ts'
import { MILLISECOND } from '../time.ts'
import type { ValidatorSet } from '../validator-set.ts'
import type { PublicKey } from '../wire.ts'
import { START_TIME } from './node.ts'
import type { Plan } from './plan.ts'

export const CHAIN_ID = 'simulation'
/** Small enough that a block can be too large, and no multiple of a part. */
const BLOCK_BYTES_MAX = 150_000n
const EVIDENCE_BYTES_MAX = 20_000n

export function openGenesis(
  plan: Pick<Plan, 'powers' | 'initialHeight'> & Partial<Pick<Plan, 'hasExtensions'>>,
  keys: readonly PublicKey[],
): ChainState {
  const { block, evidence } = DEFAULT_PARAMS
  const genesis: Genesis = {
    chainId: CHAIN_ID,
    initialHeight: plan.initialHeight,
    time: START_TIME - 1000n * MILLISECOND,
    params: {
      ...DEFAULT_PARAMS,
      block: { ...block, maxBytes: BLOCK_BYTES_MAX },
      evidence: { ...evidence, maxBytes: EVIDENCE_BYTES_MAX },
      abci: { voteExtensionsEnableHeight: plan.hasExtensions ? plan.initialHeight + 1n : 0n },
    },
    validators: plan.powers.map((power, i) => ({ pubKey: keys[i]!, power })),
    appHash: sha256Binary(encodeUtf8('genesis')),
  }
  const answer = { consensusParams: null, validators: [], appHash: '' }
  const state = createChainState(genesis, answer, 1n)
  if (isFault(state)) throw new Error(`the genesis is refused: ${state.code}`)
  return state
}

/**
 * The chain with other priorities at its first height, such that these keys lead its first three rounds, by the rule that elects
 * proposers everywhere. All have the same power.
 */
export function withLeaders(chain: ChainState, leaders: readonly PublicKey[]): ChainState {
  const [first, second, third] = leaders.map(addressOf)
  const { totalVotingPower: total } = chain.validators
  const priorityOf = (address: string): bigint =>
    (address === second ? total : 0n) + (address === third ? (total * 3n) / 4n : 0n)
  const validators = chain.validators.validators.map((validator) => ({
    ...validator,
    proposerPriority: priorityOf(validator.address),
  }))
  const proposer = validators.find(({ address }) => address === first) ?? null
  const set: ValidatorSet = { validators, proposer, totalVotingPower: total }
  return { ...chain, validators: set }
}
