/**
 * Official Filecoin test vectors of class `message`: a pruned pre-state, messages of the chain, and what the network made
 * of them. The actors' code is not inside: it comes from a bundle.
 *
 * @source filecoin-project/fvm-test-vectors; spec fvm §12.1
 */
import { gunzipSync } from 'node:zlib'
import { readCar } from '../ipld/car.ts'
import { type Cid, parseCid } from '../ipld/cid.ts'
import { VectorError } from './vector.ts'

/** As the file has it. */
export interface MessageReceipt {
  readonly exitCode: number
  readonly returnData: Uint8Array
  readonly gasUsed: bigint
}

export interface Draw {
  readonly source: 'chain' | 'beacon'
  readonly epoch: bigint
  /** 32 bytes, before the kernel mixes them. */
  readonly digest: Uint8Array
}

export interface MessageVector {
  readonly name: string
  readonly networkVersion: number
  readonly epoch: bigint
  readonly baseFee: bigint
  readonly circulatingSupply: bigint
  readonly root: Cid
  readonly messages: readonly Uint8Array[]
  readonly draws: readonly Draw[]
  readonly receipts: readonly MessageReceipt[]
  readonly rootAfter: Cid
  /** Why the reference's runner leaves it out, if it does. */
  readonly skip: string | undefined
  /** The nodes of both states that the messages touch. */
  blocks(): Iterable<[Cid, Uint8Array]>
}

const BASE_FEE = '100'
const TOTAL_SUPPLY = '2000000000000000000000000000'

export function isMessageVector(text: string): boolean {
  return /"class"\s*:\s*"message"/.test(text.slice(0, 4096))
}

/** @throws VectorError */
export function readMessageVector(text: string): MessageVector {
  try {
    // Amounts are JSON numbers beyond 2^53.
    // biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's, checked by use
    const json: any = JSON.parse(text.replace(/"(basefee|circ_supply)"\s*:\s*(\d+)/g, '"$1":"$2"'))
    const { preconditions, postconditions } = json
    const [variant] = preconditions.variants
    return {
      name: json._meta?.id ?? 'vector',
      networkVersion: variant.nv,
      epoch: BigInt(variant.epoch),
      baseFee: BigInt(preconditions.basefee ?? BASE_FEE),
      circulatingSupply: BigInt(preconditions.circ_supply ?? TOTAL_SUPPLY),
      root: parseCid(preconditions.state_tree.root_cid['/']),
      messages: json.apply_messages.map(({ bytes }: { bytes: string }) => fromBase64(bytes)),
      draws: (json.randomness ?? []).map(readDraw),
      receipts: postconditions.receipts.map(readReceipt),
      rootAfter: parseCid(postconditions.state_tree.root_cid['/']),
      skip: skipReason(json.selector ?? {}),
      blocks: () => readCar(gunzipSync(fromBase64(json.car))).blocks,
    }
  } catch (error) {
    throw new VectorError(`not a message vector: ${(error as Error).message}`, { cause: error })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's
function readDraw({ on, ret }: any): Draw {
  const [source, ...rest] = on
  const epoch = rest.find((value: unknown) => typeof value === 'number')
  return { source, epoch: BigInt(epoch), digest: fromBase64(ret) }
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is the file format's
function readReceipt(json: any): MessageReceipt {
  return { exitCode: json.exit_code, returnData: fromBase64(json.return ?? ''), gasUsed: BigInt(json.gas_used) }
}

function skipReason(selector: Readonly<Record<string, string>>): string | undefined {
  if (selector['chaos_actor'] === 'true') return 'needs the chaos actor'
  if (selector['requires:consensus_fault_extern'] === 'true') return 'needs a node that judges consensus faults'
  if (selector['min_protocol_version'] === 'chocolate') return 'needs a network version that no line serves'
  return undefined
}

function fromBase64(text: string): Uint8Array {
  const buffer = Buffer.from(text, 'base64')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
