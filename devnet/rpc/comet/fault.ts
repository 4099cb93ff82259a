/**
 * Why a request has no result, in JSON-RPC's words. `data` says it for people; CometBFT's own text where it has one.
 *
 * @source CometBFT v0.38.25 `rpc/jsonrpc/types/types.go`
 */

import type { JsonObject } from './block-json.ts'

export const CometCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  ServerError: -32000,
} as const

export type CometErrorCode = (typeof CometCode)[keyof typeof CometCode]

const MESSAGES: Readonly<Record<CometErrorCode, string>> = {
  [CometCode.ParseError]: 'Parse error. Invalid JSON',
  [CometCode.InvalidRequest]: 'Invalid Request',
  [CometCode.MethodNotFound]: 'Method not found',
  [CometCode.InvalidParams]: 'Invalid params',
  [CometCode.InternalError]: 'Internal error',
  [CometCode.ServerError]: 'Server error',
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
  return new CometFault(CometCode.InternalError, data)
}

/** An error of JSON-RPC. An unknown method needs no more words. */
export function errorJson({ code, message }: CometFault): JsonObject {
  return message === '' ? { code, message: MESSAGES[code] } : { code, message: MESSAGES[code], data: message }
}
