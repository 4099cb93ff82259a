/**
 * What the devnet knows of actors beyond the chain: the names and interfaces that developers gave them. No part of
 * consensus; a chain without it is complete.
 */
import type { Abi } from '../../compiler/abi/schema.ts'
import { type Cid, formatCid, parseCid } from '../ipld/cid.ts'
import type { ActorId } from '../state/actor.ts'
import type { ChainStore } from './ports.ts'

export interface KnownActor {
  readonly name: string
  readonly id: ActorId
  /** Robust address, as text. */
  readonly address: string
  readonly code: Cid
  readonly abi: Abi
}

const PREFIX = 'a'
const PREFIX_END = 'b'
/** Interfaces by code, so that a chain that went back to older code still has its interface. */
const ABI_PREFIX = 'c'

export class ActorRegistry {
  readonly #store: ChainStore

  constructor(store: ChainStore) {
    this.#store = store
  }

  put(actor: KnownActor): void {
    const json = JSON.stringify({ ...actor, id: actor.id.toString(), code: formatCid(actor.code) })
    this.#store.putRecord(PREFIX + actor.id.toString().padStart(20, '0'), new TextEncoder().encode(json))
  }

  /** Written before the block that installs the code, and durable with it. */
  putAbi(code: Cid, abi: Abi): void {
    this.#store.putRecord(ABI_PREFIX + code, new TextEncoder().encode(JSON.stringify(abi)))
  }

  abiOf(code: Cid): Abi | undefined {
    const bytes = this.#store.getRecord(ABI_PREFIX + code)
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Abi)
  }

  all(): KnownActor[] {
    const actors: KnownActor[] = []
    for (const key of this.#store.recordKeys(PREFIX, PREFIX_END)) {
      const actor = this.#read(key)
      if (actor !== undefined) actors.push(actor)
    }
    return actors
  }

  byId(id: ActorId): KnownActor | undefined {
    return this.#read(PREFIX + id.toString().padStart(20, '0'))
  }

  /** The newest actor of that name. */
  byName(name: string): KnownActor | undefined {
    return this.all().findLast((actor) => actor.name === name)
  }

  remove(id: ActorId): void {
    this.#store.deleteRecord(PREFIX + id.toString().padStart(20, '0'))
  }

  #read(key: string): KnownActor | undefined {
    const bytes = this.#store.getRecord(key)
    if (bytes === undefined) return undefined
    const json = JSON.parse(new TextDecoder().decode(bytes)) as {
      name: string
      id: string
      address: string
      code: string
      abi: Abi
    }
    return { ...json, id: BigInt(json.id) as ActorId, code: parseCid(json.code) }
  }
}
