/**
 * The blocks below some roots, each once, in an order that follows from their content: depth first, links as they stand. Who sends a state
 * and who receives one take the same walk, so the receiver knows which block must come next, and when all are there.
 *
 * It keeps the CIDs that it has seen, some 100 bytes a block, and no block.
 */
import { codecOf, flushKind, flushLinks, identityDigest } from '../engine/links.ts'
import { type Cid, DAG_CBOR, formatCid } from '../ipld/cid.ts'

/** A block of the state is not what a state is made of. */
export class StateWalkError extends Error {
  override readonly name = 'StateWalkError'
  readonly code: 'NOT_CBOR' | 'NOT_STORABLE'
  constructor(code: StateWalkError['code'], cid: Cid) {
    super(`${code}: ${formatCid(cid)} ${code === 'NOT_CBOR' ? 'is not CBOR' : 'is of a kind that no store may hold'}`)
    this.code = code
  }
}

export class StateWalk {
  readonly #seen = new Set<Cid>()
  /** What is next comes last. */
  readonly #stack: Cid[]
  #current: Cid | undefined

  constructor(roots: readonly Cid[]) {
    this.#stack = [...roots].reverse()
  }

  /** Blocks that it has come to. */
  get count(): number {
    return this.#seen.size
  }

  /** The next block; undefined at the end. @throws StateWalkError */
  next(): Cid | undefined {
    this.#current = undefined
    for (let cid = this.#stack.pop(); cid !== undefined; cid = this.#stack.pop()) {
      switch (flushKind(cid)) {
        case 'skip':
          continue
        case 'refused':
          throw new StateWalkError('NOT_STORABLE', cid)
        case 'inline':
          this.#pushLinks(cid, identityDigest(cid))
          continue
      }
      if (this.#seen.has(cid)) continue
      this.#seen.add(cid)
      this.#current = cid
      return cid
    }
    return undefined
  }

  /** Goes on below the block that came last. @throws StateWalkError */
  enter(bytes: Uint8Array): void {
    if (this.#current !== undefined) this.#pushLinks(this.#current, bytes)
  }

  #pushLinks(cid: Cid, bytes: Uint8Array): void {
    if (codecOf(cid) !== DAG_CBOR) return
    const links: Cid[] = []
    try {
      flushLinks(bytes, links)
    } catch {
      throw new StateWalkError('NOT_CBOR', cid)
    }
    for (let i = links.length - 1; i >= 0; i--) if (!this.#seen.has(links[i]!)) this.#stack.push(links[i]!)
  }
}
