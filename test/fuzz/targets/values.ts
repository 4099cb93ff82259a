/** What arrives from outside one at a time: addresses, CIDs, amounts, messages, transactions, actors; bytes and text. */
import { CidError, formatCid, parseCid, readCid } from '../../../devnet/ipld/cid.ts'
import { CborError } from '../../../devnet/ipld/dag-cbor.ts'
import { decodeTransaction, encodeTransaction, TransactionError } from '../../../devnet/node/transaction.ts'
import { equalBytes, fromBinary, toBinary } from '../../../devnet/primitives/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../../../devnet/primitives/utf8.ts'
import { readVarint, writeVarint } from '../../../devnet/primitives/varint.ts'
import { decodeActor, encodeActor } from '../../../devnet/state/actor.ts'
import {
  AddressError,
  decodeAddress,
  delegatedParts,
  formatAddress,
  idAddress,
  parseAddress,
} from '../../../devnet/state/address.ts'
import {
  decodeMessage,
  decodeSignedMessage,
  encodeMessage,
  encodeSignedMessage,
  MessageError,
  signedMessageCid,
} from '../../../devnet/state/message.ts'
import {
  decodeToken,
  encodeToken,
  formatFil,
  parseFil,
  type TokenAmount,
  TokenError,
} from '../../../devnet/state/token.ts'
import type { Random } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'

const CHECKS = [checkAddress, checkCid, checkToken, checkMessage, checkSigned, checkTransaction, checkActor, checkText]

export const values: Target = {
  name: 'values',
  generate: (random) => random.pick([randomMessage, randomAddress, randomText])(random),
  run(input) {
    return CHECKS.map((check) => (check(input) ? '1' : '0')).join('')
  },
}

function checkAddress(input: Uint8Array): boolean {
  const address = decodeAddress(input)
  if (address === undefined) return false
  // Varints of ids and namespaces lose the bits that their tenth byte has too many.
  demand([0, 4].includes(input[0]!) || equalBytes(fromBinary(address), input), 'an address is not what it was')
  demand(decodeAddress(fromBinary(address)) === address, 'an address does not decode again')
  demand(parseAddress(formatAddress(address, 'f')) === address, 'an address does not survive as text')
  delegatedParts(address)
  return true
}

function checkCid(input: Uint8Array): boolean {
  const varint = readVarint(input, 0)
  if (varint !== undefined) {
    const again = readVarint(writeVarint(varint.value), 0)
    demand(again?.value === varint.value, 'a varint does not survive')
  }
  const read = readCid(input, 0)
  if (read === undefined) return false
  demand(read.next <= input.length, 'a CID reaches past its input')
  demand(readCid(fromBinary(read.cid), 0)?.cid === read.cid, 'a CID is not canonical')
  demand(parseCid(formatCid(read.cid)) === read.cid, 'a CID does not survive as text')
  return true
}

function checkToken(input: Uint8Array): boolean {
  const token = attempt(() => decodeToken(input), TokenError)
  if (!('value' in token)) return false
  demand(decodeToken(encodeToken(token.value)) === token.value, 'an amount does not survive')
  demand(parseFil(formatFil(token.value)) === token.value, 'an amount does not survive as text')
  return true
}

function checkMessage(input: Uint8Array): boolean {
  const message = attempt(() => decodeMessage(input), MessageError)
  if (!('value' in message)) return false
  const written = encodeMessage(message.value)
  demand(equalBytes(encodeMessage(decodeMessage(written)), written), 'a message does not survive')
  return true
}

function checkSigned(input: Uint8Array): boolean {
  const signed = attempt(() => decodeSignedMessage(input), MessageError)
  if (!('value' in signed)) return false
  signedMessageCid(signed.value)
  const written = encodeSignedMessage(signed.value)
  demand(equalBytes(encodeSignedMessage(decodeSignedMessage(written)), written), 'a signed message does not survive')
  return true
}

function checkTransaction(input: Uint8Array): boolean {
  const transaction = attempt(() => decodeTransaction(input), TransactionError)
  if (!('value' in transaction)) return false
  const written = encodeTransaction(transaction.value)
  demand(equalBytes(encodeTransaction(decodeTransaction(written)), written), 'a transaction does not survive')
  return true
}

function checkActor(input: Uint8Array): boolean {
  const actor = attempt(() => decodeActor(input), CborError, TokenError)
  if (!('value' in actor)) return false
  const written = encodeActor(actor.value)
  demand(equalBytes(encodeActor(decodeActor(written)), written), 'an actor does not survive')
  return true
}

function checkText(input: Uint8Array): boolean {
  const text = decodeUtf8(input)
  if (text !== undefined) demand(equalBytes(encodeUtf8(text), input), 'text does not survive')
  const latin = toBinary(input)
  for (const each of text === undefined ? [latin] : [latin, text]) {
    const address = attempt(() => parseAddress(each), AddressError)
    if ('value' in address) demand(decodeAddress(fromBinary(address.value)) !== undefined, 'text of no address')
    attempt(() => parseCid(each), CidError)
    attempt(() => parseFil(each), TokenError)
  }
  return text !== undefined
}

function randomAddress(random: Random): Uint8Array {
  const protocol = random.below(6)
  if (protocol === 0) return fromBinary(idAddress(BigInt(random.u32()) << BigInt(random.below(33))))
  const size = protocol === 3 ? 48 : protocol === 4 ? 1 + random.below(56) : 20
  return Uint8Array.of(protocol, ...random.bytes(size))
}

function randomMessage(random: Random): Uint8Array {
  const addressOf = () => decodeAddress(randomAddress(random)) ?? idAddress(BigInt(random.below(200)))
  const amount = () => (BigInt(random.u32()) << BigInt(random.below(90))) as TokenAmount
  return encodeMessage({
    version: 0n,
    to: addressOf(),
    from: addressOf(),
    sequence: BigInt(random.u32()),
    value: amount(),
    gasLimit: BigInt(random.u32()),
    gasFeeCap: amount(),
    gasPremium: amount(),
    method: BigInt(random.below(1 << 20)),
    params: random.bytes(random.below(40)),
  })
}

function randomText(random: Random): Uint8Array {
  const address = decodeAddress(randomAddress(random)) ?? idAddress(7n)
  return encodeUtf8(
    random.pick([formatAddress(address, 't'), formatFil(BigInt(random.u32()) << BigInt(random.below(60))), '.5', '-0']),
  )
}
