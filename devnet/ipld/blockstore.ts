// Where blocks live: a port of three methods, and the two stores that need no disk.

import type { Cid } from './cid.ts'

/** Blocks by CID. Callers do not change bytes they put or got. */
export interface Blockstore {
  get(cid: Cid): Uint8Array | undefined
  put(cid: Cid, bytes: Uint8Array): void
  has(cid: Cid): boolean
}

/** A block that has to be there is not: the store is damaged or the root foreign. */
export class MissingBlockError extends Error {
  override readonly name = 'MissingBlockError'
  readonly code = 'BLOCK_MISSING'
  readonly cid: Cid
  constructor(cid: Cid, text: string) {
    super(`BLOCK_MISSING: ${text}`)
    this.cid = cid
  }
}

export class MemoryBlockstore implements Blockstore {
  readonly blocks = new Map<Cid, Uint8Array>()

  get(cid: Cid): Uint8Array | undefined {
    return this.blocks.get(cid)
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.blocks.set(cid, bytes)
  }

  has(cid: Cid): boolean {
    return this.blocks.has(cid)
  }
}

/** Keeps writes in memory before a base. What of them reaches the base, and when, is the owner's decision. */
export class BufferedBlockstore implements Blockstore {
  readonly base: Blockstore
  readonly buffered = new Map<Cid, Uint8Array>()

  constructor(base: Blockstore) {
    this.base = base
  }

  get(cid: Cid): Uint8Array | undefined {
    return this.buffered.get(cid) ?? this.base.get(cid)
  }

  put(cid: Cid, bytes: Uint8Array): void {
    this.buffered.set(cid, bytes)
  }

  has(cid: Cid): boolean {
    return this.buffered.has(cid) || this.base.has(cid)
  }
}
