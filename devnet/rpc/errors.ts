/** The only place where a failure becomes a JSON-RPC error. */
import { MessageRefused } from '../engine/executor.ts'
import { EngineExhausted } from '../engine/failure.ts'
import { ChainHalted, SubmitError } from '../node/chain.ts'

export const RpcCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  ServerError: -32000,
  Refused: -32001,
  LimitExceeded: -32005,
} as const

/** A failure with its code; `data` carries what a program may branch on. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown
  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

export interface RpcErrorBody {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Errors of ours that name what the caller did wrong. */
const CALLERS = new Set([
  'AbiValueError',
  'AddressError',
  'CborError',
  'CidError',
  'MessageError',
  'TokenError',
  'TransactionError',
  'MempoolError',
  'PowerUnavailable',
  'RangeError',
])

export function toRpcError(error: unknown): RpcErrorBody {
  if (error instanceof RpcError) return body(error.code, error.message, error.data)
  if (error instanceof SubmitError) return body(1, error.message, { code: error.code })
  if (error instanceof MessageRefused) return body(1, error.message, { code: error.code })
  if (error instanceof ChainHalted || error instanceof EngineExhausted) return body(RpcCode.ServerError, error.message)
  if (error instanceof Error && CALLERS.has(error.name)) {
    return body(RpcCode.InvalidParams, error.message, 'code' in error ? { code: error.code } : undefined)
  }
  return body(RpcCode.InternalError, error instanceof Error ? error.message : String(error))
}

function body(code: number, message: string, data?: unknown): RpcErrorBody {
  return data === undefined ? { code, message } : { code, message, data }
}
