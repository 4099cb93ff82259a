/**
 * Whether nodes of one chain agree: at each height one header, signed by more than two thirds, and its hash the one that was
 * signed. Commits themselves may differ at the tip.
 *
 * @source spec consensus §9.4
 */

import { verifyCommit } from '../../consensus/commit.ts'
import { headerHash } from '../../consensus/hash.ts'
import { encode } from '../../consensus/schema.ts'
import { setHash, type ValidatorSet } from '../../consensus/validator-set.ts'
import { HEADER, type Header } from '../../consensus/wire.ts'
import { toBinary } from '../../primitives/bytes.ts'
import type { CometRpc } from './comet-rpc.ts'

export interface Disagreement {
  readonly height: bigint
  /** Of the node, or of both. */
  readonly urls: readonly string[]
  readonly detail: string
}

/** Asks all nodes about the heights [from, to]. */
export async function findDisagreements(
  nodes: readonly CometRpc[],
  from: bigint,
  to: bigint,
): Promise<readonly Disagreement[]> {
  const found: Disagreement[] = []
  for (let height = from; height <= to; height++) {
    let first: { readonly url: string; readonly header: Header } | undefined
    let validators: ValidatorSet | undefined
    for (const node of nodes) {
      const { url } = node
      const { header, commit } = await node.commit(height)
      const report = (detail: string, ...others: string[]) => found.push({ height, urls: [url, ...others], detail })
      const hash = headerHash(header)
      if (hash !== commit.blockId.hash) report('the header has another hash than the one that was signed')
      first ??= { url, header }
      if (fieldsOf(header) !== fieldsOf(first.header)) report('the headers differ', first.url)
      validators ??= await node.validators(height)
      if (setHash(validators) !== header.validatorsHash) report('the header names other validators')
      const target = { chainId: header.chainId, height, blockId: commit.blockId }
      const fault = verifyCommit(validators, target, commit)
      if (fault !== null) report(`the commit does not verify (${fault.code})`)
    }
  }
  return found
}

function fieldsOf(header: Header): string {
  return toBinary(encode(HEADER, header))
}
