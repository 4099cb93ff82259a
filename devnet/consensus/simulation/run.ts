/**
 * One run: a chain of replicas, its faults and its clients, all from a seed. It ends when every honest node has decided so many
 * heights after the faults have stopped, or when a promise is broken.
 *
 * @source spec consensus §8.2–8.4
 */

import { concatBytes, fromBinary, toHex } from '../../primitives/bytes.ts'
import { sha256, sha256Binary } from '../../primitives/hash.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import { type ChainState, createChainState, type Genesis } from '../chain-state.ts'
import { isFault } from '../fault.ts'
import { addressOf } from '../key.ts'
import { DEFAULT_PARAMS } from '../params.ts'
import type { PeerMessage } from '../peer-message.ts'
import { type Decision, LOOPBACK_OPTIONS, type ReplicaOptions } from '../replica-host.ts'
import type { Effect } from '../round.ts'
import { MILLISECOND } from '../time.ts'
import { Agenda } from './agenda.ts'
import { Byzantine, type Conspiracy, VICES, type Vice } from './byzantine.ts'
import { makeKeyRing } from './fake-key.ts'
import { InvariantBroken, Invariants } from './invariants.ts'
import { openLedger } from './ledger.ts'
import { GOOD_LINK, type LinkSetting, Network } from './network.ts'
import { NodeDied, type NodeWorld, SimulatedNode, START_TIME } from './node.ts'
import { Random } from './random.ts'

export interface Fault {
  readonly atMs: number
  readonly lastsMs: number
  readonly kind: 'crash' | 'crash all' | 'pause' | 'partition' | 'one way'
  /** Nodes it is about; of a partition, those on one side. */
  readonly nodes: readonly number[]
}

export interface Plan {
  readonly seed: number
  readonly powers: readonly bigint[]
  /** Nodes with keys that have no power at first. */
  readonly spares: number
  readonly heights: number
  /** By node. */
  readonly vices: ReadonlyMap<number, Vice>
  readonly links: LinkSetting
  readonly faults: readonly Fault[]
  /** When links become good and nodes stay up. */
  readonly healMs: number
  readonly clockSpreadMs: number
  readonly isSlow: boolean
  readonly changesValidators: boolean
  readonly timeRule: ReplicaOptions['timeRule']
  readonly initialHeight: bigint
  /** One node dies as it writes to its journal. */
  readonly crashPoint?: CrashPoint
  /** A second node with the key of the first, and who hears whom in the first rounds. */
  readonly twins?: Twins
}

/** After so many records of a life that began with the chain, with so much of them on the disk. */
export interface CrashPoint {
  readonly node: number
  readonly record: number
  readonly keeps: 'what was synced' | 'everything' | 'a torn head' | 'a torn body'
}

/** @source arXiv:2004.10617 (Twins) */
export interface Twins {
  /** Key that two nodes have. */
  readonly key: number
  /** One after the other, the nodes of one side as a bit mask; the twin is the last node. Then all is whole. */
  readonly sides: readonly number[]
  /** How long each lasts. */
  readonly lastsMs: number
}

export interface RunResult {
  readonly height: bigint
  readonly events: number
  /** Of all that was delivered and applied: the same seed gives the same. */
  readonly logHash: string
  /** How often each rule fired with each outcome. */
  readonly coverage: ReadonlyMap<string, number>
  readonly roundMax: number
  readonly simulatedMs: number
  readonly evidence: number
  readonly equivocators: number
  readonly alarms: readonly string[]
}

/** Simulated time that is allowed after healing: some rounds at the timeouts that were reached, and catching up. */
const CHAIN_ID = 'simulation'
const PATIENCE_MS = 60_000
const EVENTS_MAX = 400_000

export interface PlanOptions {
  readonly heights: number
  /** At most so many faults; `always`: every run has that many, and bad links. */
  readonly faults: number
  readonly trouble: 'sometimes' | 'always'
}

export const USUAL_PLAN: PlanOptions = { heights: 20, faults: 8, trouble: 'sometimes' }

export function makePlan(seed: number, options: PlanOptions = USUAL_PLAN): Plan {
  const random = new Random(seed, 'plan')
  const { heights } = options
  const count = random.pick([1, 2, 3, 4, 4, 4, 4, 5, 7])
  const isWeighted = random.chance(0.3)
  const faulty = Math.floor((count - 1) / 3)
  const powers = Array.from({ length: count }, () => (isWeighted ? BigInt(5 + random.below(6)) : 10n))
  const vices = new Map<number, Vice>()
  for (let i = 0; i < faulty; i++) {
    if (random.chance(0.6)) vices.set(count - 1 - i, random.pick(VICES))
  }
  // The faulty must hold less than a third.
  let faultyPower = 0n
  let total = 0n
  for (const [i, power] of powers.entries()) {
    total += power
    if (vices.has(i)) faultyPower += power
  }
  if (faultyPower * 3n >= total) vices.clear()
  const isRough = random.chance(0.7) || options.trouble === 'always'
  const healMs = isRough ? random.between(1000, 12_000) : 0
  const links: LinkSetting = isRough
    ? {
        minMs: 0.1,
        maxMs: random.pick([1, 5, 20, 60]),
        tailChance: random.chance(0.5) ? 0.05 : 0,
        tailMs: random.between(100, 2000),
        loss: random.chance(0.5) ? random.between(0, 0.3) : 0,
        duplication: random.chance(0.5) ? random.between(0, 0.1) : 0,
      }
    : GOOD_LINK
  const faults: Fault[] = []
  const faultCount = options.trouble === 'always' ? options.faults : isRough ? random.below(options.faults) : 0
  for (let i = faultCount; i > 0; i--) {
    const kind = random.pick(['crash', 'crash', 'crash all', 'pause', 'partition', 'partition', 'one way'] as const)
    const nodes = Array.from({ length: count }, (_, node) => node).filter(() => random.chance(0.4))
    faults.push({ atMs: random.between(0, healMs), lastsMs: random.between(50, 4000), kind, nodes })
  }
  return {
    seed,
    powers,
    heights,
    vices,
    links,
    faults,
    healMs,
    spares: random.chance(0.4) ? 1 + random.below(2) : 0,
    clockSpreadMs: random.chance(0.5) ? 200 : 0,
    isSlow: random.chance(0.15),
    changesValidators: random.chance(0.4),
    timeRule: random.chance(0.25) ? 'median' : 'proposer',
    initialHeight: random.chance(0.1) ? 1000n : 1n,
  }
}

/** @throws InvariantBroken */
export function runPlan(plan: Plan): RunResult {
  return new Run(plan).finish()
}

export class Run implements NodeWorld {
  readonly plan: Plan
  readonly agenda = new Agenda()
  readonly ring
  readonly waiting = new Set<string>()
  readonly random: Random
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly invariants: Invariants
  readonly #submitted = new Set<string>()
  readonly #byzantine = new Map<string, Byzantine>()
  readonly #addresses: readonly string[]
  readonly #byName = new Map<string, SimulatedNode>()
  readonly #coverage = new Map<string, number>()
  readonly #alarms: string[] = []
  readonly #workload: Random
  #log = new Uint8Array(32)
  #logBuffer: Uint8Array[] = []
  #events = 0
  #roundMax = 0
  #lineCount = 0

  constructor(plan: Plan) {
    this.plan = plan
    const { seed, powers, spares } = plan
    this.random = new Random(seed, 'disk')
    this.#workload = new Random(seed, 'workload')
    const byzantine = new Random(seed, 'byzantine')
    const clocks = new Random(seed, 'clocks')
    const speeds = new Random(seed, 'speeds')
    const conspiracy: Conspiracy = { chainId: CHAIN_ID, others: new Map() }
    const ring = makeKeyRing(powers.length + spares)
    this.ring = ring
    this.network = new Network(new Random(seed, 'network'), plan.links)
    const genesis = openGenesis(
      plan,
      ring.keys.map(({ publicKey }) => publicKey),
    )
    this.#addresses = ring.keys.map(({ publicKey }) => addressOf(publicKey))
    const isHonest = (address: string): boolean => {
      const key = this.#addresses.indexOf(address)
      return !plan.vices.has(key) && plan.twins?.key !== key
    }
    const keys = new Map(this.#addresses.map((address, i) => [address, ring.keys[i]!.publicKey]))
    const keyOf = (address: string) => keys.get(address)
    this.invariants = new Invariants({
      chainId: genesis.chainId,
      verify: ring.verify,
      isHonest,
      keyOf,
      submitted: this.#submitted,
    })
    this.invariants.setAt(genesis.initialHeight, genesis.validators)
    const options = { ...LOOPBACK_OPTIONS, timeRule: plan.timeRule }
    const ledger = openLedger(powers)
    const nodeKeys = [...this.#addresses.keys(), ...(plan.twins === undefined ? [] : [plan.twins.key])]
    this.nodes = nodeKeys.map((key, i) => {
      const slow = plan.isSlow && i === 0 ? 20 : 1
      const setting = {
        name: `n${i}`,
        key,
        options,
        genesis,
        ledger,
        clockAheadMs: plan.clockSpreadMs * (clocks.next() * 2 - 1),
        clockDriftPpm: plan.clockSpreadMs === 0 ? 0 : clocks.between(-200, 200),
        syncMs: () => speeds.between(0.1, 1) * slow,
        applyMs: () => speeds.between(0.1, 3) * slow,
        proposeMs: () => speeds.between(0, 2) * slow,
      }
      const node = new SimulatedNode(setting, this)
      this.#byName.set(setting.name, node)
      const vice = plan.vices.get(i)
      if (vice !== undefined) this.#byzantine.set(setting.name, new Byzantine(vice, byzantine, conspiracy))
      if (plan.crashPoint?.node === i) node.crashPoint = plan.crashPoint
      return node
    })
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter(({ setting: { key } }, i) => !this.plan.vices.has(i) && this.plan.twins?.key !== key)
  }

  get coverage(): ReadonlyMap<string, number> {
    return this.#coverage
  }

  begin(): void {
    for (const node of this.nodes) this.agenda.after(0, () => node.start())
    for (const fault of this.plan.faults) this.agenda.after(fault.atMs, () => this.#strike(fault))
    for (const [i, side] of this.plan.twins?.sides.entries() ?? []) {
      this.agenda.after(i * this.plan.twins!.lastsMs, () => this.#part(side))
    }
    this.agenda.after(this.plan.healMs, () => this.#heal())
    this.#submitLater()
  }

  finish(): RunResult {
    const { plan, agenda } = this
    this.begin()
    let goal: bigint | null = null
    const deadline = plan.healMs + PATIENCE_MS
    while (agenda.nowMs <= deadline || goal === null) {
      if (++this.#events > EVENTS_MAX) throw new InvariantBroken('I12', `more than ${EVENTS_MAX} events`)
      if (!this.#advance()) break
      if (goal === null && agenda.nowMs >= plan.healMs) {
        const least = plan.initialHeight - 1n + BigInt(plan.heights)
        const tip = this.honest.reduce((most, { chain }) => (chain.lastHeight > most ? chain.lastHeight : most), 0n)
        goal = tip + 2n > least ? tip + 2n : least
      }
      if (goal !== null && this.honest.every(({ chain, isUp }) => isUp && chain.lastHeight >= goal!))
        return this.#result()
    }
    const where = this.honest.map(
      ({ name, chain, replica }) => `${name} ${chain.lastHeight}/${replica.rounds.round}/${replica.rounds.step}`,
    )
    throw new InvariantBroken('I11', `no progress ${PATIENCE_MS} ms after healing: ${where.join(', ')}; goal ${goal}`)
  }

  #advance(): boolean {
    try {
      return this.agenda.advance()
    } catch (error) {
      if (!(error instanceof NodeDied)) throw error
      const { node } = error
      this.agenda.after(200, () => node.restart())
      return true
    }
  }

  #result(): RunResult {
    this.#flushLog()
    return {
      height: this.invariants.height,
      events: this.#events,
      logHash: toHex(this.#log),
      coverage: this.#coverage,
      roundMax: this.#roundMax,
      simulatedMs: Math.round(this.agenda.nowMs),
      evidence: this.invariants.evidence.size,
      equivocators: this.invariants.equivocators.size,
      alarms: this.#alarms,
    }
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  #submitLater(): void {
    this.agenda.after(this.#workload.between(5, 150), () => {
      this.#submit()
      this.#submitLater()
    })
  }

  #submit(): void {
    const line = this.#nextLine()
    this.waiting.add(line)
    this.#submitted.add(line)
    for (const node of this.nodes) {
      const { life } = node
      this.agenda.after(this.#workload.between(0, 5), () => {
        if (node.isUp && node.life === life && !node.isPaused) node.wakeIfWanted()
      })
    }
    for (const waiting of this.waiting) {
      if (this.honest.every(({ ledger }) => ledger.lines.has(waiting))) this.waiting.delete(waiting)
    }
  }

  /** Only honest powers change, and never so much that the faulty get a third. */
  #nextLine(): string {
    const { plan } = this
    const count = ++this.#lineCount
    if (!plan.changesValidators || !this.#workload.chance(0.3)) return `put ${count}`
    const honest = plan.powers.map((_, i) => i).filter((i) => !plan.vices.has(i))
    if (plan.spares > 0 && this.#workload.chance(0.6)) {
      const spare = plan.powers.length + this.#workload.below(plan.spares)
      return `power ${spare} ${this.#workload.chance(0.6) ? 5 : 0} ${count}`
    }
    const key = this.#workload.pick(honest)
    return `power ${key} ${plan.powers[key]! + BigInt(this.#workload.below(3))} ${count}`
  }

  // --- faults -----------------------------------------------------------------------------------------------------

  #strike({ kind, nodes, lastsMs }: Fault): void {
    const struck = nodes.map((i) => this.nodes[i]!)
    const until = Math.min(lastsMs, this.plan.healMs - this.agenda.nowMs)
    switch (kind) {
      case 'crash':
      case 'crash all':
        for (const node of kind === 'crash' ? struck : this.nodes) {
          node.crash()
          this.agenda.after(until, () => node.restart())
        }
        return
      case 'pause':
        for (const node of struck) {
          node.isPaused = true
          this.agenda.after(until, () => {
            node.isPaused = false
          })
        }
        return
      case 'partition':
        this.network.partition(
          [struck, this.nodes.filter((node) => !struck.includes(node))].map((group) => group.map(({ name }) => name)),
        )
        this.agenda.after(until, () => this.network.heal())
        return
      case 'one way':
        for (const from of struck)
          for (const to of this.nodes) if (!struck.includes(to)) this.network.cut(from.name, to.name)
        this.agenda.after(until, () => this.network.heal())
    }
  }

  #heal(): void {
    this.network.links = GOOD_LINK
    this.network.heal()
    for (const node of this.nodes) {
      node.isPaused = false
      node.restart()
    }
  }

  // --- the world of the nodes -------------------------------------------------------------------------------------

  broadcast(from: SimulatedNode, message: PeerMessage): void {
    for (const to of this.nodes) if (to !== from) this.send(from, to.name, message)
  }

  send(from: SimulatedNode, to: string, message: PeerMessage): void {
    const byzantine = this.#byzantine.get(from.name)
    if (byzantine === undefined) return this.#route(from, to, message, 0)
    // The faulty show each other one face.
    const place = this.#byzantine.has(to) ? 0 : this.nodes.findIndex(({ name }) => name === to)
    for (const { message: twisted, delayMs } of byzantine.twist(from, place, message)) {
      this.#route(from, to, twisted, delayMs)
    }
  }

  #route(from: SimulatedNode, to: string, message: PeerMessage, delayMs: number): void {
    if (message.kind === 'vote') this.invariants.onVote(message.value.vote)
    for (const delay of this.network.route(from.name, to)) {
      this.agenda.after(delay + delayMs, () => this.#deliver(from, this.#byName.get(to)!, message))
    }
  }

  #part(side: number): void {
    const isThere = (i: number): boolean => ((side >> i) & 1) === 1
    const names = this.nodes.map(({ name }) => name)
    this.network.partition([names.filter((_, i) => isThere(i)), names.filter((_, i) => !isThere(i))])
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, message: PeerMessage): void {
    if (!to.isUp) return
    if (to.isPaused) {
      this.agenda.after(50, () => this.#deliver(from, to, message))
      return
    }
    this.#note(`${from.name}>${to.name} ${message.kind} ${placeOf(message)}`)
    const byzantine = this.#byzantine.get(to.name)
    for (const answer of byzantine?.answer(to, message) ?? []) {
      for (const other of this.nodes) if (other !== to) this.#route(to, other.name, answer, 0)
    }
    to.replica.receive(from.name, message)
    const { rounds } = to.replica
    if (rounds.keeper.rounds.size > 120 || rounds.keeper.ahead.size > rounds.keeper.validators.validators.length) {
      throw new InvariantBroken('I12', `${to.name} keeps ${rounds.keeper.rounds.size} rounds`)
    }
  }

  applied(node: SimulatedNode, decision: Decision, next: ChainState): void {
    this.#note(
      `${node.name} applied ${decision.block.header.height} ${toHex(fromBinary(decision.blockId.hash)).slice(0, 16)}`,
    )
    if (!this.honest.includes(node)) return
    const powers = new Map([...node.ledger.powers].map(([key, power]) => [this.#addresses[key]!, power]))
    this.invariants.schedule(decision.block.header.height, powers)
    this.invariants.onApplied(node.name, next.lastValidators, decision, next)
    if (this.plan.timeRule === 'proposer') {
      const latest = this.nodes.reduce((most, other) => (other.now() > most ? other.now() : most), START_TIME)
      const rounds = decision.commit.round
      this.invariants.onTime(decision.block.header.time, latest, 505 * Math.min(1.1 ** rounds, 1e6) + 1)
    }
  }

  effect(_node: SimulatedNode, effect: Effect): void {
    if (effect.kind === 'round' && effect.round > this.#roundMax) this.#roundMax = effect.round
    if (effect.kind !== 'rule') return
    const name = `${effect.rule} ${effect.outcome}`
    this.#coverage.set(name, (this.#coverage.get(name) ?? 0) + 1)
  }

  failed(node: SimulatedNode, kind: 'halt' | 'alarm', reason: string): void {
    if (kind === 'alarm') this.#alarms.push(`${node.name}: ${reason}`)
    else if (!this.plan.vices.has(this.nodes.indexOf(node)))
      throw new InvariantBroken('halt', `${node.name}: ${reason}`)
  }

  validatorOf(name: string): string | undefined {
    const { key } = this.#byName.get(name)!.setting
    return key === null ? undefined : this.#addresses[key]
  }

  #note(text: string): void {
    this.#logBuffer.push(encodeUtf8(`${this.agenda.nowMs.toFixed(6)} ${text}\n`))
    if (this.#logBuffer.length >= 1000) this.#flushLog()
  }

  #flushLog(): void {
    this.#log = sha256(concatBytes(this.#log, ...this.#logBuffer)) as Uint8Array<ArrayBuffer>
    this.#logBuffer = []
  }
}

function placeOf(message: PeerMessage): string {
  switch (message.kind) {
    case 'vote': {
      const { height, round, type, validatorIndex } = message.value.vote
      return `${height}/${round}/${type}/${validatorIndex}`
    }
    case 'proposal':
      return `${message.value.proposal.height}/${message.value.proposal.round}`
    case 'status':
      return `${message.value.height}/${message.value.round}`
    default:
      return ''
  }
}

export function openGenesis(
  plan: Pick<Plan, 'powers' | 'initialHeight'>,
  keys: readonly Parameters<typeof addressOf>[0][],
): ChainState {
  const genesis: Genesis = {
    chainId: CHAIN_ID,
    initialHeight: plan.initialHeight,
    time: START_TIME - 1000n * MILLISECOND,
    params: DEFAULT_PARAMS,
    validators: plan.powers.map((power, i) => ({ pubKey: keys[i]!, power })),
    appHash: sha256Binary(encodeUtf8('genesis')),
  }
  const answer = { consensusParams: null, validators: [], appHash: '' }
  const state = createChainState(genesis, answer, 1n)
  if (isFault(state)) throw new Error(`the genesis is refused: ${state.code}`)
  return state
}
