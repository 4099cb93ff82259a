/** `troupe/client`: typed calls to a devnet or any node that speaks the same JSON-RPC. Runs in browsers too. */

/** The node refused or failed; `data` has what it said beyond the text. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: number
  readonly data: unknown
  constructor(code: number, message: string, data: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** Nobody answers at the address. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly code = 'TRP-8402'
}

export interface EventEntryJson {
  readonly flags: number
  readonly key: string
  readonly codec: number
  readonly value: string
}

export interface Receipt {
  readonly exitCode: number
  readonly return: string
  readonly returnCodec: number | null
  readonly gasUsed: string
  readonly events: readonly { readonly emitter: string; readonly entries: readonly EventEntryJson[] }[]
  readonly failures: readonly {
    readonly id: string
    readonly method: string
    readonly exitCode: number
    readonly message: string
  }[]
  readonly note: string
}

export interface IncludedReceipt extends Receipt {
  readonly cid?: string
  readonly height: number
  readonly index: number
}

/** Amounts in attoFIL; everything that may exceed 2^53 is decimal text. */
export interface Draft {
  readonly from?: string
  readonly to: string
  readonly value?: string
  readonly method?: string
  /** 0x… text. */
  readonly params?: string
  readonly gasLimit?: string
}

export interface AccountInfo {
  readonly name: string
  readonly address: string
  readonly delegated: string
  readonly eth: string
  readonly id: string | null
  readonly balance: string
  readonly ethBalance: string
}

export interface ActorInfo {
  readonly name: string
  readonly id: string
  readonly address: string
  readonly code: string
  readonly abi: unknown
}

export class Client {
  readonly url: string
  #nextId = 1

  constructor(url: string) {
    this.url = url
  }

  /** One JSON-RPC call. @throws ClientError, Unreachable */
  async request<T>(method: string, params: readonly unknown[] = []): Promise<T> {
    let response: Response
    try {
      response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: this.#nextId++, method, params }),
      })
    } catch (error) {
      throw new Unreachable(`nothing answers at ${this.url}`, { cause: error })
    }
    const text = await response.text()
    let body: {
      readonly result?: T
      readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
    }
    try {
      body = JSON.parse(text)
    } catch {
      throw new ClientError(response.status, `${this.url} answered ${response.status} without JSON`, text.slice(0, 200))
    }
    if (body.error !== undefined)
      throw new ClientError(body.error.code, body.error.message ?? 'refused', body.error.data)
    return body.result as T
  }

  accounts(): Promise<AccountInfo[]> {
    return this.request('troupe_accounts')
  }

  actors(): Promise<ActorInfo[]> {
    return this.request('troupe_actors')
  }

  /** Signs with a devnet account, sends, and waits for the block. */
  send(draft: Draft): Promise<IncludedReceipt> {
    return this.request('troupe_send', [draft])
  }

  /** Runs a message and keeps nothing. */
  call(draft: Draft): Promise<Receipt> {
    return this.request('troupe_call', [draft])
  }
}

export {
  ActorCallError,
  type ActorConnection,
  type CallOptions,
  connectActor,
  type Provider,
} from './actor-connection.ts'
