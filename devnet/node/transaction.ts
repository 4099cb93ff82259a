/**
 * What a block carries. `Signed` is the chain message of IPC's node, byte for byte; `Power` is the devnet's own and no
 * other network knows it: how code is installed, actors are upgraded and states are set, through consensus.
 *
 * @source consensus-shipyard/ipc `fendermint/vm/message/src/chain.rs`, `signed.rs`; spec ipc §7.1
 */

import { decode, encode } from '../consensus/schema.ts'
import { CONSENSUS_PARAMS, type WireConsensusParams } from '../consensus/wire.ts'
import type { WireValidatorUpdate } from '../consensus/wire-abci.ts'
import type { Cid } from '../ipld/cid.ts'
import { CborReader, CborWriter } from '../ipld/dag-cbor.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, addressBytes, decodeAddress } from '../state/address.ts'
import { decodeMessage, encodeMessage, type Message, type Signature, type SignatureType } from '../state/message.ts'
import { decodeToken, encodeToken, type TokenAmount } from '../state/token.ts'

/** How the sender made the signature: over Filecoin bytes, or over an Ethereum transaction. */
export type OriginKind = 0 | 1 | 2

export interface SignedTransaction {
  readonly kind: 'signed'
  readonly origin: OriginKind
  readonly message: Message
  readonly signature: Signature
}

/** One devnet power. Applied in the block like a message, without gas. */
export type Power =
  /** Stores code; the answer is its CID. */
  | { readonly power: 'install'; readonly code: Uint8Array }
  /** Installs code, makes an actor of it and runs its constructor; the answer is id and robust address. */
  | {
      readonly power: 'deploy'
      readonly code: Uint8Array
      readonly params: Uint8Array
      readonly value: TokenAmount
      /** Who pays the value and is the constructor's caller's origin. */
      readonly from: Address
    }
  /** Replaces the code of an actor and calls its `upgrade` export when `migrate`; `discard` starts from an empty state. */
  | {
      readonly power: 'upgrade'
      readonly actor: ActorId
      readonly code: Uint8Array
      readonly mode: 'keep' | 'migrate' | 'discard'
      readonly params: Uint8Array
    }
  | { readonly power: 'set-balance'; readonly address: Address; readonly balance: TokenAmount }
  | { readonly power: 'set-sequence'; readonly address: Address; readonly sequence: bigint }
  /** Replaces the state of an actor by a DAG-CBOR block; further blocks that it links to come along. */
  | { readonly power: 'set-state'; readonly actor: ActorId; readonly root: Cid; readonly blocks: readonly Uint8Array[] }
  /** Puts an actor where `actor` says, in place of what is there, with its state. Its code is on the chain already. */
  | {
      readonly power: 'set-actor'
      readonly actor: ActorId
      readonly code: Cid
      readonly root: Cid
      readonly sequence: bigint
      readonly balance: TokenAmount
      readonly delegated: Address | null
      readonly blocks: readonly Uint8Array[]
    }
  /** Runs a message from any sender, without a signature or fees. */
  | { readonly power: 'impersonate'; readonly message: Message }
  /** Adds, changes and, with a power of zero, removes validators. They vote from the block after the next on. */
  | { readonly power: 'set-validators'; readonly validators: readonly WireValidatorUpdate[] }
  /** Changes the parameters of consensus from the next block on; null sections stay. */
  | { readonly power: 'set-params'; readonly params: WireConsensusParams }

export interface PowerTransaction {
  readonly kind: 'power'
  /** Makes equal powers different transactions. */
  readonly nonce: bigint
  readonly powers: readonly Power[]
}

export type Transaction = SignedTransaction | PowerTransaction

export type TransactionFault =
  | 'NOT_CBOR'
  | 'UNKNOWN_VARIANT'
  | 'BAD_ORIGIN'
  | 'BAD_SIGNATURE'
  | 'BAD_POWER'
  | 'TOO_LARGE'

export class TransactionError extends Error {
  override readonly name = 'TransactionError'
  readonly code: TransactionFault
  constructor(code: TransactionFault, message: string) {
    super(message)
    this.code = code
  }
}

/** Above what any block takes: a bound before decoding. */
export const TRANSACTION_BYTES_MAX = 4 << 20

export function encodeTransaction(transaction: Transaction): Uint8Array {
  const writer = new CborWriter(512).map(1)
  if (transaction.kind === 'power') {
    writer.text('Power').array(2).uint(transaction.nonce).array(transaction.powers.length)
    for (const power of transaction.powers) writePower(writer, power)
    return writer.finish()
  }
  const { origin, message, signature } = transaction
  const signatureBytes = new Uint8Array(1 + signature.data.length)
  signatureBytes[0] = signature.type
  signatureBytes.set(signature.data, 1)
  return writer.text('Signed').array(3).uint(origin).raw(encodeMessage(message)).bytes(signatureBytes).finish()
}

/** @throws TransactionError */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  if (bytes.length > TRANSACTION_BYTES_MAX) {
    throw new TransactionError(
      'TOO_LARGE',
      `a transaction has at most ${TRANSACTION_BYTES_MAX} bytes, not ${bytes.length}`,
    )
  }
  try {
    return readTransaction(new CborReader(bytes))
  } catch (error) {
    if (error instanceof TransactionError) throw error
    throw new TransactionError('NOT_CBOR', `not a transaction: ${(error as Error).message}`)
  }
}

function readTransaction(reader: CborReader): Transaction {
  if (reader.map() !== 1) throw new TransactionError('UNKNOWN_VARIANT', 'a transaction has one variant')
  const variant = reader.text()
  if (variant === 'Power') return readPowers(reader)
  if (variant !== 'Signed')
    throw new TransactionError('UNKNOWN_VARIANT', `transaction variant ${JSON.stringify(variant)} is unknown`)
  reader.tuple(3)
  const origin = reader.number()
  if (origin !== 0 && origin !== 1 && origin !== 2)
    throw new TransactionError('BAD_ORIGIN', `origin kind ${origin} is unknown`)
  const message = decodeMessage(reader.raw())
  const signature = reader.bytes()
  reader.end()
  const type = signature[0]
  if (type !== 1 && type !== 2 && type !== 3)
    throw new TransactionError('BAD_SIGNATURE', `signature type ${type} is unknown`)
  return { kind: 'signed', origin, message, signature: { type: type as SignatureType, data: signature.slice(1) } }
}

function readPowers(reader: CborReader): PowerTransaction {
  reader.tuple(2)
  const nonce = reader.uint()
  const powers = Array.from({ length: reader.array() }, () => readPower(reader))
  reader.end()
  return { kind: 'power', nonce, powers }
}

function writePower(writer: CborWriter, power: Power): void {
  switch (power.power) {
    case 'install':
      writer.array(2).text(power.power).bytes(power.code)
      return
    case 'deploy':
      writer
        .array(5)
        .text(power.power)
        .bytes(power.code)
        .bytes(power.params)
        .bytes(encodeToken(power.value))
        .bytes(addressBytes(power.from))
      return
    case 'upgrade':
      writer.array(5).text(power.power).uint(power.actor).bytes(power.code).text(power.mode).bytes(power.params)
      return
    case 'set-balance':
      writer.array(3).text(power.power).bytes(addressBytes(power.address)).bytes(encodeToken(power.balance))
      return
    case 'set-sequence':
      writer.array(3).text(power.power).bytes(addressBytes(power.address)).uint(power.sequence)
      return
    case 'set-state':
      writer.array(4).text(power.power).uint(power.actor).link(power.root).array(power.blocks.length)
      for (const block of power.blocks) writer.bytes(block)
      return
    case 'set-actor':
      writer.array(8).text(power.power).uint(power.actor).link(power.code).link(power.root).uint(power.sequence)
      writer.bytes(encodeToken(power.balance))
      if (power.delegated === null) writer.null()
      else writer.bytes(addressBytes(power.delegated))
      writer.array(power.blocks.length)
      for (const block of power.blocks) writer.bytes(block)
      return
    case 'impersonate':
      writer.array(2).text(power.power).raw(encodeMessage(power.message))
      return
    case 'set-validators':
      writer.array(2).text(power.power).array(power.validators.length)
      for (const { pubKey, power: votingPower } of power.validators) {
        writer
          .array(3)
          .text(pubKey?.kind ?? '')
          .bytes(pubKey?.value ?? new Uint8Array(0))
          .uint(votingPower)
      }
      return
    case 'set-params':
      writer.array(2).text(power.power).bytes(encode(CONSENSUS_PARAMS, power.params))
  }
}

function readPower(reader: CborReader): Power {
  const count = reader.array()
  const name = reader.text()
  const expect = (fields: number): void => {
    if (count !== fields + 1)
      throw new TransactionError('BAD_POWER', `power ${name} has ${fields} fields, not ${count - 1}`)
  }
  switch (name) {
    case 'install':
      expect(1)
      return { power: name, code: reader.bytes().slice() }
    case 'deploy':
      expect(4)
      return {
        power: name,
        code: reader.bytes().slice(),
        params: reader.bytes().slice(),
        value: decodeToken(reader.bytes()),
        from: readAddress(reader),
      }
    case 'upgrade':
      expect(4)
      return {
        power: name,
        actor: reader.uint() as ActorId,
        code: reader.bytes().slice(),
        mode: readMode(reader),
        params: reader.bytes().slice(),
      }
    case 'set-balance':
      expect(2)
      return { power: name, address: readAddress(reader), balance: decodeToken(reader.bytes()) }
    case 'set-sequence':
      expect(2)
      return { power: name, address: readAddress(reader), sequence: reader.uint() }
    case 'set-state':
      expect(3)
      return {
        power: name,
        actor: reader.uint() as ActorId,
        root: reader.link(),
        blocks: Array.from({ length: reader.array() }, () => reader.bytes().slice()),
      }
    case 'set-actor':
      expect(7)
      return {
        power: name,
        actor: reader.uint() as ActorId,
        code: reader.link(),
        root: reader.link(),
        sequence: reader.uint(),
        balance: decodeToken(reader.bytes()),
        delegated: reader.null() ? null : readAddress(reader),
        blocks: Array.from({ length: reader.array() }, () => reader.bytes().slice()),
      }
    case 'impersonate':
      expect(1)
      return { power: name, message: decodeMessage(reader.raw()) }
    case 'set-validators':
      expect(1)
      return { power: name, validators: Array.from({ length: reader.array() }, () => readValidator(reader)) }
    case 'set-params':
      expect(1)
      return { power: name, params: decode(CONSENSUS_PARAMS, reader.bytes()) }
    default:
      throw new TransactionError('BAD_POWER', `power ${JSON.stringify(name)} is unknown`)
  }
}

function readValidator(reader: CborReader): WireValidatorUpdate {
  reader.tuple(3)
  const kind = reader.text()
  if (kind !== 'secp256k1' && kind !== 'ed25519')
    throw new TransactionError('BAD_POWER', `key type ${JSON.stringify(kind)} is unknown`)
  return { pubKey: { kind, value: reader.bytes().slice() }, power: reader.uint() }
}

function readMode(reader: CborReader): 'keep' | 'migrate' | 'discard' {
  const mode = reader.text()
  if (mode !== 'keep' && mode !== 'migrate' && mode !== 'discard')
    throw new TransactionError('BAD_POWER', `upgrade mode ${mode} is unknown`)
  return mode
}

function readAddress(reader: CborReader): Address {
  const address = decodeAddress(reader.bytes())
  if (address === undefined) throw new TransactionError('BAD_POWER', 'a power names no address')
  return address
}
