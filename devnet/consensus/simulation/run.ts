/**
 * One run: a chain of replicas, its faults and its clients, all from a seed. It ends when every honest node has decided so many
 * heights after the faults have stopped, or when a promise is broken.
 *
 * @source spec consensus §8.2–8.4
 */

import { concatBytes, fromBinary, toHex } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { encodeUtf8 } from '../../primitives/utf8.ts'
import type { ChainState } from '../chain-state.ts'
import { addressOf } from '../key.ts'
import { PEER_MESSAGE, type PeerMessage } from '../peer-message.ts'
import { type Decision, LOOPBACK_OPTIONS } from '../replica-host.ts'
import type { Effect } from '../round.ts'
import { encodedSize } from '../schema.ts'
import { Agenda } from './agenda.ts'
import { Byzantine, type Conspiracy, type Twisted } from './byzantine.ts'
import { Clients } from './clients.ts'
import { Coverage } from './coverage.ts'
import { type KeyRing, makeKeyRing } from './fake-key.ts'
import { Faults } from './faults.ts'
import { CHAIN_ID, openGenesis, withLeaders } from './genesis.ts'
import { InvariantBroken, Invariants } from './invariants.ts'
import { openLedger } from './ledger.ts'
import { Network } from './network.ts'
import { NodeDied, type NodeWorld, SimulatedNode, START_TIME } from './node.ts'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'

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
const PATIENCE_MS = 60_000
const EVENTS_MAX = 400_000

/** @throws InvariantBroken */
export function runPlan(plan: Plan): RunResult {
  return new Run(plan).finish()
}

export class Run implements NodeWorld {
  readonly plan: Plan
  readonly agenda = new Agenda()
  readonly coverage = new Coverage()
  readonly ring: KeyRing
  readonly random: Random
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly clients: Clients
  readonly invariants: Invariants
  readonly #byzantine = new Map<string, Byzantine>()
  readonly #addresses: readonly string[]
  /** By the name of a session. */
  readonly #byName = new Map<string, SimulatedNode>()
  readonly #alarms: string[] = []
  #latestClock = START_TIME
  #log = new Uint8Array(32)
  #logBuffer: Uint8Array[] = []
  #events = 0
  #roundMax = 0

  constructor(plan: Plan) {
    this.plan = plan
    const { seed, powers, spares } = plan
    this.random = new Random(seed, 'disk')
    this.ring = makeKeyRing(powers.length + spares)
    this.network = new Network(new Random(seed, 'network'), plan.links)
    const publicKeys = this.ring.keys.map(({ publicKey }) => publicKey)
    this.#addresses = publicKeys.map(addressOf)
    const natural = openGenesis(plan, publicKeys)
    const leaders = plan.twins?.rounds.map(({ leader }) => publicKeys[leader]!)
    const genesis = leaders === undefined ? natural : withLeaders(natural, leaders)
    this.nodes = this.#openNodes(genesis)
    this.clients = new Clients(this, new Random(seed, 'workload'))
    this.invariants = new Invariants({
      chainId: genesis.chainId,
      verify: this.ring.verify,
      isHonest: (address) => this.#isHonestKey(this.#addresses.indexOf(address)),
      keyOf: (address) => publicKeys[this.#addresses.indexOf(address)],
      submitted: this.clients.submitted,
    })
    this.invariants.setAt(genesis.initialHeight, genesis.validators)
  }

  #openNodes(genesis: ChainState): readonly SimulatedNode[] {
    const { plan } = this
    const { seed, powers, spares } = plan
    const byzantine = new Random(seed, 'byzantine')
    const clocks = new Random(seed, 'clocks')
    const speeds = new Random(seed, 'speeds')
    const conspiracy: Conspiracy = { chainId: CHAIN_ID, others: new Map() }
    const ledger = openLedger(powers)
    const options = { ...LOOPBACK_OPTIONS, timeRule: plan.timeRule }
    const keys: (number | null)[] = [...this.#addresses.keys()]
    if (plan.twins !== undefined) keys.push(plan.twins.key)
    if (plan.joinMs !== null && spares === 0) keys.push(null)
    return keys.map((key, i) => {
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
      this.#byName.set(node.name, node).set(secondSession(node), node)
      const vice = plan.vices.get(i)
      if (vice !== undefined) this.#byzantine.set(node.name, new Byzantine(vice, byzantine, conspiracy))
      if (plan.crashPoint?.node === i) node.crashPoint = plan.crashPoint
      return node
    })
  }

  #isHonestKey(key: number | null): boolean {
    return key === null || (!this.plan.vices.has(key) && this.plan.twins?.key !== key)
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter(({ setting: { key } }) => this.#isHonestKey(key))
  }

  begin(): void {
    const { joinMs } = this.plan
    const late = joinMs === null ? null : this.nodes.at(-1)!
    for (const node of this.nodes) if (node !== late) this.agenda.after(0, () => node.start())
    if (late !== null) {
      this.agenda.after(joinMs!, () => {
        this.coverage.count('join')
        for (const node of this.nodes) if (node !== late && node.isUp) node.replica.greet(late.name)
        late.start()
      })
    }
    new Faults(this).begin()
    this.clients.begin()
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
      coverage: this.coverage.counts,
      roundMax: this.#roundMax,
      simulatedMs: Math.round(this.agenda.nowMs),
      evidence: this.invariants.evidence.size,
      equivocators: this.invariants.equivocators.size,
      alarms: this.#alarms,
    }
  }

  // --- the world of the nodes -------------------------------------------------------------------------------------

  broadcast(from: SimulatedNode, message: PeerMessage): void {
    for (const to of this.nodes) if (to !== from) this.send(from, to.name, message)
  }

  send(from: SimulatedNode, to: string, message: PeerMessage): void {
    const receiver = this.#byName.get(to)!
    const byzantine = this.#byzantine.get(from.name)
    if (byzantine === undefined) return this.#route(from, receiver, { message, delayMs: 0, isSecondSession: false })
    // The faulty show each other one face.
    const place = this.#byzantine.has(receiver.name) ? 0 : this.nodes.indexOf(receiver)
    const twisted = byzantine.twist(from, place, message)
    const [only] = twisted
    if (twisted.length !== 1 || only?.message !== message || only.delayMs > 0) {
      this.coverage.count(`vice ${byzantine.vice}`)
    }
    for (const said of twisted) this.#route(from, receiver, said)
  }

  #route(from: SimulatedNode, to: SimulatedNode, { message, delayMs, isSecondSession }: Twisted): void {
    if (message.kind === 'vote') this.invariants.onVote(message.value.vote)
    if (this.#isKeptApart(from, to, message)) return
    const session = isSecondSession ? secondSession(from) : from.name
    const carried = { nowMs: this.agenda.nowMs, size: () => encodedSize(PEER_MESSAGE, message) }
    for (const delay of this.network.route(from.name, to.name, carried)) {
      this.agenda.after(delay + delayMs, () => this.#deliver(session, to, message))
    }
  }

  /** Twins: what is said in a round goes to one side; what says what was decided waits until all is whole. */
  #isKeptApart(from: SimulatedNode, to: SimulatedNode, message: PeerMessage): boolean {
    const { twins, healMs } = this.plan
    if (twins === undefined || this.agenda.nowMs >= healMs) return false
    const said =
      message.kind === 'vote' ? message.value.vote : message.kind === 'proposal' ? message.value.proposal : null
    if (said === null) return message.kind !== 'block'
    const { side } = twins.rounds[said.round] ?? { side: 0 }
    return ((side >> this.nodes.indexOf(from)) & 1) !== ((side >> this.nodes.indexOf(to)) & 1)
  }

  gossip(from: SimulatedNode, line: string): void {
    for (const to of this.nodes) {
      if (to === from) continue
      const carried = { nowMs: this.agenda.nowMs, size: () => line.length }
      for (const delay of this.network.route(from.name, to.name, carried)) this.agenda.after(delay, () => to.take(line))
    }
  }

  #deliver(session: string, to: SimulatedNode, message: PeerMessage): void {
    if (!to.isUp) return
    if (to.isPaused) {
      this.agenda.after(50, () => this.#deliver(session, to, message))
      return
    }
    this.#note(`${session}>${to.name} ${message.kind} ${placeOf(message)}`)
    const byzantine = this.#byzantine.get(to.name)
    for (const answer of byzantine?.answer(to, message) ?? []) {
      this.coverage.count(`vice ${byzantine!.vice}`)
      for (const other of this.nodes) {
        if (other !== to) this.#route(to, other, { message: answer, delayMs: 0, isSecondSession: false })
      }
    }
    to.replica.receive(session, message)
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
    if (decision.block.evidence.evidence.length > 0) this.coverage.count('evidence in a block')
    const powers = new Map([...node.ledger.powers].map(([key, power]) => [this.#addresses[key]!, power]))
    this.invariants.schedule(decision.block.header.height, powers)
    this.invariants.onApplied(node.name, next.lastValidators, decision, next)
    if (this.plan.timeRule === 'proposer') {
      // A clock that has gone back since has shown that time all the same.
      for (const { isUp, now } of this.honest.map((other) => ({ isUp: other.isUp, now: other.now() }))) {
        if (isUp && now > this.#latestClock) this.#latestClock = now
      }
      const rounds = decision.commit.round
      this.invariants.onTime(decision.block.header.time, this.#latestClock, 505 * Math.min(1.1 ** rounds, 1e6) + 1)
    }
  }

  effect(node: SimulatedNode, effect: Effect): void {
    if (effect.kind === 'round' && effect.round > this.#roundMax) this.#roundMax = effect.round
    this.coverage.effect(node.replica.rounds, effect)
  }

  failed(node: SimulatedNode, kind: 'halt' | 'alarm', reason: string): void {
    if (kind === 'alarm') this.#alarms.push(`${node.name}: ${reason}`)
    else if (this.#isHonestKey(node.setting.key)) throw new InvariantBroken('halt', `${node.name}: ${reason}`)
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

/** The name under which a node speaks over a second connection. */
function secondSession({ name }: SimulatedNode): string {
  return `${name}'`
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
