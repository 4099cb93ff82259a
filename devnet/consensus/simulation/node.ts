/**
 * A node of a simulation: a replica, its disk, its clock and its ledger. Blocks and the state after them become durable together; a
 * crash forgets the rest, and what was under way comes to nothing.
 */

import { makeBlock } from '../block-building.ts'
import { validateBlock } from '../block-validation.ts'
import { applyBlock, type ChainState } from '../chain-state.ts'
import { withoutExtensions } from '../commit.ts'
import { isFault } from '../fault.ts'
import { evidenceHash, headerHash } from '../hash.ts'
import { readJournal } from '../journal.ts'
import { partSetHeader } from '../part-set.ts'
import type { DecidedBlock, PeerMessage } from '../peer-message.ts'
import { Replica } from '../replica.ts'
import type {
  Decision,
  Passage,
  ProposeRequest,
  ReplicaHost,
  ReplicaKey,
  ReplicaOptions,
  Timer,
} from '../replica-host.ts'
import type { Candidate, Effect, Verdict } from '../round.ts'
import { encode } from '../schema.ts'
import { MILLISECOND, type Time } from '../time.ts'
import type { ValidatorSet } from '../validator-set.ts'
import { BLOCK, type ExtendedCommit, type Header } from '../wire.ts'
import type { Agenda } from './agenda.ts'
import { Disk } from './disk.ts'
import type { KeyRing } from './fake-key.ts'
import { executeBlock, isAcceptable, type Ledger, selectLines } from './ledger.ts'
import type { Random } from './random.ts'
import type { CrashPoint } from './run.ts'

export interface NodeSetting {
  readonly name: string
  /** Place of its key in the ring; null for an observer. */
  readonly key: number | null
  readonly options: ReplicaOptions
  readonly genesis: ChainState
  readonly ledger: Ledger
  /** Milliseconds that its wall clock is ahead, and parts in a million that it runs fast. */
  readonly clockAheadMs: number
  readonly clockDriftPpm: number
  readonly syncMs: () => number
  readonly applyMs: () => number
  readonly proposeMs: () => number
}

/** What a run hears of its nodes, and carries for them. */
export interface NodeWorld {
  readonly agenda: Agenda
  readonly ring: KeyRing
  /** Lines that clients have sent. */
  readonly waiting: ReadonlySet<string>
  readonly random: Random
  send(from: SimulatedNode, to: string, message: PeerMessage): void
  broadcast(from: SimulatedNode, message: PeerMessage): void
  /** A block became durable. */
  applied(node: SimulatedNode, decision: Decision, next: ChainState): void
  effect(node: SimulatedNode, effect: Effect): void
  failed(node: SimulatedNode, kind: 'halt' | 'alarm', reason: string): void
  validatorOf(name: string): string | undefined
}

/** Unwinds the turn in which a node dies. */
export class NodeDied extends Error {
  override readonly name = 'NodeDied'
  readonly node: SimulatedNode
  constructor(node: SimulatedNode) {
    super(`${node.name} died`)
    this.node = node
  }
}

export const START_TIME: Time = 1_800_000_000_000n * MILLISECOND

interface Stored {
  readonly block: DecidedBlock
  readonly header: Header
  readonly validators: ValidatorSet
}

export class SimulatedNode implements ReplicaHost {
  readonly setting: NodeSetting
  readonly world: NodeWorld
  readonly disk = new Disk()
  replica: Replica
  ledger: Ledger
  chain: ChainState
  /** Counts restarts: what an earlier life planned is void. */
  life = 0
  isUp = true
  isPaused = false
  crashPoint: CrashPoint | null = null
  #appended = 0
  readonly blocks = new Map<bigint, Stored>()
  /** Hashes of the evidence in its blocks. */
  readonly #evidence = new Set<string>()
  readonly #timers = new Map<string, number>()
  #timerCount = 0
  #lastCommit: ExtendedCommit | null = null

  constructor(setting: NodeSetting, world: NodeWorld) {
    this.setting = setting
    this.world = world
    this.chain = setting.genesis
    this.ledger = setting.ledger
    this.replica = this.#newReplica()
  }

  get name(): string {
    return this.setting.name
  }

  get key(): ReplicaKey | null {
    return this.setting.key === null ? null : this.world.ring.keys[this.setting.key]!
  }

  get verify() {
    return this.world.ring.verify
  }

  #newReplica(): Replica {
    return new Replica(this, this.setting.options, this.key, this.chain, this.#lastCommit)
  }

  start(): void {
    this.replica.start([], 'sure')
    this.wakeIfWanted()
  }

  crash(): void {
    if (!this.isUp) return
    this.isUp = false
    this.life++
    this.replica.stop()
    this.disk.crash(this.world.random)
  }

  restart(): void {
    if (this.isUp) return
    this.isUp = true
    this.isPaused = false
    this.life++
    this.replica = this.#newReplica()
    const { records, size, end } = readJournal(this.disk.read())
    if (end === 'damaged') return this.halt('the journal is damaged')
    if (end === 'torn') this.disk.replace([this.disk.read().slice(0, size)])
    const isUnsure = end === 'torn' || (records.length === 0 && this.chain.lastHeight > 0n)
    this.replica.start(records, isUnsure ? 'unsure' : 'sure')
    this.wakeIfWanted()
  }

  /** A line that is not in the ledger waits. */
  wakeIfWanted(): void {
    for (const line of this.world.waiting) if (!this.ledger.lines.has(line)) return this.replica.wake()
  }

  /** Does it later, in this life only. */
  #later(delayMs: number, run: () => void): void {
    const { life } = this
    this.world.agenda.after(delayMs, () => {
      if (this.life !== life || !this.isUp) return
      if (this.isPaused) this.#later(50, run)
      else run()
    })
  }

  // --- the world of the replica -----------------------------------------------------------------------------------

  now(): Time {
    const { clockAheadMs, clockDriftPpm } = this.setting
    const { nowMs } = this.world.agenda
    const ms = nowMs * (1 + clockDriftPpm / 1e6) + clockAheadMs
    return START_TIME + BigInt(Math.floor(ms * 1000)) * 1000n
  }

  setTimer(timer: Timer, delayMs: number): void {
    const count = ++this.#timerCount
    this.#timers.set(timer.kind, count)
    this.#later(delayMs, () => {
      if (this.#timers.get(timer.kind) === count) this.replica.timeout(timer)
    })
  }

  append(record: Uint8Array): void {
    this.disk.append(record)
    this.#appended++
    if (this.crashPoint?.record !== this.#appended) return
    const { keeps } = this.crashPoint
    this.crashPoint = null
    this.isUp = false
    this.life++
    this.replica.stop()
    const { syncedCount, size } = this.disk
    if (keeps === 'everything') this.disk.crashAt(size, 0)
    else if (keeps === 'what was synced') this.disk.crashAt(syncedCount, 0)
    else this.disk.crashAt(size - 1, keeps === 'a torn head' ? 5 : record.length - 1)
    throw new NodeDied(this)
  }

  sync(synced: () => void): void {
    const mark = this.disk.mark()
    this.#later(this.setting.syncMs(), () => {
      this.disk.sync(mark)
      synced()
    })
  }

  cutJournal(head: readonly Uint8Array[]): void {
    this.disk.replace(head)
  }

  send(peer: string, message: PeerMessage): void {
    this.world.send(this, peer, message)
  }

  broadcast(message: PeerMessage): void {
    this.world.broadcast(this, message)
  }

  validatorOf(peer: string): string | undefined {
    return this.world.validatorOf(peer)
  }

  propose(
    request: ProposeRequest,
    proposed: (block: ReturnType<typeof makeBlock>, bytes: Uint8Array, id: Candidate['blockId']) => void,
  ): void {
    const { state, time, lastCommit, evidence, proposer } = request
    this.#later(this.setting.proposeMs(), () => {
      const txs = selectLines(this.ledger, this.world.waiting, 5)
      const block = makeBlock(state, { time, txs, lastCommit: withoutExtensions(lastCommit), evidence, proposer })
      const bytes = encode(BLOCK, block)
      proposed(block, bytes, { hash: headerHash(block.header) ?? '', partSetHeader: partSetHeader(bytes) })
    })
  }

  validate(state: ChainState, { block }: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void {
    if (validateBlock(state, block, this.setting.options.timeRule, this.verify) !== null) validated('malformed')
    else validated(isAcceptable(this.ledger, block) ? 'accepted' : 'rejected')
  }

  extendVote(): Uint8Array {
    return new Uint8Array(0)
  }

  verifyExtension(): boolean {
    return true
  }

  apply(state: ChainState, decision: Decision, applied: (next: ChainState) => void): void {
    this.#later(this.setting.applyMs(), () => {
      const { block, bytes, blockId, commit } = decision
      const keys = this.world.ring.keys.map(({ publicKey }) => publicKey)
      const { ledger, outcome } = executeBlock(this.ledger, block, keys)
      const next = applyBlock(state, block.header, blockId, outcome)
      if (isFault(next)) return this.halt(`the block cannot be applied: ${next.code}`)
      this.ledger = ledger
      this.chain = next
      this.#lastCommit = commit
      const { header } = block
      for (const piece of block.evidence.evidence) if (piece !== null) this.#evidence.add(evidenceHash(piece))
      this.blocks.set(header.height, { block: { block: bytes, commit }, header, validators: state.validators })
      this.world.applied(this, decision, next)
      applied(next)
    })
  }

  blockAt(height: bigint): DecidedBlock | undefined {
    return this.blocks.get(height)?.block
  }

  baseHeight(): bigint {
    return this.setting.genesis.initialHeight
  }

  timeAt(height: bigint): Time | undefined {
    return this.blocks.get(height)?.header.time
  }

  validatorsAt(height: bigint): ValidatorSet | undefined {
    return this.blocks.get(height)?.validators
  }

  signedHeaderAt(height: bigint) {
    const stored = this.blocks.get(height)
    return stored === undefined ? undefined : { header: stored.header, commit: withoutExtensions(stored.block.commit) }
  }

  isCommittedEvidence(hash: string): boolean {
    return this.#evidence.has(hash)
  }

  waiting(): void {
    this.wakeIfWanted()
  }

  halt(reason: string): void {
    this.world.failed(this, 'halt', reason)
  }

  alarm(reason: string): void {
    this.world.failed(this, 'alarm', reason)
  }

  trace(passage: Passage): void {
    if (passage.kind !== 'step') return
    for (const effect of passage.after.effects) this.world.effect(this, effect)
  }
}
