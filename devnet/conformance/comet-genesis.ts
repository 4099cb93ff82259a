/** Genesis documents and block results, as far as a replay needs them. */

import type { BlockOutcome, Genesis } from '../consensus/chain-state.ts'
import { SECOND } from '../consensus/time.ts'
import type { PublicKey } from '../consensus/wire.ts'
import { fromHex, toBinary } from '../primitives/bytes.ts'
import type { CometFile } from './comet-report.ts'

export function readGenesis(json: CometFile): Genesis {
  const { block, evidence, validator, version, abci } = json.consensus_params
  return {
    chainId: json.chain_id,
    initialHeight: BigInt(json.initial_height),
    time: readTime(json.genesis_time),
    params: {
      block: { maxBytes: BigInt(block.max_bytes), maxGas: BigInt(block.max_gas) },
      evidence: {
        maxAgeNumBlocks: BigInt(evidence.max_age_num_blocks),
        maxAgeDuration: BigInt(evidence.max_age_duration),
        maxBytes: BigInt(evidence.max_bytes),
      },
      validator: { pubKeyTypes: validator.pub_key_types },
      version: { app: BigInt(version.app) },
      abci: { voteExtensionsEnableHeight: BigInt(abci.vote_extensions_enable_height) },
    },
    validators: json.validators.map(({ pub_key, power }: CometFile) => ({
      pubKey: { kind: kindOf(pub_key.type), value: fromBase64(pub_key.value) },
      power: BigInt(power),
    })),
    appHash: toBinary(fromHex(json.app_hash)),
  }
}

function kindOf(type: string): PublicKey['kind'] {
  return type === 'tendermint/PubKeySecp256k1' ? 'secp256k1' : 'ed25519'
}

/** RFC 3339 in UTC, with up to nine digits of a second. */
function readTime(text: string): bigint {
  const [, whole, fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(text)!
  return BigInt(Date.parse(`${whole}Z`) / 1000) * SECOND + BigInt(fraction.padEnd(9, '0'))
}

/** The answer of `block_results`. */
export function blockOutcomeOf(result: CometFile): BlockOutcome {
  const txResults = (result.txs_results ?? []).map((tx: CometFile) => ({
    code: tx.code,
    data: fromBase64(tx.data ?? ''),
    log: tx.log,
    info: tx.info,
    gasWanted: BigInt(tx.gas_wanted),
    gasUsed: BigInt(tx.gas_used),
    events: [],
    codespace: tx.codespace,
  }))
  const validatorUpdates = (result.validator_updates ?? []).map(({ pub_key, power }: CometFile) => {
    const [[kind, value]] = Object.entries(pub_key.Sum.value) as [[PublicKey['kind'], string]]
    return { pubKey: { kind, value: fromBase64(value) }, power: BigInt(power ?? 0) }
  })
  return { txResults, validatorUpdates, consensusParamUpdates: null, appHash: toBinary(fromBase64(result.app_hash)) }
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
