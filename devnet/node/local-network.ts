/** Nodes of one process: messages are handed over as they are, one turn of the event loop later, unless a fault has it otherwise. */
import type { LinkFaults } from './link-faults.ts'
import type { NodeMessage, PeerLinks, PeerListener, PeerNetwork } from './peer-links.ts'
import type { Clock } from './ports.ts'

interface Seat {
  readonly name: string
  readonly validator: string | undefined
  readonly listener: PeerListener
}

export class LocalNetwork implements PeerNetwork {
  readonly faults: LinkFaults
  readonly #clock: Clock
  readonly #seats = new Map<string, Seat>()
  #queue: (() => void)[] = []
  readonly #paceMs: (() => number) | null
  #isPumping = false

  /** `paceMs`: what every message takes, by the clock; without it the event loop is as fast as it is, which no seed can repeat. */
  constructor(faults: LinkFaults, clock: Clock, paceMs: (() => number) | null = null) {
    this.faults = faults
    this.#clock = clock
    this.#paceMs = paceMs
  }

  join(name: string, validator: string | undefined, listener: PeerListener): PeerLinks {
    const seat: Seat = { name, validator, listener }
    for (const other of this.#seats.values()) {
      other.listener.joined(name)
      listener.joined(other.name)
    }
    this.#seats.set(name, seat)
    return {
      send: (peer, message) => {
        const to = this.#seats.get(peer)
        if (to !== undefined) this.#carry(seat, to, message)
      },
      broadcast: (message) => {
        for (const to of this.#seats.values()) if (to !== seat) this.#carry(seat, to, message)
      },
      validatorOf: (peer) => this.#seats.get(peer)?.validator,
      peers: () => [...this.#seats.keys()].filter((peer) => peer !== name),
      close: () => this.#leave(seat),
    }
  }

  names(): readonly string[] {
    return [...this.#seats.keys()]
  }

  #leave(seat: Seat): void {
    if (this.#seats.get(seat.name) !== seat) return
    this.#seats.delete(seat.name)
    for (const other of this.#seats.values()) other.listener.left(seat.name)
  }

  #carry(from: Seat, to: Seat, message: NodeMessage): void {
    const deliver = (): void => {
      if (this.#seats.get(to.name) === to) to.listener.receive(from.name, message)
    }
    const delayMs = this.faults.isQuiet ? 0 : this.faults.delayOf(from.name, to.name)
    if (delayMs === null) return
    if (delayMs > 0 || this.#paceMs !== null) {
      this.#clock.after(delayMs + (this.#paceMs?.() ?? 0), deliver)
      return
    }
    this.#queue.push(deliver)
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => this.#pump())
  }

  /** What comes of a delivery is delivered in the same turn, for a few milliseconds. */
  #pump(): void {
    const began = performance.now()
    while (this.#queue.length > 0 && performance.now() - began < TURN_MS) {
      const batch = this.#queue
      this.#queue = []
      for (const deliver of batch) deliver()
    }
    this.#isPumping = this.#queue.length > 0
    if (this.#isPumping) setImmediate(() => this.#pump())
  }
}

const TURN_MS = 4
