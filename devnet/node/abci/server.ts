/**
 * The application behind a socket, for the real CometBFT: ABCI 2.0 over TCP or a unix socket.
 *
 * A connection's requests are answered one after the other in their order, each answer as soon as it is known; Flush has
 * nothing left to do. Four connections come and cannot be told apart. What changes state, or depends on its not changing,
 * waits its turn over all of them; questions about committed state do not.
 *
 * @source CometBFT v0.38.25 `abci/server/socket_server.go`, `abci/client/socket_client.go`; spec consensus §4.3
 */

import { rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { ACCEPT, type Application, type RequestOf } from '../../consensus/application.ts'
import { WireError } from '../../consensus/protobuf.ts'
import { decode } from '../../consensus/schema.ts'
import {
  ABCI_REQUEST,
  ABCI_RESPONSE,
  type AbciRequest,
  type AbciResponse,
  encodeFrame,
} from '../../consensus/wire-abci.ts'
import { FrameBuffer } from './frame-buffer.ts'

/** Where to listen. Port 0 takes any that is free. */
export type AbciEndpoint = { readonly path: string } | { readonly host: string; readonly port: number }

/** As CometBFT writes it: `unix:///path` or `tcp://host:port`. Undefined for anything else. */
export function parseAbciAddress(text: string): AbciEndpoint | undefined {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { path }
  const [, host, port] = /^tcp:\/\/([^:/]+|\[[0-9a-f:]+\]):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) return undefined
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

export interface AbciServer {
  /** As `proxy_app` of CometBFT's configuration has it: `unix://…` or `tcp://…`. */
  readonly address: string
  readonly connections: number
  /** Closes all connections, also those with a request under way. */
  close(): Promise<void>
}

export interface AbciServerOptions {
  /**
   * The application threw: CometBFT has been told and stops. The node must end and be started again; what was committed is
   * safe.
   */
  readonly onFailure: (error: unknown) => void
}

/** Beside CometBFT's four somebody may look in; nobody needs more. */
const CONNECTIONS_MAX = 16

/** @throws what listening throws: the address is in use, the path cannot be written */
export async function serveAbci(
  application: Application,
  endpoint: AbciEndpoint,
  options: AbciServerOptions,
): Promise<AbciServer> {
  const turn = new Turn()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    void new Connection(socket, application, turn, options).run()
  })
  server.maxConnections = CONNECTIONS_MAX
  if ('path' in endpoint) await removeStaleSocket(endpoint.path)
  await listen(server, endpoint)
  const at = server.address()
  return {
    address: at === null || typeof at === 'string' ? `unix://${at}` : `tcp://${at.address}:${at.port}`,
    get connections() {
      return sockets.size
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function listen(server: Server, endpoint: AbciEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(endpoint, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A process that was killed leaves its socket behind: nobody answers there. Other files are left alone. */
async function removeStaleSocket(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', () => resolve(true))
  })
  if (isStale) rmSync(path, { force: true })
}

/** One after the other: consensus and mempool share the application's state. */
class Turn {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(act: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(act)
    this.#last = done.catch(() => {})
    return done
  }
}

class Connection {
  readonly #socket: Socket
  readonly #application: Application
  readonly #turn: Turn
  readonly #options: AbciServerOptions
  #isCorked = false

  constructor(socket: Socket, application: Application, turn: Turn, options: AbciServerOptions) {
    this.#socket = socket
    this.#application = application
    this.#turn = turn
    this.#options = options
  }

  /** Until the other side ends, or says what cannot be answered. A side that does not read its answers is not read either. */
  async run(): Promise<void> {
    const frames = new FrameBuffer()
    // A connection that breaks is the other side's end of it; its supervisor starts both again.
    this.#socket.on('error', () => {})
    try {
      for await (const chunk of this.#socket as AsyncIterable<Uint8Array>) {
        frames.push(chunk)
        const error = await this.#answerAll(frames)
        if (error !== undefined) return await this.#fail(error)
        await this.#drained()
      }
    } catch {
      // The connection broke, which is the other side's end.
    }
  }

  /** The error that ends the connection. */
  async #answerAll(frames: FrameBuffer): Promise<ApplicationFailure | WireError | undefined> {
    try {
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        this.#write(await this.#answer(decode(ABCI_REQUEST, bytes)))
      }
      return undefined
    } catch (error) {
      if (error instanceof ApplicationFailure || error instanceof WireError) return error
      throw error
    }
  }

  async #answer(request: AbciRequest | null): Promise<AbciResponse> {
    if (request === null) throw new WireError({ code: 'ILLEGAL_KEY', offset: 0 })
    try {
      const atOnce = answerAtOnce(this.#application, request)
      if (atOnce !== undefined) return atOnce
      const response = await this.#turn.take(() => answerInTurn(this.#application, request))
      if (response.kind === 'processProposal' && response.value.status === ACCEPT) {
        this.#executeAhead(request.value as RequestOf<'processProposal'>)
      }
      return response
    } catch (error) {
      throw new ApplicationFailure(error)
    }
  }

  /** After the answer is on its way: votes take longer than most blocks. */
  #executeAhead({ proposedLastCommit, ...proposal }: RequestOf<'processProposal'>): void {
    const { executeAhead } = this.#application
    if (executeAhead === undefined) return
    setImmediate(() => {
      void this.#turn.take(() => {
        try {
          executeAhead.call(this.#application, { ...proposal, decidedLastCommit: proposedLastCommit })
        } catch {
          // The block was decided meanwhile, or its execution fails: then it fails again when it is asked for.
        }
      })
    })
  }

  /** Answers of one turn of the event loop leave together. */
  #write(response: AbciResponse): void {
    const socket = this.#socket
    if (!this.#isCorked) {
      this.#isCorked = true
      socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        socket.uncork()
      })
    }
    socket.write(encodeFrame(ABCI_RESPONSE, response))
  }

  #drained(): Promise<void> | undefined {
    const socket = this.#socket
    if (!socket.writableNeedDrain || socket.destroyed) return undefined
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }

  /** CometBFT stops at an exception, as it must. Resolves when it has left, or nobody takes it. */
  async #fail(error: ApplicationFailure | WireError): Promise<void> {
    const cause = error instanceof ApplicationFailure ? error.cause : error
    if (!this.#socket.destroyed) {
      this.#write({ kind: 'exception', value: { error: cause instanceof Error ? cause.message : String(cause) } })
      await new Promise<void>((resolve) => {
        this.#socket.once('close', resolve)
        this.#socket.end(() => resolve())
      })
    }
    if (error instanceof ApplicationFailure) this.#options.onFailure(cause)
  }
}

/** Tells what the application threw from what the socket did. */
class ApplicationFailure extends Error {
  override readonly name = 'ApplicationFailure'
  constructor(cause: unknown) {
    super('the application failed', { cause })
  }
}

/** About the connection, or about committed state: nobody has to wait. */
function answerAtOnce(application: Application, { kind, value }: AbciRequest): AbciResponse | undefined {
  switch (kind) {
    case 'echo':
    case 'flush':
      return { kind, value } as AbciResponse
    case 'info':
      return { kind, value: application.info(value) }
    case 'query':
      return { kind, value: application.query(value) }
    case 'listSnapshots':
      return { kind, value: application.listSnapshots(value) }
    case 'loadSnapshotChunk':
      return { kind, value: application.loadSnapshotChunk(value) }
    default:
      return undefined
  }
}

async function answerInTurn(application: Application, { kind, value }: AbciRequest): Promise<AbciResponse> {
  switch (kind) {
    case 'initChain':
      return { kind, value: application.initChain(value) }
    case 'checkTx':
      return { kind, value: application.checkTx(value) }
    case 'prepareProposal':
      return { kind, value: application.prepareProposal(value) }
    case 'processProposal':
      return { kind, value: application.processProposal(value) }
    case 'extendVote':
      return { kind, value: application.extendVote(value) }
    case 'verifyVoteExtension':
      return { kind, value: application.verifyVoteExtension(value) }
    case 'finalizeBlock':
      return { kind, value: application.finalizeBlock(value) }
    case 'commit':
      return { kind, value: await application.commit() }
    case 'offerSnapshot':
      return { kind, value: await application.offerSnapshot(value) }
    case 'applySnapshotChunk':
      return { kind, value: await application.applySnapshotChunk(value) }
    default:
      throw new RangeError(`${kind} is answered at once`)
  }
}
