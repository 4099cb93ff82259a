/**
 * Validators whose keys this process holds, all of one mind: what they sign for a block that nobody disputes.
 *
 * @source spec consensus §7.6
 */

import type { ChainState } from '../consensus/chain-state.ts'
import { ABSENT_SIG } from '../consensus/commit.ts'
import { addressOf, type PrivateKey, publicKeyOf, signMessage } from '../consensus/key.ts'
import { hasExtensions } from '../consensus/params.ts'
import { isQuorum } from '../consensus/quorum.ts'
import { extensionSignBytes, voteSignBytes } from '../consensus/sign-bytes.ts'
import { MILLISECOND } from '../consensus/time.ts'
import {
  type ExtendedCommit,
  type ExtendedCommitSig,
  FLAG_COMMIT,
  PRECOMMIT,
  type PublicKey,
} from '../consensus/wire.ts'
import type { Candidate } from './block-executor.ts'

const NO_BYTES = new Uint8Array(0)
const ABSENT: ExtendedCommitSig = { ...ABSENT_SIG, extension: NO_BYTES, extensionSignature: NO_BYTES }

export class Crew {
  /** By address. */
  readonly #keys: ReadonlyMap<string, PrivateKey>

  /** Of the first; null when there is none. */
  readonly publicKey: PublicKey | null

  constructor(keys: readonly PrivateKey[]) {
    this.publicKey = keys[0] === undefined ? null : publicKeyOf(keys[0])
    this.#keys = new Map(keys.map((key) => [addressOf(publicKeyOf(key)), key]))
  }

  /** Whether its members alone decide: more than two thirds of the power is theirs. */
  isQuorum({ validators: { validators, totalVotingPower } }: ChainState): boolean {
    let power = 0n
    for (const { address, votingPower } of validators) if (this.#keys.has(address)) power += votingPower
    return isQuorum(power, totalVotingPower)
  }

  /**
   * The precommits of all members for a block on top of `state`, a millisecond after the block's time as CometBFT asks of
   * votes. Deterministic. `extension` is what each member's application adds, where extensions are enabled.
   */
  sign(
    state: ChainState,
    { block: { header }, blockId }: Candidate,
    extension: () => Uint8Array = () => NO_BYTES,
  ): ExtendedCommit {
    const { height, chainId } = header
    const vote = { type: PRECOMMIT, height, round: 0, blockId, timestamp: header.time + MILLISECOND }
    const message = voteSignBytes(chainId, vote)
    const isExtended = hasExtensions(state.params, height)
    const extendedSignatures = state.validators.validators.map(({ address }): ExtendedCommitSig => {
      const key = this.#keys.get(address)
      if (key === undefined) return ABSENT
      const added = isExtended ? extension() : NO_BYTES
      return {
        blockIdFlag: FLAG_COMMIT,
        validatorAddress: address,
        timestamp: vote.timestamp,
        signature: signMessage(key, message),
        extension: added,
        extensionSignature: isExtended
          ? signMessage(key, extensionSignBytes(chainId, { extension: added, height, round: 0 }))
          : NO_BYTES,
      }
    })
    return { height, round: 0, blockId, extendedSignatures }
  }
}
