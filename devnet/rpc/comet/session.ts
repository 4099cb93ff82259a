/**
 * One client over a WebSocket: requests one after the other, and the events that it has subscribed to. A client that is silent
 * too long, says too much at once, or does not take what it asked for, is let go.
 *
 * @source CometBFT v0.38.25 `rpc/jsonrpc/server/ws_handler.go`, `rpc/core/events.go`
 */

import type { WebSocket } from 'ws'
import type { Clock } from '../../node/ports.ts'
import { readJsonArguments } from './arguments.ts'
import type { Json, JsonObject } from './block-json.ts'
import { type CometFault, errorJson, refuse } from './fault.ts'
import type { CometNode } from './node.ts'
import { answerCall, type Call, PROTOCOL_LIMITS, readCallText, toFault } from './protocol.ts'
import { SUBSCRIPTION_LIMITS, type Subscriber, type Subscriptions } from './subscriptions.ts'

export const SESSION_LIMITS = { pingMs: 27_000, silenceMs: 30_000, requests: 64 } as const
/** Codes of WebSocket's close. */
const TOO_BIG = 1009
const TRY_LATER = 1013

export interface SessionOptions {
  readonly node: CometNode
  readonly subscriptions: Subscriptions
  readonly clock: Clock
}

export function openSession(socket: WebSocket, options: SessionOptions): void {
  new Session(socket, options).run()
}

class Session implements Subscriber {
  readonly #socket: WebSocket
  readonly #options: SessionOptions
  readonly #requests: string[] = []
  #isAnswering = false
  /** Events that the system has not taken yet. */
  #unsent = 0
  #stopPing: () => void = () => {}
  #stopWaiting: () => void = () => {}

  constructor(socket: WebSocket, options: SessionOptions) {
    this.#socket = socket
    this.#options = options
  }

  run(): void {
    const socket = this.#socket
    socket.on('message', (data: Buffer) => this.#onMessage(data))
    socket.on('pong', () => this.#heard())
    socket.on('ping', () => this.#heard())
    socket.on('error', () => socket.terminate())
    socket.once('close', () => this.#close())
    this.#heard()
    this.#ping()
  }

  #close(): void {
    this.#stopPing()
    this.#stopWaiting()
    this.#options.subscriptions.forget(this)
  }

  #heard(): void {
    this.#stopWaiting()
    this.#stopWaiting = this.#options.clock.after(SESSION_LIMITS.silenceMs, () => this.#socket.terminate())
  }

  #ping(): void {
    this.#stopPing = this.#options.clock.after(SESSION_LIMITS.pingMs, () => {
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
      this.#ping()
    })
  }

  /** An event. */
  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#unsent >= SUBSCRIPTION_LIMITS.buffer) {
      this.#options.subscriptions.forget(this)
      this.#socket.close(TRY_LATER, 'client is not pulling messages fast enough')
      return
    }
    this.#unsent++
    this.#socket.send(text, () => {
      this.#unsent--
    })
  }

  #onMessage(data: Buffer): void {
    this.#heard()
    if (data.length > PROTOCOL_LIMITS.bodyBytes) {
      this.#socket.close(TOO_BIG, `a message has at most ${PROTOCOL_LIMITS.bodyBytes} bytes`)
      return
    }
    this.#requests.push(data.toString('utf8'))
    if (this.#requests.length >= SESSION_LIMITS.requests) this.#socket.pause()
    if (!this.#isAnswering) void this.#answerAll()
  }

  async #answerAll(): Promise<void> {
    this.#isAnswering = true
    for (let text = this.#requests.shift(); text !== undefined; text = this.#requests.shift()) {
      if (this.#socket.readyState !== this.#socket.OPEN) break
      await this.#answer(text)
      if (this.#requests.length === 0) this.#socket.resume()
    }
    this.#isAnswering = false
  }

  async #answer(text: string): Promise<void> {
    let call: Call
    try {
      call = readCallText(text)
    } catch (error) {
      return this.#reply({ jsonrpc: '2.0', error: errorJson(error as CometFault) })
    }
    const { id } = call
    if (id === null) return
    const response = this.#subscription(id, call) ?? (await answerCall(this.#options.node, id, call)).response
    return this.#reply(response)
  }

  /** Resolves when the system has taken it: the next request waits so long. */
  #reply(response: JsonObject): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(response), () => resolve())
      else resolve()
    })
  }

  /** Undefined when the call is about something else. */
  #subscription(id: string | number, call: Call): JsonObject | undefined {
    const { subscriptions } = this.#options
    const result: Json = {}
    try {
      if (call.method === 'subscribe') subscriptions.add(this, id, queryOf(call))
      else if (call.method === 'unsubscribe') subscriptions.remove(this, queryOf(call))
      else if (call.method === 'unsubscribe_all') subscriptions.removeAll(this)
      else return undefined
      return { jsonrpc: '2.0', id, result }
    } catch (error) {
      return { jsonrpc: '2.0', id, error: errorJson(toFault(error, 'json')) }
    }
  }
}

/** @throws CometFault */
function queryOf({ params }: Call): string {
  const { query } = readJsonArguments({ query: 'text' } as const, params)
  if (query === '') throw refuse('failed to parse query: offset 0: EOF')
  return query
}
