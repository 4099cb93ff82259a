/** One replica, with the clock, the disk, the application and all its peers in the hands of the test. */

import { makeBlock } from '../../../devnet/consensus/block-building.ts'
import { NIL_BLOCK_ID } from '../../../devnet/consensus/block-id.ts'
import { validateBlock } from '../../../devnet/consensus/block-validation.ts'
import { applyBlock, type ChainState } from '../../../devnet/consensus/chain-state.ts'
import { EMPTY_COMMIT, withoutExtensions } from '../../../devnet/consensus/commit.ts'
import { isFault } from '../../../devnet/consensus/fault.ts'
import { headerHash } from '../../../devnet/consensus/hash.ts'
import { readJournal } from '../../../devnet/consensus/journal.ts'
import { addressOf, type VerifyMessage } from '../../../devnet/consensus/key.ts'
import { partSetHeader } from '../../../devnet/consensus/part-set.ts'
import type { DecidedBlock, PeerMessage } from '../../../devnet/consensus/peer-message.ts'
import { Replica } from '../../../devnet/consensus/replica.ts'
import {
  type Decision,
  LOOPBACK_OPTIONS,
  type ProposeRequest,
  type ReplicaHost,
  type ReplicaKey,
  type Timer,
} from '../../../devnet/consensus/replica-host.ts'
import { type Candidate, proposerAt, type Step, type Verdict } from '../../../devnet/consensus/round.ts'
import { encode } from '../../../devnet/consensus/schema.ts'
import { extensionSignBytes, proposalSignBytes, voteSignBytes } from '../../../devnet/consensus/sign-bytes.ts'
import { makeKeyRing } from '../../../devnet/consensus/simulation/fake-key.ts'
import { openGenesis } from '../../../devnet/consensus/simulation/genesis.ts'
import { MILLISECOND, type Time } from '../../../devnet/consensus/time.ts'
import type { ValidatorSet } from '../../../devnet/consensus/validator-set.ts'
import {
  BLOCK,
  type Block,
  type ExtendedCommit,
  PRECOMMIT,
  PREVOTE,
  PROPOSAL_TYPE,
  type Proposal,
  type Vote,
} from '../../../devnet/consensus/wire.ts'
import type { WireValidatorUpdate } from '../../../devnet/consensus/wire-abci.ts'
import { concatBytes } from '../../../devnet/primitives/bytes.ts'
import { encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import type { TestBlock } from './round-bench.ts'

const NO_BYTES = new Uint8Array(0)

/** With its bytes and its id. */
export function identify(block: Block): TestBlock {
  const bytes = encode(BLOCK, block)
  return { block, bytes, blockId: { hash: headerHash(block.header)!, partSetHeader: partSetHeader(bytes) } }
}

export interface BenchOptions {
  readonly powers?: readonly bigint[]
  /** Keys without power, after those with it. */
  readonly spares?: number
  /** Place of the replica's key in the ring; null for an observer. */
  readonly self?: number | null
  readonly initialHeight?: bigint
  /** Precommits carry extensions from the first height on. */
  readonly hasExtensions?: boolean
}

export class ReplicaBench implements ReplicaHost {
  readonly ring
  readonly self: number | null
  chain: ChainState
  replica: Replica
  /** What left, in order. */
  readonly sent: PeerMessage[] = []
  readonly alarms: string[] = []
  readonly halts: string[] = []
  readonly requests: ProposeRequest[] = []
  /** Whether somebody wants to hear of every vote. */
  isObserved = false
  /** Signatures that were checked. */
  verified = 0
  /** The journal, as it is on the disk or on its way there. */
  journal: Uint8Array[] = []
  /** Whether writes to the disk finish at once. */
  isDiskFast = true
  #syncs: (() => void)[] = []
  /** Whether blocks are executed at once. */
  isApplicationFast = true
  #applied: (() => void)[] = []
  readonly blocks = new Map<bigint, DecidedBlock>()
  readonly #times = new Map<bigint, Time>()
  readonly #sets = new Map<bigint, ValidatorSet>()
  #lastCommit: ExtendedCommit | null = null
  /** What the application answers for the blocks to come. */
  updates: readonly WireValidatorUpdate[] = []

  constructor({
    powers = [10n, 10n, 10n, 10n],
    spares = 0,
    self = 0,
    initialHeight = 1n,
    hasExtensions = false,
  }: BenchOptions = {}) {
    this.ring = makeKeyRing(powers.length + spares)
    this.self = self
    const keys = this.ring.keys.map(({ publicKey }) => publicKey)
    const genesis = openGenesis({ powers, initialHeight }, keys)
    const abci = { voteExtensionsEnableHeight: hasExtensions ? initialHeight : 0n }
    this.chain = { ...genesis, params: { ...genesis.params, abci } }
    this.replica = this.#newReplica()
  }

  #newReplica(): Replica {
    const key: ReplicaKey | null = this.self === null ? null : this.ring.keys[this.self]!
    return new Replica(this, LOOPBACK_OPTIONS, key, this.chain, this.#lastCommit)
  }

  start(): this {
    this.replica.start([], 'sure')
    return this
  }

  /** Another life, with what the journal holds; `chain` is what the store has of the chain. */
  restart(chain: ChainState = this.chain): this {
    this.replica.stop()
    this.chain = chain
    this.#syncs = []
    this.sent.length = 0
    this.replica = this.#newReplica()
    this.replica.start(readJournal(concatBytes(...this.journal)).records, 'sure')
    return this
  }

  // --- the others -------------------------------------------------------------------------------------------------

  /** Key of the ring that proposes in a round of this height. */
  proposerOf(round: number): number {
    const address = proposerAt(this.replica.rounds, round)
    return this.ring.keys.findIndex(({ publicKey }) => addressOf(publicKey) === address)
  }

  /** Keys with power but that of the replica. */
  get others(): readonly number[] {
    const { validators } = this.replica.chain.validators
    const addresses = validators.map(({ address }) => address)
    return this.ring.keys.flatMap(({ publicKey }, i) =>
      i !== this.self && addresses.includes(addressOf(publicKey)) ? [i] : [],
    )
  }

  block(name: string, request?: ProposeRequest): TestBlock {
    const lastCommit = request === undefined ? this.commit() : withoutExtensions(request.lastCommit)
    const block = makeBlock(this.chain, {
      time: request?.time ?? this.now(),
      txs: [encodeUtf8(name)],
      lastCommit,
      evidence: request?.evidence ?? [],
      proposer: request?.proposer ?? this.chain.validators.validators[0]!.address,
    })
    return identify(block)
  }

  commit() {
    return this.#lastCommit === null ? EMPTY_COMMIT : withoutExtensions(this.#lastCommit)
  }

  /** A proposal signed by the key; by the round's proposer unless another is named. */
  offer(round: number, { blockId, bytes }: TestBlock, polRound = -1, key = this.proposerOf(round)): this {
    const draft: Proposal = {
      type: PROPOSAL_TYPE,
      height: this.replica.height,
      round,
      polRound,
      blockId,
      timestamp: this.now(),
      signature: NO_BYTES,
    }
    const signature = this.ring.keys[key]!.sign(proposalSignBytes(this.chain.chainId, draft))
    return this.hear({ kind: 'proposal', value: { proposal: { ...draft, signature }, block: bytes } })
  }

  prevote(round: number, keys: readonly number[], block: TestBlock | null): this {
    return this.#votes(PREVOTE, round, keys, block)
  }

  precommit(round: number, keys: readonly number[], block: TestBlock | null): this {
    return this.#votes(PRECOMMIT, round, keys, block)
  }

  /** All of one height, also when it is decided before the last of them. */
  #votes(type: number, round: number, keys: readonly number[], block: TestBlock | null): this {
    const votes = keys.map((key) => this.makeVote(type, round, key, block))
    for (const vote of votes) this.hear({ kind: 'vote', value: { vote } })
    return this
  }

  makeVote(type: number, round: number, key: number, block: TestBlock | null, height = this.replica.height): Vote {
    const { publicKey, sign } = this.ring.keys[key]!
    const address = addressOf(publicKey)
    const set = this.#sets.get(height) ?? this.replica.chain.validators
    const isExtended = type === PRECOMMIT && block !== null && this.replica.rounds.keeper.hasExtensions
    const extension = isExtended ? encodeUtf8(`extension of ${key}`) : NO_BYTES
    const draft: Vote = {
      type,
      height,
      round,
      blockId: block?.blockId ?? NIL_BLOCK_ID,
      timestamp: this.now(),
      validatorAddress: address,
      validatorIndex: set.validators.findIndex((known) => known.address === address),
      signature: NO_BYTES,
      extension,
      extensionSignature: isExtended
        ? sign(extensionSignBytes(this.chain.chainId, { extension, height, round }))
        : NO_BYTES,
    }
    return { ...draft, signature: sign(voteSignBytes(this.chain.chainId, draft)) }
  }

  hear(message: PeerMessage, peer = 'peer'): this {
    this.replica.receive(peer, message)
    return this
  }

  timeout(kind: Step, round: number): this {
    this.replica.timeout({ kind, height: this.replica.height, round })
    return this
  }

  /** The others decide the block in round 0. */
  decide(block: TestBlock, voters: readonly number[] = this.others): this {
    const { others } = this
    return this.offer(0, block).prevote(0, others, block).precommit(0, voters, block)
  }

  /** The disk has written all it was given. */
  flush(): this {
    for (let next = this.#syncs.shift(); next !== undefined; next = this.#syncs.shift()) next()
    return this
  }

  /** The application has executed what was decided. */
  finishBlock(): this {
    for (let next = this.#applied.shift(); next !== undefined; next = this.#applied.shift()) next()
    return this
  }

  get proposals(): readonly Proposal[] {
    return this.sent.flatMap((message) => (message.kind === 'proposal' ? [message.value.proposal] : []))
  }

  get votes(): readonly Vote[] {
    return this.sent.flatMap((message) => (message.kind === 'vote' ? [message.value.vote] : []))
  }

  // --- what the replica asks --------------------------------------------------------------------------------------

  readonly verify: VerifyMessage = (key, message, signature) => {
    this.verified++
    return this.ring.verify(key, message, signature)
  }

  now(): Time {
    return this.chain.lastTime + 10_000n * MILLISECOND
  }

  setTimer(_timer: Timer, _delayMs: number): void {}

  append(record: Uint8Array): void {
    this.journal.push(record)
  }

  sync(synced: () => void): void {
    if (this.isDiskFast) synced()
    else this.#syncs.push(synced)
  }

  cutJournal(head: readonly Uint8Array[]): void {
    this.journal = [...head]
  }

  send(_peer: string, message: PeerMessage): void {
    this.sent.push(message)
  }

  broadcast(message: PeerMessage): void {
    this.sent.push(message)
  }

  /** A peer named like a place in the ring has proved to be its validator. */
  validatorOf(peer: string): string | undefined {
    const key = this.ring.keys[Number(peer)]
    return key === undefined ? undefined : addressOf(key.publicKey)
  }

  propose(
    request: ProposeRequest,
    proposed: (block: TestBlock['block'], bytes: Uint8Array, blockId: TestBlock['blockId']) => void,
  ): void {
    this.requests.push(request)
    const { block, bytes, blockId } = this.block('own', request)
    proposed(block, bytes, blockId)
  }

  validate(state: ChainState, { block }: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void {
    validated(validateBlock(state, block, 'proposer', this.verify) === null ? 'accepted' : 'malformed')
  }

  extendVote(): Uint8Array {
    return encodeUtf8('extension')
  }

  verifyExtension({ extension }: Vote): boolean {
    return extension.length > 0
  }

  apply(state: ChainState, { block, bytes, blockId, commit }: Decision, applied: (next: ChainState) => void): void {
    const { header } = block
    const outcome = {
      txResults: [],
      validatorUpdates: this.updates,
      consensusParamUpdates: null,
      appHash: 'h'.repeat(32),
    }
    const next = applyBlock(state, header, blockId, outcome)
    if (isFault(next)) throw new Error(next.code)
    this.chain = next
    this.#lastCommit = commit
    this.blocks.set(header.height, { block: bytes, commit })
    this.#times.set(header.height, header.time)
    this.#sets.set(header.height, state.validators)
    if (this.isApplicationFast) applied(next)
    else this.#applied.push(() => applied(next))
  }

  blockAt(height: bigint): DecidedBlock | undefined {
    return this.blocks.get(height)
  }

  baseHeight(): bigint {
    return this.chain.initialHeight
  }

  timeAt(height: bigint): Time | undefined {
    return this.#times.get(height)
  }

  validatorsAt(height: bigint): ValidatorSet | undefined {
    return this.#sets.get(height)
  }

  signedHeaderAt(): undefined {
    return undefined
  }

  isCommittedEvidence(): boolean {
    return false
  }

  waiting(): void {
    this.replica.wake()
  }

  halt(reason: string): void {
    this.halts.push(reason)
  }

  alarm(reason: string): void {
    this.alarms.push(reason)
  }

  isWatched(): boolean {
    return this.isObserved
  }

  trace(): void {}
}
