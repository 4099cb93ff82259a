/**
 * The ways of a message to a devnet: its accounts sign there; accounts that a test makes sign here; what any other actor
 * sends, the devnet sends for it.
 */
import { computeGasOutputs } from '../engine/gas-outputs.ts'
import type { Trace } from '../engine/trace.ts'
import { signMessage } from '../node/signatures.ts'
import { ClientError } from '../rpc/client.ts'
import { hex, parseTraceEvent, type ReceiptJson } from '../rpc/convert.ts'
import { signedMessageJson } from '../rpc/filecoin/json.ts'
import { type Address, formatAddress } from '../state/address.ts'
import type { Message } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'
import type { Requester, StatusJson } from './requester.ts'

export interface Sender {
  readonly id: bigint
  readonly address: Address
  /** The devnet has the key, the test has it, or nobody. */
  readonly signs: 'there' | Uint8Array | 'nobody'
}

export interface Call {
  readonly label: string
  readonly sender: Sender
  readonly to: Address
  readonly method: bigint
  readonly params: Uint8Array
  readonly value: bigint
  readonly gas: bigint
}

/** How a call ended. */
export interface Ran {
  readonly receipt: ReceiptJson
  readonly fee: bigint
  /** Null where the devnet keeps none. */
  readonly trace: Trace | null
}

interface Included extends ReceiptJson {
  readonly cid: string
  readonly height: number
}

export class MessageRoute {
  readonly #devnet: Requester
  readonly #chainId: bigint

  constructor(devnet: Requester, chainId: bigint) {
    this.#devnet = devnet
    this.#chainId = chainId
  }

  /** Runs it on the newest state and forgets what it did. */
  async view(call: Call): Promise<Ran> {
    const { trace, ...receipt } = await this.#devnet.request<ReceiptJson & { trace: Record<string, unknown>[] }>(
      'troupe_call',
      [{ ...draftOf(call), trace: true }],
    )
    return { receipt, fee: 0n, trace: trace.map(parseTraceEvent) }
  }

  /** To a block, in the way that its sender can. */
  send(call: Call): Promise<Ran> {
    const { signs } = call.sender
    if (signs === 'nobody') return this.#impersonate(call)
    return signs === 'there' ? this.#sendThere(call) : this.#sendSigned(call, signs)
  }

  async #sendThere(call: Call): Promise<Ran> {
    const included = await this.#devnet.request<Included>('troupe_send', [
      { ...draftOf(call), gasLimit: call.gas.toString(), gasPremium: '0' },
    ])
    return this.#included(call, included)
  }

  /** The door of everybody: a message signed here. */
  async #sendSigned({ sender, to, method, params, value, gas }: Call, key: Uint8Array): Promise<Ran> {
    const [sequence, { baseFee }] = await Promise.all([
      this.#devnet.request<number>('Filecoin.MpoolGetNonce', [formatAddress(sender.address, 't')]),
      this.#devnet.request<StatusJson>('troupe_status'),
    ])
    const message: Message = {
      version: 0n,
      from: sender.address,
      to,
      sequence: BigInt(sequence),
      value: value as TokenAmount,
      gasLimit: gas,
      gasFeeCap: (BigInt(baseFee) * 2n) as TokenAmount,
      gasPremium: 0n as TokenAmount,
      method,
      params,
    }
    const signature = signMessage(message, key, this.#chainId)
    const cid = await this.#devnet.request<{ '/': string }>('Filecoin.MpoolPush', [
      signedMessageJson({ kind: 'signed', origin: 0, message, signature }),
    ])
    await this.#devnet.request('Filecoin.StateWaitMsg', [cid])
    const included = await this.#devnet.request<Omit<Included, 'cid'>>('troupe_receipt', [cid['/']])
    return this.#included({ gas }, { ...included, cid: cid['/'] })
  }

  /** With a premium of 0 and a cap above the base fee, what is paid follows from the base fee alone. */
  async #included({ gas }: Pick<Call, 'gas'>, included: Included): Promise<Ran> {
    const [block, { trace }] = await Promise.all([
      this.#devnet.request<{ baseFee: string }>('troupe_block', [included.height]),
      this.#devnet.request<{ trace: Record<string, unknown>[] }>('troupe_trace', [included.cid]),
    ])
    const baseFee = BigInt(block.baseFee)
    const used = BigInt(included.gasUsed)
    const outputs = computeGasOutputs({ used, baseFee, limit: gas, feeCap: baseFee, premium: 0n })
    return {
      receipt: included,
      fee: outputs.baseFeeBurn + outputs.overEstimationBurn,
      trace: trace.map(parseTraceEvent),
    }
  }

  async #impersonate(call: Call): Promise<Ran> {
    const receipt = await this.power('troupe_impersonate', draftOf(call))
    return { receipt, fee: 0n, trace: null }
  }

  /** The receipt of what the devnet does itself, also when that failed. */
  async power<R extends ReceiptJson>(method: string, request: unknown): Promise<R> {
    try {
      return await this.#devnet.request<R>(method, [request])
    } catch (error) {
      const receipt = error instanceof ClientError ? (error.data as { receipt?: R } | null)?.receipt : undefined
      if (receipt === undefined) throw error
      return receipt
    }
  }
}

function draftOf({ sender, to, method, params, value }: Call): Record<string, string> {
  return {
    from: formatAddress(sender.address, 't'),
    to: formatAddress(to, 't'),
    method: method.toString(),
    params: hex(params),
    value: value.toString(),
  }
}
