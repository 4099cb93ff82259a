/**
 * Writes back what a new state root needs: of the blocks that messages wrote, only those reachable from it. A block that
 * is not in the buffer is in the base already, with everything under it.
 *
 * @source ref-fvm `fvm/src/blockstore/buffered.rs`; spec fvm §6.4
 */
import type { Blockstore, BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidParts, DAG_CBOR, formatCid } from '../ipld/cid.ts'
import { codecOf, flushKind, flushLinks } from './links.ts'

/** A state root links to something that no store may hold; nothing was written. */
export class FlushError extends Error {
  override readonly name = 'FlushError'
  readonly code = 'TRP-8102'
}

/** Moves the blocks under `root` from the buffer to `base`. @throws FlushError */
export function flushReachable(buffer: BufferedBlockstore, base: Blockstore, root: Cid): void {
  const found: [Cid, Uint8Array][] = []
  const seen = new Set<Cid>()
  const stack: Cid[] = [root]
  for (let cid = stack.pop(); cid !== undefined; cid = stack.pop()) {
    const kind = flushKind(cid)
    if (kind === 'skip') continue
    if (kind === 'refused')
      throw new FlushError(`${formatCid(cid)} is linked from the state, but its kind cannot be stored`)
    if (kind === 'inline') {
      if (codecOf(cid) === DAG_CBOR) pushLinks(cidParts(cid).digest, stack)
      continue
    }
    if (seen.has(cid)) continue
    const bytes = buffer.buffered.get(cid)
    if (bytes === undefined) continue
    seen.add(cid)
    if (codecOf(cid) === DAG_CBOR) pushLinks(bytes, stack)
    found.push([cid, bytes])
  }
  for (const [cid, bytes] of found) {
    base.put(cid, bytes)
    buffer.buffered.delete(cid)
  }
}

function pushLinks(bytes: Uint8Array, stack: Cid[]): void {
  try {
    flushLinks(bytes, stack)
  } catch {
    throw new FlushError('a block of the state is not CBOR')
  }
}
