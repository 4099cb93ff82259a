/**
 * Why a request has no result, in JSON-RPC's words. `data` says it for people; CometBFT's own text where it has one.
 *
 * @source CometBFT v0.38.25 `rpc/jsonrpc/types/types.go`
 */

import { RpcCode } from '../errors.ts'
import type { JsonObject } from './block-json.ts'

export type CometErrorCode = Exclude<
  (typeof RpcCode)[keyof typeof RpcCode],
  typeof RpcCode.Refused | typeof RpcCode.LimitExceeded
>

const MESSAGES: Readonly<Record<CometErrorCode, string>> = {
  [RpcCode.ParseError]: 'Parse error. Invalid JSON',
  [RpcCode.InvalidRequest]: 'Invalid Request',
  [RpcCode.MethodNotFound]: 'Method not found',
  [RpcCode.InvalidParams]: 'Invalid params',
  [RpcCode.InternalError]: 'Internal error',
  [RpcCode.ServerError]: 'Server error',
}

export class CometFault extends Error {
  override readonly name = 'CometFault'
  readonly code: CometErrorCode
  constructor(code: CometErrorCode, data: string) {
    super(data)
    this.code = code
  }
}

/** The request is understood, but there is nothing to answer. */
export function refuse(data: string): CometFault {
  return new CometFault(RpcCode.InternalError, data)
}

/** An error of JSON-RPC. An unknown method needs no more words. */
export function errorJson({ code, message }: CometFault): JsonObject {
  return message === '' ? { code, message: MESSAGES[code] } : { code, message: MESSAGES[code], data: message }
}
