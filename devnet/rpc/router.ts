/** The method table: a JSON-RPC request in, an answer out. Knows nothing of sockets. */
import { RpcCode, RpcError, toRpcError } from './errors.ts'

/** A connection that can be told things, for subscriptions; null over plain HTTP. */
export interface Session {
  notify(message: unknown): void
  onClose(run: () => void): void
}

export interface Caller {
  /** Whether this caller may use the devnet's powers. */
  readonly mayUsePowers: boolean
  readonly session: Session | null
}

export type Method = (params: readonly unknown[], caller: Caller) => unknown

export interface MethodTable {
  readonly methods: ReadonlyMap<string, Method>
  /** Methods that change the devnet from outside of its rules. */
  readonly powers: ReadonlySet<string>
}

export const RPC_LIMITS = { batch: 200, depth: 64 } as const

/** The text of the answer; empty when nothing is to be said (notifications). */
export async function answer(table: MethodTable, text: string, caller: Caller): Promise<string> {
  let request: unknown
  try {
    request = JSON.parse(text)
  } catch {
    return encode(failure(null, new RpcError(RpcCode.ParseError, 'the request is not JSON')))
  }
  if (!Array.isArray(request)) {
    const response = await answerOne(table, request, caller)
    return response === null ? '' : encode(response)
  }
  if (request.length === 0) return encode(failure(null, new RpcError(RpcCode.InvalidRequest, 'the batch is empty')))
  if (request.length > RPC_LIMITS.batch) {
    return encode(
      failure(
        null,
        new RpcError(RpcCode.LimitExceeded, `a batch has at most ${RPC_LIMITS.batch} requests, not ${request.length}`),
      ),
    )
  }
  const responses = await Promise.all(request.map((one) => answerOne(table, one, caller)))
  const said = responses.filter((response) => response !== null)
  return said.length === 0 ? '' : encode(said)
}

async function answerOne(table: MethodTable, request: unknown, caller: Caller): Promise<unknown> {
  if (request === null || typeof request !== 'object' || Array.isArray(request)) {
    return failure(null, new RpcError(RpcCode.InvalidRequest, 'a request is an object'))
  }
  const { id, method, params } = request as { id?: unknown; method?: unknown; params?: unknown }
  const answerId = typeof id === 'string' || typeof id === 'number' || id === null ? id : null
  try {
    if (typeof method !== 'string') throw new RpcError(RpcCode.InvalidRequest, 'the request names no method')
    const run = table.methods.get(method)
    if (run === undefined) throw new RpcError(RpcCode.MethodNotFound, `the method ${shorten(method)} does not exist`)
    if (table.powers.has(method) && !caller.mayUsePowers) {
      throw new RpcError(
        RpcCode.Refused,
        `${method} is a devnet power: only local programs may use it, not web pages of other origins`,
      )
    }
    const list = params === undefined || params === null ? [] : Array.isArray(params) ? params : [params]
    if (depthOf(list) > RPC_LIMITS.depth)
      throw new RpcError(RpcCode.InvalidParams, `params are nested deeper than ${RPC_LIMITS.depth}`)
    const result = (await run(list, caller)) ?? null
    return id === undefined ? null : { jsonrpc: '2.0', id: answerId, result }
  } catch (error) {
    return id === undefined ? null : failure(answerId, error)
  }
}

function failure(id: unknown, error: unknown): unknown {
  return { jsonrpc: '2.0', id, error: toRpcError(error) }
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** Levels of arrays and objects, without recursion. */
function depthOf(value: unknown): number {
  let level: unknown[] = [value]
  let depth = 0
  while (level.length > 0 && depth <= RPC_LIMITS.depth) {
    const next: unknown[] = []
    for (const item of level) if (item !== null && typeof item === 'object') next.push(...Object.values(item))
    if (!level.some((item) => item !== null && typeof item === 'object')) break
    depth++
    level = next
  }
  return depth
}

/** Integers beyond 2^53 travel as decimal text. */
function encode(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item))
}
