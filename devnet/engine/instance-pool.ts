/**
 * Instances that ran before, as good as new: memory and globals are all that a module changes, and both are put back.
 * Making an instance costs the host far more than that; larger memories are not worth the copying.
 */
import type { GuestExports } from './guest.ts'
import type { LoadedModule } from './module-cache.ts'

const PAGE = 65536
const PAGES_MAX = 4
const IDLE_MAX = 8

interface Idle {
  /** Memory as instantiation leaves it, up to the last byte that is not zero. */
  readonly image: Uint8Array
  readonly exports: GuestExports[]
}

/** One for each set of imports: instances are bound to them. */
export class InstancePool {
  readonly #idle = new WeakMap<LoadedModule, Idle>()

  take(loaded: LoadedModule): GuestExports | undefined {
    return this.#idle.get(loaded)?.exports.pop()
  }

  /** Before a new instance runs: what its memory is to begin with next time. */
  note(loaded: LoadedModule, { memory, reset }: GuestExports): void {
    if (reset === undefined || !isSmall(loaded) || this.#idle.has(loaded)) return
    const bytes = new Uint8Array(memory.buffer)
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    this.#idle.set(loaded, { image: bytes.slice(0, end), exports: [] })
  }

  /** An instance that nobody runs any more. One whose memory grew cannot go back. */
  give(loaded: LoadedModule, exports: GuestExports): void {
    const idle = this.#idle.get(loaded)
    if (idle === undefined || exports.reset === undefined || idle.exports.length >= IDLE_MAX) return
    const bytes = new Uint8Array(exports.memory.buffer)
    if (bytes.length !== loaded.facts.memory!.minimum * PAGE) return
    bytes.set(idle.image)
    bytes.fill(0, idle.image.length)
    exports.reset()
    idle.exports.push(exports)
  }
}

function isSmall({ facts }: LoadedModule): boolean {
  return facts.memory !== null && facts.memory.minimum <= PAGES_MAX
}
