/**
 * What the application decides about consensus: who validates with what power, and the parameters. Powers change it inside
 * a block; what changed is the block's answer to whoever decides blocks.
 *
 * @source spec consensus §2.11
 */

import type { FinalizeBlockResponse, RequestOf } from '../consensus/application.ts'
import { type Fault, fault } from '../consensus/fault.ts'
import { addressOf, isWellFormedKey } from '../consensus/key.ts'
import {
  blockSizeLimit,
  type ConsensusParams,
  checkParams,
  checkParamsUpdate,
  DEFAULT_PARAMS,
  dataBytesMax,
  updateParams,
} from '../consensus/params.ts'
import { decode, encode, message, nested, repeated } from '../consensus/schema.ts'
import { TOTAL_POWER_MAX } from '../consensus/validator-set.ts'
import { CONSENSUS_PARAMS, type WireConsensusParams } from '../consensus/wire.ts'
import { VALIDATOR_UPDATE, type WireValidatorUpdate } from '../consensus/wire-abci.ts'

export interface ConsensusSettings {
  /** By address. Powers are above zero. */
  readonly validators: ReadonlyMap<string, WireValidatorUpdate>
  readonly params: ConsensusParams
}

/** Before `initChain`. */
export const NO_SETTINGS: ConsensusSettings = { validators: new Map(), params: DEFAULT_PARAMS }

/** IPC's parent contract names signers in a bitmap of 256 bits, by an index of one byte. */
const VALIDATORS_MAX = 255
/** Half of what the library allows, because a change is counted before those who leave are gone. */
const POWER_MAX = TOTAL_POWER_MAX / 2n

/** As the chain begins; `update` is what the application changes of the genesis. */
export function initialSettings(
  { validators, consensusParams }: RequestOf<'initChain'>,
  update: WireConsensusParams,
): ConsensusSettings {
  const params = consensusParams === null ? DEFAULT_PARAMS : updateParams(DEFAULT_PARAMS, consensusParams)
  return { validators: byAddress(validators), params: updateParams(params, update) }
}

function byAddress(updates: readonly WireValidatorUpdate[]): Map<string, WireValidatorUpdate> {
  return new Map(updates.flatMap((update) => (update.pubKey === null ? [] : [[addressOf(update.pubKey), update]])))
}

/** The settings in a block, and as they were when it began: what is allowed follows from those. */
export interface SettingsChange {
  readonly before: ConsensusSettings
  readonly settings: ConsensusSettings
  readonly height: bigint
}

/** Adds, changes and, with a power of zero, removes validators. */
export function changeValidators(
  { before, settings }: SettingsChange,
  updates: readonly WireValidatorUpdate[],
): ConsensusSettings | Fault {
  const validators = new Map(settings.validators)
  for (const update of updates) {
    const { pubKey, power } = update
    if (pubKey === null || !isWellFormedKey(pubKey)) return fault('malformed')
    if (power < 0n) return fault('negative-power')
    const address = addressOf(pubKey)
    if (power === 0n) {
      if (!validators.delete(address)) return fault('remove-stranger')
      continue
    }
    if (!before.params.validator.pubKeyTypes.includes(pubKey.kind)) return fault('parameter-range')
    validators.set(address, update)
  }
  if (validators.size === 0) return fault('empty-set')
  if (validators.size > VALIDATORS_MAX) return fault('parameter-range')
  let total = 0n
  for (const { power } of validators.values()) total += power
  return total > POWER_MAX ? fault('power-overflow') : { ...settings, validators }
}

/** Null sections of `update` stay as they are. */
export function changeParams(
  { before, settings, height }: SettingsChange,
  update: WireConsensusParams,
): ConsensusSettings | Fault {
  const params = updateParams(settings.params, update)
  const refused = checkParams(params) ?? checkParamsUpdate(before.params, update, height)
  if (refused !== null) return refused
  // Blocks with a full load of evidence and votes must still have room.
  const left = dataBytesMax(blockSizeLimit(params.block.maxBytes), params.evidence.maxBytes, VALIDATORS_MAX)
  return left === undefined ? fault('parameter-range') : { ...settings, params }
}

/** What a block answers when it began with `before` and ended with `after`. */
export function settingsUpdates(
  before: ConsensusSettings,
  after: ConsensusSettings,
): Pick<FinalizeBlockResponse, 'validatorUpdates' | 'consensusParamUpdates'> {
  const validatorUpdates: WireValidatorUpdate[] = []
  if (after.validators !== before.validators) {
    for (const [address, update] of after.validators) {
      if (before.validators.get(address)?.power !== update.power) validatorUpdates.push(update)
    }
    for (const [address, { pubKey }] of before.validators) {
      if (!after.validators.has(address)) validatorUpdates.push({ pubKey, power: 0n })
    }
  }
  return { validatorUpdates, consensusParamUpdates: paramsUpdate(before.params, after.params) }
}

function paramsUpdate(before: ConsensusParams, after: ConsensusParams): WireConsensusParams | null {
  if (after === before) return null
  const changed = <Name extends keyof ConsensusParams>(name: Name): ConsensusParams[Name] | null =>
    after[name] === before[name] ? null : after[name]
  return {
    block: changed('block'),
    evidence: changed('evidence'),
    validator: changed('validator'),
    version: changed('version'),
    abci: changed('abci'),
  }
}

const SETTINGS = message({ params: nested(1, CONSENSUS_PARAMS), validators: repeated(2, VALIDATOR_UPDATE) })

export function encodeSettings({ params, validators }: ConsensusSettings): Uint8Array {
  return encode(SETTINGS, { params, validators: [...validators.values()] })
}

export function decodeSettings(bytes: Uint8Array): ConsensusSettings {
  const { params, validators } = decode(SETTINGS, bytes)
  return { params: updateParams(DEFAULT_PARAMS, params), validators: byAddress(validators) }
}
