/**
 * What happened while a message ran, in order. Not consensus: for people, for `troupe trace`, and the first thing to
 * compare with the reference when gas differs.
 */
import type { Cid } from '../ipld/cid.ts'
import type { ActorId } from '../state/actor.ts'
import type { Address } from '../state/address.ts'
import type { TokenAmount } from '../state/token.ts'
import type { ErrorNumber } from './failure.ts'

/** Gas amounts are milligas unless the field says otherwise. */
export type TraceEvent =
  | { readonly kind: 'gas'; readonly name: string; readonly milligas: number | bigint }
  | {
      readonly kind: 'call'
      readonly from: ActorId
      readonly to: Address
      readonly method: bigint
      readonly value: TokenAmount
      /** Whole gas that the call may use. */
      readonly gas: bigint
      readonly readOnly: boolean
      readonly params: Uint8Array | null
    }
  | { readonly kind: 'invoke'; readonly id: ActorId; readonly code: Cid }
  | { readonly kind: 'return'; readonly exitCode: number; readonly codec: number | null; readonly data: Uint8Array }
  | { readonly kind: 'error'; readonly errno: ErrorNumber }
  | { readonly kind: 'get' | 'put'; readonly cid: Cid; readonly size: number }
  | { readonly kind: 'log'; readonly text: string }
  /** A syscall begins; what it costs follows, up to the next charge for execution. */
  | { readonly kind: 'enter'; readonly name: string }
  /** A syscall failed. */
  | { readonly kind: 'syscall'; readonly name: string; readonly errno: number }

export type Trace = TraceEvent[]
