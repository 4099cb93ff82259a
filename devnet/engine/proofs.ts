/**
 * Decodes what actors ask about proofs of storage. Gas depends on counts and types only, but a malformed question must
 * be refused before it is charged.
 *
 * @source spec fvm §5.9
 */
import { decodeLenient } from './lenient-cbor.ts'
import type { Piece } from './sector.ts'

export interface WindowPost {
  readonly randomness: Uint8Array
  readonly proofs: readonly { readonly type: bigint; readonly proof: Uint8Array }[]
  readonly sectors: number
}

export interface AggregateSeals {
  readonly sealType: bigint
  readonly infos: number
}

export function decodePieces(bytes: Uint8Array): Piece[] {
  return decodeLenient(bytes, (reader) =>
    reader.list(() => {
      reader.tuple(2)
      return { size: reader.uint(), cid: reader.cid() }
    }),
  )
}

export function decodeWindowPost(bytes: Uint8Array): WindowPost {
  return decodeLenient(bytes, (reader) => {
    reader.tuple(4)
    const randomness = reader.bytes()
    const proofs = reader.list(() => {
      reader.tuple(2)
      return { type: reader.int(), proof: reader.bytes() }
    })
    const sectors = reader.list(() => {
      reader.tuple(3)
      reader.int()
      reader.uint()
      reader.cid()
    }).length
    reader.uint()
    return { randomness, proofs, sectors }
  })
}

export function decodeAggregateSeals(bytes: Uint8Array): AggregateSeals {
  return decodeLenient(bytes, (reader) => {
    reader.tuple(5)
    reader.uint()
    const sealType = reader.int()
    reader.int()
    reader.bytes()
    const infos = reader.list(() => {
      reader.tuple(5)
      reader.uint()
      reader.bytes()
      reader.bytes()
      reader.cid()
      reader.cid()
    }).length
    return { sealType, infos }
  })
}

export function decodeReplicaUpdate(bytes: Uint8Array): void {
  decodeLenient(bytes, (reader) => {
    reader.tuple(5)
    reader.int()
    reader.cid()
    reader.cid()
    reader.cid()
    reader.list(() => reader.u8())
  })
}

/** How many seals the batch has. */
export function decodeSealBatch(bytes: Uint8Array): number {
  return decodeLenient(bytes, (reader) =>
    reader.list(() => {
      reader.tuple(8)
      reader.int()
      reader.tuple(2)
      reader.uint()
      reader.uint()
      reader.list(() => reader.uint())
      reader.bytes()
      reader.bytes()
      reader.bytes()
      reader.cid()
      reader.cid()
    }),
  ).length
}
