/**
 * Values as Lotus writes them in JSON: CIDs are `{"/": text}`, bytes base64, amounts decimal text, addresses text.
 *
 * @source lotus `api/`, go-state-types `big`, `cid`
 */
import type { ApplyResult } from '../../engine/executor.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid, makeCid, parseCid } from '../../ipld/cid.ts'
import type { BlockHeader, TxRecord } from '../../node/chain-records.ts'
import type { SignedTransaction } from '../../node/transaction.ts'
import { transactionCid } from '../../node/transaction-door.ts'
import { formatAddress, idAddress, parseAddress } from '../../state/address.ts'
import { type Message, messageCid, type Signature, type SignatureType } from '../../state/message.ts'
import type { TokenAmount } from '../../state/token.ts'
import { asInteger, asObject, asText, invalid } from '../convert.ts'

const BLAKE2B_256 = 0xb220

export interface CidJson {
  readonly '/': string
}

export function cidJson(cid: Cid): CidJson {
  return { '/': formatCid(cid) }
}

export function asCid(value: unknown): Cid {
  const text = value !== null && typeof value === 'object' && '/' in value ? value['/'] : value
  try {
    return parseCid(asText(text, 'the CID'))
  } catch {
    throw invalid(`${JSON.stringify(text)} is no CID`)
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(value: unknown): Uint8Array {
  if (value === null || value === undefined) return new Uint8Array(0)
  const text = asText(value, 'base64 data')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalid('data is not base64')
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** The one block of a tipset: its CID wraps the block's hash, as `network.tipset_cid` answers it. */
export function blockCid(header: Pick<BlockHeader, 'hash'>): Cid {
  return makeCid(DAG_CBOR, BLAKE2B_256, header.hash)
}

/** One block a height. Fields of proofs that a devnet has none of are empty. */
export function tipsetJson(header: BlockHeader): unknown {
  const empty = cidJson(cidOf(DAG_CBOR, Uint8Array.of(0x80)))
  return {
    Cids: [cidJson(blockCid(header))],
    Blocks: [
      {
        Miner: formatAddress(idAddress(0n), 't'),
        Ticket: { VRFProof: '' },
        ElectionProof: { WinCount: 1, VRFProof: '' },
        BeaconEntries: null,
        WinPoStProof: null,
        Parents: header.height === 0 ? [] : [cidJson(blockCid({ hash: header.parentHash }))],
        ParentWeight: String(header.height),
        Height: header.height,
        ParentStateRoot: cidJson(header.stateRoot),
        ParentMessageReceipts: empty,
        Messages: empty,
        BLSAggregate: null,
        Timestamp: Math.floor(header.timeMs / 1000),
        BlockSig: null,
        ForkSignaling: 0,
        ParentBaseFee: header.baseFee.toString(),
      },
    ],
    Height: header.height,
  }
}

export function messageJson(message: Message): Record<string, unknown> {
  return {
    Version: Number(message.version),
    To: formatAddress(message.to, 't'),
    From: formatAddress(message.from, 't'),
    Nonce: Number(message.sequence),
    Value: message.value.toString(),
    GasLimit: Number(message.gasLimit),
    GasFeeCap: message.gasFeeCap.toString(),
    GasPremium: message.gasPremium.toString(),
    Method: Number(message.method),
    Params: message.params.length === 0 ? null : base64(message.params),
    CID: cidJson(messageCid(message)),
  }
}

export function signedMessageJson(transaction: SignedTransaction): unknown {
  const { message, signature } = transaction
  return {
    Message: messageJson(message),
    Signature: { Type: signature.type, Data: base64(signature.data) },
    CID: cidJson(transactionCid(transaction)),
  }
}

export function asMessage(value: unknown): Message {
  const json = asObject(value, 'the message')
  const amount = (key: string) => {
    const text = json[key]
    return (text === undefined || text === null || text === '' ? 0n : asInteger(text, key)) as TokenAmount
  }
  const address = (key: string) => {
    try {
      return parseAddress(asText(json[key], key))
    } catch (error) {
      throw invalid(`${key}: ${(error as Error).message}`)
    }
  }
  return {
    version: asInteger(json['Version'] ?? 0, 'Version'),
    to: address('To'),
    from: address('From'),
    sequence: asInteger(json['Nonce'] ?? 0, 'Nonce'),
    value: amount('Value'),
    gasLimit: asInteger(json['GasLimit'] ?? 0, 'GasLimit'),
    gasFeeCap: amount('GasFeeCap'),
    gasPremium: amount('GasPremium'),
    method: asInteger(json['Method'] ?? 0, 'Method'),
    params: fromBase64(json['Params']),
  }
}

export function asSignedMessage(value: unknown): { readonly message: Message; readonly signature: Signature } {
  const json = asObject(value, 'the signed message')
  const signature = asObject(json['Signature'], 'the signature')
  const type = signature['Type']
  if (type !== 1 && type !== 2 && type !== 3) throw invalid(`signature type ${String(type)} is unknown`)
  return {
    message: asMessage(json['Message']),
    signature: { type: type as SignatureType, data: fromBase64(signature['Data']) },
  }
}

export function receiptJson(result: TxRecord | ApplyResult): unknown {
  return {
    ExitCode: result.exitCode,
    Return: result.returnData.length === 0 ? null : base64(result.returnData),
    GasUsed: Number(result.gasUsed),
    EventsRoot: result.eventsRoot === null ? null : cidJson(result.eventsRoot),
  }
}
