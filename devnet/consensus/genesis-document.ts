/**
 * Genesis, parameters and keys as CometBFT's documents have them: 64-bit numbers are text, addresses capital hex, keys base64.
 *
 * @source CometBFT v0.38.25 `types/genesis.go`, `types/params.go`, `libs/json`
 */

import { fromBinary, toHex } from '../primitives/bytes.ts'
import type { Genesis } from './chain-state.ts'
import { addressOf, PUBLIC_KEY_NAMES } from './key.ts'
import type { ConsensusParams } from './params.ts'
import { formatTime } from './time.ts'
import type { PublicKey } from './wire.ts'

/** `genesis.json`, and what the RPC calls genesis. `nameOf` is asked for the name of each validator. */
export function genesisDocument(genesis: Genesis, nameOf: (index: number) => string) {
  return {
    genesis_time: formatTime(genesis.time),
    chain_id: genesis.chainId,
    initial_height: String(genesis.initialHeight),
    consensus_params: paramsDocument(genesis.params),
    validators: genesis.validators.flatMap(({ pubKey, power }, index) =>
      pubKey === null
        ? []
        : [
            {
              address: capitalHex(addressOf(pubKey)),
              pub_key: publicKeyDocument(pubKey),
              power: String(power),
              name: nameOf(index),
            },
          ],
    ),
    app_hash: capitalHex(genesis.appHash),
  }
}

export function paramsDocument({ block, evidence, validator, version, abci }: ConsensusParams) {
  return {
    block: { max_bytes: String(block.maxBytes), max_gas: String(block.maxGas) },
    evidence: {
      max_age_num_blocks: String(evidence.maxAgeNumBlocks),
      max_age_duration: String(evidence.maxAgeDuration),
      max_bytes: String(evidence.maxBytes),
    },
    validator: { pub_key_types: [...validator.pubKeyTypes] },
    version: { app: String(version.app) },
    abci: { vote_extensions_enable_height: String(abci.voteExtensionsEnableHeight) },
  }
}

export function publicKeyDocument({ kind, value }: PublicKey) {
  return { type: PUBLIC_KEY_NAMES[kind], value: Buffer.from(value).toString('base64') }
}

/** Of a binary string. */
export function capitalHex(binary: string): string {
  return toHex(fromBinary(binary)).toUpperCase()
}
