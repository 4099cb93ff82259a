/** One actor over JSON-RPC, by its ABI: what generated clients are made of. */
import type { Abi, AbiMethod } from '../../compiler/abi/schema.ts'
import { formatType, parseField } from '../../compiler/abi/types.ts'
import { fromHex, toHex } from '../primitives/bytes.ts'
import { decodeReturn, decodeState, decodeValue, encodeParams, findMethod } from './abi-codec.ts'

/** Anything that makes JSON-RPC calls: `Client`, or a wallet's provider. */
export interface Provider {
  request<T>(method: string, params?: readonly unknown[]): Promise<T>
}

/** `from` names an account of the devnet or an address it has the key of; amounts are attoFIL. */
export interface CallOptions {
  readonly from?: string
  readonly value?: bigint
  readonly gasLimit?: bigint
}

interface ReceiptJson {
  readonly exitCode: number
  readonly return: string
  readonly note: string
}

interface EventJson {
  readonly emitter: string
  readonly entries: readonly { readonly key: string; readonly value: string }[]
}

/** A call ended with another exit code than 0. */
export class ActorCallError extends Error {
  override readonly name = 'ActorCallError'
  readonly exitCode: number
  /** The name that the actor's `@errors` give the code. */
  readonly codeName: string | undefined
  constructor(exitCode: number, codeName: string | undefined, note: string) {
    super(`exit ${exitCode}${codeName === undefined ? '' : ` ${codeName}`}: ${note}`)
    this.exitCode = exitCode
    this.codeName = codeName
  }
}

export interface ActorConnection {
  state<T>(): Promise<T>
  /** Events since a height, up to now. */
  events<T>(fromEpoch?: bigint): AsyncIterable<T>
  view<T>(name: string, args: readonly unknown[]): Promise<T>
  call<T>(name: string, args: readonly unknown[], options?: CallOptions): Promise<T>
}

export function connectActor(provider: Provider, address: string | bigint, abi: unknown): ActorConnection {
  return new RemoteActor(provider, typeof address === 'bigint' ? `t0${address}` : address, abi as Abi)
}

class RemoteActor implements ActorConnection {
  readonly #provider: Provider
  readonly #address: string
  readonly #abi: Abi

  constructor(provider: Provider, address: string, abi: Abi) {
    this.#provider = provider
    this.#address = address
    this.#abi = abi
  }

  async state<T>(): Promise<T> {
    const actor = await this.#provider.request<{ block: string | null } | null>('troupe_actor', [this.#address])
    if (actor?.block === undefined || actor.block === null) throw new Error(`no actor at ${this.#address}`)
    return decodeState(this.#abi, fromHex(actor.block)) as T
  }

  async *events<T>(fromEpoch = 0n): AsyncIterable<T> {
    const { id } = await this.#provider.request<{ id: string }>('troupe_actor', [this.#address])
    const { height } = await this.#provider.request<{ height: number }>('troupe_status')
    for (let at = Number(fromEpoch); at <= height; at++) {
      const block = await this.#provider.request<{ receipts: { events: EventJson[] }[] | null } | null>(
        'troupe_block',
        [at],
      )
      const receipts = block?.receipts ?? null
      if (receipts === null) {
        throw new Error(
          `the node keeps no events of block ${at}: it began at a later one; ask from there on, or another node`,
        )
      }
      for (const { events } of receipts) {
        for (const event of events) if (event.emitter === id) yield this.#decodeEvent(event) as T
      }
    }
  }

  #decodeEvent({ entries }: EventJson): Record<string, unknown> {
    const type = entries.find(({ key }) => key === '$type')
    const name = type === undefined ? '' : String(decodeValue(this.#abi, 'string', fromHex(type.value)))
    const fields = this.#abi.events.find((event) => event.name === name)?.fields.map(parseField) ?? []
    const values: Record<string, unknown> = { type: name }
    for (const { name: key, type: of } of fields) {
      const entry = entries.find((one) => one.key === key)
      if (entry !== undefined) values[key] = decodeValue(this.#abi, formatType(of), fromHex(entry.value))
    }
    return values
  }

  async view<T>(name: string, args: readonly unknown[]): Promise<T> {
    const method = this.#method(name)
    return this.#open(
      method,
      await this.#provider.request<ReceiptJson>('troupe_call', [this.#draft(method, args, {})]),
    ) as T
  }

  async call<T>(name: string, args: readonly unknown[], options: CallOptions = {}): Promise<T> {
    const method = this.#method(name)
    return this.#open(
      method,
      await this.#provider.request<ReceiptJson>('troupe_send', [this.#draft(method, args, options)]),
    ) as T
  }

  #method(name: string): AbiMethod {
    const method = findMethod(this.#abi, name)
    if (method === undefined) throw new Error(`${this.#abi.actor} has no method ${name}`)
    return method
  }

  #draft(method: AbiMethod, args: readonly unknown[], { from, value, gasLimit }: CallOptions): unknown {
    return {
      to: this.#address,
      method: String(method.number),
      params: `0x${toHex(encodeParams(this.#abi, method, args))}`,
      ...(from === undefined ? {} : { from }),
      ...(value === undefined ? {} : { value: value.toString() }),
      ...(gasLimit === undefined ? {} : { gasLimit: gasLimit.toString() }),
    }
  }

  #open(method: AbiMethod, receipt: ReceiptJson): unknown {
    if (receipt.exitCode !== 0)
      throw new ActorCallError(receipt.exitCode, this.#abi.errors[String(receipt.exitCode)], receipt.note)
    return decodeReturn(this.#abi, method, fromHex(receipt.return))
  }
}
