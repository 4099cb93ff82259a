// GenesisSpec → first state root: manifest, system actors, accounts.

import type { Blockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, EMPTY_ARRAY_BLOCK, EMPTY_ARRAY_CID } from '../ipld/cid.ts'
import { type CborInput, encodeCbor } from '../ipld/dag-cbor.ts'
import { Hamt } from '../ipld/hamt.ts'
import { fromBinary } from '../primitives/bytes.ts'
import {
  type ActorId,
  BURNT_FUNDS_ACTOR,
  CRON_ACTOR,
  DATACAP_ACTOR,
  EAM_ACTOR,
  FIRST_USER_ACTOR,
  INIT_ACTOR,
  REWARD_ACTOR,
  STORAGE_MARKET_ACTOR,
  STORAGE_POWER_ACTOR,
  SYSTEM_ACTOR,
  VERIFIED_REGISTRY_ACTOR,
} from './actor.ts'
import {
  type Address,
  addressProtocol,
  delegatedToEthAddress,
  formatAddress,
  idAddress,
  PROTOCOL_BLS,
  PROTOCOL_SECP256K1,
} from './address.ts'
import { encodeInitState, StateTree } from './state-tree.ts'
import { type TokenAmount, ZERO_TOKENS } from './token.ts'

export interface ManifestEntry {
  readonly name: string
  readonly code: Cid
}

export interface GenesisAccount {
  /** The next free id from 100 when absent. */
  readonly id?: bigint
  /** f1 or f3: an account actor; f410: an Ethereum account. */
  readonly address: Address
  readonly balance: TokenAmount
}

export interface GenesisActor {
  readonly id: bigint
  readonly code: Cid
  readonly state: Cid
  readonly balance: TokenAmount
  readonly delegated?: Address
}

export interface GenesisSpec {
  readonly networkName: string
  /** In the order of the actors' type numbers. Their code blocks are the caller's to store. */
  readonly manifest: readonly ManifestEntry[]
  readonly accounts: readonly GenesisAccount[]
  /** Any other actor. One that has the id of a singleton but system and init takes its place. */
  readonly actors?: readonly GenesisActor[]
  /** Balance of actor 99. */
  readonly burntFunds?: TokenAmount
}

export type GenesisFault =
  | 'CODE_MISSING' // the manifest lacks an actor that every chain needs
  | 'ADDRESS_UNSUPPORTED' // neither f1, f3 nor f410
  | 'ADDRESS_TWICE'
  | 'ID_TWICE'
  | 'ID_RESERVED' // an account below 100, or another system or init actor

/** No chain can begin like this. */
export class GenesisError extends Error {
  override readonly name = 'GenesisError'
  readonly code: GenesisFault
  constructor(code: GenesisFault, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
  }
}

const MANIFEST_VERSION = 1

/** Singletons whose first state nobody reads: created when the manifest has their code. */
const PLAIN_SINGLETONS: readonly (readonly [ActorId, string])[] = [
  [REWARD_ACTOR, 'reward'],
  [STORAGE_POWER_ACTOR, 'storagepower'],
  [STORAGE_MARKET_ACTOR, 'storagemarket'],
  [VERIFIED_REGISTRY_ACTOR, 'verifiedregistry'],
  [DATACAP_ACTOR, 'datacap'],
  [EAM_ACTOR, 'eam'],
]

/** Writes the first state into `store` and names its root. */
export function createGenesis(store: Blockstore, spec: GenesisSpec): Cid {
  store.put(EMPTY_ARRAY_CID, EMPTY_ARRAY_BLOCK)
  const tree = StateTree.empty(store, EMPTY_ARRAY_CID)
  const codes = new Map(spec.manifest.map(({ name, code }) => [name, code]))
  const put = (value: CborInput) => putValue(store, value)
  const create = (id: bigint, actor: { code: Cid; state: Cid; balance?: TokenAmount; delegated?: Address }) => {
    if (tree.getActor(id as ActorId) !== undefined) throw new GenesisError('ID_TWICE', `actor id ${id}`)
    const { code, state, balance = ZERO_TOKENS, delegated = null } = actor
    tree.setActor(id as ActorId, { code, state, sequence: 0n, balance, delegated })
  }

  const extra = spec.actors ?? []
  for (const { id, ...actor } of extra) {
    if (id === SYSTEM_ACTOR || id === INIT_ACTOR) throw new GenesisError('ID_RESERVED', `actor id ${id}`)
    create(id, actor)
  }
  const createSingleton = (id: ActorId, name: string, state: Cid) => {
    const code = codes.get(name)
    if (code !== undefined && tree.getActor(id) === undefined) create(id, { code, state })
  }
  create(SYSTEM_ACTOR, {
    code: codeOf(codes, 'system'),
    state: put([{ link: putManifest(store, spec.manifest).data }]),
  })
  for (const [id, name] of PLAIN_SINGLETONS) createSingleton(id, name, EMPTY_ARRAY_CID)
  createSingleton(CRON_ACTOR, 'cron', put([[]]))
  if (tree.getActor(BURNT_FUNDS_ACTOR) === undefined) {
    const state = put([fromBinary(idAddress(BURNT_FUNDS_ACTOR))])
    create(BURNT_FUNDS_ACTOR, { code: codeOf(codes, 'account'), state, balance: spec.burntFunds ?? ZERO_TOKENS })
  }

  const names = new AddressBook(spec)
  for (const { address, id, balance } of names.accounts) {
    if (delegatedToEthAddress(address) !== undefined) {
      create(id, { code: codeOf(codes, 'ethaccount'), state: EMPTY_ARRAY_CID, balance, delegated: address })
    } else {
      create(id, { code: codeOf(codes, 'account'), state: put([fromBinary(address)]), balance })
    }
  }
  const initState = encodeInitState(names.flush(store), names.nextId, spec.networkName)
  create(INIT_ACTOR, { code: codeOf(codes, 'init'), state: putBlock(store, initState) })
  return tree.flush()
}

/** Writes the manifest, `[1, data]`, which is the root of a bundle, and its data, `[[name, code]…]`. */
export function putManifest(store: Blockstore, manifest: readonly ManifestEntry[]): { root: Cid; data: Cid } {
  const entries = manifest.map(({ name, code }) => [name, { link: code }])
  const data = putValue(store, entries)
  return { root: putValue(store, [MANIFEST_VERSION, { link: data }]), data }
}

/** Who has which id: accounts as the spec numbers them, the others from the first free id. */
class AddressBook {
  readonly accounts: readonly Required<GenesisAccount>[]
  readonly nextId: bigint
  readonly #ids = new Map<Address, bigint>()

  constructor(spec: GenesisSpec) {
    const taken = new Set<bigint>(spec.actors?.map(({ id }) => id))
    for (const { id } of spec.accounts) {
      if (id === undefined) continue
      if (id < FIRST_USER_ACTOR) throw new GenesisError('ID_RESERVED', `account id ${id}`)
      taken.add(id)
    }
    let free: bigint = FIRST_USER_ACTOR
    const takeFree = () => {
      while (taken.has(free)) free++
      taken.add(free)
      return free
    }
    this.accounts = spec.accounts.map(({ address, id, balance }) => ({ address, id: id ?? takeFree(), balance }))
    for (const { address, id } of this.accounts) {
      if (!isAccountAddress(address)) throw new GenesisError('ADDRESS_UNSUPPORTED', formatAddress(address, 'f'))
      this.#register(address, id)
    }
    for (const { delegated, id } of spec.actors ?? []) if (delegated !== undefined) this.#register(delegated, id)
    this.nextId = [...taken].reduce((next, id) => (id >= next ? id + 1n : next), FIRST_USER_ACTOR as bigint)
  }

  /** Writes the init actor's address map. */
  flush(store: Blockstore): Cid {
    const map = Hamt.empty(store)
    for (const [address, id] of this.#ids) map.set(address, encodeCbor(id))
    return map.flush()
  }

  #register(address: Address, id: bigint): void {
    if (this.#ids.has(address)) throw new GenesisError('ADDRESS_TWICE', formatAddress(address, 'f'))
    this.#ids.set(address, id)
  }
}

function isAccountAddress(address: Address): boolean {
  const protocol = addressProtocol(address)
  if (protocol === PROTOCOL_SECP256K1 || protocol === PROTOCOL_BLS) return true
  return delegatedToEthAddress(address) !== undefined
}

function codeOf(codes: ReadonlyMap<string, Cid>, name: string): Cid {
  const code = codes.get(name)
  if (code === undefined) throw new GenesisError('CODE_MISSING', `the manifest has no "${name}"`)
  return code
}

function putValue(store: Blockstore, value: CborInput): Cid {
  return putBlock(store, encodeCbor(value))
}

function putBlock(store: Blockstore, block: Uint8Array): Cid {
  const cid = cidOf(DAG_CBOR, block)
  store.put(cid, block)
  return cid
}
