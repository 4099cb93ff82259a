/**
 * Blocks that a power may build on: those that come with its transaction, and those of the state as it is. A node's store has more, of
 * earlier states, but not every node's: one that began at a snapshot has none of them, and all must come to the same state.
 */
import type { Machine } from '../engine/machine.ts'
import { type Cid, cidOf, DAG_CBOR, EMPTY_ARRAY_CID } from '../ipld/cid.ts'
import { StateWalk, StateWalkError } from './state-walk.ts'

export class KnownBlocks {
  readonly #machine: Machine
  readonly #given = new Set<Cid>()
  /** Of the state when somebody first asked. */
  #inState: ReadonlySet<Cid> | null = null

  constructor(machine: Machine) {
    this.#machine = machine
  }

  give(blocks: readonly Uint8Array[]): void {
    for (const block of blocks) {
      const cid = cidOf(DAG_CBOR, block)
      this.#machine.context.store.put(cid, block)
      this.#given.add(cid)
    }
  }

  /** Whether the block and all below it is there, and of a kind that a state may hold. */
  hasAllBelow(root: Cid): boolean {
    const { store } = this.#machine.context
    const walk = new StateWalk([root])
    try {
      for (let cid = walk.next(); cid !== undefined; cid = walk.next()) {
        if (this.#given.has(cid)) walk.enter(store.get(cid)!)
        // What is below a block of the state is in the state.
        else if (!this.#isInState(cid)) return false
      }
      return true
    } catch (error) {
      if (error instanceof StateWalkError) return false
      throw error
    }
  }

  #isInState(cid: Cid): boolean {
    this.#inState ??= this.#walkState()
    return this.#inState.has(cid)
  }

  #walkState(): ReadonlySet<Cid> {
    const { state, store } = this.#machine.context
    const roots: Cid[] = [EMPTY_ARRAY_CID]
    state.forEach((_, actor) => {
      roots.push(actor.state, actor.code)
    })
    const found = new Set<Cid>()
    const walk = new StateWalk(roots)
    for (let cid = walk.next(); cid !== undefined; cid = walk.next()) {
      const bytes = store.get(cid)
      if (bytes === undefined) continue
      found.add(cid)
      walk.enter(bytes)
    }
    return found
  }
}
