/** Blocks of a devnet's state, fetched when they are read: each is checked against its name, and fetched once. */
import { MemoryBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidCodec, DAG_CBOR, formatCid, matchesCid } from '../ipld/cid.ts'
import { type CborValue, decodeCbor, isLink } from '../ipld/dag-cbor.ts'
import { ConnectionError } from './connect.ts'
import type { Requester } from './requester.ts'

/** Of one actor's state; a larger one is read through the actor's views. */
const STATE_BLOCKS_MAX = 4096
const BATCH = 64

export class RemoteBlocks {
  readonly store = new MemoryBlockstore()
  readonly #devnet: Requester

  constructor(devnet: Requester) {
    this.#devnet = devnet
  }

  /** The block `root`, after all DAG-CBOR blocks below it were put into the store. @throws ConnectionError */
  async fetch(root: Cid): Promise<Uint8Array> {
    let wanted: Cid[] = [root]
    for (let count = 0; wanted.length > 0; count += Math.min(BATCH, wanted.length)) {
      if (count > STATE_BLOCKS_MAX)
        throw new ConnectionError(
          'TRP-7605',
          `the state has more than ${STATE_BLOCKS_MAX} blocks: read it through a view of the actor`,
        )
      const now = wanted.slice(0, BATCH)
      const blocks = await Promise.all(now.map((cid) => this.#fetchOne(cid)))
      const links = blocks.flatMap(linksOf).filter((cid) => cidCodec(cid) === DAG_CBOR)
      wanted = [...new Set([...wanted.slice(BATCH), ...links])]
    }
    return this.store.get(root)!
  }

  async #fetchOne(cid: Cid): Promise<Uint8Array> {
    const known = this.store.get(cid)
    if (known !== undefined) return known
    const text = await this.#devnet.request<string>('Filecoin.ChainReadObj', [{ '/': formatCid(cid) }])
    const bytes = new Uint8Array(Buffer.from(text, 'base64'))
    if (matchesCid(cid, bytes) !== true)
      throw new ConnectionError('TRP-7604', `${this.#devnet.url} gave other bytes for block ${formatCid(cid)}`)
    this.store.put(cid, bytes)
    return bytes
  }
}

function linksOf(block: Uint8Array): Cid[] {
  const links: Cid[] = []
  const walk = (value: CborValue): void => {
    if (isLink(value)) links.push(value.link)
    else if (Array.isArray(value)) for (const item of value) walk(item)
    else if (value instanceof Map) for (const item of value.values()) walk(item)
  }
  walk(decodeCbor(block))
  return links
}
