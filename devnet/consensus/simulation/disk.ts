/** A journal's disk: what is synced stays, of the rest a crash keeps as much as it likes, the last record torn. */
import { concatBytes } from '../../primitives/bytes.ts'
import type { Random } from './random.ts'

export class Disk {
  #records: Uint8Array[] = []
  #synced = 0
  #trouble: 'sync error' | 'full disk' | null = null
  /** Records that came before the disk was full. */
  #room = Number.POSITIVE_INFINITY

  append(record: Uint8Array): void {
    this.#records.push(record)
  }

  /** What a sync that is begun now makes durable. */
  mark(): number {
    return this.#records.length
  }

  /** Whether it did; if not, any of what is not synced may be lost. */
  sync(mark: number): boolean {
    if (this.#trouble !== null) return false
    this.#synced = Math.max(this.#synced, Math.min(mark, this.#records.length))
    return true
  }

  /** From now on nothing becomes durable; of a full disk, what is appended never will. */
  break(trouble: 'sync error' | 'full disk'): void {
    this.#trouble = trouble
    if (trouble === 'full disk') this.#room = this.#records.length
  }

  repair(): void {
    this.#trouble = null
    this.#room = Number.POSITIVE_INFINITY
  }

  get isBroken(): boolean {
    return this.#trouble !== null
  }

  /** Replaces the journal as a whole, durably. */
  replace(records: readonly Uint8Array[]): void {
    this.#records = [...records]
    this.#synced = records.length
  }

  read(): Uint8Array {
    return concatBytes(...this.#records)
  }

  get size(): number {
    return this.#records.length
  }

  crash(random: Random): void {
    const kept = this.#synced + random.below(Math.max(0, Math.min(this.#records.length, this.#room) - this.#synced) + 1)
    const torn = this.#records[kept]
    this.#records = this.#records.slice(0, kept)
    if (torn !== undefined && random.chance(0.5)) this.#records.push(torn.subarray(0, random.below(torn.length)))
    this.#synced = this.#records.length
  }

  /** As a crash that leaves exactly so much: whole records, then a piece of the next. */
  crashAt(records: number, tornBytes: number): void {
    const torn = this.#records[records]
    this.#records = this.#records.slice(0, records)
    if (torn !== undefined && tornBytes > 0) this.#records.push(torn.subarray(0, Math.min(tornBytes, torn.length)))
    this.#synced = this.#records.length
  }

  get syncedCount(): number {
    return this.#synced
  }
}
