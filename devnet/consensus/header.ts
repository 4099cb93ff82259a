/**
 * Headers, as far as their own form goes.
 *
 * @source CometBFT v0.38.25 `types/block.go`
 */

import { checkBlockIdForm, isHashForm } from './block-id.ts'
import { type Fault, fault } from './fault.ts'
import { ADDRESS_SIZE } from './key.ts'
import { textSize } from './text.ts'
import type { Header } from './wire.ts'

export const BLOCK_PROTOCOL = 11n
const CHAIN_ID_SIZE_MAX = 50

export function checkHeader(header: Header): Fault | null {
  if (header.version.block !== BLOCK_PROTOCOL) return fault('block-protocol')
  if (textSize(header.chainId) > CHAIN_ID_SIZE_MAX) return fault('chain-id-too-long')
  if (header.height <= 0n) return fault('height-not-positive')
  if (checkBlockIdForm(header.lastBlockId) !== null) return fault('block-id-form')
  if (![header.lastCommitHash, header.dataHash, header.evidenceHash].every(isHashForm)) return fault('hash-size')
  if (header.proposerAddress.length !== ADDRESS_SIZE) return fault('address-size')
  const { validatorsHash, nextValidatorsHash, consensusHash, lastResultsHash } = header
  const hashes = [validatorsHash, nextValidatorsHash, consensusHash, lastResultsHash]
  return hashes.every(isHashForm) ? null : fault('hash-size')
}
