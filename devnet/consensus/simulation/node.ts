/**
 * A node of a simulation: a replica, its disk, its clock and its ledger. Blocks and the state after them become durable together; a
 * crash forgets the rest, and what was under way comes to nothing.
 */

import { equalBytes } from '../../primitives/bytes.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import { makeBlock } from '../block-building.ts'
import { blockIdKey } from '../block-id.ts'
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
import { BLOCK, type ExtendedCommit, type Header, type Vote } from '../wire.ts'
import type { Agenda } from './agenda.ts'
import type { Coverage } from './coverage.ts'
import { Disk } from './disk.ts'
import type { KeyRing } from './fake-key.ts'
import { executeBlock, isAcceptable, type Ledger, selectLines } from './ledger.ts'
import type { CrashPoint } from './plan.ts'
import type { Random } from './random.ts'

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
  readonly random: Random
  readonly coverage: Coverage
  send(from: SimulatedNode, to: string, message: PeerMessage): void
  broadcast(from: SimulatedNode, message: PeerMessage): void
  /** A block became durable. */
  applied(node: SimulatedNode, decision: Decision, next: ChainState): void
  effect(node: SimulatedNode, effect: Effect): void
  /** Tells the others of a line. */
  gossip(from: SimulatedNode, line: string): void
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

/** Lines that wait at a node; more are dropped. */
const POOL_MAX = 500
const BLOCK_LINES_MAX = 50

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
  isUp = false
  isPaused = false
  /** Before that it is not there at all. */
  #hasBegun = false
  /** All that it does takes so many times as long. */
  slowness = 1
  proposalDelayMs = 0
  clockJumpMs = 0
  crashPoint: CrashPoint | null = null
  /** Records and effects of all its lives. */
  readonly #done = { record: 0, effect: 0 }
  /** What is under way, by name. */
  readonly #underWay = new Map<string, number>()
  /** Lines that wait to be in a block. */
  readonly #pool = new Set<string>()
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
    this.#hasBegun = true
    this.isUp = true
    this.replica.start([], 'sure')
    this.wakeIfWanted()
  }

  crash(): void {
    if (!this.isUp) return
    this.#noteDeath()
    this.#fall()
    this.disk.crash(this.world.random)
  }

  #fall(): void {
    this.isUp = false
    this.life++
    this.replica.stop()
    this.#underWay.clear()
    this.#pool.clear()
  }

  /** What a death interrupts. */
  #noteDeath(): void {
    for (const [name, count] of this.#underWay) if (count > 0) this.world.coverage.count(`crash while ${name}`)
  }

  restart(): void {
    if (this.isUp || !this.#hasBegun) return
    this.isUp = true
    this.isPaused = false
    this.life++
    this.replica = this.#newReplica()
    const { records, size, end } = readJournal(this.disk.read())
    if (end === 'damaged') return this.halt('the journal is damaged')
    if (end === 'torn') this.disk.replace([this.disk.read().slice(0, size)])
    const isUnsure = end === 'torn' || (records.length === 0 && this.chain.lastHeight > 0n)
    this.world.coverage.count(isUnsure ? 'restart unsure' : 'restart')
    this.replica.start(records, isUnsure ? 'unsure' : 'sure')
    this.wakeIfWanted()
  }

  /** As fast as it can again. */
  hurry(): void {
    this.slowness = 1
    this.proposalDelayMs = 0
  }

  // --- lines ------------------------------------------------------------------------------------------------------

  /** A client's: kept, and told to the others. */
  submit(line: string): void {
    if (this.take(line)) this.world.gossip(this, line)
  }

  /** Whether there is room for the line; it wants a block. */
  take(line: string): boolean {
    const isKept = this.keep(line)
    this.wakeIfWanted()
    return isKept
  }

  /** Without a wish for a block. */
  keep(line: string): boolean {
    if (!this.isUp || this.ledger.lines.has(line) || this.#pool.size >= POOL_MAX) return false
    this.#pool.add(line)
    return true
  }

  /** A line that is not in the ledger waits. */
  wakeIfWanted(): void {
    if (this.isUp && this.#pool.size > 0) this.replica.wake()
  }

  /** Does it later, in this life only. */
  #later(delayMs: number, run: () => void, name?: string): void {
    const { life } = this
    if (name !== undefined) this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1)
    this.world.agenda.after(delayMs * (name === undefined ? 1 : this.slowness), () => {
      if (this.life !== life || !this.isUp) return
      if (this.isPaused) return this.#later(50, () => this.#end(run, name))
      this.#end(run, name)
    })
  }

  #end(run: () => void, name: string | undefined): void {
    if (name !== undefined) this.#underWay.set(name, this.#underWay.get(name)! - 1)
    run()
  }

  // --- the world of the replica -----------------------------------------------------------------------------------

  now(): Time {
    const { clockAheadMs, clockDriftPpm } = this.setting
    const { nowMs } = this.world.agenda
    const ms = nowMs * (1 + clockDriftPpm / 1e6) + clockAheadMs + this.clockJumpMs
    return START_TIME + BigInt(Math.floor(ms * 1000)) * 1000n
  }

  setTimer(timer: Timer, delayMs: number): void {
    const count = ++this.#timerCount
    this.#timers.set(timer.kind, count)
    this.#later(delayMs, () => {
      if (this.#timers.get(timer.kind) !== count) return
      this.world.coverage.timer(this.replica.rounds, timer)
      this.replica.timeout(timer)
    })
  }

  append(record: Uint8Array): void {
    this.world.coverage.look(this.replica.rounds)
    this.disk.append(record)
    this.#dieAt('record', () => nameOf(record), record)
  }

  /** Dies where the plan says. */
  #dieAt(after: CrashPoint['after'], name: () => string, record: Uint8Array = NO_BYTES): void {
    const point = this.crashPoint
    if (++this.#done[after] !== point?.count || point.after !== after) return
    this.crashPoint = null
    this.world.coverage.count(`crash ${after === 'record' ? 'after' : 'before'} ${name()}`)
    this.#noteDeath()
    this.#fall()
    const { syncedCount, size } = this.disk
    if (point.keeps === 'everything') this.disk.crashAt(size, 0)
    else if (point.keeps === 'what was synced') this.disk.crashAt(syncedCount, 0)
    else this.disk.crashAt(size - 1, point.keeps === 'a torn head' ? 5 : record.length - 1)
    throw new NodeDied(this)
  }

  sync(synced: () => void): void {
    const mark = this.disk.mark()
    const done = (): void => (this.disk.sync(mark) ? synced() : this.#stop())
    this.#later(this.setting.syncMs(), done, 'syncing')
  }

  /** Nobody knows what is on the disk: the process ends, and what was not synced may be gone. */
  #stop(): void {
    this.world.coverage.count('stop at a broken disk')
    this.crash()
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
    const make = (): void => {
      const txs = selectLines(this.ledger, this.#pool, BLOCK_LINES_MAX)
      const block = makeBlock(state, { time, txs, lastCommit: withoutExtensions(lastCommit), evidence, proposer })
      const bytes = encode(BLOCK, block)
      proposed(block, bytes, { hash: headerHash(block.header) ?? '', partSetHeader: partSetHeader(bytes) })
    }
    this.#later(this.setting.proposeMs() + this.proposalDelayMs, make, 'proposing')
  }

  validate(state: ChainState, { block }: Candidate, validated: (verdict: Exclude<Verdict, 'asked'>) => void): void {
    if (validateBlock(state, block, this.setting.options.timeRule, this.verify) !== null) validated('malformed')
    else validated(isAcceptable(this.ledger, block) ? 'accepted' : 'rejected')
  }

  extendVote(state: ChainState): Uint8Array {
    return extensionAt(state.lastHeight)
  }

  verifyExtension({ extension }: Vote): boolean {
    return equalBytes(extension, extensionAt(this.chain.lastHeight))
  }

  apply(state: ChainState, decision: Decision, applied: (next: ChainState) => void): void {
    if (!this.replica.rounds.candidates.has(blockIdKey(decision.blockId)))
      this.world.coverage.count('catch-up by certificate')
    this.#later(
      this.setting.applyMs(),
      () => {
        if (this.disk.isBroken) return this.#stop()
        const next = this.#execute(state, decision)
        if (next !== null) applied(next)
      },
      'applying',
    )
  }

  #execute(state: ChainState, decision: Decision): ChainState | null {
    const { block, bytes, blockId, commit } = decision
    const { header } = block
    const keys = this.world.ring.keys.map(({ publicKey }) => publicKey)
    const { ledger, outcome } = executeBlock(this.ledger, block, keys)
    const next = applyBlock(state, header, blockId, outcome)
    if (isFault(next)) {
      this.halt(`the block cannot be applied: ${next.code}`)
      return null
    }
    this.ledger = ledger
    this.chain = next
    this.#lastCommit = commit
    for (const line of this.#pool) if (ledger.lines.has(line)) this.#pool.delete(line)
    for (const piece of block.evidence.evidence) if (piece !== null) this.#evidence.add(evidenceHash(piece))
    this.blocks.set(header.height, { block: { block: bytes, commit }, header, validators: state.validators })
    this.world.applied(this, decision, next)
    return next
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

  isWatched(): boolean {
    return false
  }

  trace(passage: Passage): void {
    if (passage.kind !== 'effect') return
    const { effect } = passage
    this.world.effect(this, effect)
    if (effect.kind !== 'rule') this.#dieAt('effect', () => effect.kind)
  }
}

const NO_BYTES = new Uint8Array(0)

/** Of a record of the journal. */
function nameOf(record: Uint8Array): string {
  const [read] = readJournal(record).records
  if (read === undefined) return 'nothing'
  return 'isOwn' in read.value && read.value.isOwn ? `own ${read.kind}` : read.kind
}

/** What votes carry for the block after this height. */
function extensionAt(height: bigint): Uint8Array {
  return encodeUtf8(`after ${height}`)
}
