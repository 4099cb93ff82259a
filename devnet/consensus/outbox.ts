/** What a replica says: it leaves in order, and not before the signatures in the journal are durable. */

import type { PeerMessage } from './peer-message.ts'
import type { ReplicaHost } from './replica-host.ts'

interface Outgoing {
  /** Null for all. */
  readonly peer: string | null
  readonly message: PeerMessage
}

export class Outbox {
  readonly #host: Pick<ReplicaHost, 'send' | 'broadcast' | 'sync'>
  #waiting: Outgoing[] = []
  #hasUnsynced = false
  #isSyncing = false
  #isClosed = false

  constructor(host: Pick<ReplicaHost, 'send' | 'broadcast' | 'sync'>) {
    this.#host = host
  }

  send(peer: string, message: PeerMessage): void {
    this.#waiting.push({ peer, message })
  }

  broadcast(message: PeerMessage): void {
    this.#waiting.push({ peer: null, message })
  }

  /** A signature was written to the journal. */
  holdUntilSynced(): void {
    this.#hasUnsynced = true
  }

  /** Nothing leaves any more. */
  close(): void {
    this.#isClosed = true
  }

  /** Lets go of the messages, at once or when the disk has what was signed. */
  settle(): void {
    if (this.#isSyncing || this.#isClosed || this.#waiting.length === 0) return
    const batch = this.#waiting
    this.#waiting = []
    if (!this.#hasUnsynced) return this.#dispatch(batch)
    this.#hasUnsynced = false
    this.#isSyncing = true
    this.#host.sync(() => {
      this.#isSyncing = false
      if (this.#isClosed) return
      this.#dispatch(batch)
      this.settle()
    })
  }

  #dispatch(batch: readonly Outgoing[]): void {
    for (const { peer, message } of batch) {
      if (peer === null) this.#host.broadcast(message)
      else this.#host.send(peer, message)
    }
  }
}
