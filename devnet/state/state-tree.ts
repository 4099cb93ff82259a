// All actors by id: a HAMT under the root [5, actors, info], behind a cache with an undo log.
// Opening, committing and reverting a transaction costs what was touched in it, whatever the tree's size.

import { type Blockstore, MissingBlockError } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid } from '../ipld/cid.ts'
import { CborError, CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import { Hamt } from '../ipld/hamt.ts'
import { assert, rethrowOverflow } from '../primitives/assert.ts'
import { type Actor, type ActorId, decodeActor, encodeActor, INIT_ACTOR } from './actor.ts'
import { type Address, addressId, idAddress } from './address.ts'
import { TokenError } from './token.ts'

export const STATE_TREE_VERSION = 5n
const BIT_WIDTH = 5
const ID_MAX = 0xffff_ffff_ffff_ffffn

export type StateFault =
  | 'ROOT_MISSING' // the root block is not in the store
  | 'ROOT_MALFORMED' // it is not [version, actors, info]
  | 'VERSION' // a version other than 5
  | 'ACTOR_MALFORMED'
  | 'INIT_MISSING' // no init actor, or not its state block
  | 'INIT_MALFORMED'
  | 'IDS_EXHAUSTED'

/** The state is not one this tree can serve. */
export class StateError extends Error {
  override readonly name = 'StateError'
  readonly code: StateFault
  constructor(code: StateFault, detail: string, cause?: unknown) {
    super(`${code}: ${detail}`, { cause })
    this.code = code
  }
}

/** An actor as this tree sees it now; undefined when there is none. Replaced as a whole, so the log can keep it. */
interface Entry {
  readonly id: ActorId
  readonly actor: Actor | undefined
  readonly changed: boolean
}

/** Ids as map keys: small integers hash faster than BigInts. */
type ActorKey = number | bigint

function keyOf(id: ActorId): ActorKey {
  return id <= 0xffff_ffffn ? Number(id) : id
}

interface Undo {
  readonly key: ActorKey
  readonly entry: Entry | undefined
}

/** The init actor's state, decoded. */
interface InitState {
  readonly root: Cid
  readonly addresses: Hamt
  readonly nextId: bigint
  readonly networkName: string
  /** Addresses that were looked for in vain. */
  readonly absent: Set<Address>
}

export class StateTree {
  readonly #store: Blockstore
  readonly #version: bigint
  readonly #info: Cid
  readonly #actors: Hamt
  readonly #cache = new Map<ActorKey, Entry>()
  /** Ids whose entry became changed, some of them twice, some taken back since. */
  readonly #changed: ActorId[] = []
  readonly #undo: Undo[] = []
  /** Addresses that were found. Once found, an address stays, even when the init actor's state forgets it. */
  readonly #resolved = new Map<Address, ActorId>()
  readonly #resolvedUndo: Address[] = []
  /** Lengths of both undo logs at the start of each open transaction. */
  readonly #layers: { readonly actors: number; readonly resolved: number }[] = []
  #init: InitState | undefined

  private constructor(store: Blockstore, version: bigint, actors: Hamt, info: Cid) {
    this.#store = store
    this.#version = version
    this.#actors = actors
    this.#info = info
  }

  static load(store: Blockstore, root: Cid): StateTree {
    const bytes = store.get(root)
    if (bytes === undefined) throw new StateError('ROOT_MISSING', formatCid(root))
    const { version, actors, info } = decodeRoot(bytes)
    if (version !== STATE_TREE_VERSION) throw new StateError('VERSION', `state tree version ${version}, expected 5`)
    return new StateTree(store, version, Hamt.load(store, actors, BIT_WIDTH), info)
  }

  /** A tree without actors. `info` is carried through, never read. */
  static empty(store: Blockstore, info: Cid): StateTree {
    return new StateTree(store, STATE_TREE_VERSION, Hamt.empty(store, BIT_WIDTH), info)
  }

  getActor(id: ActorId): Actor | undefined {
    const key = keyOf(id)
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached.actor
    const bytes = this.#actors.get(idAddress(id))
    const actor = bytes === undefined ? undefined : readActor(bytes, id)
    this.#cache.set(key, { id, actor, changed: false })
    return actor
  }

  setActor(id: ActorId, actor: Actor): void {
    this.#replace(id, actor)
  }

  /** Deleting what is not there changes nothing. */
  deleteActor(id: ActorId): void {
    if (this.getActor(id) !== undefined) this.#replace(id, undefined)
  }

  /** The id behind an address. An ID address stands for itself, whether or not its actor exists. */
  resolve(address: Address): ActorId | undefined {
    const id = addressId(address)
    if (id !== undefined) return id
    const known = this.#resolved.get(address)
    if (known !== undefined) return known
    const { addresses, absent } = this.#initState()
    if (absent.has(address)) return undefined
    const bytes = addresses.get(address)
    if (bytes === undefined) {
      absent.add(address)
      return undefined
    }
    return this.#remember(address, readId(bytes))
  }

  #remember(address: Address, id: ActorId): ActorId {
    if (this.#layers.length > 0) this.#resolvedUndo.push(address)
    this.#resolved.set(address, id)
    return id
  }

  /** Gives `address` the next free id and writes the init actor's new state. The actor itself is the caller's to set. */
  registerAddress(address: Address): ActorId {
    const init = this.#initState()
    const actor = this.getActor(INIT_ACTOR)!
    const id = init.nextId as ActorId
    if (id === ID_MAX) throw new StateError('IDS_EXHAUSTED', 'no actor id is left')
    init.addresses.set(address, new CborWriter(9).uint(id).finish())
    init.absent.delete(address)
    this.#remember(address, id)
    const state = encodeInitState(init.addresses.flush(), id + 1n, init.networkName)
    const root = cidOf(DAG_CBOR, state)
    this.#store.put(root, state)
    // The decoded map moves on to the new state; after a revert, the old one is decoded again.
    this.#init = { ...init, root, nextId: id + 1n }
    this.setActor(INIT_ACTOR, { ...actor, state: root })
    return id
  }

  /** Opens a transaction inside the current one, and answers its depth. */
  begin(): number {
    return this.#layers.push({ actors: this.#undo.length, resolved: this.#resolvedUndo.length }) - 1
  }

  /**
   * Closes the transaction of that depth, the innermost when none is given, and keeps its changes. Those inside of it
   * that an exhausted stack left open close with it.
   */
  commit(depth = this.#layers.length - 1): void {
    assert(depth >= 0 && depth < this.#layers.length, 'commit without begin')
    this.#layers.length = depth
    if (depth > 0) return
    this.#undo.length = 0
    this.#resolvedUndo.length = 0
  }

  /** As `commit`, but takes the changes back. */
  revert(depth = this.#layers.length - 1): void {
    const start = this.#layers[depth]
    assert(start !== undefined, 'revert without begin')
    this.#layers.length = depth
    while (this.#resolvedUndo.length > start.resolved) this.#resolved.delete(this.#resolvedUndo.pop()!)
    while (this.#undo.length > start.actors) {
      const { key, entry } = this.#undo.pop()!
      if (entry === undefined) this.#cache.delete(key)
      else this.#cache.set(key, entry)
    }
  }

  /** Takes back the transaction of that depth after a change that may have been cut off anywhere. */
  abandon(depth: number): void {
    this.revert(depth)
    this.#init = undefined
  }

  /** Writes what changed and names the new root. No transaction may be open. */
  flush(): Cid {
    assert(this.#layers.length === 0, 'flush inside a transaction')
    for (const id of this.#changed) {
      const key = keyOf(id)
      const entry = this.#cache.get(key)
      if (entry?.changed !== true) continue
      if (entry.actor === undefined) this.#actors.delete(idAddress(id))
      else this.#actors.set(idAddress(id), encodeActor(entry.actor))
      this.#cache.set(key, { id, actor: entry.actor, changed: false })
    }
    this.#changed.length = 0
    const root = new CborWriter(96).array(3).uint(this.#version).link(this.#actors.flush()).link(this.#info).finish()
    const cid = cidOf(DAG_CBOR, root)
    this.#store.put(cid, root)
    return cid
  }

  /** Visits every actor, changes included, in no particular order. */
  forEach(visit: (id: ActorId, actor: Actor) => void): void {
    for (const [key, bytes] of this.#actors.entries()) {
      const id = addressId(key as Address)
      if (id === undefined) throw new StateError('ACTOR_MALFORMED', 'a key that is no ID address')
      if (this.#cache.get(keyOf(id))?.changed !== true) visit(id, readActor(bytes, id))
    }
    for (const { id, actor, changed } of this.#cache.values()) if (changed && actor !== undefined) visit(id, actor)
  }

  #replace(id: ActorId, actor: Actor | undefined): void {
    const key = keyOf(id)
    const entry = this.#cache.get(key)
    if (this.#layers.length > 0) this.#undo.push({ key, entry })
    this.#cache.set(key, { id, actor, changed: true })
    if (entry?.changed !== true) this.#changed.push(id)
  }

  #initState(): InitState {
    const actor = this.getActor(INIT_ACTOR)
    if (actor === undefined) throw new StateError('INIT_MISSING', 'the tree has no init actor')
    if (this.#init?.root !== actor.state) this.#init = loadInitState(this.#store, actor.state)
    return this.#init
  }
}

function decodeRoot(bytes: Uint8Array): { version: bigint; actors: Cid; info: Cid } {
  try {
    const reader = new CborReader(bytes)
    reader.tuple(3)
    const root = { version: reader.uint(), actors: reader.link(), info: reader.link() }
    reader.end()
    return root
  } catch (error) {
    throw new StateError('ROOT_MALFORMED', 'not a state root', error)
  }
}

function readActor(bytes: Uint8Array, id: ActorId): Actor {
  try {
    return decodeActor(bytes)
  } catch (error) {
    if (!(error instanceof CborError || error instanceof TokenError)) throw error
    throw new StateError('ACTOR_MALFORMED', `actor ${id}: ${error.message}`, error)
  }
}

function readId(bytes: Uint8Array): ActorId {
  try {
    const reader = new CborReader(bytes)
    const id = reader.uint() as ActorId
    reader.end()
    return id
  } catch (error) {
    rethrowOverflow(error)
    throw new StateError('INIT_MALFORMED', 'an id in the address map', error)
  }
}

/** `[address map, next id, network name]`. */
export function encodeInitState(addresses: Cid, nextId: bigint, networkName: string): Uint8Array {
  return new CborWriter(96).array(3).link(addresses).uint(nextId).text(networkName).finish()
}

function loadInitState(store: Blockstore, root: Cid): InitState {
  const bytes = store.get(root)
  if (bytes === undefined) throw new StateError('INIT_MISSING', `state of the init actor, ${formatCid(root)}`)
  try {
    const reader = new CborReader(bytes)
    reader.tuple(3)
    const addresses = Hamt.load(store, reader.link(), BIT_WIDTH)
    const init = { root, addresses, nextId: reader.uint(), networkName: reader.text(), absent: new Set<Address>() }
    reader.end()
    return init
  } catch (error) {
    if (error instanceof MissingBlockError) throw error
    rethrowOverflow(error)
    throw new StateError('INIT_MALFORMED', 'state of the init actor', error)
  }
}
