/**
 * Who waits for the disk. A process of one validator has nothing better to do meanwhile, and is spared the waking of another thread, which
 * costs as much as a quick disk takes. Where several validators share a thread, the others go on.
 */
export type DiskThread = 'this thread' | 'another'

/**
 * A disk that took longer once is left to another thread for a while, so that a slow one does not hold up what clients ask. Below that, a
 * processor that others wanted is the likelier cause.
 */
const PATIENCE_MS = 10
const IMPATIENT_WRITES = 64

export class DiskPatience {
  readonly #thread: DiskThread
  /** So many more are left to another thread. */
  #impatience = 0

  constructor(thread: DiskThread) {
    this.#thread = thread
  }

  /** Where the next write is to be waited for. */
  next(): DiskThread {
    if (this.#impatience === 0) return this.#thread
    this.#impatience--
    return 'another'
  }

  /** Waits for it in this thread. */
  wait(write: () => void): void {
    const began = performance.now()
    write()
    if (performance.now() - began > PATIENCE_MS) this.#impatience = IMPATIENT_WRITES
  }
}
