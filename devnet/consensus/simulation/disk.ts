/** A journal's disk: what is synced stays, of the rest a crash keeps as much as it likes, the last record torn. */
import { concatBytes } from '../../primitives/bytes.ts'
import type { Random } from './random.ts'

export class Disk {
  #records: Uint8Array[] = []
  #synced = 0

  append(record: Uint8Array): void {
    this.#records.push(record)
  }

  /** What a sync that is begun now makes durable. */
  mark(): number {
    return this.#records.length
  }

  sync(mark: number): void {
    this.#synced = Math.max(this.#synced, Math.min(mark, this.#records.length))
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
    const kept = this.#synced + random.below(this.#records.length - this.#synced + 1)
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
