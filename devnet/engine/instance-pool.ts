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

interface Idle {
  /** Memory as instantiation leaves it: from the first byte that is not zero to the last. */
  readonly imageAt: number
  readonly image: Uint8Array
  readonly exports: GuestExports[]
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
    this.#idle.set(loaded, { imageAt: start, image: bytes.slice(start, end), exports: [] })
  }

  /** An instance that nobody runs any more, and how many bytes of its memory the code had. */
  give(loaded: LoadedModule, exports: GuestExports, size: number): void {
    const idle = this.#idle.get(loaded)
    if (idle === undefined || exports.reset === undefined || idle.exports.length >= IDLE_MAX) return
    const { buffer } = exports.memory
    const grew = buffer.byteLength !== loaded.facts.memory!.minimum * PAGE
    if (grew && (!loaded.toleratesLargerMemory || buffer.byteLength > MEMORY_BYTES_MAX)) return
    if (this.#idleBytes + buffer.byteLength > IDLE_BYTES_MAX) return
    const { imageAt, image } = idle
    const bytes = new Uint8Array(buffer, 0, size)
    bytes.fill(0, 0, imageAt)
    bytes.set(image, imageAt)
    bytes.fill(0, imageAt + image.length)
    exports.reset()
    idle.exports.push(exports)
    this.#idleBytes += buffer.byteLength
  }
}
