/**
 * Who wants to hear of what. A block that nobody waits for costs nothing; for the others each query is asked once for each event,
 * and the text of an event is made once. Rounds are not even listened to unless somebody wants them.
 *
 * @source CometBFT v0.38.25 `rpc/core/events.go`, `libs/pubsub`; spec consensus §5.4
 */

import type { Passage } from '../../consensus/replica-host.ts'
import type { Finalized } from '../../node/block-executor.ts'
import type { ConsensusView } from '../../node/chain.ts'
import { type EventQuery, parseQuery, QueryError } from '../../node/event-query.ts'
import { type ChainEvent, eventsOf } from './events.ts'
import { refuse } from './fault.ts'
import { isRoundEventKind, roundEventsOf } from './round-events.ts'

export const SUBSCRIPTION_LIMITS = { clients: 100, perClient: 5, buffer: 200 } as const

/** Takes a message for a client. */
export interface Subscriber {
  send(text: string): void
}

interface Subscription {
  readonly id: string | number
  readonly query: EventQuery
  /** As the client wrote it. */
  readonly source: string
  /** What the query wants `tm.event` to be, if it says so. */
  readonly kind: string | null
  /** Whether what happens in a round can be what it wants. */
  readonly wantsRounds: boolean
}

interface Listener extends Subscription {
  readonly client: Subscriber
}

/** Where rounds are heard of. */
export type RoundSource = Pick<ConsensusView, 'onPassage'>

export class Subscriptions {
  readonly #clients = new Map<Subscriber, Map<string, Subscription>>()
  readonly #rounds: RoundSource | null
  /** Ends listening to rounds; null while nobody wants them. */
  #stopRounds: (() => void) | null = null

  /** Without a source there are blocks only. */
  constructor(rounds: RoundSource | null = null) {
    this.#rounds = rounds
  }

  get clientCount(): number {
    return this.#clients.size
  }

  /** @throws CometFault */
  add(client: Subscriber, id: string | number, source: string): void {
    const own = this.#clients.get(client)
    if (own === undefined && this.#clients.size >= SUBSCRIPTION_LIMITS.clients) {
      throw refuse(`max_subscription_clients ${SUBSCRIPTION_LIMITS.clients} reached`)
    }
    if (own !== undefined && own.size >= SUBSCRIPTION_LIMITS.perClient) {
      throw refuse(`max_subscriptions_per_client ${SUBSCRIPTION_LIMITS.perClient} reached`)
    }
    const query = compile(source)
    if (own?.has(query.text) === true) throw refuse('already subscribed')
    const subscription = { id, query, source, kind: kindOf(query), wantsRounds: wantsRounds(query) }
    this.#clients.set(client, new Map(own).set(query.text, subscription))
    this.#listen()
  }

  /** @throws CometFault when there is none */
  remove(client: Subscriber, source: string): void {
    const own = this.#clients.get(client)
    const { text } = compile(source)
    if (own?.delete(text) !== true) throw refuse('subscription not found')
    if (own.size === 0) this.#clients.delete(client)
    this.#listen()
  }

  /** @throws CometFault when there is none */
  removeAll(client: Subscriber): void {
    if (!this.#clients.delete(client)) throw refuse('subscription not found')
    this.#listen()
  }

  /** The client is gone. */
  forget(client: Subscriber): void {
    this.#clients.delete(client)
    this.#listen()
  }

  publish(finalized: Finalized): void {
    if (this.#clients.size > 0) this.#deliver(eventsOf(finalized), this.#all())
  }

  #publishRounds(passage: Passage): void {
    this.#deliver(
      roundEventsOf(passage),
      this.#all().filter((one) => one.wantsRounds),
    )
  }

  /** To rounds, if somebody wants them. */
  #listen(): void {
    const isWanted = this.#all().some((one) => one.wantsRounds)
    if (isWanted) this.#stopRounds ??= this.#rounds?.onPassage((passage) => this.#publishRounds(passage)) ?? null
    else {
      this.#stopRounds?.()
      this.#stopRounds = null
    }
  }

  #all(): readonly Listener[] {
    return [...this.#clients].flatMap(([client, own]) => [...own.values()].map((one) => ({ client, ...one })))
  }

  #deliver(events: Iterable<ChainEvent>, all: readonly Listener[]): void {
    for (const event of events) {
      for (const { client, id, query, source, kind } of all) {
        if (kind !== null && kind !== event.kind) continue
        if (!query.matches(event.values)) continue
        const result = `{"query":${JSON.stringify(source)},${event.text()}}`
        client.send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`)
      }
    }
  }
}

/** @throws CometFault */
function compile(source: string): EventQuery {
  try {
    return parseQuery(source)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const { message } = error
    throw refuse(message.startsWith('maximum') ? message : `failed to parse query: ${message}`)
  }
}

function kindOf({ conditions }: EventQuery): string | null {
  const named = conditions.find(({ tag, operator }) => tag === 'tm.event' && operator === '=')
  return named?.operand?.kind === 'string' ? named.operand.text : null
}

/** Nothing but `tm.event` is known of a round. */
function wantsRounds(query: EventQuery): boolean {
  const kind = kindOf(query)
  return query.conditions.every(({ tag }) => tag === 'tm.event') && (kind === null || isRoundEventKind(kind))
}
