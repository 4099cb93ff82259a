/** What happens when, in one run: a heap of deeds by virtual time, and by the order in which they were planned. */
export class Agenda {
  #nowMs = 0
  #sequence = 0
  readonly #heap: { readonly atMs: number; readonly sequence: number; readonly run: () => void }[] = []

  get nowMs(): number {
    return this.#nowMs
  }

  get size(): number {
    return this.#heap.length
  }

  after(delayMs: number, run: () => void): void {
    const heap = this.#heap
    const entry = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, run }
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(entry, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = entry
  }

  /** Does the next deed; false when there is none. */
  advance(): boolean {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined) return false
    const last = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        let below = 2 * at + 1
        if (below >= heap.length) break
        if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
        if (!isBefore(heap[below]!, last)) break
        heap[at] = heap[below]!
        at = below
      }
      heap[at] = last
    }
    this.#nowMs = first.atMs
    first.run()
    return true
  }
}

interface Place {
  readonly atMs: number
  readonly sequence: number
}

function isBefore(a: Place, b: Place): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
