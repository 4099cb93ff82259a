// A message, unsigned and signed: what asks an actor to do something.

import { type Cid, cidOf, DAG_CBOR } from '../ipld/cid.ts'
import { CborError, CborReader, CborWriter, headSize } from '../ipld/dag-cbor.ts'
import { readAddress } from './actor.ts'
import type { Address } from './address.ts'
import { decodeToken, encodeToken, type TokenAmount, TokenError, tokenSize } from './token.ts'

export interface Message {
  readonly version: bigint
  readonly to: Address
  readonly from: Address
  readonly sequence: bigint
  readonly value: TokenAmount
  readonly gasLimit: bigint
  readonly gasFeeCap: TokenAmount
  readonly gasPremium: TokenAmount
  readonly method: bigint
  readonly params: Uint8Array
}

export const METHOD_SEND = 0n
export const METHOD_CONSTRUCTOR = 1n

export const SIGNATURE_SECP256K1 = 1
export const SIGNATURE_BLS = 2
export const SIGNATURE_DELEGATED = 3
export type SignatureType = 1 | 2 | 3

export interface Signature {
  readonly type: SignatureType
  readonly data: Uint8Array
}

export interface SignedMessage {
  readonly message: Message
  readonly signature: Signature
}

/** The longest signature on the wire, type byte included. @source go-state-types `crypto/signature.go` */
const SIGNATURE_SIZE_MAX = 200

export type MessageFault =
  | 'CBOR' // not the CBOR of a message
  | 'AMOUNT' // value, fee cap or premium malformed
  | 'SIGNATURE' // type unknown, or too long

/** The bytes are not a message. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
  readonly code: MessageFault
  constructor(code: MessageFault, cause: unknown) {
    super(`${code}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.code = code
  }
}

export function encodeMessage(message: Message): Uint8Array {
  const writer = new CborWriter(192 + message.params.length)
  writeMessage(writer, message)
  return writer.finish()
}

/** How many bytes `encodeMessage` answers with. */
export function messageSize(message: Message): number {
  const { version, to, from, sequence, value, gasLimit, gasFeeCap, gasPremium, method, params } = message
  let size = 1 + headSize(version) + headSize(sequence) + headSize(gasLimit) + headSize(method)
  for (const amount of [value, gasFeeCap, gasPremium]) size += stringSize(tokenSize(amount))
  return size + stringSize(to.length) + stringSize(from.length) + stringSize(params.length)
}

/** Bytes of a byte string of that length, its head included. */
function stringSize(length: number): number {
  return headSize(length) + length
}

export function decodeMessage(bytes: Uint8Array): Message {
  return decoding(() => {
    const reader = new CborReader(bytes)
    const message = readMessage(reader)
    reader.end()
    return message
  })
}

/** The CID that receipts are looked up by: of the unsigned form. */
export function messageCid(message: Message): Cid {
  return cidOf(DAG_CBOR, encodeMessage(message))
}

/** `[message, type byte ‖ signature]`. */
export function encodeSignedMessage({ message, signature }: SignedMessage): Uint8Array {
  const typed = new Uint8Array(1 + signature.data.length)
  typed[0] = signature.type
  typed.set(signature.data, 1)
  const writer = new CborWriter(300 + message.params.length).array(2)
  writeMessage(writer, message)
  return writer.bytes(typed).finish()
}

export function decodeSignedMessage(bytes: Uint8Array): SignedMessage {
  return decoding(() => {
    const reader = new CborReader(bytes)
    reader.tuple(2)
    const message = readMessage(reader)
    const signature = decodeSignature(reader.bytes())
    reader.end()
    return { message, signature }
  })
}

/**
 * The CID of a signed message. One with a BLS signature goes by its unsigned form, as its signature is merged with
 * others in a block.
 *
 * @source lotus `chain/types/signedmessage.go`
 */
export function signedMessageCid(signed: SignedMessage): Cid {
  if (signed.signature.type === SIGNATURE_BLS) return messageCid(signed.message)
  return cidOf(DAG_CBOR, encodeSignedMessage(signed))
}

function writeMessage(writer: CborWriter, message: Message): void {
  writer.array(10).uint(message.version).binary(message.to).binary(message.from).uint(message.sequence)
  writer.bytes(encodeToken(message.value)).uint(message.gasLimit)
  writer.bytes(encodeToken(message.gasFeeCap)).bytes(encodeToken(message.gasPremium))
  writer.uint(message.method).bytes(message.params)
}

function readMessage(reader: CborReader): Message {
  reader.tuple(10)
  const version = reader.uint()
  const to = readAddress(reader)
  const from = readAddress(reader)
  const sequence = reader.uint()
  const value = decodeToken(reader.bytes())
  const gasLimit = reader.uint()
  const gasFeeCap = decodeToken(reader.bytes())
  const gasPremium = decodeToken(reader.bytes())
  const method = reader.uint()
  const params = reader.bytes()
  return { version, to, from, sequence, value, gasLimit, gasFeeCap, gasPremium, method, params }
}

function decodeSignature(bytes: Uint8Array): Signature {
  const type = bytes[0]
  if (type !== SIGNATURE_SECP256K1 && type !== SIGNATURE_BLS && type !== SIGNATURE_DELEGATED) {
    throw new MessageError('SIGNATURE', `type ${type}`)
  }
  if (bytes.length > SIGNATURE_SIZE_MAX) throw new MessageError('SIGNATURE', `${bytes.length} bytes`)
  return { type, data: bytes.subarray(1) }
}

function decoding<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof CborError) throw new MessageError('CBOR', error)
    if (error instanceof TokenError) throw new MessageError('AMOUNT', error)
    throw error
  }
}
