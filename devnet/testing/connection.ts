/**
 * A devnet as tests see it: what a world does at once is done by JSON-RPC here, with blocks, fees and signatures.
 * Accounts of the devnet sign there; accounts that a test makes sign here; what any other actor sends, the devnet sends
 * for it. Actors that tests deploy get no name, so a running `troupe dev` does not take them for its own.
 */
import { BufferedBlockstore } from '../ipld/blockstore.ts'
import { type Cid, cidOf, DAG_CBOR, formatCid, parseCid } from '../ipld/cid.ts'
import { EMPTY_BYTES, fromHex } from '../primitives/bytes.ts'
import { blake2b256 } from '../primitives/hash.ts'
import { publicKeyOf } from '../primitives/keys.ts'
import {
  AbiValueError,
  type CodecOptions,
  decodeReturn,
  decodeState,
  encodeParams,
  encodeState,
} from '../rpc/abi-codec.ts'
import { type AccountInfo, Client, ClientError, Unreachable } from '../rpc/client.ts'
import { hex, parseEvent, type ReceiptJson } from '../rpc/convert.ts'
import type { ActorId } from '../state/actor.ts'
import { type Address, formatAddress, idAddress, parseAddress, secpAddress } from '../state/address.ts'
import { type Account, addressOf, createAccount } from './account.ts'
import { type ActorDescription, describeActor } from './actor.ts'
import { ActorError, exitName } from './actor-error.ts'
import { ConnectionError } from './connect.ts'
import { noteGas } from './gas-usage.ts'
import {
  type AwaitedHandle,
  type Below,
  type CallOptions,
  createHandle,
  type HandleHost,
  type Target,
  targetOf,
} from './handle.ts'
import type { ActorClass, Args, Who } from './js.ts'
import { type Call, MessageRoute, type Ran, type Sender } from './message-route.ts'
import { Observed } from './observed.ts'
import { enterLedger, type MessageRecord, report } from './record.ts'
import { RemoteBlocks } from './remote-blocks.ts'
import { RemoteBook } from './remote-book.ts'
import type { ActorJson, BalanceJson, Requester, StatusJson } from './requester.ts'

/** Where the chain of a devnet is. */
export interface ChainStatus {
  readonly url: string
  readonly chainId: bigint
  readonly epoch: bigint
  /** Unix seconds. */
  readonly timestamp: bigint
  /** attoFIL per gas, of the next block. */
  readonly baseFee: bigint
}

/** A message's gas limit where the test gives none: a block's whole gas, so that a message that fails is on the chain too. */
const GAS_LIMIT = 10_000_000_000n
/** FIL of an account that a test makes. */
const MADE_BALANCE = 10_000n * 10n ** 18n

/** What a connection begins with. */
export interface Introduction {
  readonly chainId: bigint
  readonly accounts: readonly AccountInfo[]
}

export async function introduce(requester: Requester): Promise<Introduction> {
  const [accounts, status] = await Promise.all([
    requester.request<AccountInfo[]>('troupe_accounts'),
    requester.request<StatusJson>('troupe_status'),
  ])
  return { chainId: BigInt(status.chainId), accounts }
}

/** @throws ConnectionError */
export async function openConnection(url: string): Promise<Connection> {
  const client = new Client(url)
  try {
    return new Connection(client, await introduce(client))
  } catch (error) {
    if (error instanceof Unreachable)
      throw new ConnectionError('TRP-7604', `nothing answers at ${url}: start a devnet with \`troupe dev\``, {
        cause: error,
      })
    if (error instanceof ClientError)
      throw new ConnectionError('TRP-7604', `${url} is no devnet of Troupe's: ${error.message}`, { cause: error })
    throw error
  }
}

export class Connection implements HandleHost {
  readonly url: string
  readonly chainId: bigint
  readonly #client: Requester
  readonly #route: MessageRoute
  readonly #blocks: RemoteBlocks
  readonly #book: RemoteBook
  readonly #keys = new Map<Account, Uint8Array>()
  readonly #targets = new Map<bigint, Target>()
  /** By code: what tests imported. */
  readonly #descriptions = new Map<Cid, ActorDescription>()
  readonly #codec: CodecOptions
  #accounts: readonly Account[]

  constructor(client: Requester, { chainId, accounts }: Introduction) {
    this.#client = client
    this.url = client.url
    this.chainId = chainId
    this.#accounts = accounts.flatMap(({ name, id, address }) =>
      id === null ? [] : [createAccount(name, BigInt(id), parseAddress(address))],
    )
    this.#route = new MessageRoute(client, chainId)
    this.#blocks = new RemoteBlocks(client)
    this.#book = new RemoteBook(client, {
      handled: (id) => this.#targets.get(id)?.description,
      imported: (code) => this.#descriptions.get(code),
      idOfWho: (who) => this.#idOfWho(who),
      balanceOf: (who) => this.balance(who),
    })
    this.#codec = { store: this.#blocks.store, resolveAddress: (text) => this.#named(text) }
  }

  // --- actors ---------------------------------------------------------------------------------------------------

  /** Installs the actor's code and runs its constructor, as alice. @throws ActorError */
  deploy<C extends ActorClass>(
    actor: C,
    ...args: Args<ConstructorParameters<C>>
  ): Promise<AwaitedHandle<InstanceType<C>, C>> {
    return this.#deploy(actor, args, {}, stackBelow(this.deploy)) as Promise<AwaitedHandle<InstanceType<C>, C>>
  }

  /** As `deploy`, from another account, or with value. */
  deployWith<C extends ActorClass>(
    options: Omit<CallOptions, 'gas'>,
    actor: C,
    ...args: Args<ConstructorParameters<C>>
  ): Promise<AwaitedHandle<InstanceType<C>, C>> {
    const stack = stackBelow(this.deployWith)
    return this.#deploy(actor, args, options, stack) as Promise<AwaitedHandle<InstanceType<C>, C>>
  }

  /** A handle for an actor that is there already: without `who`, the one that `troupe dev` runs for this class. */
  async at<C extends ActorClass>(actor: C, who?: Who): Promise<AwaitedHandle<InstanceType<C>, C>> {
    const description = this.#describe(actor)
    const id = await this.#needId(who ?? description.name)
    const target = this.#targets.get(id) ?? this.#know(description, id, formatAddress(idAddress(id), 't'))
    return createHandle(this, target) as AwaitedHandle<InstanceType<C>, C>
  }

  // --- accounts and funds ---------------------------------------------------------------------------------------

  /** The devnet's, alice first, and those made since. */
  get accounts(): readonly Account[] {
    return this.#accounts
  }

  /** The account of that name, made if there is none: with a key that follows from the name, and 10,000 FIL. */
  async account(name: string): Promise<Account> {
    const known = this.#accounts.find((account) => account.name === name)
    if (known !== undefined) return known
    const key = blake2b256(new TextEncoder().encode(`test account ${name}`))
    const address = secpAddress(publicKeyOf(key))
    await this.deal(formatAddress(address, 't'), MADE_BALANCE)
    const made = createAccount(name, await this.#needId(formatAddress(address, 't')), address)
    this.#keys.set(made, key)
    this.#accounts = [...this.#accounts, made]
    return made
  }

  /** attoFIL. */
  async balance(who: Who): Promise<bigint> {
    return (await this.#look(who)).balance
  }

  /** Sets a balance. */
  async deal(who: Who, amount: bigint): Promise<void> {
    await enterLedger(this.#book)
    await this.#client.request('troupe_setBalance', [this.#text(who), amount.toString()])
  }

  /** A plain transfer; no code runs at the receiver. */
  async send(from: Who, to: Who, amount: bigint): Promise<MessageRecord> {
    const stack = stackBelow(this.send)
    const sender = await this.#sender(from)
    return this.#perform(
      {
        label: 'send',
        sender,
        to: this.#toAddress(to),
        method: 0n,
        params: EMPTY_BYTES,
        value: amount,
        gas: GAS_LIMIT,
      },
      { isView: false, target: undefined, decode: () => undefined, stack },
    )
  }

  // --- the chain ------------------------------------------------------------------------------------------------

  async status(): Promise<ChainStatus> {
    const { height, timeMs, baseFee } = await this.#client.request<StatusJson>('troupe_status')
    return {
      url: this.url,
      chainId: this.chainId,
      epoch: BigInt(height),
      timestamp: BigInt(Math.floor(timeMs / 1000)),
      baseFee: BigInt(baseFee),
    }
  }

  /** Makes blocks. */
  async mine(blocks = 1): Promise<void> {
    await this.#client.request('troupe_mine', [blocks])
  }

  /** Lets seconds pass, from the next block on. */
  async warp(by: number | bigint | { readonly to: number | bigint }): Promise<void> {
    const change = typeof by === 'object' ? { toSeconds: Number(by.to) } : { bySeconds: Number(by) }
    await this.#client.request('troupe_warp', [change])
  }

  /** A name for how things are. */
  snapshot(): Promise<string> {
    return this.#client.request<string>('troupe_snapshot')
  }

  /** Back to how things were, for everybody who uses the devnet; a snapshot can be used once. */
  async revert(snapshot: string): Promise<void> {
    await this.#client.request('troupe_revert', [snapshot])
    this.#book.forget()
  }

  // --- what handles ask -----------------------------------------------------------------------------------------

  async callMethod(
    target: Target,
    name: string,
    args: readonly unknown[],
    options: CallOptions,
    below: Below,
  ): Promise<unknown> {
    const stack = stackBelow(below)
    const { description, id } = target
    const method = description.methods.get(name)!
    const params = encodeParams(description.abi, method, args, this.#codec)
    const sender = await this.#sender(options.from)
    const record = await this.#perform(
      {
        label: `${description.name}.${name}`,
        sender,
        to: idAddress(id),
        method: BigInt(method.number),
        params,
        value: options.value ?? 0n,
        gas: options.gas ?? GAS_LIMIT,
      },
      {
        target,
        stack,
        isView: method.kind === 'view',
        decode: (bytes) => decodeReturn(description.abi, method, bytes, this.#codec),
      },
    )
    return record.returned
  }

  /** The state with all the blocks that its collections have. */
  async readState({ description, id }: Target): Promise<Record<string, unknown>> {
    const actor = await this.#client.request<ActorJson>('troupe_actor', [id.toString()])
    return decodeState(description.abi, await this.#blocks.fetch(parseCid(actor.state)), this.#codec)
  }

  async changeState(target: Target, change: Readonly<Record<string, unknown>>): Promise<void> {
    const { abi, name } = target.description
    const fields = new Set(abi.state.map((field) => field.slice(0, field.indexOf(':'))))
    const unknown = Object.keys(change).find((field) => !fields.has(field))
    if (unknown !== undefined) throw new AbiValueError(`state.${unknown}`, `is no field of ${name}`)
    const store = new BufferedBlockstore(this.#blocks.store)
    const block = encodeState(abi, { ...(await this.readState(target)), ...change }, { ...this.#codec, store })
    await enterLedger(this.#book)
    await this.#client.request('troupe_setState', [
      target.id.toString(),
      formatCid(cidOf(DAG_CBOR, block)),
      [...store.buffered.values(), block].map(hex),
    ])
  }

  // --- messages -------------------------------------------------------------------------------------------------

  async #perform(
    call: Call,
    how: {
      readonly isView: boolean
      readonly target: Target | undefined
      readonly decode: (bytes: Uint8Array) => unknown
      readonly stack: string
    },
  ): Promise<MessageRecord> {
    await enterLedger(this.#book)
    return this.#finish(
      call.label,
      call.sender,
      await (how.isView ? this.#route.view(call) : this.#route.send(call)),
      how,
    )
  }

  /** Remembers what a message did, and throws if it failed. */
  async #finish(
    label: string,
    sender: Sender,
    { receipt, fee, trace }: Ran,
    {
      target,
      decode,
      stack,
    }: {
      readonly target: Target | undefined
      readonly decode: (bytes: Uint8Array) => unknown
      readonly stack: string
    },
  ): Promise<MessageRecord> {
    const { exitCode, note, failures } = receipt
    const gas = BigInt(receipt.gasUsed)
    const events = receipt.events.map(parseEvent)
    await this.#book.learn(
      events.map(({ emitter }) => emitter),
      trace ?? [],
    )
    const returned = exitCode === 0 ? decode(fromHex(receipt.return)) : undefined
    const record = new Observed(this.#book, label, { exitCode, events, trace, gasUsed: gas }, sender.id, fee, returned)
    if (target !== undefined) target.last = record
    noteGas(label, gas)
    report(record)
    if (exitCode === 0) return record
    throw new ActorError(
      {
        label,
        exitCode,
        gas,
        exitName: exitName(exitCode, target?.description.abi.errors),
        note: failures[0]?.message ?? note,
        failures: failures.map(({ id, method, ...rest }) => ({
          ...rest,
          id: BigInt(id) as ActorId,
          method: BigInt(method),
        })),
        trace: trace ?? [],
        explain: () => ({ frames: [], message: '' }),
      },
      stack,
    )
  }

  // --- deploying ------------------------------------------------------------------------------------------------

  async #deploy(
    actor: unknown,
    args: readonly unknown[],
    options: CallOptions,
    stack: string,
  ): Promise<Record<string, unknown>> {
    const description = this.#describe(actor)
    const { abi, wasm, name } = description
    const creation = abi.methods.find(({ kind }) => kind === 'constructor')!
    const params = encodeParams(abi, creation, args, this.#codec)
    const sender = await this.#sender(options.from)
    await enterLedger(this.#book)
    const done = await this.#route.power<ReceiptJson & { id: string; address: string }>('troupe_deploy', {
      abi,
      code: hex(wasm),
      params: hex(params),
      from: formatAddress(sender.address, 't'),
      value: (options.value ?? 0n).toString(),
    })
    const target = done.exitCode === 0 ? this.#know(description, BigInt(done.id), done.address) : undefined
    await this.#finish(
      `${name}.constructor`,
      sender,
      { receipt: done, fee: 0n, trace: null },
      { target, stack, decode: () => undefined },
    )
    return createHandle(this, target!)
  }

  #describe(actor: unknown): ActorDescription {
    const description = describeActor(actor)
    this.#descriptions.set(description.code, description)
    return description
  }

  #know(description: ActorDescription, id: bigint, address: string): Target {
    const target: Target = { description, id, address, last: undefined }
    this.#targets.set(id, target)
    return target
  }

  // --- who ------------------------------------------------------------------------------------------------------

  async #sender(who: Who | undefined): Promise<Sender> {
    const account =
      who === undefined ? this.#accounts[0]! : this.#accounts.find((known) => known === who || known.name === who)
    if (account !== undefined)
      return { id: account.id, address: addressOf(account), signs: this.#keys.get(account) ?? 'there' }
    const id = await this.#needId(who!)
    const own = this.#accounts.find((known) => known.id === id)
    if (own !== undefined) return this.#sender(own)
    return { id, address: idAddress(id), signs: 'nobody' }
  }

  #named(text: string): Address | undefined {
    const account = this.#accounts.find(({ name }) => name === text)
    return account === undefined ? undefined : addressOf(account)
  }

  #toAddress(who: Who): Address {
    return parseAddress(this.#text(who))
  }

  /** As the devnet takes it: an address, or a name that only the devnet knows. */
  #text(who: Who): string {
    if (typeof who === 'bigint') return formatAddress(idAddress(who), 't')
    if (typeof who === 'string') {
      const named = this.#named(who)
      return named === undefined ? who : formatAddress(named, 't')
    }
    return targetOf(who) === undefined ? who.address : formatAddress(idAddress(targetOf(who)!.id), 't')
  }

  async #look(who: Who): Promise<{ readonly id: bigint | undefined; readonly balance: bigint }> {
    const { id, balance } = await this.#client.request<BalanceJson>('troupe_balance', [this.#text(who)])
    return { id: id === null ? undefined : BigInt(id), balance: BigInt(balance) }
  }

  async #needId(who: Who): Promise<bigint> {
    const { id } = await this.#look(who)
    if (id === undefined) throw new ConnectionError('TRP-7606', `there is no actor at ${this.#text(who)}`)
    return id
  }

  /** Without asking the devnet: an ID, or an address that may have one. */
  #idOfWho(who: Who): bigint | Address | undefined {
    if (typeof who === 'bigint') return who
    const account = this.#accounts.find((known) => known === who || known.name === who || known.address === who)
    if (account !== undefined) return account.id
    const target = targetOf(who)
    if (target !== undefined) return target.id
    try {
      return this.#toAddress(who)
    } catch {
      return undefined
    }
  }
}

/** The callers of `below`, as lines: by the time a call has failed they have returned. */
function stackBelow(below: Below): string {
  const site: { stack?: string } = {}
  Error.captureStackTrace(site, below)
  const stack = site.stack ?? ''
  return stack.slice(stack.indexOf('\n') + 1)
}
