/**
 * What a replica says as a validator: its proposals and votes. Each is signed under the guard and written down before it leaves; a node
 * that is not sure of what it signed listens first, and is silent for a height in which it finds that it was right to doubt.
 *
 * @source spec consensus §2.8, §4.8
 */

import { isNil } from './block-id.ts'
import { medianTime, withoutExtensions } from './commit.ts'
import type { EvidencePool } from './evidence-pool.ts'
import { isFault } from './fault.ts'
import type { LastPrecommits } from './last-precommits.ts'
import { hasHonest } from './quorum.ts'
import type { ReplicaCore } from './replica-core.ts'
import type { ReplicaKey } from './replica-host.ts'
import { type Candidate, type Choice, candidateOf, type Effect } from './round.ts'
import { type LastSigned, NOTHING_SIGNED, signProposal, signVote } from './sign-guard.ts'
import { MILLISECOND, type Time } from './time.ts'
import { type BlockId, type ExtendedCommit, PRECOMMIT, PROPOSAL_TYPE, type Proposal, type Vote } from './wire.ts'

type Said = Extract<Effect, { kind: 'propose' | 'vote' }>

const NO_BYTES = new Uint8Array(0)

export class OwnMessages {
  readonly #core: ReplicaCore
  readonly #key: ReplicaKey | null
  readonly #pool: EvidencePool
  readonly #lastPrecommits: LastPrecommits
  #lastSigned: LastSigned = NOTHING_SIGNED
  /** Nothing is signed at this height: a signature of ours came back that the journal does not know. */
  #muteHeight = 0n
  /** `heard`: enough peers have spoken, and what they had for us is on its way. */
  #listening: 'no' | 'yes' | 'heard' = 'no'
  /** What waits until listening ends. */
  #held: Said[] = []

  constructor(core: ReplicaCore, key: ReplicaKey | null, pool: EvidencePool, lastPrecommits: LastPrecommits) {
    this.#core = core
    this.#key = key
    this.#pool = pool
    this.#lastPrecommits = lastPrecommits
  }

  get lastSigned(): LastSigned {
    return this.#lastSigned
  }

  /** What was signed in the life before. */
  recover(lastSigned: LastSigned): void {
    this.#lastSigned = lastSigned
  }

  say(effect: Said): void {
    if (this.#listening !== 'no') this.#held.push(effect)
    else if (effect.kind === 'propose') this.#propose(effect.round, effect.valid)
    else this.#vote(effect)
  }

  /** What was to be said at an earlier height is not. */
  forget(): void {
    this.#held = []
  }

  // --- listening --------------------------------------------------------------------------------------------------

  /** Signatures may have left that the journal does not know. */
  listen(): void {
    if (this.#key === null) return
    const { host, options } = this.#core
    this.#listening = 'yes'
    host.setTimer({ kind: 'listen' }, options.listenMs)
  }

  /** Peers that hold a third of the power have spoken: if a signature of ours is about, they would have sent it. */
  hear(peers: Iterable<string>): void {
    if (this.#listening !== 'yes') return
    const { host, options, chain } = this.#core
    const heard = new Set([...peers].map((peer) => host.validatorOf(peer)))
    let power = 0n
    for (const { address, votingPower } of chain.validators.validators) if (heard.has(address)) power += votingPower
    if (!hasHonest(power, chain.validators.totalVotingPower)) return
    this.#listening = 'heard'
    host.setTimer({ kind: 'listen' }, Math.min(options.listenMs, options.statusMs))
  }

  endListening(): void {
    if (this.#listening === 'no') return
    this.#listening = 'no'
    const held = this.#held
    this.#held = []
    for (const effect of held) this.say(effect)
  }

  /** Somebody has a signature of ours that we do not know: signing on could contradict it. */
  mute(): void {
    const { height, host } = this.#core
    if (this.#muteHeight === height) return
    this.#muteHeight = height
    this.#held = []
    host.alarm(`a signature of this validator came back that its journal does not know; it is silent at ${height}`)
  }

  // --- proposals --------------------------------------------------------------------------------------------------

  #propose(round: number, valid: Choice | null): void {
    const core = this.#core
    const { height, chain, host } = core
    const candidate = valid === null ? undefined : candidateOf(core.rounds, valid.blockId)
    if (valid !== null && candidate !== undefined) return this.#offer({ round, polRound: valid.round }, candidate)
    const lastCommit = this.#lastPrecommits.commitFor(chain, host.verify)
    if (lastCommit === undefined) return core.halt('the last block has no commit to build on')
    const time = this.#blockTime(lastCommit)
    const evidence = this.#pool.take(chain)
    const request = { state: chain, round, time, lastCommit, evidence, proposer: core.address }
    host.propose(request, (block, bytes, blockId) =>
      core.run(() => {
        if (core.height !== height || core.rounds.round !== round || core.rounds.step !== 'propose') return
        this.#offer({ round, polRound: -1 }, { block, bytes, blockId })
      }),
    )
  }

  #blockTime(lastCommit: ExtendedCommit): Time {
    const { chain, options, host } = this.#core
    const { lastHeight, lastTime, lastValidators } = chain
    if (options.timeRule === 'median') {
      if (lastHeight === 0n) return lastTime
      const time = medianTime(withoutExtensions(lastCommit), lastValidators)
      if (typeof time === 'bigint') return time
    }
    return laterOf(host.now(), lastHeight === 0n ? lastTime : lastTime + MILLISECOND)
  }

  /** Signs and sends a proposal. */
  #offer(
    { round, polRound }: { readonly round: number; readonly polRound: number },
    { block, bytes, blockId }: Pick<Candidate, 'block' | 'bytes' | 'blockId'>,
  ): void {
    const core = this.#core
    const { height, host, chain } = core
    if (this.#key === null || height === this.#muteHeight) return
    const timestamp = block.header.time
    const draft: Proposal = { type: PROPOSAL_TYPE, height, round, polRound, blockId, timestamp, signature: NO_BYTES }
    const signer = { chainId: chain.chainId, sign: this.#key.sign, signsExtensions: false }
    const signed = signProposal(this.#lastSigned, signer, draft)
    if (isFault(signed)) return host.alarm(`the sign guard refused a proposal: ${signed.code}`)
    this.#lastSigned = signed.last
    const proposal = signed.message
    core.outbox.broadcast({ kind: 'proposal', value: { proposal, block: bytes } })
    core.inputOwn({ kind: 'proposal', proposal, receivedAt: host.now() })
    core.takeBlock(bytes)
  }

  // --- votes ------------------------------------------------------------------------------------------------------

  #vote({ type, round, blockId }: Extract<Effect, { kind: 'vote' }>): void {
    const core = this.#core
    const { height, host, chain, rounds } = core
    const { self } = rounds
    if (this.#key === null || self === null || height === this.#muteHeight) return
    const isForBlock = type === PRECOMMIT && !isNil(blockId)
    const candidate = isForBlock ? candidateOf(rounds, blockId) : undefined
    const mustExtend = candidate !== undefined && rounds.keeper.hasExtensions
    const draft: Vote = {
      type,
      height,
      round,
      blockId,
      timestamp: this.#voteTime(),
      validatorAddress: core.address,
      validatorIndex: self,
      signature: NO_BYTES,
      extension: mustExtend ? host.extendVote(chain, candidate) : NO_BYTES,
      extensionSignature: NO_BYTES,
    }
    const signer = { chainId: chain.chainId, sign: this.#key.sign, signsExtensions: mustExtend }
    const signed = signVote(this.#lastSigned, signer, draft)
    if (isFault(signed)) return host.alarm(`the sign guard refused a vote: ${signed.code}`)
    this.#lastSigned = signed.last
    const vote = signed.message
    core.outbox.broadcast({ kind: 'vote', value: { vote } })
    core.inputOwn({ kind: 'vote', vote })
  }

  /** Later than the block that is voted for, so that the median of the votes is too. */
  #voteTime(): Time {
    const { host, options, rounds } = this.#core
    const now = host.now()
    if (options.timeRule !== 'median') return now
    const blockId: BlockId | undefined = rounds.locked?.blockId ?? rounds.proposals.get(rounds.round)?.proposal.blockId
    const candidate = blockId === undefined ? undefined : candidateOf(rounds, blockId)
    return candidate === undefined ? now : laterOf(now, candidate.block.header.time + MILLISECOND)
  }
}

function laterOf(a: Time, b: Time): Time {
  return a > b ? a : b
}
