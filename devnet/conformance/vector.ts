/**
 * A reference vector: a pre-state, messages, and what the reference FVM made of them. gzip of one JSON object; 64-bit
 * integers and amounts are decimal text, bytes are hex, CIDs are base32 text.
 */
import { gunzipSync } from 'node:zlib'
import { MemoryBlockstore } from '../ipld/blockstore.ts'
import { readCar } from '../ipld/car.ts'
import { type Cid, parseCid } from '../ipld/cid.ts'
import { fromHex } from '../primitives/bytes.ts'
import { type Address, decodeAddress, parseAddress } from '../state/address.ts'
import type { Message } from '../state/message.ts'
import type { TokenAmount } from '../state/token.ts'

export interface VectorMachine {
  readonly networkVersion: number
  readonly epoch: bigint
  readonly timestamp: bigint
  readonly baseFee: bigint
  readonly circulatingSupply: bigint
  readonly chainId: bigint
  readonly actorDebugging: boolean
}

export interface VectorMessage {
  readonly message: Message
  readonly implicit: boolean
  readonly rawLength: number | null
}

/** As the file has it; amounts are decimal text, bytes hex. */
export interface VectorReceipt {
  readonly hostError?: string
  readonly exit: number
  readonly return: string
  readonly returnCodec: number | null
  readonly gasUsed: string
  readonly eventsRoot: string | null
  readonly events: readonly string[]
  readonly penalty: string
  readonly minerTip: string
  readonly baseFeeBurn: string
  readonly overEstimationBurn: string
  readonly refund: string
  readonly gasRefund: string
  readonly gasBurned: string
  readonly trace: readonly (readonly (string | number | boolean | null)[])[]
  readonly note?: string
}

export interface VectorExpectation {
  readonly root: string | null
  readonly machineError?: string
  readonly flushError?: string
  readonly written?: readonly string[]
  readonly receipts?: readonly VectorReceipt[]
}

export interface Vector {
  readonly name: string
  readonly about: string
  readonly machine: VectorMachine
  readonly root: Cid
  readonly messages: readonly VectorMessage[]
  /** Absent before the reference has completed it. */
  readonly expect: VectorExpectation | undefined
  /** A new store with the pre-state. */
  openState(): MemoryBlockstore
}

/** A vector that the reference has completed. */
export interface CompleteVector extends Vector {
  readonly expect: VectorExpectation
}

export function isComplete(vector: Vector): vector is CompleteVector {
  return vector.expect !== undefined
}

export class VectorError extends Error {
  override readonly name = 'VectorError'
  readonly code = 'TRP-7301'
}

/** Reads one file's JSON. @throws VectorError */
export function readVector(text: string): Vector {
  try {
    // biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's, checked by use
    const json: any = JSON.parse(text)
    if (json.format !== 1) throw new Error(`format ${json.format} is not 1`)
    const { machine } = json
    return {
      name: json.name,
      about: json.about,
      machine: {
        networkVersion: machine.networkVersion,
        epoch: BigInt(machine.epoch),
        timestamp: BigInt(machine.timestamp),
        baseFee: amount(machine.baseFee),
        circulatingSupply: amount(machine.circulatingSupply),
        chainId: BigInt(machine.chainId),
        actorDebugging: machine.actorDebugging === true,
      },
      root: parseCid(json.root),
      messages: json.messages.map(readMessage),
      expect: json.expect ?? undefined,
      openState: () => loadCar(json.car),
    }
  } catch (error) {
    throw new VectorError(`not a reference vector: ${(error as Error).message}`, { cause: error })
  }
}

function loadCar(base64: string): MemoryBlockstore {
  const store = new MemoryBlockstore()
  for (const [cid, block] of readCar(gunzipSync(Buffer.from(base64, 'base64'))).blocks) store.put(cid, block)
  return store
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's
function readMessage(json: any): VectorMessage {
  return {
    implicit: json.implicit === true,
    rawLength: json.rawLength ?? null,
    message: {
      version: BigInt(json.version),
      to: address(json.to),
      from: address(json.from),
      sequence: BigInt(json.nonce),
      value: amount(json.value) as TokenAmount,
      gasLimit: BigInt(json.gasLimit),
      gasFeeCap: amount(json.gasFeeCap) as TokenAmount,
      gasPremium: amount(json.gasPremium) as TokenAmount,
      method: BigInt(json.method),
      params: fromHex(json.params),
    },
  }
}

function amount(text: string): bigint {
  return text === '' ? 0n : BigInt(text)
}

function address(text: string): Address {
  if (!text.startsWith('hex:')) return parseAddress(text)
  const decoded = decodeAddress(fromHex(text.slice(4)))
  if (decoded === undefined) throw new Error(`${text} is no address`)
  return decoded
}
