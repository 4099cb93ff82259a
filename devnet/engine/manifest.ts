/**
 * Which code is which built-in actor. Positions in the list are type numbers.
 *
 * @source ref-fvm `fvm/src/machine/manifest.rs`; spec fvm §11
 */
import type { Blockstore } from '../ipld/blockstore.ts'
import type { Cid } from '../ipld/cid.ts'
import { decodeCbor, isLink } from '../ipld/dag-cbor.ts'

export interface Manifest {
  /** Type number − 1 → code. */
  readonly codes: readonly Cid[]
  readonly names: readonly string[]
  /** Code → type number; a code under two names keeps the last. */
  readonly types: ReadonlyMap<Cid, number>
  readonly account: Cid
  readonly placeholder: Cid
  readonly ethaccount: Cid
}

export class ManifestError extends Error {
  override readonly name = 'ManifestError'
  readonly code = 'TRP-8101'
}

/** Reads the list `[[name, code]…]` behind `dataCid`. */
export function loadManifest(store: Blockstore, dataCid: Cid): Manifest {
  const bytes = store.get(dataCid)
  if (bytes === undefined) throw new ManifestError('the manifest data block is missing')
  const list = decodeCbor(bytes)
  if (!Array.isArray(list)) throw new ManifestError('the manifest data is no list')
  const names: string[] = []
  const codes: Cid[] = []
  const types = new Map<Cid, number>()
  for (const entry of list) {
    if (!Array.isArray(entry) || entry.length !== 2) throw new ManifestError('a manifest entry is no pair')
    const [name, link] = entry
    if (typeof name !== 'string' || !isLink(link))
      throw new ManifestError('a manifest entry is no pair of name and code')
    names.push(name)
    codes.push(link.link)
    types.set(link.link, codes.length)
  }
  const required = (name: string): Cid => {
    const index = names.indexOf(name)
    if (index < 0) throw new ManifestError(`the manifest has no ${name}`)
    return codes[index]!
  }
  required('system')
  required('init')
  required('eam')
  return {
    codes,
    names,
    types,
    account: required('account'),
    placeholder: required('placeholder'),
    ethaccount: required('ethaccount'),
  }
}
