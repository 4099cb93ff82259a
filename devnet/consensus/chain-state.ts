/**
 * What a chain knows between two blocks, and how a block and its results change it. Applications' answers change the
 * validators two heights later and the parameters at the next.
 *
 * @source CometBFT v0.38.25 `state/state.go`, `state/execution.go` (updateState), `consensus/replay.go` (InitChain)
 */

import { NIL_BLOCK_ID } from './block-id.ts'
import { type Fault, fault, isFault } from './fault.ts'
import { resultsHash } from './hash.ts'
import { BLOCK_PROTOCOL } from './header.ts'
import { isWellFormedKey } from './key.ts'
import { EMPTY_ROOT } from './merkle.ts'
import { type ConsensusParams, checkParams, checkParamsUpdate, fromWireParams, updateParams } from './params.ts'
import type { ValueOf } from './schema.ts'
import type { Time } from './time.ts'
import {
  changeOf,
  createValidatorSet,
  fromWireValidatorSet,
  incrementPriorities,
  NO_VALIDATORS,
  toWireValidatorSet,
  updateValidatorSet,
  type ValidatorChange,
  type ValidatorSet,
} from './validator-set.ts'
import type { BlockId, Header, STATE, Version, WireConsensusParams, WireValidatorSet } from './wire.ts'
import type { WireExecTxResult, WireValidatorUpdate } from './wire-abci.ts'

export interface ChainState {
  readonly chainId: string
  readonly initialHeight: bigint
  readonly version: Version
  /** 0 before the first block. */
  readonly lastHeight: bigint
  readonly lastBlockId: BlockId
  /** The genesis time before the first block. */
  readonly lastTime: Time
  /** Of the last block, the next and the one after. */
  readonly lastValidators: ValidatorSet
  readonly validators: ValidatorSet
  readonly nextValidators: ValidatorSet
  /** From which height on the validators of `nextValidators` are what they are. */
  readonly validatorsChangedAt: bigint
  readonly params: ConsensusParams
  readonly paramsChangedAt: bigint
  readonly lastResultsHash: string
  readonly appHash: string
}

export interface Genesis {
  readonly chainId: string
  readonly initialHeight: bigint
  readonly time: Time
  readonly params: ConsensusParams
  readonly validators: readonly WireValidatorUpdate[]
  readonly appHash: string
}

/** The application's answer to the genesis. */
export interface GenesisAnswer {
  readonly consensusParams: WireConsensusParams | null
  /** None: those of the genesis stay. */
  readonly validators: readonly WireValidatorUpdate[]
  readonly appHash: string
}

/** The state before the first block. `appVersion` is what the application says of itself. */
export function createChainState(genesis: Genesis, answer: GenesisAnswer, appVersion: bigint): ChainState | Fault {
  const params = answer.consensusParams === null ? genesis.params : updateParams(genesis.params, answer.consensusParams)
  const malformed = checkParams(params)
  if (malformed !== null) return malformed
  const changes = readUpdates(answer.validators.length > 0 ? answer.validators : genesis.validators)
  if (isFault(changes)) return changes
  const validators = createValidatorSet(changes)
  if (isFault(validators)) return validators
  if (validators.validators.length === 0) return fault('empty-set')
  const app = answer.consensusParams === null ? appVersion : params.version.app
  return {
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    version: { block: BLOCK_PROTOCOL, app },
    lastHeight: 0n,
    lastBlockId: NIL_BLOCK_ID,
    lastTime: genesis.time,
    lastValidators: NO_VALIDATORS,
    validators,
    nextValidators: incrementPriorities(validators, 1),
    validatorsChangedAt: genesis.initialHeight,
    params,
    paramsChangedAt: genesis.initialHeight,
    lastResultsHash: EMPTY_ROOT,
    appHash: answer.appHash === '' ? genesis.appHash : answer.appHash,
  }
}

/** What executing a block gave. */
export interface BlockOutcome {
  readonly txResults: readonly WireExecTxResult[]
  readonly validatorUpdates: readonly WireValidatorUpdate[]
  readonly consensusParamUpdates: WireConsensusParams | null
  readonly appHash: string
}

/** The state after a block that was valid. A fault is the application's: it answered what no chain can follow. */
export function applyBlock(
  state: ChainState,
  header: Header,
  blockId: BlockId,
  outcome: BlockOutcome,
): ChainState | Fault {
  const changes = readUpdates(outcome.validatorUpdates)
  if (isFault(changes)) return changes
  for (const { pubKey, votingPower } of changes) {
    const isAllowed = votingPower === 0n || state.params.validator.pubKeyTypes.includes(pubKey.kind)
    if (!isAllowed) return fault('parameter-range')
  }
  const updated = updateValidatorSet(state.nextValidators, changes)
  if (isFault(updated)) return updated

  const update = outcome.consensusParamUpdates
  const params = update === null ? state.params : updateParams(state.params, update)
  const refused =
    update === null ? null : (checkParams(params) ?? checkParamsUpdate(state.params, update, header.height))
  if (refused !== null) return refused
  return {
    ...state,
    version: { block: state.version.block, app: update === null ? state.version.app : params.version.app },
    lastHeight: header.height,
    lastBlockId: blockId,
    lastTime: header.time,
    lastValidators: state.validators,
    validators: state.nextValidators,
    nextValidators: incrementPriorities(updated, 1),
    validatorsChangedAt: changes.length === 0 ? state.validatorsChangedAt : header.height + 2n,
    params,
    paramsChangedAt: update === null ? state.paramsChangedAt : header.height + 1n,
    lastResultsHash: resultsHash(outcome.txResults),
    appHash: outcome.appHash,
  }
}

function readUpdates(updates: readonly WireValidatorUpdate[]): readonly ValidatorChange[] | Fault {
  const changes: ValidatorChange[] = []
  for (const { pubKey, power } of updates) {
    if (power < 0n) return fault('negative-power')
    if (pubKey === null || !isWellFormedKey(pubKey)) return fault('malformed')
    changes.push(changeOf(pubKey, power))
  }
  return changes
}

/** As the library stores it; `software` is the node's version. */
export function toWireState(state: ChainState, software: string): ValueOf<typeof STATE> {
  return {
    version: { consensus: state.version, software },
    chainId: state.chainId,
    lastBlockHeight: state.lastHeight,
    lastBlockId: state.lastBlockId,
    lastBlockTime: state.lastTime,
    nextValidators: toWireValidatorSet(state.nextValidators),
    validators: toWireValidatorSet(state.validators),
    lastValidators: toWireValidatorSet(state.lastValidators),
    lastHeightValidatorsChanged: state.validatorsChangedAt,
    consensusParams: state.params,
    lastHeightConsensusParamsChanged: state.paramsChangedAt,
    lastResultsHash: state.lastResultsHash,
    appHash: state.appHash,
    initialHeight: state.initialHeight,
  }
}

/** A state that was stored. */
export function fromWireState(wire: ValueOf<typeof STATE>): ChainState | Fault {
  const params = fromWireParams(wire.consensusParams)
  const lastValidators = readSet(wire.lastValidators)
  const validators = readSet(wire.validators)
  const nextValidators = readSet(wire.nextValidators)
  if (params === undefined) return fault('missing-part')
  if (isFault(lastValidators)) return lastValidators
  if (isFault(validators)) return validators
  if (isFault(nextValidators)) return nextValidators
  return {
    chainId: wire.chainId,
    initialHeight: wire.initialHeight,
    version: wire.version.consensus,
    lastHeight: wire.lastBlockHeight,
    lastBlockId: wire.lastBlockId,
    lastTime: wire.lastBlockTime,
    lastValidators,
    validators,
    nextValidators,
    validatorsChangedAt: wire.lastHeightValidatorsChanged,
    params,
    paramsChangedAt: wire.lastHeightConsensusParamsChanged,
    lastResultsHash: wire.lastResultsHash,
    appHash: wire.appHash,
  }
}

/** Before the second block there are no last validators. */
function readSet(wire: WireValidatorSet | null): ValidatorSet | Fault {
  return wire === null || wire.validators.length === 0 ? NO_VALIDATORS : fromWireValidatorSet(wire)
}
