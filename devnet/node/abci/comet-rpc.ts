/**
 * What we ask a CometBFT node over HTTP. Its answers come from outside: a field that is missing or of another form is refused
 * with its path.
 *
 * @source CometBFT v0.38.25 `rpc/core`, `rpc/openapi/openapi.yaml`
 */

import { isFault } from '../../consensus/fault.ts'
import type { KeyType } from '../../consensus/key.ts'
import { parseTime } from '../../consensus/time.ts'
import { changeOf, createValidatorSet, type ValidatorSet } from '../../consensus/validator-set.ts'
import type { BlockId, Commit, Header } from '../../consensus/wire.ts'
import { fromHex, toBinary } from '../../primitives/bytes.ts'

export type CometRpcFault =
  /** The node does not answer: it starts, or is gone. */
  | 'UNREACHABLE'
  /** It answers with an error of its own. */
  | 'REFUSED'
  | 'MALFORMED'

export class CometRpcError extends Error {
  override readonly name = 'CometRpcError'
  readonly code: CometRpcFault
  constructor(code: CometRpcFault, message: string, cause?: unknown) {
    super(`${code}: ${message}`, { cause })
    this.code = code
  }
}

export interface CometStatus {
  readonly height: bigint
  readonly isCatchingUp: boolean
  readonly version: string
}

export interface SignedHeaderAnswer {
  readonly header: Header
  readonly commit: Commit
}

const ANSWER_BYTES_MAX = 64 << 20
const VALIDATORS_A_PAGE = 100

export class CometRpc {
  /** `http://host:port` */
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  async status(signal?: AbortSignal): Promise<CometStatus> {
    const result = await this.#call('status', {}, signal)
    return {
      height: result.at('sync_info').at('latest_block_height').bigint(),
      isCatchingUp: result.at('sync_info').at('catching_up').boolean(),
      version: result.at('node_info').at('version').text(),
    }
  }

  /** Answers when the node's own CheckTx has; the code is the application's. */
  async broadcast(tx: Uint8Array, signal?: AbortSignal): Promise<{ readonly code: number; readonly log: string }> {
    const result = await this.#call('broadcast_tx_sync', { tx: Buffer.from(tx).toString('base64') }, signal)
    return { code: result.at('code').number(), log: result.at('log').text() }
  }

  async commit(height: bigint, signal?: AbortSignal): Promise<SignedHeaderAnswer> {
    const result = await this.#call('commit', { height: String(height) }, signal)
    const signed = result.at('signed_header')
    return { header: readHeader(signed.at('header')), commit: readCommit(signed.at('commit')) }
  }

  async block(height: bigint, signal?: AbortSignal): Promise<{ readonly header: Header; readonly txs: Uint8Array[] }> {
    const block = (await this.#call('block', { height: String(height) }, signal)).at('block')
    const txs = block.at('data').at('txs')
    return { header: readHeader(block.at('header')), txs: txs.isNull ? [] : txs.items().map((tx) => tx.base64()) }
  }

  /** All pages. The order is that of the set; priorities are as at the beginning of a set. */
  async validators(height: bigint, signal?: AbortSignal): Promise<ValidatorSet> {
    const changes: ReturnType<typeof changeOf>[] = []
    for (let page = 1; ; page++) {
      const asked = { height: String(height), page: String(page), per_page: String(VALIDATORS_A_PAGE) }
      const result = await this.#call('validators', asked, signal)
      for (const item of result.at('validators').items()) {
        const key = item.at('pub_key')
        const kind: KeyType = key.at('type').text() === 'tendermint/PubKeyEd25519' ? 'ed25519' : 'secp256k1'
        changes.push(changeOf({ kind, value: key.at('value').base64() }, item.at('voting_power').bigint()))
      }
      if (BigInt(changes.length) >= result.at('total').bigint()) break
    }
    const set = createValidatorSet(changes)
    if (isFault(set)) throw new CometRpcError('MALFORMED', `validators of height ${height}: ${set.code}`)
    return set
  }

  async #call(method: string, params: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Json> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    let text: string
    try {
      const response = await fetch(this.url, { method: 'POST', body, ...(signal === undefined ? {} : { signal }) })
      text = await readBody(response)
    } catch (error) {
      throw new CometRpcError('UNREACHABLE', `${this.url} does not answer`, error)
    }
    let answer: Json
    try {
      answer = new Json(JSON.parse(text), method)
    } catch (error) {
      throw new CometRpcError('MALFORMED', `${method} is not answered in JSON`, error)
    }
    if (!answer.has('error')) return answer.at('result')
    const { data, message } = answer.at('error').value as { data?: unknown; message?: unknown }
    throw new CometRpcError('REFUSED', `${method}: ${String(data ?? message)}`)
  }
}

async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > ANSWER_BYTES_MAX) throw new RangeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** A value of the answer, and where it is. */
class Json {
  readonly value: unknown
  readonly #path: string

  constructor(value: unknown, path: string) {
    this.value = value
    this.#path = path
  }

  get isNull(): boolean {
    return this.value === null
  }

  has(name: string): boolean {
    return typeof this.value === 'object' && this.value !== null && name in this.value
  }

  at(name: string): Json {
    if (!this.has(name)) throw this.#malformed(`no ${name}`)
    return new Json((this.value as Readonly<Record<string, unknown>>)[name], `${this.#path}.${name}`)
  }

  items(): Json[] {
    if (!Array.isArray(this.value)) throw this.#malformed('no list')
    return this.value.map((item, i) => new Json(item, `${this.#path}[${i}]`))
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.#malformed('no text')
    return this.value
  }

  number(): number {
    if (!Number.isSafeInteger(this.value)) throw this.#malformed('no whole number')
    return this.value as number
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.#malformed('neither true nor false')
    return this.value
  }

  bigint(): bigint {
    const text = this.text()
    if (!/^-?\d{1,20}$/.test(text)) throw this.#malformed('no number')
    return BigInt(text)
  }

  base64(): Uint8Array {
    return new Uint8Array(Buffer.from(this.text(), 'base64'))
  }

  hex(): string {
    try {
      return toBinary(fromHex(this.text().toLowerCase()))
    } catch {
      throw this.#malformed('no hex')
    }
  }

  time(): bigint {
    const time = parseTime(this.text())
    if (time === undefined) throw this.#malformed('no time')
    return time
  }

  #malformed(detail: string): CometRpcError {
    return new CometRpcError('MALFORMED', `${this.#path}: ${detail}`)
  }
}

function readHeader(json: Json): Header {
  const version = json.at('version')
  return {
    version: {
      block: version.at('block').bigint(),
      app: version.has('app') ? version.at('app').bigint() : 0n,
    },
    chainId: json.at('chain_id').text(),
    height: json.at('height').bigint(),
    time: json.at('time').time(),
    lastBlockId: readBlockId(json.at('last_block_id')),
    lastCommitHash: json.at('last_commit_hash').hex(),
    dataHash: json.at('data_hash').hex(),
    validatorsHash: json.at('validators_hash').hex(),
    nextValidatorsHash: json.at('next_validators_hash').hex(),
    consensusHash: json.at('consensus_hash').hex(),
    appHash: json.at('app_hash').hex(),
    lastResultsHash: json.at('last_results_hash').hex(),
    evidenceHash: json.at('evidence_hash').hex(),
    proposerAddress: json.at('proposer_address').hex(),
  }
}

function readBlockId(json: Json): BlockId {
  const parts = json.at('parts')
  return {
    hash: json.at('hash').hex(),
    partSetHeader: { total: parts.at('total').number(), hash: parts.at('hash').hex() },
  }
}

function readCommit(json: Json): Commit {
  return {
    height: json.at('height').bigint(),
    round: json.at('round').number(),
    blockId: readBlockId(json.at('block_id')),
    signatures: json
      .at('signatures')
      .items()
      .map((signature) => ({
        blockIdFlag: signature.at('block_id_flag').number(),
        validatorAddress: signature.at('validator_address').hex(),
        timestamp: signature.at('timestamp').time(),
        signature: signature.at('signature').isNull ? new Uint8Array(0) : signature.at('signature').base64(),
      })),
  }
}
