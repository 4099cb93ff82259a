/**
 * Instances that ran before, as good as new: memory and globals are all that a module changes, and both are put back.
 * Making an instance costs the host far more than that, and the collector more again.
 *
 * A memory cannot shrink. One that grew goes back only for code that cannot tell (`LoadedModule.toleratesLargerMemory`):
 * what it is told of its size is exact all the same (`GuestMemory`).
 */
import type { GuestExports } from './guest.ts'
import type { LoadedModule } from './module-cache.ts'

const PAGE = 65536
/** Of one module: calls that nest run as many instances at once. */
const IDLE_MAX = 8
/** Of one memory, and of all that wait. */
const MEMORY_BYTES_MAX = 256 * PAGE
const IDLE_BYTES_MAX = 48 << 20

/** A line of the cache, so that both sides of a comparison begin at one. */
const ZERO_HEAD = 64

const { compare } = Buffer.prototype as unknown as {
  compare(
    this: Uint8Array,
    target: Uint8Array,
    targetStart: number,
    targetEnd: number,
    start: number,
    end: number,
  ): number
}

interface Idle {
  /** Memory as instantiation leaves it: from the first byte that is not zero to the last. */
  readonly imageAt: number
  readonly image: Uint8Array
  readonly exports: GuestExports[]
  /** What lies before and behind these two places was zero after every run so far. */
  usedFrom: number
  usedTo: number
}

/** One for each set of imports: instances are bound to them. */
export class InstancePool {
  readonly #idle = new WeakMap<LoadedModule, Idle>()
  #idleBytes = 0

  take(loaded: LoadedModule): GuestExports | undefined {
    const exports = this.#idle.get(loaded)?.exports.pop()
    if (exports !== undefined) this.#idleBytes -= exports.memory.buffer.byteLength
    return exports
  }

  /** Before a new instance runs: what its memory is to begin with next time. */
  note(loaded: LoadedModule, { memory, reset }: GuestExports): void {
    if (reset === undefined || memory.buffer.byteLength > MEMORY_BYTES_MAX || this.#idle.has(loaded)) return
    const bytes = new Uint8Array(memory.buffer)
    let start = 0
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    while (start < end && bytes[start] === 0) start++
    const image = bytes.slice(start, end)
    this.#idle.set(loaded, { imageAt: start, image, exports: [], usedFrom: start, usedTo: end })
  }

  /** An instance that nobody runs any more, and how many bytes of its memory the code had. */
  give(loaded: LoadedModule, exports: GuestExports, size: number): void {
    const idle = this.#idle.get(loaded)
    if (idle === undefined || exports.reset === undefined || idle.exports.length >= IDLE_MAX) return
    const { buffer } = exports.memory
    const grew = buffer.byteLength !== loaded.facts.memory!.minimum * PAGE
    if (grew && (!loaded.toleratesLargerMemory || buffer.byteLength > MEMORY_BYTES_MAX)) return
    if (this.#idleBytes + buffer.byteLength > IDLE_BYTES_MAX) return
    putBack(new Uint8Array(buffer, 0, size), idle)
    exports.reset()
    idle.exports.push(exports)
    this.#idleBytes += buffer.byteLength
  }
}

/**
 * Memory as it was before the run. A module's stack and heap use little of what they may: the rest is looked at, not written, so that
 * it stays the one page of zeroes that the system gives for memory nobody wrote to, in cache and without cost.
 */
function putBack(bytes: Uint8Array, idle: Idle): void {
  const { imageAt, image } = idle
  while (!isZero(bytes, 0, idle.usedFrom)) idle.usedFrom = Math.max(0, idle.usedFrom - PAGE)
  while (!isZero(bytes, idle.usedTo, bytes.length)) idle.usedTo = Math.min(bytes.length, idle.usedTo + PAGE)
  bytes.fill(0, idle.usedFrom, imageAt)
  bytes.set(image, imageAt)
  bytes.fill(0, imageAt + image.length, idle.usedTo)
}

/** Whether the first bytes of a range are zero, and each byte is what the one so many before it is. */
function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  const head = Math.min(to, from + ZERO_HEAD)
  for (let at = from; at < head; at++) if (bytes[at] !== 0) return false
  return head >= to || compare.call(bytes, bytes, head, to, from, to - ZERO_HEAD) === 0
}
