/**
 * Messages that wait for a block: per sender in order of sequence, with gaps allowed and replacement by a better fee.
 * Everything in it has passed `checkTx`, signatures included; bounds keep one sender, and all of them, from filling memory.
 */
import type { Cid } from '../ipld/cid.ts'
import type { Address } from '../state/address.ts'

export interface PoolEntry {
  readonly tx: Uint8Array
  readonly cid: Cid
  readonly sender: Address
  readonly sequence: bigint
  readonly gasLimit: bigint
  readonly feeCap: bigint
  readonly premium: bigint
}

export type PoolFault = 'SEQUENCE_USED' | 'SEQUENCE_TOO_FAR' | 'UNDERPRICED' | 'KNOWN' | 'POOL_FULL'

export class MempoolError extends Error {
  override readonly name = 'MempoolError'
  readonly code: PoolFault
  constructor(code: PoolFault, message: string) {
    super(message)
    this.code = code
  }
}

export const POOL = { entriesMax: 50_000, perSenderMax: 5_000, gapMax: 10_000n, replacePercent: 125n } as const

export class Mempool {
  readonly #senders = new Map<Address, Map<bigint, PoolEntry>>()
  readonly #cids = new Map<Cid, PoolEntry>()

  get size(): number {
    return this.#cids.size
  }

  /** `next` is the sender's sequence in the committed state. @throws MempoolError */
  add(entry: PoolEntry, next: bigint): void {
    const { sender, sequence, cid } = entry
    if (this.#cids.has(cid)) throw new MempoolError('KNOWN', 'the message is waiting already')
    if (sequence < next) throw new MempoolError('SEQUENCE_USED', `sequence ${sequence} is used; the next is ${next}`)
    if (sequence > next + POOL.gapMax) {
      throw new MempoolError('SEQUENCE_TOO_FAR', `sequence ${sequence} is more than ${POOL.gapMax} beyond ${next}`)
    }
    const queue = this.#senders.get(sender) ?? new Map<bigint, PoolEntry>()
    const before = queue.get(sequence)
    if (before !== undefined) this.#refuseUnderpriced(before, entry)
    else if (queue.size >= POOL.perSenderMax || this.#cids.size >= POOL.entriesMax) {
      throw new MempoolError('POOL_FULL', 'too many messages are waiting; send it again later')
    }
    if (before !== undefined) this.#cids.delete(before.cid)
    queue.set(sequence, entry)
    this.#senders.set(sender, queue)
    this.#cids.set(cid, entry)
  }

  #refuseUnderpriced(before: PoolEntry, { premium }: PoolEntry): void {
    const needed = (before.premium * POOL.replacePercent) / 100n
    if (premium <= needed) {
      throw new MempoolError(
        'UNDERPRICED',
        `another message has this sequence; to replace it, the premium must exceed ${needed}`,
      )
    }
  }

  /**
   * What can run now, in the order of a block: senders by their best premium, each in sequence without gaps, until the
   * gas limit is reached.
   */
  ready(nextOf: (sender: Address) => bigint, gasLimit: bigint, countMax: number): PoolEntry[] {
    const lines: PoolEntry[][] = []
    for (const [sender, queue] of this.#senders) {
      const line: PoolEntry[] = []
      for (let sequence = nextOf(sender); line.length < countMax; sequence++) {
        const entry = queue.get(sequence)
        if (entry === undefined) break
        line.push(entry)
      }
      if (line.length > 0) lines.push(line)
    }
    if (lines.length > 1) lines.sort((a, b) => compare(b[0]!.premium, a[0]!.premium))
    const taken: PoolEntry[] = []
    let gas = 0n
    for (const line of lines) {
      for (const entry of line) {
        if (taken.length >= countMax || gas + entry.gasLimit > gasLimit) break
        gas += entry.gasLimit
        taken.push(entry)
      }
    }
    return taken
  }

  /** Forgets what the committed state has passed. */
  prune(senders: Iterable<Address>, nextOf: (sender: Address) => bigint): void {
    for (const sender of senders) {
      const queue = this.#senders.get(sender)
      if (queue === undefined) continue
      const next = nextOf(sender)
      for (const [sequence, entry] of queue) if (sequence < next) this.#drop(queue, entry)
      if (queue.size === 0) this.#senders.delete(sender)
    }
  }

  remove(entry: PoolEntry): void {
    const queue = this.#senders.get(entry.sender)
    if (queue?.get(entry.sequence) !== entry) return
    this.#drop(queue, entry)
    if (queue.size === 0) this.#senders.delete(entry.sender)
  }

  #drop(queue: Map<bigint, PoolEntry>, entry: PoolEntry): void {
    queue.delete(entry.sequence)
    this.#cids.delete(entry.cid)
  }

  get(cid: Cid): PoolEntry | undefined {
    return this.#cids.get(cid)
  }

  senders(): readonly Address[] {
    return [...this.#senders.keys()]
  }

  /** What the sender's next message would be, if it is here. */
  at(sender: Address, sequence: bigint): PoolEntry | undefined {
    return this.#senders.get(sender)?.get(sequence)
  }

  /** The sequence after the last of an unbroken line that starts at `next`. */
  nextSequence(sender: Address, next: bigint): bigint {
    const queue = this.#senders.get(sender)
    let sequence = next
    while (queue?.has(sequence) === true) sequence++
    return sequence
  }

  pending(): PoolEntry[] {
    return [...this.#senders.values()].flatMap((queue) =>
      [...queue.values()].sort((a, b) => compare(a.sequence, b.sequence)),
    )
  }

  clear(): void {
    this.#senders.clear()
    this.#cids.clear()
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
