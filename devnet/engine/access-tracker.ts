/**
 * Which actors and addresses a message has already paid to touch.
 *
 * @source ref-fvm `fvm/src/call_manager/state_access_tracker.rs`; spec fvm §4.2
 */
import type { ActorId } from '../state/actor.ts'
import type { Address } from '../state/address.ts'

/** System singletons and burnt funds are free to touch. */
function isPreloaded(id: ActorId): boolean {
  return id <= 7n || id === 10n || id === 99n
}

export const UNTOUCHED = 0
export const READ = 1
export const UPDATED = 2
export type Access = typeof UNTOUCHED | typeof READ | typeof UPDATED

type Undo = { readonly actor: ActorId; readonly before: Access } | { readonly address: Address }

export class AccessTracker {
  readonly #actors = new Map<ActorId, Access>()
  readonly #addresses = new Set<Address>()
  readonly #undo: Undo[] = []
  readonly #layers: number[] = []

  constructor(origin: ActorId, originAddress: Address, receiver: ActorId | undefined, receiverAddress: Address) {
    this.#actors.set(origin, UPDATED)
    if (receiver !== undefined && receiver !== origin) this.#actors.set(receiver, READ)
    this.#addresses.add(originAddress)
    this.#addresses.add(receiverAddress)
  }

  actor(id: ActorId): Access {
    return isPreloaded(id) ? UPDATED : (this.#actors.get(id) ?? UNTOUCHED)
  }

  markActor(id: ActorId, access: Access): void {
    const before = this.actor(id)
    if (before >= access) return
    if (this.#layers.length > 0) this.#undo.push({ actor: id, before })
    this.#actors.set(id, access)
  }

  knowsAddress(address: Address): boolean {
    return this.#addresses.has(address)
  }

  markAddress(address: Address): void {
    if (this.#addresses.has(address)) return
    if (this.#layers.length > 0) this.#undo.push({ address })
    this.#addresses.add(address)
  }

  begin(): void {
    this.#layers.push(this.#undo.length)
  }

  commit(): void {
    this.#layers.pop()
    if (this.#layers.length === 0) this.#undo.length = 0
  }

  revert(): void {
    const start = this.#layers.pop() ?? 0
    while (this.#undo.length > start) {
      const entry = this.#undo.pop()!
      if ('address' in entry) this.#addresses.delete(entry.address)
      else if (entry.before === UNTOUCHED) this.#actors.delete(entry.actor)
      else this.#actors.set(entry.actor, entry.before)
    }
  }
}
