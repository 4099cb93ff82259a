/** What can be said about a transaction without running it: whether it may come in, who sends it, what it is called. */
import { ExitCode } from '../engine/failure.ts'
import { type Cid, DAG_CBOR, makeCid } from '../ipld/cid.ts'
import { decodeCbor } from '../ipld/dag-cbor.ts'
import { sha256 } from '../primitives/hash.ts'
import { type Address, decodeAddress } from '../state/address.ts'
import { type Message, messageCid, SIGNATURE_BLS, signedMessageCid } from '../state/message.ts'
import type { StateTree } from '../state/state-tree.ts'
import { GAS_MARKET } from './gas-market.ts'
import type { ChainStore } from './ports.ts'
import type { VerifiedTransactions } from './signatures.ts'
import { decodeTransaction, type SignedTransaction, type Transaction, type TransactionError } from './transaction.ts'

/** Codes of `checkTx` beside the exit codes of preflight. @source spec ipc §7.1 */
export const CheckCode = { Ok: 0, InvalidEncoding: 51, InvalidSignature: 52, IllegalMessage: 53 } as const

/** A transaction that passed the door, with what the mempool needs. */
export interface CheckedTransaction {
  readonly transaction: Transaction
  readonly cid: Cid
}

export type Check =
  | { readonly ok: true; readonly checked: CheckedTransaction }
  | { readonly ok: false; readonly code: number; readonly log: string }

type Refusal = Omit<Check & { readonly ok: false }, 'ok'>

export interface DecodedTransaction {
  readonly transaction: Transaction
  /** By which it is found; what clients call it comes first. */
  readonly names: readonly Cid[]
}

export interface DoorOptions {
  readonly store: ChainStore
  readonly chainId: bigint
  /** Whether blocks may carry devnet powers. */
  readonly powers: boolean
  readonly verified: VerifiedTransactions
  /** The state that the next block begins with, and its base fee. */
  readonly next: () => { readonly state: StateTree; readonly baseFee: bigint }
}

export class TransactionDoor {
  readonly #options: DoorOptions
  readonly #decoded = new WeakMap<Uint8Array, DecodedTransaction>()

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** What the next block begins with. */
  next(): ReturnType<DoorOptions['next']> {
    return this.#options.next()
  }

  /** Everything that can be said about a transaction without running it; sequences may leave gaps. */
  check(tx: Uint8Array): Check {
    let decoded: DecodedTransaction
    try {
      decoded = this.decode(tx)
    } catch (error) {
      return { ok: false, code: CheckCode.InvalidEncoding, log: (error as TransactionError).message }
    }
    const { transaction } = decoded
    const cid = decoded.names[0]!
    if (transaction.kind === 'power') {
      if (!this.#options.powers)
        return { ok: false, code: CheckCode.IllegalMessage, log: 'this network has no devnet powers' }
      return { ok: true, checked: { transaction, cid } }
    }
    const refusal = this.#checkSigned(transaction, tx)
    return refusal === undefined ? { ok: true, checked: { transaction, cid } } : { ok: false, ...refusal }
  }

  /** The same bytes come by at the door, in the proposal and in the block. @throws TransactionError */
  decode(tx: Uint8Array): DecodedTransaction {
    const known = this.#decoded.get(tx)
    if (known !== undefined) return known
    const transaction = decodeTransaction(tx)
    const decoded = { transaction, names: namesOf(transaction, tx) }
    this.#decoded.set(tx, decoded)
    return decoded
  }

  /** By which a transaction is found; what cannot be decoded has no name. */
  namesOf(tx: Uint8Array): readonly Cid[] {
    try {
      return this.decode(tx).names
    } catch {
      return []
    }
  }

  /** Sequence and balance that preflight will see. */
  senderOf(address: Address): { readonly sequence: bigint; readonly balance: bigint } | undefined {
    const { state } = this.next()
    const id = state.resolve(address)
    return id === undefined ? undefined : state.getActor(id)
  }

  hasGoodSignature(transaction: SignedTransaction, tx: Uint8Array): boolean {
    const { verified, chainId } = this.#options
    const sender = this.#keyAddressOf(transaction.message.from)
    return sender !== undefined && verified.check(transaction, tx, sender, chainId)
  }

  #checkSigned(transaction: SignedTransaction, tx: Uint8Array): Refusal | undefined {
    const { message } = transaction
    const illegal = illegality(message)
    if (illegal !== undefined) return { code: CheckCode.IllegalMessage, log: illegal }
    const { baseFee } = this.next()
    if (message.gasFeeCap < baseFee) {
      return {
        code: CheckCode.IllegalMessage,
        log: `the gas fee cap ${message.gasFeeCap} is below the base fee ${baseFee}`,
      }
    }
    const sender = this.senderOf(message.from)
    if (sender === undefined)
      return { code: ExitCode.SenderInvalid, log: 'no actor has the address of the sender; fund it first' }
    if (message.sequence < sender.sequence) {
      return {
        code: ExitCode.SenderStateInvalid,
        log: `sequence ${message.sequence} is used; the next is ${sender.sequence}`,
      }
    }
    const cost = message.gasFeeCap * message.gasLimit
    if (sender.balance < cost) {
      return {
        code: ExitCode.InsufficientFunds,
        log: `the sender has ${sender.balance} attoFIL; gas alone may cost ${cost}`,
      }
    }
    if (!this.hasGoodSignature(transaction, tx)) {
      return {
        code: CheckCode.InvalidSignature,
        log: `the signature is not the sender's for chain ${this.#options.chainId}`,
      }
    }
    return undefined
  }

  /** The key address behind an ID address. */
  #keyAddressOf(address: Address): Address | undefined {
    const { state } = this.next()
    const id = state.resolve(address)
    if (id === undefined) return undefined
    if (address.charCodeAt(0) !== 0) return address
    return accountKeyOf(this.#options.store, state.getActor(id))
  }
}

/** What a client calls the message: with its signature when that is by key, without for BLS. */
export function transactionCid({ message, signature }: SignedTransaction): Cid {
  return signature.type === SIGNATURE_BLS ? messageCid(message) : signedMessageCid({ message, signature })
}

function namesOf(transaction: Transaction, tx: Uint8Array): readonly Cid[] {
  return transaction.kind === 'power'
    ? [makeCid(DAG_CBOR, 0x12, sha256(tx))]
    : [transactionCid(transaction), messageCid(transaction.message)]
}

function illegality({ version, gasLimit, value, gasFeeCap, gasPremium }: Message): string | undefined {
  if (version !== 0n) return `message version ${version} is not 0`
  if (gasLimit <= 0n || gasLimit > GAS_MARKET.blockGasLimit) {
    return `the gas limit ${gasLimit} is not between 1 and ${GAS_MARKET.blockGasLimit}`
  }
  if (value < 0n) return 'the value is negative'
  if (gasFeeCap < 0n || gasPremium < 0n) return 'a gas price is negative'
  if (gasPremium > gasFeeCap) return `the gas premium ${gasPremium} exceeds the fee cap ${gasFeeCap}`
  return undefined
}

/** The key address in the state of an account, or the Ethereum address of the others. */
function accountKeyOf(
  store: ChainStore,
  actor: { readonly state: Cid; readonly delegated: Address | null } | undefined,
): Address | undefined {
  if (actor === undefined) return undefined
  if (actor.delegated !== null) return actor.delegated
  const bytes = store.get(actor.state)
  const state = bytes === undefined ? null : decodeCbor(bytes)
  return Array.isArray(state) && state[0] instanceof Uint8Array ? decodeAddress(state[0]) : undefined
}
