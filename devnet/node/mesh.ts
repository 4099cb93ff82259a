/**
 * Nodes in processes of their own, each connected to each by one WebSocket. Of a pair the one whose name comes first dials. Both prove
 * that they are of the same chain, and which validator they are, before anything else is heard. Who has the name of a validator of the genesis
 * must have its key.
 *
 *   frame = 0 ‖ hello | 1 ‖ proof | 2 ‖ message
 *
 * Messages to a peer that does not read are dropped, and found missing later by its status. A peer that breaks the rules is cut off.
 *
 * @source spec consensus §6.2
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { addressOf, equalKeys, type PrivateKey, publicKeyOf, signMessage, verifyMessage } from '../consensus/key.ts'
import { WireError } from '../consensus/protobuf.ts'
import { bytes, decode, encode, message, optional, text, uint32, type ValueOf } from '../consensus/schema.ts'
import { PUBLIC_KEY, type PublicKey } from '../consensus/wire.ts'
import { concatBytes, equalBytes } from '../primitives/bytes.ts'
import { encodeUtf8 } from '../primitives/utf8.ts'
import type { LinkFaults } from './link-faults.ts'
import {
  decodeNodeMessage,
  encodeNodeMessage,
  type NodeMessage,
  type PeerLinks,
  type PeerListener,
  type PeerNetwork,
} from './peer-links.ts'
import type { Clock } from './ports.ts'

const PROTOCOL = 1
const HELLO = message({
  protocol: uint32(1),
  name: text(2),
  /** Hash of the genesis. */
  genesis: bytes(3),
  nonce: bytes(4),
  key: optional(5, PUBLIC_KEY),
})
type Hello = ValueOf<typeof HELLO>
const PROOF = message({ signature: bytes(1) })

const [HELLO_FRAME, PROOF_FRAME, MESSAGE_FRAME] = [0, 1, 2]
const NONCE_SIZE = 32
const NAME_SIZE_MAX = 64
/** A block of the greatest size, and what is around it. */
const FRAME_SIZE_MAX = 110 * 1024 * 1024
/** Of what waits for a peer that does not read; a single larger message may go when nothing else waits. */
const QUEUE_SIZE_MAX = 8 * 1024 * 1024
const HELLO_TIMEOUT_MS = 5000
const PING_MS = 1000
const SILENCE_MAX_MS = 3000
const BACKOFF_MS = { least: 50, most: 2000 }
/** Messages of a peer in a second. */
const RATE_MAX = 50_000

export interface MeshPeer {
  readonly name: string
  /** `ws://host:port`. */
  readonly url: string
  /** Of the validator that it must prove to be; any key, or none, will do when absent. */
  readonly key?: PublicKey
}

export interface MeshOptions {
  readonly name: string
  readonly key: PrivateKey | null
  readonly genesisHash: Uint8Array
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly faults: LinkFaults
  readonly clock: Clock
}

interface Link {
  readonly peer: string
  readonly validator: string | undefined
  readonly socket: WebSocket
}

/** The port of the mesh cannot be had. */
export class MeshError extends Error {
  override readonly name = 'MeshError'
  readonly code = 'TRP-8407'
}

export class Mesh implements PeerNetwork {
  readonly #options: MeshOptions
  readonly #server: WebSocketServer
  /** Connections that this node asked for, whether the other has proved itself yet or not. */
  readonly #dialled = new Set<WebSocket>()
  readonly #links = new Map<string, Link>()
  /** Who may come, and the key that each must have, if that is settled. */
  readonly #allowed = new Map<string, PublicKey | undefined>()
  #listener: PeerListener | null = null
  #isClosed = false
  readonly #timers = new Set<() => void>()
  /** Messages that were dropped because a peer did not read. */
  dropped = 0

  private constructor(options: MeshOptions, server: WebSocketServer) {
    this.#options = options
    this.#server = server
    server.on('connection', (socket) => this.#greet(socket, null))
  }

  /** Listens; peers are dialled with `connect`. @throws MeshError */
  static listen(options: MeshOptions): Promise<Mesh> {
    const { host, port } = options
    return new Promise((resolve, reject) => {
      const server = new WebSocketServer({ host, port, perMessageDeflate: false, maxPayload: FRAME_SIZE_MAX })
      server.once('error', (error) =>
        reject(new MeshError(`cannot listen for peers on ${host}:${port}: ${error.message}`)),
      )
      server.once('listening', () => resolve(new Mesh(options, server)))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The peers that may come, and where to find them. */
  connect(peers: readonly MeshPeer[]): void {
    for (const peer of peers) {
      const { name, key } = peer
      if (name === this.#options.name) continue
      this.#allowed.set(name, key)
      if (this.#options.name < name) this.#dial(peer, BACKOFF_MS.least)
    }
  }

  join(_name: string, _validator: string | undefined, listener: PeerListener): PeerLinks {
    this.#listener = listener
    for (const peer of this.#links.keys()) listener.joined(peer)
    return {
      send: (peer, said) => {
        const link = this.#links.get(peer)
        if (link !== undefined) this.#carry(link, encodeFrame(said))
      },
      broadcast: (said) => {
        if (this.#links.size === 0) return
        const frame = encodeFrame(said)
        for (const link of this.#links.values()) this.#carry(link, frame)
      },
      validatorOf: (peer) => this.#links.get(peer)?.validator,
      peers: () => [...this.#links.keys()],
      close: () => {
        if (this.#listener === listener) this.#listener = null
        // What is on the way is for who is no more; who comes after hears nothing of it.
        for (const { socket } of this.#links.values()) socket.terminate()
      },
    }
  }

  names(): readonly string[] {
    return [this.#options.name, ...this.#allowed.keys()]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stop of this.#timers) stop()
    for (const socket of [...this.#dialled, ...this.#server.clients]) socket.terminate()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #after(delayMs: number, run: () => void): () => void {
    const stop = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(stop)
      run()
    })
    this.#timers.add(stop)
    return () => {
      this.#timers.delete(stop)
      stop()
    }
  }

  #dial(peer: MeshPeer, backoffMs: number): void {
    if (this.#isClosed) return
    const socket = new WebSocket(peer.url, {
      perMessageDeflate: false,
      maxPayload: FRAME_SIZE_MAX,
      handshakeTimeout: HELLO_TIMEOUT_MS,
    })
    this.#dialled.add(socket)
    let wasOpen = false
    socket.on('error', () => {})
    socket.once('open', () => {
      wasOpen = true
      this.#greet(socket, peer.name)
    })
    socket.once('close', () => {
      this.#dialled.delete(socket)
      const next = wasOpen ? BACKOFF_MS.least : Math.min(backoffMs * 2, BACKOFF_MS.most)
      if (!this.#isClosed) this.#after(next, () => this.#dial(peer, next))
    })
  }

  /** Hello and proof both ways; then the link is there. `expected` is the name that was dialled. */
  #greet(socket: WebSocket, expected: string | null): void {
    const { name, key, genesisHash } = this.#options
    const nonce = randomBytes(NONCE_SIZE)
    let theirs: {
      name: string
      validator: string | undefined
      isProved: boolean
      key: ReturnType<typeof publicKeyOf> | null
    } | null = null
    const refuse = (): void => socket.terminate()
    const patience = this.#after(HELLO_TIMEOUT_MS, refuse)
    socket.on('error', () => {})
    socket.once('close', patience)
    const publicKey = key === null ? null : publicKeyOf(key)
    socket.send(
      frame(HELLO_FRAME, encode(HELLO, { protocol: PROTOCOL, name, genesis: genesisHash, nonce, key: publicKey })),
    )
    const onFrame = (data: Buffer, isBinary: boolean): void => {
      const read = isBinary && data.length > 0 ? readGreeting(data) : undefined
      if (read === undefined) return refuse()
      if (read.kind === 'hello') {
        const { hello } = read
        const isGood =
          theirs === null &&
          hello.protocol === PROTOCOL &&
          hello.nonce.length === NONCE_SIZE &&
          equalBytes(hello.genesis, genesisHash) &&
          this.#isExpected(hello, expected)
        if (!isGood) return refuse()
        theirs = {
          name: hello.name,
          key: hello.key,
          validator: hello.key === null ? undefined : addressOf(hello.key),
          isProved: false,
        }
        const statement = statementOf(hello.nonce, name, genesisHash)
        const signature = key === null ? new Uint8Array(0) : signMessage(key, statement)
        socket.send(frame(PROOF_FRAME, encode(PROOF, { signature })))
        return
      }
      if (theirs === null) return refuse()
      const statement = statementOf(nonce, theirs.name, genesisHash)
      if (theirs.key !== null && !verifyMessage(theirs.key, statement, read.signature)) return refuse()
      patience()
      socket.off('message', onFrame)
      this.#welcome({ peer: theirs.name, validator: theirs.validator, socket })
    }
    socket.on('message', onFrame)
  }

  /** Its proof is still to come: that the key which it names is its own. */
  #isExpected({ name, key }: Pick<Hello, 'name' | 'key'>, expected: string | null): boolean {
    if (name.length === 0 || name.length > NAME_SIZE_MAX || !this.#allowed.has(name)) return false
    const settled = this.#allowed.get(name)
    if (settled !== undefined && (key === null || !equalKeys(key, settled))) return false
    return expected === null ? name < this.#options.name : name === expected
  }

  /** A node that comes again takes the place of its earlier connection. */
  #welcome(link: Link): void {
    const { peer, socket } = link
    this.#links.get(peer)?.socket.terminate()
    this.#links.set(peer, link)
    let heardAt = this.#options.clock.now()
    let count = 0
    let countedAt = heardAt
    const hear = (): void => {
      heardAt = this.#options.clock.now()
    }
    socket.on('pong', hear)
    socket.on('message', (data: Buffer, isBinary) => {
      hear()
      if (heardAt - countedAt >= 1000) [count, countedAt] = [0, heardAt]
      const said = isBinary && data[0] === MESSAGE_FRAME ? decodeNodeMessage(data.subarray(1)) : undefined
      if (said === undefined || ++count > RATE_MAX) return socket.terminate()
      if (this.#links.get(peer) === link) this.#listener?.receive(peer, said)
    })
    const ping = (): void => {
      if (this.#options.clock.now() - heardAt > SILENCE_MAX_MS) return socket.terminate()
      socket.ping()
      stop = this.#after(PING_MS, ping)
    }
    let stop = this.#after(PING_MS, ping)
    socket.once('close', () => {
      stop()
      if (this.#links.get(peer) !== link) return
      this.#links.delete(peer)
      this.#listener?.left(peer)
    })
    this.#listener?.joined(peer)
  }

  #carry({ peer, socket }: Link, bytes: Uint8Array): void {
    const { faults, name, clock } = this.#options
    const delayMs = faults.isQuiet ? 0 : faults.delayOf(name, peer)
    if (delayMs === null) return
    const send = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (socket.bufferedAmount > 0 && socket.bufferedAmount + bytes.length > QUEUE_SIZE_MAX) this.dropped++
      else socket.send(bytes)
    }
    if (delayMs > 0) clock.after(delayMs, send)
    else send()
  }
}

function frame(kind: number, body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind), body)
}

function encodeFrame(said: NodeMessage): Uint8Array {
  return frame(MESSAGE_FRAME, encodeNodeMessage(said))
}

/** What a node signs to show that its key is its own, here and now. */
function statementOf(nonce: Uint8Array, name: string, genesisHash: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8('troupe mesh'), genesisHash, nonce, encodeUtf8(name))
}

function readGreeting(data: Uint8Array) {
  try {
    if (data[0] === HELLO_FRAME) return { kind: 'hello' as const, hello: decode(HELLO, data.subarray(1)) }
    if (data[0] === PROOF_FRAME) return { kind: 'proof' as const, ...decode(PROOF, data.subarray(1)) }
    return undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
