/** One connection as CometBFT opens it: requests go out in a line, answers come back in theirs. */
import { connect, type Socket } from 'node:net'
import type { RequestOf, ResponseOf } from '../../../../devnet/consensus/application.ts'
import { decode } from '../../../../devnet/consensus/schema.ts'
import {
  ABCI_REQUEST,
  ABCI_RESPONSE,
  type AbciRequest,
  type AbciResponse,
  encodeFrame,
} from '../../../../devnet/consensus/wire-abci.ts'
import { FrameBuffer } from '../../../../devnet/node/abci/frame-buffer.ts'

/** The server answered Exception: a node ends here. */
export class AbciException extends Error {
  override readonly name = 'AbciException'
}

interface Waiting {
  readonly kind: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class AbciClient {
  readonly socket: Socket
  readonly #frames = new FrameBuffer()
  readonly #waiting: Waiting[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection ended'))
    })
  }

  static connect(address: string): Promise<AbciClient> {
    const url = new URL(address)
    const socket =
      url.protocol === 'unix:' ? connect(url.pathname) : connect({ host: url.hostname, port: Number(url.port) })
    socket.setNoDelay(true)
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new AbciClient(socket))
      })
    })
  }

  /** As an asynchronous call: no Flush follows. */
  send<Kind extends AbciRequest['kind']>(kind: Kind, value: RequestOf<Kind>): Promise<ResponseOf<Kind>> {
    this.socket.write(encodeFrame(ABCI_REQUEST, { kind, value } as AbciRequest))
    return this.expect(kind)
  }

  /** As a synchronous call: a Flush follows. */
  call<Kind extends AbciRequest['kind']>(kind: Kind, value: RequestOf<Kind>): Promise<ResponseOf<Kind>> {
    const answer = this.send(kind, value)
    return Promise.all([answer, this.send('flush', {})]).then(() => answer)
  }

  /** The answer to bytes that the caller has written itself. */
  expect<Kind extends AbciRequest['kind']>(kind: Kind): Promise<ResponseOf<Kind>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #read(chunk: Uint8Array): void {
    this.#frames.push(chunk)
    for (let bytes = this.#frames.next(); bytes !== undefined; bytes = this.#frames.next()) {
      this.#take(decode(ABCI_RESPONSE, bytes))
    }
  }

  #take(response: AbciResponse | null): void {
    const next = this.#waiting.shift()
    if (response?.kind === 'exception') {
      const error = new AbciException(response.value.error)
      next?.reject(error)
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    } else if (response === null || response.kind !== next?.kind) {
      next?.reject(new Error(`${response?.kind} where ${next.kind} was expected`))
    } else next.resolve(response.value)
  }
}
