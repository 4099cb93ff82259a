/** The newest of what was added: two generations, of which the older is forgotten when the younger is full. */
export class RecentSet<T> {
  readonly #sizeMax: number
  #young = new Set<T>()
  #old = new Set<T>()

  /** `sizeMax` of each generation. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  has(value: T): boolean {
    return this.#young.has(value) || this.#old.has(value)
  }

  add(value: T): void {
    if (this.#young.size >= this.#sizeMax) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(value)
  }
}
