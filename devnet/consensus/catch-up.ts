/**
 * What a replica tells peers of where it is, and how it gets what it lacks: votes and proposals of this height, or whole blocks that
 * others have decided, each with the commit that proves it.
 *
 * @source spec consensus §6.2
 */

import { decodeBlock } from './block.ts'
import { verifyCommit, verifyExtendedCommit, withoutExtensions } from './commit.ts'
import { isFault } from './fault.ts'
import { headerHash } from './hash.ts'
import { hasExtensions } from './params.ts'
import { partSetHeader } from './part-set.ts'
import type { DecidedBlock, Status } from './peer-message.ts'
import type { ReplicaCore } from './replica-core.ts'
import type { Decision } from './replica-host.ts'
import { answerStatus, BLOCKS_REQUESTED, claimsOf, statusOf } from './resync.ts'
import type { Candidate } from './round.ts'
import { votesOf } from './vote-keeper.ts'

/** The first status of a height, in parts of the time between two. */
const SOON_FACTOR = 1 / 8
/** Statuses of an idle chain become rarer, up to this factor. */
const IDLE_STATUS_FACTOR_MAX = 32
/** Bytes of blocks in one answer, unless a single block has more. */
const ANSWER_SIZE_MAX = 4 << 20
/** Peers whose height is kept before they have said it themselves. */
const PEERS_NOTED_MAX = 1000

export class CatchUp {
  readonly #core: ReplicaCore
  readonly #apply: (decision: Decision) => void
  /** Height that each peer is at. */
  readonly #peers = new Map<string, bigint>()
  /** Blocks that others decided, to be applied one after the other. */
  #decided: DecidedBlock[] = []
  #requested: { readonly peer: string; readonly from: bigint } | null = null
  /** How much rarer statuses are than usual, at which height. */
  #idle = { height: 0n, factor: 1 }

  /** `apply`: of a block that follows from the chain, and whose commit is good. */
  constructor(core: ReplicaCore, apply: (decision: Decision) => void) {
    this.#core = core
    this.#apply = apply
  }

  get peers(): ReadonlyMap<string, bigint> {
    return this.#peers
  }

  // --- statuses ---------------------------------------------------------------------------------------------------

  start(): void {
    this.#setTimer(1)
    this.announce()
  }

  /** At the end of a height. Where heights follow each other closely, votes tell peers as much. */
  announceSoon(): void {
    this.#setTimer(SOON_FACTOR)
  }

  announce(): void {
    this.#core.outbox.broadcast({ kind: 'status', value: this.#status() })
  }

  greet(peer: string): void {
    this.#core.outbox.send(peer, { kind: 'status', value: this.#status() })
  }

  onTimer(): void {
    const { height, isWaiting } = this.#core
    this.#requested = null
    this.#requestBlocks(1n)
    this.announce()
    const before = this.#idle.height === height ? this.#idle.factor : 1
    this.#idle = { height, factor: isWaiting ? Math.min(before * 2, IDLE_STATUS_FACTOR_MAX) : 1 }
    this.#setTimer(this.#idle.factor)
  }

  onStatus(peer: string, status: Status): void {
    const core = this.#core
    if (status.height > core.height) return this.#requestBlocks(2n)
    // The peer will ask, once it knows.
    if (status.height < core.height) return this.greet(peer)
    for (const { round, type, blockId } of claimsOf(core.rounds, status)) {
      if (votesOf(core.rounds.keeper, round, type)?.claims.has(peer) === false) {
        core.input({ kind: 'claim', peer, round, type, blockId })
      }
    }
    for (const message of answerStatus(core.rounds, status)) core.outbox.send(peer, message)
  }

  #status(): Status {
    return statusOf(this.#core.rounds, this.#core.host.baseHeight())
  }

  #setTimer(factor: number): void {
    const { rounds, host, options } = this.#core
    // Replicas that start together do not speak at once.
    const spread = 1 + ((rounds.self ?? 0) % 8) / 16
    host.setTimer({ kind: 'status' }, Math.round(options.statusMs * factor * spread))
  }

  // --- peers ------------------------------------------------------------------------------------------------------

  /** The peer said it itself. */
  setHeight(peer: string, height: bigint): void {
    this.#peers.set(peer, height)
  }

  /** What the peer sent shows that it is there at least. */
  noteHeight(peer: string, height: bigint): void {
    if (!this.#peers.has(peer) && this.#peers.size >= PEERS_NOTED_MAX) return
    if ((this.#peers.get(peer) ?? 0n) >= height) return
    this.#peers.set(peer, height)
    this.#requestBlocks(2n)
  }

  forget(peer: string): void {
    this.#peers.delete(peer)
    if (this.#requested?.peer === peer) this.#requested = null
  }

  // --- blocks -----------------------------------------------------------------------------------------------------

  /** Asks one peer that is `gap` heights ahead, unless another was asked already. */
  #requestBlocks(gap: bigint): void {
    if (this.#requested !== null || this.#decided.length > 0) return
    const { height, outbox } = this.#core
    let best: string | null = null
    for (const [peer, at] of this.#peers) {
      if (at >= height + gap && (best === null || at > this.#peers.get(best)!)) best = peer
    }
    if (best === null) return
    this.#requested = { peer: best, from: height }
    outbox.send(best, { kind: 'blocksRequest', value: { from: height, count: BLOCKS_REQUESTED } })
  }

  onBlocksRequest(peer: string, from: bigint, count: number): void {
    const { height: end, host, outbox } = this.#core
    const blocks: DecidedBlock[] = []
    let size = 0
    for (let height = from; height < end && blocks.length < Math.min(count, BLOCKS_REQUESTED); height++) {
      const found = host.blockAt(height)
      if (found === undefined) break
      size += found.block.length
      if (blocks.length > 0 && size > ANSWER_SIZE_MAX) break
      blocks.push(found)
    }
    if (blocks.length > 0) outbox.send(peer, { kind: 'blocks', value: { blocks } })
  }

  onBlocks(peer: string, blocks: readonly DecidedBlock[]): void {
    if (this.#decided.length > 0) return
    if (this.#requested?.peer === peer) this.#requested = null
    this.#decided = [...blocks]
    this.applyNext()
  }

  /** The next block that others decided, if it is here and its commit is good. */
  applyNext(): void {
    const core = this.#core
    if (core.rounds.decided !== null) return
    for (let next = this.#decided.shift(); next !== undefined; next = this.#decided.shift()) {
      if (next.commit.height < core.height) continue
      const decision = this.#read(next)
      if (decision === undefined) break
      return this.#judge(decision)
    }
    this.#decided = []
    this.#requestBlocks(2n)
  }

  #read({ block: bytes, commit }: DecidedBlock): Decision | undefined {
    const { chain, height, host } = this.#core
    const block = decodeBlock(bytes)
    if (isFault(block) || block.header.height !== height) return undefined
    const blockId = { hash: headerHash(block.header) ?? '', partSetHeader: partSetHeader(bytes) }
    const target = { chainId: chain.chainId, height, blockId }
    const refused = hasExtensions(chain.params, height)
      ? verifyExtendedCommit(chain.validators, target, commit, host.verify)
      : verifyCommit(chain.validators, target, withoutExtensions(commit), host.verify)
    return refused === null ? { block, bytes, blockId, commit } : undefined
  }

  /** The application is not asked: what two thirds decided must be executed. */
  #judge(decision: Decision): void {
    const core = this.#core
    const { height } = core
    core.rounds = { ...core.rounds, decided: { round: decision.commit.round, blockId: decision.blockId } }
    const candidate: Candidate = { ...decision, verdict: 'asked' }
    core.host.validate(core.chain, candidate, (verdict) =>
      core.run(() => {
        if (core.height !== height) return
        if (verdict === 'malformed') core.halt('two thirds decided a block that does not follow from the chain')
        else this.#apply(decision)
      }),
    )
  }
}
