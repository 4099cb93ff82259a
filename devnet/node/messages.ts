/** Fills in what a sender leaves out of a message, runs it without keeping anything, and signs for the devnet's accounts. */
import { type ApplyResult, MessageRefused } from '../engine/executor.ts'
import { ExitCode } from '../engine/failure.ts'
import type { Machine } from '../engine/machine.ts'
import { type Address, addressId, formatAddress } from '../state/address.ts'
import { encodeMessage, type Message } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'
import type { DevAccount } from './accounts.ts'
import type { Devnet } from './devnet.ts'
import { GAS_MARKET } from './gas-market.ts'
import { signMessage } from './signatures.ts'
import { encodeTransaction } from './transaction.ts'

/** What a caller says; the rest is estimated. */
export interface Draft {
  readonly from: Address
  readonly to: Address
  readonly value?: bigint
  readonly method?: bigint
  readonly params?: Uint8Array
  readonly sequence?: bigint
  readonly gasLimit?: bigint
  readonly gasFeeCap?: bigint
  readonly gasPremium?: bigint
}

/** The message would fail, or nobody can send it. */
export class EstimateError extends Error {
  override readonly name = 'EstimateError'
  readonly exitCode: number
  readonly result: ApplyResult | null
  constructor(exitCode: number, message: string, result: ApplyResult | null) {
    super(message)
    this.exitCode = exitCode
    this.result = result
  }
}

/** Room above the gas that was used when the message ran alone. @source fendermint `fvm.gas_overestimation_rate` 1.25 */
const OVERESTIMATION = { percent: 125n, floor: 100_000n } as const
const DEFAULT_PREMIUM = 100n

/** Runs a message over the newest state as if it were signed, and keeps nothing. */
export function tryMessage(
  machine: Machine,
  message: Message,
  options: { readonly trace?: boolean } = {},
): ApplyResult {
  return machine.call(message, 'implicit', options)
}

/** Runs with the whole block's gas and answers how much was used, inclusion too. @throws EstimateError */
export function estimateGas(machine: Machine, message: Message): bigint {
  const probe: Message = { ...message, gasLimit: GAS_MARKET.blockGasLimit }
  let result: ApplyResult
  try {
    result = tryMessage(machine, probe)
  } catch (error) {
    if (error instanceof MessageRefused) throw new EstimateError(ExitCode.SenderInvalid, error.message, null)
    throw error
  }
  if (result.exitCode !== ExitCode.Ok) throw new EstimateError(result.exitCode, result.note, result)
  const { flat, perUnit } = machine.context.prices.onChainMessage
  const inclusion = BigInt(Math.ceil((flat + perUnit * (encodeMessage(message).length + SIGNATURE_ALLOWANCE)) / 1000))
  return result.gasUsed + inclusion
}

/** A signed message is larger than the bare one; which bytes pay is the profile's rule. */
const SIGNATURE_ALLOWANCE = 69

/** Completes a draft. A message that would fail is refused here, with its exit code. @throws EstimateError */
export function completeMessage(devnet: Devnet, draft: Draft): Message {
  const { application, mempool } = devnet.chain
  const sender = application.door.senderOf(draft.from)
  if (sender === undefined) {
    throw new EstimateError(
      ExitCode.SenderInvalid,
      `${formatAddress(draft.from, 't')} does not exist: fund it first`,
      null,
    )
  }
  const premium = draft.gasPremium ?? DEFAULT_PREMIUM
  const message: Message = {
    version: 0n,
    from: draft.from,
    to: draft.to,
    sequence: draft.sequence ?? mempool.nextSequence(draft.from, sender.sequence),
    value: (draft.value ?? 0n) as TokenAmount,
    gasLimit: draft.gasLimit ?? 0n,
    gasPremium: premium as TokenAmount,
    gasFeeCap: (draft.gasFeeCap ?? application.head.nextBaseFee * 2n + premium) as TokenAmount,
    method: draft.method ?? 0n,
    params: draft.params ?? new Uint8Array(0),
  }
  if (message.gasLimit > 0n) return message
  const used = estimateGas(application.queryMachine(), message)
  const limit = (used * OVERESTIMATION.percent) / 100n + OVERESTIMATION.floor
  return { ...message, gasLimit: limit < GAS_MARKET.blockGasLimit ? limit : GAS_MARKET.blockGasLimit }
}

/** The devnet's account behind an address, either of its faces, or behind its id. */
export function accountOfAddress(devnet: Devnet, address: Address): DevAccount | undefined {
  const { state } = devnet.chain.application.queryMachine().context
  const id = addressId(address)
  return devnet.accounts.find(
    (account) =>
      account.address === address ||
      account.ethAddress === address ||
      (id !== undefined && (state.resolve(account.address) === id || state.resolve(account.ethAddress) === id)),
  )
}

/** Signs with the key of one of the devnet's accounts. */
export function signTransaction(devnet: Devnet, message: Message): Uint8Array {
  const account = accountOfAddress(devnet, message.from)
  if (account === undefined) {
    throw new EstimateError(
      ExitCode.SenderInvalid,
      `the devnet has no key for ${formatAddress(message.from, 't')}`,
      null,
    )
  }
  const signature = signMessage(message, account.secretKey, devnet.chainId)
  return encodeTransaction({ kind: 'signed', origin: 0, message, signature })
}
