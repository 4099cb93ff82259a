/**
 * Blocks open in one invocation, and the CIDs it may follow.
 *
 * @source ref-fvm `fvm/src/kernel/blocks.rs`; spec fvm §6.1–6.2
 */
import type { Cid } from '../ipld/cid.ts'
import { ErrorNumber, SyscallError } from './failure.ts'
import { LIMITS } from './profile.ts'

/** Immutable once made: callers and callees share it. */
export interface Block {
  readonly codec: number
  readonly bytes: Uint8Array
  readonly links: readonly Cid[]
}

/** `NO_DATA_BLOCK_ID` of the reference. */
export const NO_BLOCK = 0

/** Up to so many CIDs, looking at each is faster than hashing them. */
const LIST_MAX = 24

/** The CIDs that an invocation may follow: nearly always a handful. */
class CidSet {
  #list: Cid[] = []
  #set: Set<Cid> | null = null

  add(cid: Cid): void {
    if (this.#set !== null) this.#set.add(cid)
    else if (this.#list.length < LIST_MAX) this.#list.push(cid)
    else this.#set = new Set(this.#list).add(cid)
  }

  has(cid: Cid): boolean {
    return this.#set === null ? this.#list.includes(cid) : this.#set.has(cid)
  }
}

export class BlockRegistry {
  readonly #blocks: Block[] = []
  readonly #reachable = new CidSet()

  get(id: number): Block {
    const block = this.find(id)
    if (block === undefined) throw new SyscallError(ErrorNumber.InvalidHandle, `block ${id} is not open`)
    return block
  }

  find(id: number): Block | undefined {
    return this.#blocks[id - 1]
  }

  /** Adds a block that came from the state, or from another actor: what it links to may be followed. */
  putReachable(block: Block): number {
    for (const link of block.links) this.#reachable.add(link)
    return this.#put(block)
  }

  /** Adds a block that the actor wrote: it may only link to what the actor can reach. */
  putChecked(block: Block): number {
    if (this.isFull()) throw new SyscallError(ErrorNumber.LimitExceeded, 'too many blocks are open')
    for (const link of block.links) {
      if (!this.#reachable.has(link)) throw new SyscallError(ErrorNumber.NotFound, 'a link is not reachable')
    }
    return this.#put(block)
  }

  markReachable(cid: Cid): void {
    this.#reachable.add(cid)
  }

  isReachable(cid: Cid): boolean {
    return this.#reachable.has(cid)
  }

  isFull(): boolean {
    return this.#blocks.length >= LIMITS.registryBlocks
  }

  #put(block: Block): number {
    if (this.isFull()) throw new SyscallError(ErrorNumber.LimitExceeded, 'too many blocks are open')
    return this.#blocks.push(block)
  }
}
