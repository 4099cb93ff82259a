/** One validator's rounds, with everybody else played by the test. */

import { makeBlock } from '../../../devnet/consensus/block-building.ts'
import { NIL_BLOCK_ID } from '../../../devnet/consensus/block-id.ts'
import type { ChainState } from '../../../devnet/consensus/chain-state.ts'
import { EMPTY_COMMIT } from '../../../devnet/consensus/commit.ts'
import { headerHash } from '../../../devnet/consensus/hash.ts'
import { addressOf } from '../../../devnet/consensus/key.ts'
import { partSetHeader } from '../../../devnet/consensus/part-set.ts'
import type { Passage } from '../../../devnet/consensus/replica-host.ts'
import {
  createRoundState,
  type Effect,
  type Input,
  judgeProposal,
  proposerAt,
  type RoundState,
  type Step,
  step,
  type Verdict,
} from '../../../devnet/consensus/round.ts'
import { encode } from '../../../devnet/consensus/schema.ts'
import { makeKeyRing } from '../../../devnet/consensus/simulation/fake-key.ts'
import { openGenesis } from '../../../devnet/consensus/simulation/genesis.ts'
import { judgeVote } from '../../../devnet/consensus/vote-keeper.ts'
import {
  BLOCK,
  type Block,
  type BlockId,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL_TYPE,
  type Proposal,
  type Vote,
} from '../../../devnet/consensus/wire.ts'

export interface TestBlock {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly blockId: BlockId
}

const NO_BYTES = new Uint8Array(0)

export class RoundBench {
  readonly chain: ChainState
  readonly addresses: readonly string[]
  state: RoundState
  /** What the last input asked for. */
  effects: readonly Effect[] = []
  readonly all: Effect[] = []
  /** As a replica tells of them. */
  readonly passages: Passage[] = []

  /** `self` is a place in the validator set, which is sorted by power and address. */
  constructor(powers: readonly bigint[], self: number | null, initialHeight = 1n) {
    const ring = makeKeyRing(powers.length)
    const keys = ring.keys.map(({ publicKey }) => publicKey)
    this.chain = openGenesis({ powers, initialHeight }, keys)
    const { validators, chainId } = this.chain
    this.addresses = validators.validators.map(({ pubKey }) => addressOf(pubKey))
    const height = initialHeight
    this.state = createRoundState({
      chainId,
      height,
      validators,
      hasExtensions: false,
      self,
      precision: 505_000_000n,
    })
  }

  /** The place of the round's proposer. */
  proposerOf(round: number): number {
    const address = proposerAt(this.state, round)
    return this.addresses.indexOf(address ?? '')
  }

  block(name: string): TestBlock {
    const block = makeBlock(this.chain, {
      time: this.chain.lastTime + BigInt(name.length),
      txs: [new TextEncoder().encode(name)],
      lastCommit: EMPTY_COMMIT,
      evidence: [],
      proposer: this.addresses[0]!,
    })
    const bytes = encode(BLOCK, block)
    return { block, bytes, blockId: { hash: headerHash(block.header)!, partSetHeader: partSetHeader(bytes) } }
  }

  put(input: Input): this {
    const before = this.state
    const after = step(before, input)
    const { state, effects } = after
    this.state = state
    this.effects = effects
    this.all.push(...effects)
    this.passages.push({ kind: 'step', input, before, after })
    return this
  }

  begin(): this {
    return this.put({ kind: 'begin' })
  }

  proposal(
    round: number,
    { blockId }: TestBlock,
    polRound = -1,
    receivedAt = this.chain.lastTime + 10_000_000_000n,
  ): this {
    const proposal = this.makeProposal(round, blockId, polRound)
    if (judgeProposal(this.state, proposal) === null) this.put({ kind: 'proposal', proposal, receivedAt })
    else this.effects = []
    return this
  }

  makeProposal(round: number, blockId: BlockId, polRound: number): Proposal {
    return {
      type: PROPOSAL_TYPE,
      height: this.state.keeper.height,
      round,
      polRound,
      blockId,
      timestamp: this.chain.lastTime,
      signature: NO_BYTES,
    }
  }

  /** The block comes, and is judged at once. */
  body(test: TestBlock, verdict: Exclude<Verdict, 'asked'> | null = 'accepted'): this {
    this.put({ kind: 'block', ...test })
    const before = this.effects
    if (verdict !== null) this.verdict(test, verdict)
    this.effects = [...before, ...this.effects]
    return this
  }

  verdict({ blockId }: TestBlock, verdict: Exclude<Verdict, 'asked'>): this {
    return this.put({ kind: 'verdict', blockId, verdict })
  }

  /** Proposal and block together. */
  offer(round: number, test: TestBlock, polRound = -1): this {
    this.proposal(round, test, polRound)
    if (keyOf(this.state, test) !== '') return this
    const before = this.effects
    this.body(test)
    this.effects = [...before, ...this.effects]
    return this
  }

  prevote(round: number, voters: readonly number[], test: TestBlock | null): this {
    return this.votes(PREVOTE, round, voters, test)
  }

  precommit(round: number, voters: readonly number[], test: TestBlock | null): this {
    return this.votes(PRECOMMIT, round, voters, test)
  }

  votes(type: number, round: number, voters: readonly number[], test: TestBlock | null): this {
    const effects: Effect[] = []
    for (const voter of voters) {
      const vote = this.makeVote(type, round, voter, test)
      if (judgeVote(this.state.keeper, vote) !== 'wanted') continue
      this.put({ kind: 'vote', vote })
      effects.push(...this.effects)
    }
    this.effects = effects
    return this
  }

  makeVote(type: number, round: number, voter: number, test: TestBlock | null): Vote {
    return {
      type,
      height: this.state.keeper.height,
      round,
      blockId: test?.blockId ?? NIL_BLOCK_ID,
      timestamp: this.chain.lastTime,
      validatorAddress: this.addresses[voter]!,
      validatorIndex: voter,
      signature: Uint8Array.of(voter, type, round & 255),
      extension: NO_BYTES,
      extensionSignature: NO_BYTES,
    }
  }

  /** Our own votes come back in, as the replica does it. */
  echo(): this {
    const effects = [...this.effects]
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i]!
      if (effect.kind !== 'vote' || this.state.self === null) continue
      const vote = { ...this.makeVote(effect.type, effect.round, this.state.self, null), blockId: effect.blockId }
      if (judgeVote(this.state.keeper, vote) !== 'wanted') continue
      this.put({ kind: 'vote', vote })
      effects.push(...this.effects)
    }
    this.effects = effects
    return this
  }

  timeout(at: Step, round: number): this {
    return this.put({ kind: 'timeout', step: at, round })
  }

  /** The votes that were asked for, as `prevote 0 nil`. */
  votesAsked(names: Readonly<Record<string, TestBlock>> = {}): readonly string[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind !== 'vote') return []
      const name = Object.entries(names).find(([, { blockId }]) => blockId.hash === effect.blockId.hash)?.[0]
      return [
        `${effect.type === PREVOTE ? 'prevote' : 'precommit'} ${effect.round} ${name ?? (effect.blockId.hash === '' ? 'nil' : '?')}`,
      ]
    })
  }

  kinds(): readonly string[] {
    return this.effects.filter(({ kind }) => kind !== 'rule').map(({ kind }) => kind)
  }

  get decided(): string | undefined {
    return this.state.decided?.blockId.hash
  }
}

function keyOf(state: RoundState, { blockId }: TestBlock): string {
  for (const [key, candidate] of state.candidates) if (candidate.blockId.hash === blockId.hash) return key
  return ''
}
