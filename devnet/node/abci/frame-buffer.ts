/**
 * Frames out of a stream: `uvarint(length) ‖ message`, in whatever pieces they come. A large frame is put together once,
 * when it is all there.
 *
 * @source CometBFT v0.38.25 `abci/types/messages.go`, `libs/protoio`
 */

import { WireError } from '../../consensus/protobuf.ts'
import { FRAME_SIZE_MAX } from '../../consensus/wire-abci.ts'

/** Bytes of the longest length that is read: five times seven bits. */
const LENGTH_BYTES_MAX = 5

export class FrameBuffer {
  readonly #chunks: Uint8Array[] = []
  /** Of the first chunk, already taken. */
  #offset = 0
  #size = 0

  /** Bytes that wait for the rest of their frame. */
  get size(): number {
    return this.#size
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    // A socket's Buffer has a `slice` that does not copy, and would outlive the frame in the messages read from it.
    this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
    this.#size += chunk.length
  }

  /** The next message, still encoded; undefined while it is not all there. @throws {WireError} a length beyond the limit */
  next(): Uint8Array | undefined {
    let length = 0
    for (let i = 0; i < this.#size; i++) {
      if (i === LENGTH_BYTES_MAX) throw tooLong()
      const byte = this.#byteAt(i)
      length += (byte & 0x7f) * 2 ** (7 * i)
      if (length > FRAME_SIZE_MAX) throw tooLong()
      if (byte >= 0x80) continue
      if (this.#size < i + 1 + length) return undefined
      this.#take(i + 1)
      return this.#take(length)
    }
    return undefined
  }

  #byteAt(index: number): number {
    let at = this.#offset + index
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at]!
      at -= chunk.length
    }
    throw new RangeError(`byte ${index} of ${this.#size}`)
  }

  #take(count: number): Uint8Array {
    const first = this.#chunks[0]
    this.#size -= count
    if (first !== undefined && this.#offset + count < first.length) {
      this.#offset += count
      return first.subarray(this.#offset - count, this.#offset)
    }
    const bytes = new Uint8Array(count)
    let filled = 0
    while (filled < count) {
      const chunk = this.#chunks[0]!
      const part = chunk.subarray(this.#offset, this.#offset + count - filled)
      bytes.set(part, filled)
      filled += part.length
      this.#offset += part.length
      if (this.#offset < chunk.length) continue
      this.#chunks.shift()
      this.#offset = 0
    }
    return bytes
  }
}

function tooLong(): WireError {
  return new WireError({ code: 'TOO_LONG', offset: 0, sizeMax: FRAME_SIZE_MAX })
}
