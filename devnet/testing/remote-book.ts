/** Who is who on a devnet: reading a record is not awaited, so everybody whom it names is looked up before. */
import type { Trace } from '../engine/trace.ts'
import { type Cid, parseCid } from '../ipld/cid.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, addressId, formatAddress } from '../state/address.ts'
import { type ActorDescription, describeAbi } from './actor.ts'
import type { Who } from './js.ts'
import type { Book } from './observed.ts'
import type { ActorJson, BalanceJson, Requester } from './requester.ts'

/** What the test itself knows of actors. */
export interface Acquaintances {
  /** By its ID: an actor that the test has a handle for. */
  handled(id: ActorId): ActorDescription | undefined
  /** By its code: an actor that the test imported. */
  imported(code: Cid): ActorDescription | undefined
  /** A name, an account, an address or a handle. */
  idOfWho(who: Who): bigint | Address | undefined
  balanceOf(who: Who): Promise<bigint>
}

export class RemoteBook implements Book {
  readonly codec = {}
  readonly #devnet: Requester
  readonly #acquaintances: Acquaintances
  readonly #ids = new Map<Address, ActorId>()
  readonly #known = new Map<ActorId, ActorDescription | undefined>()

  constructor(devnet: Requester, acquaintances: Acquaintances) {
    this.#devnet = devnet
    this.#acquaintances = acquaintances
  }

  balanceOf(who: Who): Promise<bigint> {
    return this.#acquaintances.balanceOf(who)
  }

  idOfWho(who: Who): bigint | undefined {
    const found = this.#acquaintances.idOfWho(who)
    return typeof found === 'string' ? this.idOf(found) : found
  }

  idOf(address: Address): ActorId | undefined {
    return addressId(address) ?? this.#ids.get(address)
  }

  descriptionOf(id: ActorId): ActorDescription | undefined {
    return this.#acquaintances.handled(id) ?? this.#known.get(id)
  }

  /** After the chain went back. */
  forget(): void {
    this.#ids.clear()
    this.#known.clear()
  }

  /** Everybody whom a record of this names can be found afterwards. */
  async learn(emitters: readonly ActorId[], trace: Trace): Promise<void> {
    const called = trace.flatMap((event) => (event.kind === 'call' ? [event.to] : []))
    const unknown = new Set(called.filter((address) => this.idOf(address) === undefined))
    await Promise.all([...unknown].map((address) => this.#lookUp(address)))
    const ids = new Set([...emitters, ...called.flatMap((address) => this.idOf(address) ?? [])])
    await Promise.all([...ids].map((id) => this.#describe(id)))
  }

  async #lookUp(address: Address): Promise<void> {
    const { id } = await this.#devnet.request<BalanceJson>('troupe_balance', [formatAddress(address, 't')])
    if (id !== null) this.#ids.set(address, BigInt(id) as ActorId)
  }

  async #describe(id: ActorId): Promise<void> {
    if (this.#acquaintances.handled(id) !== undefined || this.#known.has(id)) return
    const actor = await this.#devnet.request<ActorJson | null>('troupe_actor', [id.toString()])
    const imported = actor === null ? undefined : this.#acquaintances.imported(parseCid(actor.code))
    this.#known.set(id, imported ?? (actor?.abi ? describeAbi(actor.abi) : undefined))
  }
}
