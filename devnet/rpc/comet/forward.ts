/**
 * CometBFT's RPC where the real CometBFT decides: questions go to the node itself, and its answers come back as they are. It
 * alone has the blocks, and nobody tells its truth better.
 */

import { WebSocket } from 'ws'
import { RpcCode } from '../errors.ts'
import type { Mount, MountAnswer, MountRequest } from '../server.ts'
import type { JsonObject } from './block-json.ts'
import { CometFault, errorJson } from './fault.ts'
import { PROTOCOL_LIMITS } from './protocol.ts'

const ANSWER_BYTES_MAX = 64 << 20
/** Bytes on their way to one side, before that side is too slow. */
const UNSENT_BYTES_MAX = 16 << 20
/** Longer than any answer of CometBFT takes. */
const ANSWER_MS = 30_000

/** `url` is `http://host:port`. */
export function forwardComet(url: string): Mount {
  return {
    bodyBytesMax: PROTOCOL_LIMITS.bodyBytes,
    answer: (request) => forward(url, request),
    converses: (path) => path === '/websocket',
    converse: (socket) => join(socket, `${url.replace(/^http/, 'ws')}/websocket`),
  }
}

async function forward(url: string, { method, path, query, body }: MountRequest): Promise<MountAnswer> {
  if (body === undefined) {
    const fault = new CometFault(RpcCode.InvalidRequest, 'error reading request body: http: request body too large')
    return failed(400, { jsonrpc: '2.0', error: errorJson(fault) })
  }
  const search = query.size === 0 ? '' : `?${query}`
  try {
    const response = await fetch(`${url}${path}${search}`, {
      method: method === 'POST' ? 'POST' : 'GET',
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(method === 'POST' ? { body, headers: { 'content-type': 'application/json' } } : {}),
    })
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      cacheControl: response.headers.get('cache-control') ?? '',
      body: await readText(response),
    }
  } catch (error) {
    const detail = `the CometBFT node at ${url} does not answer (${(error as Error).message}); look at its log`
    return failed(502, { jsonrpc: '2.0', id: -1, error: errorJson(new CometFault(RpcCode.ServerError, detail)) })
  }
}

function failed(status: number, response: JsonObject): MountAnswer {
  return { status, contentType: 'application/json', cacheControl: '', body: JSON.stringify(response) }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > ANSWER_BYTES_MAX) throw new RangeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** What either side says goes to the other, until one of them ends. */
function join(client: WebSocket, url: string): void {
  const node = new WebSocket(url, { perMessageDeflate: false, maxPayload: ANSWER_BYTES_MAX })
  const early: Buffer[] = []
  const end = (): void => {
    client.terminate()
    node.terminate()
  }
  const pass = (to: WebSocket, data: Buffer): void => {
    if (to.bufferedAmount > UNSENT_BYTES_MAX) end()
    else if (to.readyState === to.OPEN) to.send(data.toString('utf8'))
  }
  client.on('message', (data: Buffer) => {
    if (data.length > PROTOCOL_LIMITS.bodyBytes || early.length >= 64) end()
    else if (node.readyState === node.CONNECTING) early.push(data)
    else pass(node, data)
  })
  node.on('open', () => {
    for (const data of early.splice(0)) pass(node, data)
  })
  node.on('message', (data: Buffer) => pass(client, data))
  for (const side of [client, node]) {
    side.on('error', end)
    side.once('close', end)
  }
}
