/**
 * Consensus parameters: what is allowed, and which changes are.
 *
 * @source CometBFT v0.38.25 `types/params.go`, `types/block.go` (MaxDataBytes)
 */

import { type Fault, fault } from './fault.ts'
import { BLOCK_SIZE_MAX } from './part-set.ts'
import { SECOND } from './time.ts'
import type { WireConsensusParams } from './wire.ts'

type Section<Name extends keyof WireConsensusParams> = NonNullable<WireConsensusParams[Name]>

export interface ConsensusParams extends WireConsensusParams {
  readonly block: Section<'block'>
  readonly evidence: Section<'evidence'>
  readonly validator: Section<'validator'>
  readonly version: Section<'version'>
  readonly abci: Section<'abci'>
}

const KEY_TYPES = ['ed25519', 'secp256k1', 'sr25519']

/** As a genesis that says nothing has them, but for the key type: IPC verifies secp256k1. */
export const DEFAULT_PARAMS: ConsensusParams = {
  block: { maxBytes: 22_020_096n, maxGas: -1n },
  evidence: { maxAgeNumBlocks: 100_000n, maxAgeDuration: 48n * 3600n * SECOND, maxBytes: 1_048_576n },
  validator: { pubKeyTypes: ['secp256k1'] },
  version: { app: 0n },
  abci: { voteExtensionsEnableHeight: 0n },
}

/** Parameters that are complete; those of old networks lack the last section. Undefined when any other is missing. */
export function fromWireParams({ block, evidence, validator, version, abci }: WireConsensusParams) {
  if (block === null || evidence === null || validator === null || version === null) return undefined
  const params: ConsensusParams = { block, evidence, validator, version, abci: abci ?? DEFAULT_PARAMS.abci }
  return params
}

export function checkParams({ block, evidence, validator, abci }: ConsensusParams): Fault | null {
  const limit = blockSizeLimit(block.maxBytes)
  const isInRange =
    block.maxBytes !== 0n &&
    block.maxBytes >= -1n &&
    block.maxBytes <= BigInt(BLOCK_SIZE_MAX) &&
    block.maxGas >= -1n &&
    evidence.maxAgeNumBlocks > 0n &&
    evidence.maxAgeDuration > 0n &&
    evidence.maxBytes >= 0n &&
    evidence.maxBytes <= limit &&
    abci.voteExtensionsEnableHeight >= 0n &&
    validator.pubKeyTypes.length > 0 &&
    validator.pubKeyTypes.every((type) => KEY_TYPES.includes(type))
  return isInRange ? null : fault('parameter-range')
}

/** −1 stands for the limit of all blocks. */
export function blockSizeLimit(maxBytes: bigint): bigint {
  return maxBytes === -1n ? BigInt(BLOCK_SIZE_MAX) : maxBytes
}

/** The parameters with the sections that `update` has. */
export function updateParams(params: ConsensusParams, update: WireConsensusParams): ConsensusParams {
  return {
    block: update.block ?? params.block,
    evidence: update.evidence ?? params.evidence,
    validator: update.validator ?? params.validator,
    version: update.version ?? params.version,
    abci: update.abci ?? params.abci,
  }
}

/** Vote extensions begin at a height to come, and never end once they have begun. `height` is the block's that decides. */
export function checkParamsUpdate(params: ConsensusParams, update: WireConsensusParams, height: bigint): Fault | null {
  if (update.abci === null) return null
  const before = params.abci.voteExtensionsEnableHeight
  const after = update.abci.voteExtensionsEnableHeight
  if (after < 0n) return fault('extension-height')
  if (before === after || (before <= 0n && after === 0n)) return null
  const hasBegun = before > 0n && before <= height
  const isPast = after > 0n && after <= height
  return hasBegun || isPast ? fault('extension-height') : null
}

export function hasExtensions({ abci }: ConsensusParams, height: bigint): boolean {
  return abci.voteExtensionsEnableHeight > 0n && abci.voteExtensionsEnableHeight <= height
}

const BLOCK_OVERHEAD = 11n
const HEADER_BYTES_MAX = 626n
const COMMIT_OVERHEAD = 94n
const COMMIT_SIG_BYTES_MAX = 109n

/** The largest commit of so many validators. */
export function commitBytesMax(validators: number): bigint {
  return COMMIT_OVERHEAD + (COMMIT_SIG_BYTES_MAX + 2n) * BigInt(validators)
}

/** What is left for transactions; undefined when the parameters leave nothing. */
export function dataBytesMax(maxBytes: bigint, evidenceBytes: bigint, validators: number): bigint | undefined {
  const left = maxBytes - BLOCK_OVERHEAD - HEADER_BYTES_MAX - commitBytesMax(validators) - evidenceBytes
  return left < 0n ? undefined : left
}
