/**
 * Writes what was executed as a vector without expectations: the whole state before, and the messages. The reference
 * completes it; then it is a vector like any other.
 */
import { gzipSync } from 'node:zlib'
import { flushKind, flushLinks, identityDigest } from '../engine/links.ts'
import type { Blockstore } from '../ipld/blockstore.ts'
import { writeCar } from '../ipld/car.ts'
import { type Cid, cidCodec, DAG_CBOR, formatCid } from '../ipld/cid.ts'
import { toHex } from '../primitives/bytes.ts'
import { type Address, addressBytes } from '../state/address.ts'
import type { Vector } from './vector.ts'

export interface Executed extends Pick<Vector, 'name' | 'about' | 'machine' | 'root' | 'messages'> {
  /** Where the blocks under `root` are; what is not there is left out. */
  readonly store: Blockstore
}

/** One `.json.gz` file's bytes. */
export function encodeVector({ name, about, machine, root, messages, store }: Executed): Uint8Array {
  const text = JSON.stringify({
    format: 1,
    name,
    about,
    rules: [],
    machine: {
      networkVersion: machine.networkVersion,
      epoch: String(machine.epoch),
      timestamp: String(machine.timestamp),
      baseFee: String(machine.baseFee),
      circulatingSupply: String(machine.circulatingSupply),
      chainId: String(machine.chainId),
      actorDebugging: machine.actorDebugging,
    },
    root: formatCid(root),
    car: gzipSync(writeCar([root], reachableBlocks(store, root))).toString('base64'),
    messages: messages.map(({ message, implicit, rawLength }) => ({
      from: addressText(message.from),
      to: addressText(message.to),
      nonce: String(message.sequence),
      value: String(message.value),
      gasLimit: String(message.gasLimit),
      gasFeeCap: String(message.gasFeeCap),
      gasPremium: String(message.gasPremium),
      method: String(message.method),
      params: toHex(message.params),
      version: String(message.version),
      implicit,
      rawLength,
    })),
  })
  return gzipSync(text)
}

function addressText(address: Address): string {
  return `hex:${toHex(addressBytes(address))}`
}

/** Every block under `root` that the store has, code included, each once. */
function* reachableBlocks(store: Blockstore, root: Cid): Generator<[Cid, Uint8Array]> {
  const seen = new Set<Cid>()
  const open: Cid[] = [root]
  for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
    const kind = flushKind(cid)
    if (kind === 'inline' && cidCodec(cid) === DAG_CBOR) flushLinks(identityDigest(cid), open)
    if (kind !== 'block' || seen.has(cid)) continue
    seen.add(cid)
    const bytes = store.get(cid)
    if (bytes === undefined) continue
    if (cidCodec(cid) === DAG_CBOR) flushLinks(bytes, open)
    yield [cid, bytes]
  }
}
