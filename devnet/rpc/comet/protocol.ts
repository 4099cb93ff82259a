/**
 * JSON-RPC as CometBFT speaks it, by POST and by URI: bytes in, status and text out. Knows nothing of sockets.
 *
 * @source CometBFT v0.38.25 `rpc/jsonrpc/server/{http_json_handler,http_uri_handler,http_server}.go`
 */

import { QueryError } from '../../node/event-query.ts'
import { SearchError } from '../../node/event-search.ts'
import { RpcCode } from '../errors.ts'
import { ArgumentError, readJsonArguments, readUriArguments } from './arguments.ts'
import type { Json, JsonObject } from './block-json.ts'
import { EvidenceError } from './evidence-json.ts'
import { CometFault, errorJson, refuse } from './fault.ts'
import { COMET_METHODS } from './methods.ts'
import type { CometNode } from './node.ts'

export interface CometRequest {
  readonly method: string
  /** Below the mount: `/`, `/block`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Undefined when it is larger than may be. */
  readonly body: string | undefined
}

export interface CometAnswer {
  readonly status: number
  /** Empty for no content. */
  readonly contentType: string
  /** Empty when nobody may keep the answer. */
  readonly cacheControl: string
  readonly body: string
}

export const PROTOCOL_LIMITS = { batch: 10, bodyBytes: 1_000_000, depth: 64 } as const

const JSON_TYPE = 'application/json'
const LASTING = 'public, max-age=86400'
/** What a request by URI is answered with. */
const URI_ID = -1
export const SUBSCRIPTION_METHODS: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'unsubscribe_all'])

export function answerRequest(node: CometNode, request: CometRequest): Promise<CometAnswer> | CometAnswer {
  const { path, body } = request
  if (path !== '/') return answerUri(node, path.slice(1), request.query)
  if (body === undefined) {
    const fault = new CometFault(RpcCode.InvalidRequest, 'error reading request body: http: request body too large')
    return answerWith(400, failure(undefined, fault))
  }
  return body === '' ? listEndpoints() : answerPost(node, body)
}

function answerWith(status: number, response: Json): CometAnswer {
  return { status, contentType: JSON_TYPE, cacheControl: '', body: JSON.stringify(response) }
}

function failure(id: Json | undefined, fault: CometFault): JsonObject {
  return { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error: errorJson(fault) }
}

// --- by POST --------------------------------------------------------------------------------------------------------

/** A request of JSON-RPC. One without an id is not answered. */
export interface Call {
  readonly id: string | number | null
  readonly method: string
  readonly params: unknown
}

async function answerPost(node: CometNode, body: string): Promise<CometAnswer> {
  let calls: readonly Call[]
  try {
    calls = readCalls(body)
  } catch (error) {
    return answerWith(500, failure(undefined, error as CometFault))
  }
  if (calls.length > PROTOCOL_LIMITS.batch) {
    const detail = `batch request exceeds maximum (${PROTOCOL_LIMITS.batch}) allowed number of requests`
    return answerWith(200, failure(undefined, new CometFault(RpcCode.InvalidRequest, detail)))
  }
  const answered: Answered[] = []
  for (const call of calls) {
    if (call.id === null) continue
    answered.push(await answerCall(node, call.id, call))
  }
  if (answered.length === 0) return { status: 200, contentType: '', cacheControl: '', body: '' }
  const responses = answered.map(({ response }) => response)
  return {
    status: answered.some(({ isBroken }) => isBroken) ? 500 : 200,
    contentType: JSON_TYPE,
    cacheControl: answered.every(({ isLasting }) => isLasting) ? LASTING : '',
    body: JSON.stringify(responses.length === 1 ? responses[0] : responses),
  }
}

/** @throws CometFault */
function readCalls(body: string): readonly Call[] {
  const request = parse(body)
  return Array.isArray(request) ? request.map(readCall) : [readCall(request)]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CometFault(RpcCode.ParseError, `error unmarshaling request: ${(error as Error).message}`)
  }
}

/** @throws CometFault */
export function readCallText(text: string): Call {
  return readCall(parse(text))
}

function readCall(request: unknown): Call {
  const bad = (detail: string) => new CometFault(RpcCode.ParseError, `error unmarshaling request: ${detail}`)
  if (typeof request !== 'object' || request === null || Array.isArray(request)) throw bad('a request is an object')
  const { id = null, method = '', params } = request as { id?: unknown; method?: unknown; params?: unknown }
  if (typeof method !== 'string') throw bad('the method is no text')
  if (isDeep(params)) throw bad(`params are nested deeper than ${PROTOCOL_LIMITS.depth}`)
  if (id === null || typeof id === 'string') return { id, method, params }
  if (typeof id === 'number') return { id: Math.trunc(id), method, params }
  throw bad('the id is neither text nor number')
}

/** Levels of lists and objects, without recursion. */
function isDeep(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; depth <= PROTOCOL_LIMITS.depth; depth++) {
    level = level.flatMap((item) => (item !== null && typeof item === 'object' ? Object.values(item) : []))
    if (level.length === 0) return false
  }
  return true
}

export interface Answered {
  readonly response: JsonObject
  readonly isLasting: boolean
  /** The failure is ours. */
  readonly isBroken: boolean
}

/** Never throws: what goes wrong is the answer. */
export async function answerCall(node: CometNode, id: string | number, call: Call): Promise<Answered> {
  const method = COMET_METHODS.get(call.method)
  if (method === undefined) return notFound(id)
  try {
    const values = readJsonArguments(method.arguments, call.params)
    const result = await method.answer(node, values)
    return { response: { jsonrpc: '2.0', id, result }, isLasting: method.isLasting(values, node), isBroken: false }
  } catch (error) {
    return answerFailure(id, error, 'json')
  }
}

function notFound(id: string | number): Answered {
  return { response: failure(id, new CometFault(RpcCode.MethodNotFound, '')), isLasting: false, isBroken: false }
}

function answerFailure(id: string | number, error: unknown, form: 'json' | 'http'): Answered {
  const fault = toFault(error, form)
  return { response: failure(id, fault), isLasting: false, isBroken: fault.code === RpcCode.ServerError }
}

/** A failure that nobody expected is the server's. */
export function toFault(error: unknown, form: 'json' | 'http'): CometFault {
  if (error instanceof CometFault) return error
  if (error instanceof ArgumentError || error instanceof EvidenceError) {
    const detail = `error converting ${form} params to arguments: ${error.message}`
    return new CometFault(RpcCode.InvalidParams, detail)
  }
  if (error instanceof QueryError || error instanceof SearchError) return refuse(error.message)
  return new CometFault(RpcCode.ServerError, error instanceof Error ? error.message : String(error))
}

// --- by URI ---------------------------------------------------------------------------------------------------------

async function answerUri(node: CometNode, name: string, query: URLSearchParams): Promise<CometAnswer> {
  if (SUBSCRIPTION_METHODS.has(name)) return answerWith(404, notFound(URI_ID).response)
  const method = COMET_METHODS.get(name)
  if (method === undefined) {
    return { status: 404, contentType: 'text/plain; charset=utf-8', cacheControl: '', body: '404 page not found\n' }
  }
  try {
    const values = readUriArguments(method.arguments, query)
    const result = await method.answer(node, values)
    const answer = answerWith(200, { jsonrpc: '2.0', id: URI_ID, result })
    return method.isLasting(values, node) ? { ...answer, cacheControl: LASTING } : answer
  } catch (error) {
    return answerWith(500, answerFailure(URI_ID, error, 'http').response)
  }
}

/** For people who come with a browser. */
function listEndpoints(): CometAnswer {
  const items = [...COMET_METHODS].map(([name, { arguments: kinds }]) => {
    const query = Object.keys(kinds).map((argument) => `${argument}=_`)
    const path = query.length === 0 ? name : `${name}?${query.join('&')}`
    return `<a href="${path.replaceAll('&', '&amp;')}">${path.replaceAll('&', '&amp;')}</a></br>`
  })
  const body = `<html><body><br>Available endpoints:<br>${items.join('')}</body></html>`
  return { status: 200, contentType: 'text/html', cacheControl: '', body }
}
