/** Requests to a devnet, and what several of them answer. */
import type { Abi } from '../../compiler/abi/schema.ts'

/** Whoever carries requests to a devnet, over a port or without one. */
export interface Requester {
  readonly url: string
  /** @throws ClientError */
  request<T>(method: string, params?: readonly unknown[]): Promise<T>
}

export interface StatusJson {
  readonly chainId: string
  readonly height: number
  readonly timeMs: number
  readonly baseFee: string
}

export interface ActorJson {
  readonly id: string
  readonly code: string
  readonly state: string
  readonly abi: Abi | null
}

export interface BalanceJson {
  /** Null where nobody is yet. */
  readonly id: string | null
  readonly balance: string
}
