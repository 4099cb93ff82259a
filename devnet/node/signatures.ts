/**
 * Who signed a message. Two rules are about: Lotus signs the message's CID, Fendermint the CID and the chain id; both are
 * accepted for `f1` and `f410` senders, so that clients of either work. A delegated signature is an Ethereum transaction
 * in disguise: the transaction is rebuilt from the message and its hash was signed.
 *
 * @source spec ipc §7.7, spec evm §2.2–2.3; lotus `lib/sigs`, `chain/types/ethtypes`; ipc `fendermint/vm/message/src/signed.rs`
 */
import { CborReader } from '../ipld/dag-cbor.ts'
import { concatBytes, equalBytes, fromBinary } from '../primitives/bytes.ts'
import { blake2b256, keccak256, sha256Binary } from '../primitives/hash.ts'
import { recoverPublicKey, signRecoverable, verifyBls } from '../primitives/keys.ts'
import { RecentSet } from '../primitives/recent-set.ts'
import {
  type Address,
  addressBytes,
  addressId,
  addressProtocol,
  delegatedToEthAddress,
  secpAddress,
} from '../state/address.ts'
import { type Message, messageCid, type Signature } from '../state/message.ts'
import type { SignedTransaction } from './transaction.ts'

const INVOKE_EVM = 3844450837n
const CREATE_EXTERNAL = 4n
const EAM = 10n
const SIGNATURE_BYTES = 65
const TYPE_SECP = 1
const TYPE_BLS = 2
const TYPE_DELEGATED = 3

/** Signs as Fendermint does: message CID and chain id. */
export function signMessage(message: Message, secretKey: Uint8Array, chainId: bigint): Signature {
  return { type: TYPE_SECP, data: signRecoverable(blake2b256(withChainId(message, chainId)), secretKey) }
}

/** Of each generation: the messages of a few blocks, and those that wait. */
const VERIFIED_MAX = 50_000

/**
 * Signatures found good, by the bytes of their transactions: what passed the door is not verified again in its block, nor by
 * another validator of this process.
 */
export class VerifiedTransactions {
  readonly #good = new RecentSet<string>(VERIFIED_MAX)

  /** Whether the transaction whose bytes are `tx` is signed by `sender`, a key address. */
  check(transaction: SignedTransaction, tx: Uint8Array, sender: Address, chainId: bigint): boolean {
    const name = `${chainId} ${sha256Binary(tx)}${sender}`
    if (this.#good.has(name)) return true
    if (!isSigned(transaction, sender, chainId)) return false
    this.#good.add(name)
    return true
  }
}

/** Whether `signature` is the sender's. */
export function isSigned({ message, signature }: SignedTransaction, sender: Address, chainId: bigint): boolean {
  switch (signature.type) {
    case TYPE_SECP:
      return isSignedBySecp(message, signature.data, sender, chainId)
    case TYPE_BLS:
      return addressProtocol(sender) === 3 && isSignedByBls(message, signature.data, sender, chainId)
    case TYPE_DELEGATED:
      return isSignedByEth(message, signature.data, sender, chainId)
    default:
      return false
  }
}

function withChainId(message: Message, chainId: bigint): Uint8Array {
  const suffix = new Uint8Array(8)
  new DataView(suffix.buffer).setBigUint64(0, BigInt.asUintN(64, chainId))
  return concatBytes(fromBinary(messageCid(message)), suffix)
}

function isSignedBySecp(message: Message, signature: Uint8Array, sender: Address, chainId: bigint): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  const payloads = [withChainId(message, chainId), fromBinary(messageCid(message))]
  return payloads.some((payload) => {
    const key = recoverPublicKey(blake2b256(payload), signature)
    return key !== undefined && (secpAddress(key) === sender || isEthKey(key, sender))
  })
}

function isEthKey(publicKey: Uint8Array, sender: Address): boolean {
  const eth = delegatedToEthAddress(sender)
  return eth !== undefined && equalBytes(keccak256(publicKey.subarray(1)).subarray(12), eth)
}

function isSignedByBls(message: Message, signature: Uint8Array, sender: Address, chainId: bigint): boolean {
  const key = addressBytes(sender).subarray(1)
  return (
    verifyBls(signature, fromBinary(messageCid(message)), key) ||
    verifyBls(signature, withChainId(message, chainId), key)
  )
}

function isSignedByEth(message: Message, signature: Uint8Array, sender: Address, chainId: bigint): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  const unsigned = toUnsignedEthTransaction(message, chainId)
  if (unsigned === undefined) return false
  const key = recoverPublicKey(keccak256(unsigned), signature)
  return key !== undefined && isEthKey(key, sender)
}

/** The EIP-1559 transaction that the message stands for, as it is hashed for signing; undefined when it stands for none. */
export function toUnsignedEthTransaction(message: Message, chainId: bigint): Uint8Array | undefined {
  const data = callData(message.params)
  if (data === undefined || message.version !== 0n) return undefined
  const to = ethReceiver(message)
  if (to === undefined) return undefined
  const fields = [chainId, message.sequence, message.gasPremium, message.gasFeeCap, message.gasLimit].map(integerBytes)
  const list = encodeRlpList(
    [...fields, to, integerBytes(message.value), data].map(encodeRlpBytes).concat([Uint8Array.of(0xc0)]),
  )
  return concatBytes(Uint8Array.of(2), list)
}

/** Parameters are one CBOR byte string, or nothing. */
function callData(params: Uint8Array): Uint8Array | undefined {
  if (params.length === 0) return params
  try {
    const reader = new CborReader(params)
    const data = reader.bytes()
    reader.end()
    return data
  } catch {
    return undefined
  }
}

/** 20 bytes; none for a contract creation. */
function ethReceiver({ to, method }: Message): Uint8Array | undefined {
  const id = addressId(to)
  if (id === EAM && method === CREATE_EXTERNAL) return new Uint8Array(0)
  if (method !== INVOKE_EVM) return undefined
  if (id === undefined) return delegatedToEthAddress(to)
  const masked = new Uint8Array(20)
  masked[0] = 0xff
  new DataView(masked.buffer).setBigUint64(12, id)
  return masked
}

function integerBytes(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 255n))
  return Uint8Array.from(bytes)
}

function encodeRlpBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length === 1 && bytes[0]! < 0x80 ? bytes : concatBytes(rlpHead(0x80, bytes.length), bytes)
}

function encodeRlpList(items: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...items)
  return concatBytes(rlpHead(0xc0, body.length), body)
}

function rlpHead(offset: number, size: number): Uint8Array {
  if (size < 56) return Uint8Array.of(offset + size)
  const bytes = integerBytes(BigInt(size))
  return concatBytes(Uint8Array.of(offset + 55 + bytes.length), bytes)
}
