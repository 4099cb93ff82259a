/**
 * A world in which validators vote: a devnet in the test's own process, over a clock and a network that depend on a seed alone. Time
 * passes only while the test waits for something, as much of it as it takes, and at once.
 *
 * ```ts
 * const net = await world({ consensus: 'bft', validators: 4, seed: 7 })
 * const counter = await net.deploy(Counter, 5n)
 * net.faults.partition([[0, 1], [2, 3]])
 * await expect(net.mine()).rejects.toThrow('no block')
 * net.faults.clear()
 * await net.mine()
 * ```
 *
 * @source spec consensus §8.3, spec sdk §9
 */
import { Random } from '../consensus/simulation/random.ts'
import { ModuleCache } from '../engine/module-cache.ts'
import type { ProfileName } from '../engine/profile.ts'
import { type Devnet, openDevnet } from '../node/devnet.ts'
import type { BftChain, ValidatorView } from '../node/drivers/bft.ts'
import type { LinkFault, LinkFaults } from '../node/link-faults.ts'
import { VirtualClock } from '../node/virtual-clock.ts'
import { fromBinary, toHex } from '../primitives/bytes.ts'
import { ClientError } from '../rpc/client.ts'
import type { toRpcError } from '../rpc/errors.ts'
import { answer, type MethodTable } from '../rpc/router.ts'
import { methodsOf } from '../rpc/serve.ts'
import { ConnectionError } from './connect.ts'
import { Connection, type Introduction, introduce } from './connection.ts'
import type { Requester } from './requester.ts'

export interface BftWorldOptions {
  readonly consensus: 'bft'
  /** 4 when absent. */
  readonly validators?: number
  /** Of the network's delays and of faults; 1 when absent. The same seed and test give the same blocks. */
  readonly seed?: number
  readonly profile?: ProfileName
  readonly chainId?: bigint
  /** Of each account on each of its faces, attoFIL. */
  readonly balance?: bigint
  /** attoFIL per gas. */
  readonly baseFee?: bigint
  /** Unix seconds, when the chain begins. */
  readonly timestamp?: bigint
  /** Of the chain's time, how long anything may take before the test is told that it does not happen; 60 when absent. */
  readonly patienceSeconds?: number
}

/** 2026-01-01, so that runs are alike. */
const FIRST_TIMESTAMP = 1_767_225_600n
const PATIENCE_SECONDS = 60
/** Compiled code serves every world of the process. */
const modules = new ModuleCache()
/** Milliseconds that a message takes: least, and most. */
const PACE_MS = [0.2, 2] as const
const VALIDATORS_MAX = 100

/** @throws RangeError, ConnectionError */
export async function openBftWorld(options: BftWorldOptions): Promise<BftWorld> {
  const count = options.validators ?? 4
  if (!Number.isInteger(count) || count < 1 || count > VALIDATORS_MAX) {
    throw new RangeError(`validators is ${count}; give a whole number from 1 to ${VALIDATORS_MAX}`)
  }
  const seed = options.seed ?? 1
  const clock = new VirtualClock(Number(options.timestamp ?? FIRST_TIMESTAMP) * 1000)
  const pace = new Random(seed, 'pace')
  const { profile, chainId, balance, baseFee } = options
  const devnet = openDevnet({
    consensus: 'bft',
    modules,
    validators: count,
    seed,
    clock,
    paceMs: () => pace.between(...PACE_MS),
    ...(profile === undefined ? {} : { profile }),
    ...(chainId === undefined ? {} : { chainId }),
    ...(balance === undefined ? {} : { balance }),
    ...(baseFee === undefined ? {} : { baseFee }),
  })
  const ride = new Ride(devnet, clock, (options.patienceSeconds ?? PATIENCE_SECONDS) * 1000)
  return new BftWorld(devnet, ride, await introduce(ride))
}

/** Requests to a devnet of this process; while one is under way, time passes. */
class Ride implements Requester {
  readonly url = 'in this process'
  readonly #table: MethodTable
  readonly #clock: VirtualClock
  readonly #patienceMs: number
  /** Requests that nobody has answered yet: time passes once for all of them. */
  #turn: Promise<void> = Promise.resolve()

  constructor(devnet: Devnet, clock: VirtualClock, patienceMs: number) {
    this.#table = methodsOf(devnet)
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  async request<T>(method: string, params: readonly unknown[] = []): Promise<T> {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const said = await this.wait(answer(this.#table, text, { mayUsePowers: true, session: null }), method)
    const body = JSON.parse(said) as { readonly result?: T; readonly error?: ReturnType<typeof toRpcError> }
    if (body.error !== undefined) throw new ClientError(body.error.code, body.error.message, body.error.data)
    return body.result as T
  }

  /** Lets time pass until the work is done. @throws ConnectionError when it never is */
  async wait<T>(work: Promise<T>, what: string): Promise<T> {
    let isDone = false
    const done = work.then(
      () => void (isDone = true),
      () => void (isDone = true),
    )
    const endMs = this.#clock.now() + this.#patienceMs
    await settled()
    while (!isDone) {
      await this.#step(() => isDone, endMs)
      if (!isDone && this.#clock.now() >= endMs) {
        throw new ConnectionError(
          'TRP-7607',
          `${what}: no block decides it within ${this.#patienceMs / 1000} s of the chain's time; end the faults, or give world() more patienceSeconds`,
        )
      }
    }
    await done
    return work
  }

  /** One deed of the clock; those who wait take turns, so that no deed is done twice. */
  #step(isDone: () => boolean, endMs: number): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (isDone()) return
      this.#clock.advance(endMs)
      await settled()
    })
    return this.#turn
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#clock.now() + ms
    await settled()
    while (this.#clock.now() < endMs) await this.#step(() => this.#clock.now() >= endMs, endMs)
  }
}

/** All that needs no time has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export class BftWorld extends Connection {
  readonly faults: WorldFaults
  readonly #devnet: Devnet
  readonly #ride: Ride

  constructor(devnet: Devnet, ride: Ride, introduction: Introduction) {
    super(ride, introduction)
    this.#devnet = devnet
    this.#ride = ride
    this.faults = new WorldFaults(this.#bft.faults, this.#bft)
  }

  get #bft(): BftChain {
    return this.#devnet.bft!
  }

  /** Makes so many blocks, or as many as take the chain to an epoch. */
  async roll(by: number | bigint | { readonly to: number | bigint }): Promise<void> {
    const { epoch } = await this.status()
    const blocks = typeof by === 'object' ? BigInt(by.to) - epoch : BigInt(by)
    if (blocks < 0n)
      throw new RangeError(`the chain is at ${epoch} already; epochs do not go back, but \`revert\` does`)
    await this.mine(Number(blocks))
  }

  /** Lets the network run for so many milliseconds of its own time. */
  pass(ms: number): Promise<void> {
    return this.#ride.pass(ms)
  }

  /** What each validator has come to. */
  validators(): readonly ValidatorView[] {
    return this.#bft.view()
  }

  /** Hex of the hash by which validators agree on a block; undefined for one that there is not. */
  blockHash(height: number | bigint): string | undefined {
    const meta = this.#bft.blocks.meta(BigInt(height))
    return meta === undefined ? undefined : toHex(fromBinary(meta.blockId.hash))
  }

  /** Hex of the application's hash after a block, as each validator has it. */
  appHashes(height: number | bigint): readonly (string | undefined)[] {
    return this.#bft.validators.map(({ application }) => {
      const block = application.history.block(Number(height))
      return block === undefined ? undefined : toHex(block.header.appHash)
    })
  }

  /** Ends the network; a world that nobody holds any more ends by itself. */
  close(): Promise<void> {
    return this.#devnet.close()
  }
}

/** A validator by its place, or by its name as `troupe fault` has it. */
export type ValidatorName = number | string

/** What goes wrong between validators, from now on. Each answers the number by which it can be ended. */
export class WorldFaults {
  readonly #faults: LinkFaults
  readonly #chain: BftChain

  constructor(faults: LinkFaults, chain: BftChain) {
    this.#faults = faults
    this.#chain = chain
  }

  /** Every message takes so many milliseconds more, or every one from and to some validators. */
  latency(ms: number, options: { readonly jitterMs?: number; readonly nodes?: readonly ValidatorName[] } = {}): number {
    return this.#add({ kind: 'latency', ms, jitterMs: options.jitterMs ?? 0, nodes: this.#names(options.nodes ?? []) })
  }

  /** Of all messages a share from 0 to 1 is lost. */
  loss(share: number, nodes: readonly ValidatorName[] = []): number {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`the share is ${share}; give a number from 0 to 1`)
    return this.#add({ kind: 'loss', share, nodes: this.#names(nodes) })
  }

  /** Validators of different groups do not hear each other; who is in none hears nobody. */
  partition(groups: readonly (readonly ValidatorName[])[]): number {
    return this.#add({ kind: 'partition', groups: groups.map((group) => this.#names(group)) })
  }

  /** They say nothing and hear nothing. */
  stop(...nodes: readonly ValidatorName[]): number {
    return this.#add({ kind: 'stop', nodes: this.#names(nodes) })
  }

  /** They sign two votes where they may sign one. */
  byzantine(...nodes: readonly ValidatorName[]): number {
    return this.#add({ kind: 'byzantine', nodes: this.#names(nodes) })
  }

  list(): readonly { readonly id: number; readonly fault: LinkFault }[] {
    return this.#faults.list()
  }

  /** Ends one, or all. */
  clear(id?: number): void {
    if (id === undefined) this.#faults.clear()
    else if (!this.#faults.remove(id)) throw new RangeError(`there is no fault ${id}`)
  }

  #add(fault: LinkFault): number {
    return this.#faults.add(fault)
  }

  #names(nodes: readonly ValidatorName[]): readonly string[] {
    const known = this.#chain.names()
    return nodes.map((node) => {
      const name = typeof node === 'number' ? `v${node}` : node
      if (!known.includes(name)) throw new RangeError(`there is no validator ${name}; there are ${known.join(', ')}`)
      return name
    })
  }
}
