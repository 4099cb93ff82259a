/**
 * One port for everything: JSON-RPC over HTTP and WebSocket, by path. Any page may read; the powers are for callers whose
 * Host is this machine and that come from no web page, or from a page of ours.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { answer, type Caller, type MethodTable, type Session } from './router.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  /** Refuse to start instead of taking the next free port. */
  readonly isStrict: boolean
  /** Lets callers from other hosts use the powers. */
  readonly allowRemotePowers?: boolean
  /** Paths to their methods. */
  readonly routes: Readonly<Record<string, MethodTable>>
  /** Paths to what answers there and below in a manner of its own. */
  readonly mounts?: Readonly<Record<string, Mount>>
  /** What `GET /` answers. */
  readonly describe: () => unknown
}

/** A request below a mount. */
export interface MountRequest {
  readonly method: string
  /** Below the mount; `/` for itself. */
  readonly path: string
  readonly query: URLSearchParams
  /** Undefined when it is larger than the mount takes. */
  readonly body: string | undefined
}

export interface MountAnswer {
  readonly status: number
  /** Empty for no content. */
  readonly contentType: string
  /** Empty when nobody may keep the answer. */
  readonly cacheControl: string
  readonly body: string
}

/** Another protocol on the same port. Callers are those that any route has: it offers no powers. */
export interface Mount {
  readonly bodyBytesMax: number
  answer(request: MountRequest): Promise<MountAnswer> | MountAnswer
  /** Whether a WebSocket may be opened at this path below the mount. */
  converses(path: string): boolean
  converse(socket: WebSocket): void
}

export interface RunningServer {
  readonly host: string
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

export class PortBusy extends Error {
  override readonly name = 'PortBusy'
  readonly code = 'TRP-8401'
}

export const SERVER_LIMITS = { bodyBytes: 10 << 20, sockets: 1024, portsToTry: 20 } as const
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer((request, response) => {
    serve(options, request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 30_000
  server.maxConnections = SERVER_LIMITS.sockets
  const sockets = new WebSocketServer({ noServer: true, maxPayload: SERVER_LIMITS.bodyBytes, perMessageDeflate: false })
  server.on('upgrade', (request, socket, head) => {
    const talk = talkOf(options, request)
    if (talk === undefined || !hasGoodHost(options, request)) {
      socket.destroy()
      return
    }
    sockets.handleUpgrade(request, socket, head, talk)
  })
  const port = await listen(server, options)
  return {
    host: options.host,
    port,
    url: `http://${options.host}:${port}`,
    close: () => close(server, sockets),
  }
}

async function listen(server: Server, { host, port, isStrict }: ServerOptions): Promise<number> {
  const tries = isStrict || port === 0 ? 1 : SERVER_LIMITS.portsToTry
  for (let next = port; next < port + tries; next++) {
    if (await tryListen(server, host, next)) return (server.address() as AddressInfo).port
  }
  throw new PortBusy(tries === 1 ? `port ${port} is busy` : `ports ${port} to ${port + tries - 1} are busy`)
}

function tryListen(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening)
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(error)
    }
    const onListening = () => {
      server.off('error', onError)
      resolve(true)
    }
    server.once('error', onError)
    server.once('listening', onListening)
    server.listen(port, host)
  })
}

function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.terminate()
  sockets.close()
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!hasGoodHost(options, request)) {
    reply(response, 403, { error: 'this host name is not served: use 127.0.0.1 or localhost' })
    return
  }
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-headers', 'content-type, authorization')
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS')
  if (request.method === 'OPTIONS') {
    response.writeHead(204).end()
    return
  }
  const mounted = mountOf(options, request)
  if (mounted !== undefined) {
    await serveMount(mounted, request, response)
    return
  }
  if (request.method === 'GET') {
    const path = pathOf(request)
    if (path === '/' || path === '/health') reply(response, 200, options.describe())
    else reply(response, 404, { error: `nothing at ${path}` })
    return
  }
  const table = routeOf(options, request)
  if (request.method !== 'POST' || table === undefined) {
    reply(response, request.method === 'POST' ? 404 : 405, { error: 'JSON-RPC is spoken here by POST' })
    return
  }
  const body = await readBody(request, SERVER_LIMITS.bodyBytes)
  if (body === undefined) {
    reply(response, 413, {
      jsonrpc: '2.0',
      id: null,
      error: { code: -32005, message: `a request has at most ${SERVER_LIMITS.bodyBytes} bytes` },
    })
    return
  }
  const text = await answer(table, body, { mayUsePowers: mayUsePowers(options, request), session: null })
  response.writeHead(text === '' ? 204 : 200, { 'content-type': 'application/json' }).end(text)
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item))
  response
    .writeHead(status, { 'content-type': 'application/json', connection: status === 413 ? 'close' : 'keep-alive' })
    .end(text)
}

async function serveMount({ mount, path }: Mounted, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request
  const at = url.indexOf('?')
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at))
  const body = await readBody(request, mount.bodyBytesMax)
  const answered = await mount.answer({ method, path, query, body })
  if (answered.contentType !== '') response.setHeader('content-type', answered.contentType)
  if (answered.cacheControl !== '') response.setHeader('cache-control', answered.cacheControl)
  if (body === undefined) response.setHeader('connection', 'close')
  response.writeHead(answered.status).end(answered.body)
}

/** Undefined when it is too large; the rest is not read then. */
function readBody(request: IncomingMessage, sizeMax: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > sizeMax) {
        request.removeAllListeners('data')
        request.resume()
        resolve(undefined)
        return
      }
      chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.on('error', reject)
  })
}

function converse(socket: WebSocket, table: MethodTable, powers: boolean): void {
  const session: Session = {
    notify: (message) => {
      if (socket.readyState === socket.OPEN)
        socket.send(JSON.stringify(message, (_, item) => (typeof item === 'bigint' ? item.toString() : item)))
    },
    onClose: (run) => socket.once('close', run),
  }
  const caller: Caller = { mayUsePowers: powers, session }
  socket.on('message', (data) => {
    answer(table, data.toString(), caller).then(
      (text) => {
        if (text !== '' && socket.readyState === socket.OPEN) socket.send(text)
      },
      () => socket.terminate(),
    )
  })
  socket.on('error', () => socket.terminate())
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0]!
}

function routeOf({ routes }: ServerOptions, request: IncomingMessage): MethodTable | undefined {
  const path = pathOf(request).replace(/\/+$/, '') || '/'
  return routes[path]
}

interface Mounted {
  readonly mount: Mount
  readonly path: string
}

function mountOf({ mounts = {} }: ServerOptions, request: IncomingMessage): Mounted | undefined {
  const path = pathOf(request)
  for (const [prefix, mount] of Object.entries(mounts)) {
    if (path === prefix) return { mount, path: '/' }
    if (path.startsWith(`${prefix}/`)) return { mount, path: path.slice(prefix.length).replace(/(?!^)\/+$/, '') }
  }
  return undefined
}

/** How a WebSocket is spoken with at a path. */
function talkOf(options: ServerOptions, request: IncomingMessage): ((socket: WebSocket) => void) | undefined {
  const mounted = mountOf(options, request)
  if (mounted !== undefined) {
    const { mount, path } = mounted
    return mount.converses(path) ? (socket) => mount.converse(socket) : undefined
  }
  const table = routeOf(options, request)
  return table === undefined ? undefined : (socket) => converse(socket, table, mayUsePowers(options, request))
}

function hostNameOf(request: IncomingMessage): string {
  const host = request.headers.host ?? ''
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.split(':')[0]!
}

/** A page that resolves its own name to this machine must not reach us by it. */
function hasGoodHost({ host }: ServerOptions, request: IncomingMessage): boolean {
  if (!LOOPBACK.has(host)) return true
  return LOOPBACK.has(hostNameOf(request)) || hostNameOf(request).endsWith('.localhost')
}

function mayUsePowers({ allowRemotePowers }: ServerOptions, request: IncomingMessage): boolean {
  const isLocal = LOOPBACK.has(hostNameOf(request)) && isLoopback(request.socket.remoteAddress)
  if (!isLocal && allowRemotePowers !== true) return false
  const { origin } = request.headers
  return origin === undefined || origin === `http://${request.headers.host}`
}

function isLoopback(address: string | undefined): boolean {
  return (
    address !== undefined && (LOOPBACK.has(address) || address.startsWith('127.') || address.startsWith('::ffff:127.'))
  )
}
