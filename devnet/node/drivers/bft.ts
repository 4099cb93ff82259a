/**
 * Several validators in one process: each with its own application, state, journal and key, deciding blocks by real votes over a
 * network that can be made bad. The first validator is the one that clients talk to.
 *
 * @source spec consensus §7.5, §8.3; `design.md` §6
 */
import { isNil } from '../../consensus/block-id.ts'
import type { ChainState } from '../../consensus/chain-state.ts'
import { type PrivateKey, publicKeyOf } from '../../consensus/key.ts'
import { isQuorum } from '../../consensus/quorum.ts'
import { type Decision, LOOPBACK_OPTIONS, type Passage, type ReplicaOptions } from '../../consensus/replica-host.ts'
import type { Effect } from '../../consensus/round.ts'
import type { VerifiedSignatures } from '../../consensus/verified-signatures.ts'
import type { Evidence } from '../../consensus/wire.ts'
import type { Cid } from '../../ipld/cid.ts'
import { assert } from '../../primitives/assert.ts'
import { fromBinary, toHex } from '../../primitives/bytes.ts'
import type { BlockExecutor } from '../block-executor.ts'
import type { BlockStore } from '../block-store.ts'
import { type BlockPolicy, type Chain, type ConsensusView, type Included, SubmitError } from '../chain.ts'
import type { BlockRecord } from '../chain-records.ts'
import type { FvmApplication } from '../fvm-application.ts'
import type { Journal, JournalStart } from '../journal-file.ts'
import type { LinkFaults } from '../link-faults.ts'
import type { Mempool } from '../mempool.ts'
import type { PeerNetwork } from '../peer-links.ts'
import type { Clock } from '../ports.ts'
import type { Recorder } from '../recording.ts'
import { StateSync } from '../state-sync.ts'
import { DEFAULT_STATE_SYNC, type StateSyncSettings } from '../sync-settings.ts'
import { encodeTransaction, type Power } from '../transaction.ts'
import { type PowerMessage, signersOf, Validator, type ValidatorWatcher } from '../validator.ts'
import { WaitingRoom } from '../waiting-room.ts'

/** What one validator is made of. */
export interface Seat {
  readonly name: string
  readonly key: PrivateKey | null
  readonly application: FvmApplication
  readonly executor: BlockExecutor
  readonly state: ChainState
  /** Opens the journal anew; the earlier one is closed. */
  readonly openJournal: (earlier: Journal | null, from: JournalStart) => Journal
  readonly signatures: VerifiedSignatures
}

/** How a block came to be, for people. */
export interface Finality {
  readonly height: number
  readonly round: number
  /** Hex of the address. */
  readonly proposer: string
  /** From the first step of the height to the durable block. */
  readonly ms: number
  readonly signers: number
  readonly validators: number
}

export interface ValidatorView {
  readonly name: string
  readonly address: string
  readonly power: bigint
  readonly height: bigint
  readonly round: number
  readonly step: string
  readonly peers: number
  readonly isHalted: boolean
}

export interface BftOptions {
  readonly clock: Clock
  readonly policy: BlockPolicy
  readonly network: PeerNetwork
  readonly faults: LinkFaults
  readonly replica: Partial<ReplicaOptions>
  /** How a node without blocks comes to its first state. */
  readonly stateSync?: StateSyncSettings
  /** Hears what each validator is given. */
  readonly recorder?: Recorder | null
}

/** Blocks that a peer may want ahead of the last. */
const WANTED_MAX = 10_000n

export class BftChain implements Chain {
  readonly faults: LinkFaults
  readonly #seats: readonly Seat[]
  readonly #clock: Clock
  readonly #network: PeerNetwork
  readonly #recorder: Recorder | null
  readonly #replicaOptions: ReplicaOptions
  readonly #room = new WaitingRoom()
  readonly #finalityListeners = new Set<(finality: Finality) => void>()
  readonly #passageListeners = new Set<(passage: Passage) => void>()
  readonly #alarmListeners = new Set<(name: string, reason: string) => void>()
  readonly #journals = new Map<string, Journal>()
  readonly #halted = new Map<string, string>()
  /** App hashes by height, of all validators: they must be equal. */
  readonly #hashes = new Map<number, string>()
  readonly #validators: Validator[] = []
  readonly #syncSettings: StateSyncSettings
  /** Seats whose node fetches a state; its validator waits. */
  readonly #syncs = new Map<Seat, { readonly sync: StateSync; readonly ended: Promise<void> }>()
  /** Seats that have tried, once. */
  readonly #synced = new Set<Seat>()
  #isClosed = false
  /** While nobody votes: where the seats begin again, if it is not where they are. */
  #held: Map<Seat, ChainState> | null = null
  #policy: BlockPolicy
  #stopInterval: (() => void) | null = null
  #offsetMs = 0
  #nextTimeMs: number | null = null
  #powerNonce: bigint
  #heightBegan = 0

  constructor(seats: readonly Seat[], { clock, policy, network, faults, replica, recorder, stateSync }: BftOptions) {
    this.#seats = seats
    this.#clock = clock
    this.#policy = policy
    this.faults = faults
    this.#recorder = recorder ?? null
    this.#network = network
    this.#syncSettings = stateSync ?? DEFAULT_STATE_SYNC
    this.#replicaOptions = { ...LOOPBACK_OPTIONS, ...replica }
    this.#powerNonce = BigInt(this.application.head.height) << 20n
    this.#open((seat) => seat.state)
    this.policy = policy
  }

  get application(): FvmApplication {
    return this.#seats[0]!.application
  }

  get blocks(): BlockStore {
    return this.#seats[0]!.executor.blocks
  }

  get consensus(): ConsensusView {
    const { key, executor } = this.#seats[0]!
    return {
      publicKey: key === null ? null : publicKeyOf(key),
      onFinalized: (listener) => executor.onCommit(listener),
      onPassage: (listener) => {
        this.#passageListeners.add(listener)
        return () => this.#passageListeners.delete(listener)
      },
      deciding: () => ({ rounds: this.#first.replica.rounds, isWaiting: this.#first.replica.isWaiting }),
      isCatchingUp: () => this.#isCatchingUp(),
      peers: () => this.#first.peers().map((name) => ({ name, address: this.#first.validatorOf(name) ?? '' })),
      addEvidence: (piece) => this.#addEvidence(piece),
    }
  }

  /** Peers that are one ahead have just decided. */
  #isCatchingUp(): boolean {
    if (this.#syncs.has(this.#seats[0]!)) return true
    const { peers, height } = this.#first.replica
    for (const reached of peers.values()) if (reached > height + 1n) return true
    return false
  }

  #addEvidence(piece: Evidence): void {
    const { replica } = this.#first
    const refused = this.#seats[0]!.executor.checkEvidence(replica.chain, [piece])
    if (refused !== null) throw new SubmitError('EVIDENCE', `failed to add evidence: ${refused.code}`)
    const said = { kind: 'evidence', value: { evidence: piece } } as const
    replica.receive('', said)
    this.#first.broadcast(said)
  }

  get mempool(): Mempool {
    return this.#first.mempool
  }

  get validators(): readonly Validator[] {
    return this.#validators
  }

  get #first(): Validator {
    return this.#validators[0]!
  }

  #open(stateOf: (seat: Seat) => ChainState): void {
    for (const [index, seat] of this.#seats.entries()) {
      this.#validators[index] = this.#validatorOf(seat, stateOf(seat), 'its own')
    }
    for (const [index, seat] of this.#seats.entries()) {
      if (this.#asksForState(seat)) this.#syncState(index)
      else this.#start(this.#validators[index]!)
    }
  }

  #validatorOf(seat: Seat, state: ChainState, origin: 'its own' | 'of others'): Validator {
    const { name, key, application, executor, signatures } = seat
    const journal = seat.openJournal(this.#journals.get(name) ?? null, 'where it ended')
    this.#journals.set(name, journal)
    return new Validator({
      name,
      key,
      application,
      executor,
      journal,
      signatures,
      state,
      isRestored: origin === 'of others',
      clock: { now: () => this.#now(), after: (ms, run) => this.#clock.after(ms, run) },
      replica: this.#replicaOptions,
      isEager: () => this.#policy.kind === 'auto',
      isByzantine: () => this.faults.isByzantine(name),
      onPower: (said) => this.#onPower(said),
      recorder: this.#recorder,
      watcher: this.#watcher,
    })
  }

  #start(validator: Validator): void {
    validator.start(this.#network.join(validator.name, validator.address, validator))
  }

  // --- a state from others ----------------------------------------------------------------------------------------

  /** In one process, only beside others that have blocks. */
  #asksForState(seat: Seat): boolean {
    if (!this.#syncSettings.isEnabled || seat.application.head.height > 0) return false
    return this.#seats.length === 1 || this.#seats.some(({ application }) => application.head.height > 0)
  }

  /** The validator of a seat makes place for one that goes on from a state of others, if there is one to have. */
  #syncState(index: number): void {
    const seat = this.#seats[index]!
    const waiting = this.#validators[index]!
    const { name, application, executor, signatures } = seat
    this.#synced.add(seat)
    waiting.close()
    const sync = new StateSync({
      name,
      address: waiting.address,
      network: this.#network,
      application,
      blocks: executor.blocks,
      genesis: seat.state,
      settings: this.#syncSettings,
      verify: signatures.verify,
      now: () => BigInt(Math.floor(this.#now() * 1000)) * 1000n,
      after: (ms, run) => this.#clock.after(ms, run),
      alarm: (reason) => this.#watcher.alarmed(waiting, reason),
    })
    const goOn = (restored: ChainState | null): void => {
      if (this.#isClosed) return
      this.#syncs.delete(seat)
      if (seat === this.#seats[0]) this.#powerNonce = BigInt(application.head.height) << 20n
      this.#validators[index] = this.#validatorOf(
        seat,
        restored ?? seat.state,
        restored === null ? 'its own' : 'of others',
      )
      this.#start(this.#validators[index]!)
    }
    const ended = sync.run().then(goOn, (error: Error) => this.#onHalt(waiting, error.message))
    this.#syncs.set(seat, { sync, ended })
  }

  #onStranded(validator: Validator): void {
    const index = this.#validators.indexOf(validator)
    const seat = this.#seats[index]
    if (seat === undefined || this.#synced.has(seat)) return
    // Not from within what it is doing.
    queueMicrotask(() => {
      if (!this.#isClosed && this.#validators[index] === validator && !this.#synced.has(seat)) this.#syncState(index)
    })
  }

  /** What is taken now would be lost with the validator that waits. */
  #refuseSyncing(): void {
    if (this.#syncs.size === 0) return
    throw new SubmitError('CATCHING_UP', 'a node is fetching its state from the others; ask again, or ask another node')
  }

  readonly #watcher: ValidatorWatcher = {
    committed: (validator, block, decision) => this.#committed(validator, block, decision),
    dropped: (validator, cid, reason) => {
      if (validator === this.#first) this.#room.drop(cid, reason)
    },
    halted: (validator, reason) => this.#onHalt(validator, reason),
    alarmed: (validator, reason) => {
      for (const listener of this.#alarmListeners) listener(validator.name, reason)
    },
    stranded: (validator) => this.#onStranded(validator),
    passed: (validator, passage) => this.#onPassage(validator, passage),
    isWatching: (validator) => validator === this.#first && this.#passageListeners.size > 0,
  }

  #committed(validator: Validator, block: BlockRecord, decision: Decision): void {
    const { height, appHash } = block.header
    const hash = toHex(appHash)
    const known = this.#hashes.get(height)
    if (known === undefined) this.#hashes.set(height, hash)
    else if (known !== hash) this.#onHalt(validator, `its application hash at ${height} is not that of the others`)
    this.#hashes.delete(height - 100)
    if (validator !== this.#first) return
    const finality: Finality = {
      height,
      round: decision.commit.round,
      proposer: toHex(fromBinary(decision.block.header.proposerAddress)),
      ms: performance.now() - this.#heightBegan,
      signers: signersOf(decision),
      validators: decision.commit.extendedSignatures.length,
    }
    this.#room.announce(block, (tx) => this.application.door.namesOf(tx))
    for (const listener of this.#finalityListeners) listener(finality)
  }

  #onPassage(validator: Validator, passage: Passage): void {
    if (passage.kind === 'effect') this.#onEffect(validator, passage.effect)
    if (validator === this.#first) for (const listener of this.#passageListeners) listener(passage)
  }

  #onEffect(validator: Validator, effect: Effect): void {
    if (effect.kind === 'round' && effect.round === 0 && validator === this.#first)
      this.#heightBegan = performance.now()
    if (effect.kind === 'decide' && isNil(effect.decision.blockId)) throw new Error('nil was decided')
  }

  /** The others go on without it, unless it is the one that clients talk to. */
  #onHalt(validator: Validator, reason: string): void {
    this.#halted.set(validator.name, reason)
    validator.replica.stop()
    for (const listener of this.#alarmListeners) listener(validator.name, `it stopped: ${reason}`)
    if (validator === this.#first || !this.#canDecide()) this.#room.halt(new Error(reason))
  }

  /** Whether those that have not stopped, here or elsewhere, are enough to decide. */
  #canDecide(): boolean {
    const { validators, totalVotingPower } = this.#first.replica.chain.validators
    const stopped = this.#validators.filter(({ name }) => this.#halted.has(name)).map(({ address }) => address)
    let power = totalVotingPower
    for (const { address, votingPower } of validators) if (stopped.includes(address)) power -= votingPower
    return isQuorum(power, totalVotingPower)
  }

  #now(): number {
    return this.#nextTimeMs ?? this.#clock.now() + this.#offsetMs
  }

  /** What another node's user asked of the whole network. */
  #onPower(said: PowerMessage): void {
    if (said.kind === 'clock') {
      this.#offsetMs = Number(said.value.offsetMs)
      if (said.value.nextTimeMs > 0n) this.#setNextTime(Number(said.value.nextTimeMs))
      return
    }
    const { height } = said.value
    const { head } = this.application
    if (height > BigInt(head.height) + WANTED_MAX) return
    for (const validator of this.#validators) validator.wantBlocks(height)
  }

  // --- the chain --------------------------------------------------------------------------------------------------

  get policy(): BlockPolicy {
    return this.#policy
  }

  set policy(policy: BlockPolicy) {
    this.#policy = policy
    this.#stopInterval?.()
    this.#stopInterval = null
    if (policy.kind === 'interval') this.#tick(policy.intervalMs)
    if (policy.kind === 'auto') for (const validator of this.#validators) validator.wantBlocks(0n)
  }

  #tick(intervalMs: number): void {
    this.#stopInterval = this.#clock.after(intervalMs, () => {
      if (!this.#room.isOpen) return
      this.#want(1)
      this.#tick(intervalMs)
    })
  }

  #want(count: number): number {
    const height = this.application.head.height + count
    for (const validator of this.#validators) validator.wantBlocks(BigInt(height))
    this.#first.tellPeers({ kind: 'want', value: { height: BigInt(height) } })
    return height
  }

  submit(tx: Uint8Array): Cid {
    this.#refuse()
    return this.#first.submit(tx)
  }

  waitFor(cid: Cid): Promise<Included> {
    const location = this.application.history.locate(cid)
    if (location === undefined) return this.#room.waitFor(cid)
    const result = this.application.history.block(location.height)!.results[location.index]!
    return Promise.resolve({ ...location, result })
  }

  async apply(powers: readonly Power[]): Promise<Included> {
    this.#refuse()
    const tx = encodeTransaction({ kind: 'power', nonce: this.#powerNonce++, powers })
    const cid = this.#first.addPower(tx)
    return this.waitFor(cid)
  }

  async mine(count: number): Promise<number> {
    this.#refuse()
    for (let i = 0; i < count; i++) {
      await this.#room.reach(this.#want(1))
    }
    return this.application.head.height
  }

  warp(change: { readonly byMs: number } | { readonly toMs: number }): void {
    if ('byMs' in change) {
      if (change.byMs < 0) throw new RangeError('time only moves forwards')
      this.#offsetMs += change.byMs
      this.#tellClock(0)
      return
    }
    const { timeMs } = this.application.head
    if (change.toMs <= timeMs) throw new RangeError(`the last block is at ${timeMs} ms; time only moves forwards`)
    this.#setNextTime(change.toMs)
    this.#tellClock(change.toMs)
  }

  /** Of the next block; from then on the clock goes on from there. */
  #setNextTime(ms: number): void {
    this.#nextTimeMs = ms
    const stop = this.#room.onBlock(() => {
      stop()
      this.#nextTimeMs = null
      this.#offsetMs = ms - this.#clock.now()
    })
  }

  #tellClock(nextTimeMs: number): void {
    const value = { offsetMs: BigInt(Math.round(this.#offsetMs)), nextTimeMs: BigInt(Math.round(nextTimeMs)) }
    this.#first.tellPeers({ kind: 'clock', value })
  }

  /** All validators go back together: what they signed above is forgotten with the blocks. */
  async rewind(height: number): Promise<void> {
    if (this.application.history.header(height) === undefined) throw new RangeError(`there is no block ${height}`)
    if (this.#seats.length < this.validatorCount) {
      throw new SubmitError(
        'ELSEWHERE',
        'validators of other processes would not go back with this one; a network that one command started can go back',
      )
    }
    this.#checkKept(height)
    await this.hold()
    await this.goBack(height)
    this.goOn()
  }

  /** A node that fetched its state has none of the heights before. */
  #checkKept(height: number): void {
    for (const { executor, application } of this.#seats) {
      const isKept = executor.blocks.stateAfter(BigInt(Math.min(height, application.head.height))) !== undefined
      if (!isKept) throw new RangeError(`a validator came later than block ${height}, and has no state of it`)
    }
  }

  /** Stops voting and listening, and drops what waits, until `goOn`. */
  async hold(): Promise<void> {
    this.#refuse()
    this.#refuseSyncing()
    this.#held = new Map()
    for (const validator of this.#validators) validator.close()
    for (const { executor } of this.#seats) await executor.settled
    this.#room.dropAll(new SubmitError('DROPPED', 'the chain went back to an earlier block'))
  }

  get isHeld(): boolean {
    return this.#held !== null
  }

  /** Of a chain that is held: blocks above `height` are forgotten, and that they were signed. */
  async goBack(height: number): Promise<void> {
    const states = this.#held
    assert(states !== null, 'only who is held goes back')
    this.#checkKept(height)
    this.#hashes.clear()
    for (const seat of this.#seats) {
      const { application, executor, name } = seat
      const state = executor.blocks.stateAfter(BigInt(Math.min(height, application.head.height)))
      this.#recorder?.rewind(name, height)
      if (application.head.height > height) {
        states.set(seat, executor.blocks.rewind(BigInt(height)))
        await application.rewind(height)
      } else if (state !== undefined) states.set(seat, state)
      this.#journals.set(name, seat.openJournal(this.#journals.get(name) ?? null, 'the beginning'))
    }
  }

  /** Votes again, from where it is. */
  goOn(): void {
    const states = this.#held
    if (states === null) return
    this.#held = null
    this.#open((seat) => states.get(seat) ?? seat.executor.blocks.state ?? seat.state)
  }

  #refuse(): void {
    this.#room.refuseHalted()
    if (this.#held !== null) throw new SubmitError('HELD', 'the chain is going back to an earlier block; ask again')
    if (this.#syncs.has(this.#seats[0]!)) this.#refuseSyncing()
  }

  onBlock(listener: (block: BlockRecord) => void): () => void {
    return this.#room.onBlock(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#room.close()
    this.#stopInterval?.()
    const syncs = [...this.#syncs.values()]
    for (const { sync } of syncs) sync.close()
    await Promise.all(syncs.map(({ ended }) => ended))
    for (const validator of this.#validators) validator.close()
    this.#recorder?.close()
    for (const { application, executor } of this.#seats) {
      await executor.settled
      await application.close()
    }
  }

  // --- what there is to see ---------------------------------------------------------------------------------------

  onFinality(listener: (finality: Finality) => void): () => void {
    this.#finalityListeners.add(listener)
    return () => this.#finalityListeners.delete(listener)
  }

  onAlarm(listener: (name: string, reason: string) => void): () => void {
    this.#alarmListeners.add(listener)
    return () => this.#alarmListeners.delete(listener)
  }

  /** How many validators decide the next block, in this process or elsewhere. */
  get validatorCount(): number {
    return this.#first.replica.chain.validators.validators.length
  }

  /** Of all nodes, this process's first. */
  names(): readonly string[] {
    return [...new Set([...this.#seats.map(({ name }) => name), ...this.#network.names()])]
  }

  view(): readonly ValidatorView[] {
    return this.#validators.map((validator, index) => {
      const { replica, name, address } = validator
      const { validators } = replica.chain.validators
      return {
        name,
        address: toHex(fromBinary(address)),
        power: validators.find((known) => known.address === address)?.votingPower ?? 0n,
        height: replica.height,
        round: replica.rounds.round,
        step: this.#syncs.has(this.#seats[index]!)
          ? 'fetching the state'
          : replica.isWaiting
            ? 'waiting'
            : replica.rounds.step,
        peers: validator.peers().length,
        isHalted: this.#halted.has(name),
      }
    })
  }
}
